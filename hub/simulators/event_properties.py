"""What a simulated camera says its event service can do: topics and limits."""

from collections.abc import Iterable

from hub.simulators.soap import Xml, el

_Branch = dict[str, "_Branch"]


def build_event_properties(topics: Iterable[str], *, dialect: str) -> Xml:
    """Build the reply to GetEventProperties."""
    return el(
        "tev:GetEventPropertiesResponse",
        el("tev:TopicNamespaceLocation", "http://www.onvif.org/onvif/ver10/topics/topicns.xml"),
        el("wsnt:FixedTopicSet", "true"),
        el("wstop:TopicSet", _topic_tree(topics)),
        el("wsnt:TopicExpressionDialect", dialect),
        el(
            "tev:MessageContentFilterDialect",
            "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter",
        ),
        el("tev:MessageContentSchemaLocation", "http://www.onvif.org/onvif/ver10/schema/onvif.xsd"),
    )


def build_service_capabilities(max_pull_points: int) -> Xml:
    """Build the reply to GetServiceCapabilities."""
    return el(
        "tev:GetServiceCapabilitiesResponse",
        el(
            "tev:Capabilities",
            attributes={
                "WSPullPointSupport": "true",
                "WSSubscriptionPolicySupport": "false",
                "MaxPullPoints": str(max_pull_points),
            },
        ),
    )


def _topic_tree(topics: Iterable[str]) -> Xml:
    tree: dict[str, _Branch] = {}
    for topic in topics:
        branch = tree
        for part in topic.split("/"):
            branch = branch.setdefault(part, {})
    return _branches(tree)


def _branches(tree: "dict[str, _Branch]") -> Xml:
    leaf = {"wstop:topic": "true"}
    return Xml(
        "".join(
            el(name, _branches(below)) if below else el(name, attributes=leaf)
            for name, below in tree.items()
        )
    )
