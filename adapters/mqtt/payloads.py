"""Turns messages of our MQTT convention into events. Pure, and total: it never raises.

What is not what it should be becomes an :class:`UnrecognisedEvent` that says why; the good parts
of the same message are kept. A retained message is a fact, but no news: ``replayed``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from adapters.mqtt.fields import (
    Fault,
    TimeLimits,
    parse_interval,
    parse_mapping,
    parse_number,
    parse_object,
    parse_session,
    parse_text,
    parse_time,
)
from adapters.mqtt.topics import Leaf, Topic, parse_topic
from hub.domain.devices import DeviceDescription, DeviceKind, Json, Point
from hub.domain.events import (
    DeviceDescribed,
    Event,
    Occurrence,
    Reading,
    Severity,
    StatusReported,
    UnrecognisedEvent,
)
from hub.domain.health import Layer, Status

EVIDENCE_BYTES = 2_048  # of an unrecognised payload, kept
MAX_POINTS = 1_000  # of one device, and values of one reading
MAX_POINT_LENGTH = 64
INTERVAL_CAPABILITY = "interval_s"

_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+\Z")
_RESERVED_KINDS = re.compile(r"(device\.(described|status)\Z|(alert|patrol|hub)\.)")
_SECRET = re.compile(
    rb"""("[^"]{0,32}(?:passw|secret|token|api_?key)[^"]{0,32}"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^,}\s]+)""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it came. ``payload`` may be cut; ``size`` is what it had on the wire."""

    topic: str
    payload: bytes
    size: int
    is_retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReply:
    """A device's answer to a command; ``body`` is all of it but the id."""

    device: str
    id: str
    body: Mapping[str, Json]


def parse_message(
    message: Message, *, limits: TimeLimits, max_payload_bytes: int
) -> tuple[Event, ...]:
    """The events a message stands for; none for what the hub itself or a reply sent."""
    topic = parse_topic(message.topic)
    if topic.leaf is None:
        return (_unrecognised(message, topic, topic.reason),)
    if topic.leaf is Leaf.COMMAND:
        return ()
    try:
        _check_size(message, max_payload_bytes)
        document = parse_object(message.payload)
        events, faults = _parse_leaf(topic, document, limits)
    except Fault as fault:
        return (_unrecognised(message, topic, str(fault)),)
    if message.is_retained:
        events = [replace(event, replayed=True) for event in events]
    if faults:
        events.append(_unrecognised(message, topic, faults.summary()))
    return tuple(events)


def parse_reply(message: Message, *, max_payload_bytes: int) -> CommandReply | UnrecognisedEvent:
    """Read a command's reply; its body is whatever the device answers."""
    topic = parse_topic(message.topic)
    try:
        _check_size(message, max_payload_bytes)
        document = parse_object(message.payload)
        id_ = parse_text(document.pop("id", None))
        body = parse_mapping(document)
    except Fault as fault:
        return _unrecognised(message, topic, str(fault))
    if not id_:
        return _unrecognised(message, topic, "a reply without the id of its command")
    return CommandReply(device=topic.device, id=id_, body=body)


def expected_interval(description: DeviceDescription) -> float | None:
    """Within how many seconds a device says it reports: its own word, else its fastest point's."""
    stated = description.capabilities.get(INTERVAL_CAPABILITY)
    if isinstance(stated, int | float):
        return float(stated)
    return min(
        (p.expected_interval_s for p in description.points if p.expected_interval_s is not None),
        default=None,
    )


def mask_secrets(payload: bytes) -> bytes:
    """The first bytes of a payload with the values of telling keys blotted out."""
    return _SECRET.sub(rb'\1"***"', payload[:EVIDENCE_BYTES])[:EVIDENCE_BYTES]


