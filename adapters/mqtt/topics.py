"""Topics of our convention: ``gengfu/v1/<device>/<leaf>``. Pure.

A device's identity is the topic's, and the broker's access list ties the topic to the
credentials; whatever a payload says about identity is not read.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

PREFIX = "gengfu/v1/"
MAX_DEVICE_LENGTH = 128
MAX_TOPIC_LENGTH = 256


class Leaf(StrEnum):
    """What a topic of a device carries."""

    STATUS = "status"
    READING = "reading"
    EVENT = "event"
    COMMAND = "command"
    REPLY = "command/reply"


_LEAVES = {leaf.value: leaf for leaf in Leaf}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic taken apart.

    ``device`` is empty when the topic names none that could be one; ``leaf`` is None when the
    topic is not of our convention, and ``reason`` says why.
    """

    device: str = ""
    leaf: Leaf | None = None
    reason: str = ""


def device_name_fault(name: str) -> str | None:
    """Return why a name cannot be a device's, or None. It may become part of an address."""
    if not name or name != name.strip():
        return "the device name is empty or begins or ends with a space"
    if len(name) > MAX_DEVICE_LENGTH:
        return f"the device name is longer than {MAX_DEVICE_LENGTH} characters"
    if not name.isprintable():
        return "the device name holds control characters"
    if ".." in name or name == "." or any(c in name for c in "+#/\\%"):
        return "the device name holds wildcards or parts of a path"
    return None


def parse_topic(text: str) -> Topic:
    """Take a topic apart; those of the usual length are remembered, for speed."""
    if len(text) > MAX_TOPIC_LENGTH:
        return Topic(reason=f"the topic is longer than {MAX_TOPIC_LENGTH} characters")
    return _parse_short(text)


def build_topic(device: str, leaf: Leaf) -> str:
    """The topic of one device's leaf; ``device`` has passed :func:`device_name_fault`."""
    return f"{PREFIX}{device}/{leaf.value}"


def build_filters(*, shared_group: str) -> tuple[str, ...]:
    """What the hub subscribes to.

    Shared subscriptions get no retained messages, and a reply must reach the process that asked:
    so status and replies are subscribed to a second time, unshared. Handling either twice
    changes nothing.
    """
    if not shared_group:
        return (f"{PREFIX}#",)
    return (
        f"$share/{shared_group}/{PREFIX}#",
        f"{PREFIX}+/{Leaf.STATUS.value}",
        f"{PREFIX}+/{Leaf.REPLY.value}",
    )


@lru_cache(maxsize=65_536)
def _parse_short(text: str) -> Topic:
    if not text.startswith(PREFIX):
        return Topic(reason=f"the topic is not below {PREFIX}")
    device, _, rest = text[len(PREFIX) :].partition("/")
    fault = device_name_fault(device)
    if fault is not None:
        return Topic(reason=fault)
    leaf = _LEAVES.get(rest)
    if leaf is None:
        return Topic(device=device, reason="unknown topic: expected status, reading or event")
    return Topic(device=device, leaf=leaf)
