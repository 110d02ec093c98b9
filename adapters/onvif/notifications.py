"""Notification messages (ONVIF Core Specification §9.4) as plain data.

Read without the schema: one time stamp of 0000-00-00 would otherwise cost the whole reply, and
this reply is the one that comes every few seconds from every camera.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree import ElementTree as ET

from adapters.onvif.clocks import parse_time
from adapters.onvif.documents import find_local, local_name, text_of

MAX_ITEMS = 32
MAX_TEXT = 256
MAX_EVIDENCE_BYTES = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message as the camera sent it.

    ``topic`` has its name-space prefixes removed ("VideoSource/MotionAlarm"); ``operation`` is
    Initialized, Changed, Deleted or empty; ``source`` and ``data`` are its simple items.
    """

    topic: str
    operation: str = ""
    occurred_at: datetime | None = None
    source: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""


def parse_notifications(root: ET.Element) -> tuple[Notification, ...]:
    """Return the messages of a PullMessagesResponse, oldest first as the camera orders them."""
    return tuple(
        _parse_one(element)
        for element in root.iter()
        if local_name(element.tag) == "NotificationMessage"
    )


def _parse_one(element: ET.Element) -> Notification:
    topic = "/".join(
        segment.rpartition(":")[2].strip()
        for segment in text_of(find_local(element, "Topic")).split("/")
    )
    # wsnt:Message wraps tt:Message; only the inner one has the attributes.
    messages = [one for one in element.iter() if local_name(one.tag) == "Message"]
    message = messages[-1] if messages else element
    return Notification(
        topic=topic[:MAX_TEXT],
        operation=message.get("PropertyOperation", "").strip(),
        occurred_at=parse_time(message.get("UtcTime", "")),
        source=_items(find_local(message, "Source")),
        data=_items(find_local(message, "Data")),
        raw=ET.tostring(element)[:MAX_EVIDENCE_BYTES],
    )


def _items(element: ET.Element | None) -> dict[str, str]:
    """Return the simple items of a Source or Data element, bounded in number and length."""
    if element is None:
        return {}
    items = [item for item in element.iter() if local_name(item.tag) == "SimpleItem"]
    return {
        item.get("Name", "")[:MAX_TEXT]: item.get("Value", "").strip()[:MAX_TEXT]
        for item in items[:MAX_ITEMS]
    }