class _Faults:
    """What was wrong in a message that is otherwise good; keeps the first ten."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, field: str, fault: Fault) -> None:
        self._count += 1
        if self._count <= 10:
            self._texts.append(f"{field[:MAX_POINT_LENGTH]!r}: {fault}")

    def summary(self) -> str:
        rest = self._count - len(self._texts)
        return "; ".join(self._texts) + (f"; and {rest} more" if rest else "")


def _check_size(message: Message, max_payload_bytes: int) -> None:
    if message.size > max_payload_bytes:
        msg = f"the payload has {message.size} bytes, more than {max_payload_bytes}"
        raise Fault(msg)


def _parse_leaf(
    topic: Topic, document: dict[str, Json], limits: TimeLimits
) -> tuple[list[Event], _Faults]:
    if topic.leaf is Leaf.READING:
        return _parse_reading(topic.device, document, limits)
    if topic.leaf is Leaf.STATUS:
        return _parse_status(topic.device, document, limits)
    if topic.leaf is Leaf.EVENT:
        return _parse_event(topic.device, document, limits)
    return [], _Faults()


def _parse_reading(
    device: str, document: dict[str, Json], limits: TimeLimits
) -> tuple[list[Event], _Faults]:
    at = parse_time(document.get("at"), limits)
    values = document.get("values")
    if not isinstance(values, dict) or len(values) > MAX_POINTS:
        msg = f"a reading needs values, an object of at most {MAX_POINTS} points"
        raise Fault(msg)
    events: list[Event] = []
    faults = _Faults()
    for point, value in values.items():
        try:
            events.append(
                Reading(
                    device=device,
                    occurred_at=at,
                    point=_parse_point_key(point),
                    value=parse_number(value),
                )
            )
        except Fault as fault:
            faults.add(point, fault)
    return events, faults


def _parse_point_key(key: str) -> str:
    if not key or len(key) > MAX_POINT_LENGTH or not key.isprintable() or key != key.strip():
        msg = f"not a point's name: 1 to {MAX_POINT_LENGTH} printable characters"
        raise Fault(msg)
    return key


def _parse_status(
    device: str, document: dict[str, Json], limits: TimeLimits
) -> tuple[list[Event], _Faults]:
    is_online = document.get("online")
    if not isinstance(is_online, bool):
        msg = "a status needs online, true or false"
        raise Fault(msg)
    at = parse_time(document.get("at"), limits)
    session = parse_session(document.get("session"))
    faults = _Faults()
    description = _parse_description(document, faults)
    events: list[Event] = []
    if is_online or description != DeviceDescription(kind=description.kind):
        events.append(DeviceDescribed(device=device, occurred_at=at, description=description))
    events.append(
        StatusReported(
            device=device,
            occurred_at=at,
            status=Status.ONLINE if is_online else Status.OFFLINE,
            layer=None if is_online else Layer.NETWORK,
            detail="" if is_online else "signed off, or lost by the broker",
            session=session,
        )
    )
    return events, faults


def _parse_description(document: dict[str, Json], faults: _Faults) -> DeviceDescription:
    texts: dict[str, str] = {}
    for field in ("name", "area", "manufacturer", "model", "firmware", "serial"):
        try:
            texts[field] = parse_text(document.get(field))
        except Fault as fault:
            texts[field] = ""
            faults.add(field, fault)
    kind, interval_s = DeviceKind.SENSOR, None
    try:
        kind = _parse_device_kind(document.get("kind"))
    except Fault as fault:
        faults.add("kind", fault)
    try:
        interval_s = parse_interval(document.get("interval"))
    except Fault as fault:
        faults.add("interval", fault)
    return DeviceDescription(
        kind=kind,
        name=texts["name"],
        manufacturer=texts["manufacturer"],
        model=texts["model"],
        firmware=texts["firmware"],
        serial=texts["serial"],
        area_hint=texts["area"],
        points=tuple(_parse_points(document.get("points"), interval_s, faults)),
        capabilities={} if interval_s is None else {INTERVAL_CAPABILITY: interval_s},
    )


def _parse_device_kind(value: Json) -> DeviceKind:
    if value is None:
        return DeviceKind.SENSOR
    try:
        return DeviceKind(parse_text(value))
    except ValueError:
        msg = f"expected one of {', '.join(DeviceKind)}"
        raise Fault(msg) from None


def _parse_points(value: Json, interval_s: float | None, faults: _Faults) -> Iterable[Point]:
    if value is None:
        return
    if not isinstance(value, dict) or len(value) > MAX_POINTS:
        faults.add("points", Fault(f"expected an object of at most {MAX_POINTS} points"))
        return
    for key, about in value.items():
        try:
            told = parse_mapping(about)
            stated_s = parse_interval(told.get("interval"))
            yield Point(
                key=_parse_point_key(key),
                unit=parse_text(told.get("unit"), longest=32),
                quantity=parse_text(told.get("quantity"), longest=64),
                expected_interval_s=interval_s if stated_s is None else stated_s,
            )
        except Fault as fault:
            faults.add(f"points.{key}", fault)


def _parse_event(
    device: str, document: dict[str, Json], limits: TimeLimits
) -> tuple[list[Event], _Faults]:
    at = parse_time(document.get("at"), limits)
    kind = parse_text(document.get("kind"), longest=64)
    if not _KIND.match(kind) or _RESERVED_KINDS.match(kind):
        msg = "an event needs a kind such as door.opened, and not one of the hub's own"
        raise Fault(msg)
    faults = _Faults()
    severity, channel, data = Severity.INFO, "", dict[str, Json]()
    try:
        severity = _parse_severity(document.get("severity"))
    except Fault as fault:
        faults.add("severity", fault)
    try:
        channel = parse_text(document.get("channel"), longest=64)
    except Fault as fault:
        faults.add("channel", fault)
    try:
        data = dict(parse_mapping(document.get("data")))
    except Fault as fault:
        faults.add("data", fault)
    event = Occurrence(
        device=device,
        occurred_at=at,
        kind=kind,
        channel=channel,
        severity=severity,
        is_active=_parse_active(document.get("active"), kind, faults),
        data=data,
    )
    return [event], faults


def _parse_severity(value: Json) -> Severity:
    if value is None:
        return Severity.INFO
    try:
        return Severity(parse_text(value).lower())
    except ValueError:
        msg = f"expected one of {', '.join(Severity)}"
        raise Fault(msg) from None


def _parse_active(value: Json, kind: str, faults: _Faults) -> bool | None:
    if isinstance(value, bool):
        return value
    if value is not None:
        faults.add("active", Fault("expected true or false"))
    if kind.endswith(".started"):
        return True
    return False if kind.endswith((".stopped", ".ended")) else None


def _unrecognised(message: Message, topic: Topic, reason: str) -> UnrecognisedEvent:
    return UnrecognisedEvent(
        device=topic.device,
        replayed=message.is_retained,
        topic=message.topic[:512],
        reason=reason,
        payload=mask_secrets(message.payload),
    )
