"""Which alerts a silence, a route or an escalation policy is about. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.devices import Json
from hub.domain.events import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """What an alert must be; an empty field asks nothing, its values are alternatives.

    The area is not in here: whoever owns the matcher has one, and means everything below it.
    """

    severities: tuple[Severity, ...] = ()
    rule_ids: tuple[int, ...] = ()
    device_ids: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """What is asked of an alert to know whom it concerns. ``parent_id`` is its device's uplink."""

    alert_id: int
    rule_id: int
    severity: Severity
    area_id: int
    area_path: str
    device_id: int | None = None
    device_class: str = ""
    tags: frozenset[str] = frozenset()
    parent_id: int | None = None
    drill_id: int | None = None
    is_folded: bool = False


def is_match(matcher: Matcher, area_path: str, facts: AlertFacts) -> bool:
    """Tell whether an alert lies in an area and is what a matcher asks for."""
    is_inside = facts.area_path == area_path or facts.area_path.startswith(area_path + ".")
    return (
        is_inside
        and (not matcher.severities or facts.severity in matcher.severities)
        and (not matcher.rule_ids or facts.rule_id in matcher.rule_ids)
        and (not matcher.device_ids or facts.device_id in matcher.device_ids)
        and (not matcher.classes or facts.device_class in matcher.classes)
        and (not matcher.tags or not facts.tags.isdisjoint(matcher.tags))
    )


def build_matcher(matcher: Matcher) -> dict[str, Json]:
    """Turn a matcher into JSON; :func:`parse_matcher` reads it back."""
    return {
        "severities": [severity.value for severity in matcher.severities],
        "rule_ids": list(matcher.rule_ids),
        "device_ids": list(matcher.device_ids),
        "classes": list(matcher.classes),
        "tags": list(matcher.tags),
    }


def parse_matcher(raw: Mapping[str, Json]) -> Matcher:
    """Read a stored matcher; what comes from outside is checked by the API's schema."""

    def values(key: str) -> list[Json]:
        found = raw.get(key, [])
        return list(found) if isinstance(found, list | tuple) else []

    return Matcher(
        severities=tuple(Severity(str(v)) for v in values("severities")),
        rule_ids=tuple(int(str(v)) for v in values("rule_ids")),
        device_ids=tuple(int(str(v)) for v in values("device_ids")),
        classes=tuple(str(v) for v in values("classes")),
        tags=tuple(str(v) for v in values("tags")),
    )
