"""Turns messages of our MQTT convention into events. Pure, and total: it never raises.

What is not what it should be becomes an :class:`UnrecognisedEvent` that says why; the good parts
of the same message are kept. A retained message is a fact, but no news: ``replayed``.

Beside the fields of the convention these are understood, none is required:

* status: ``at``, ``kind``, ``manufacturer``, ``model``, ``firmware``, ``serial``, and ``interval``,
  the seconds within which the device, or one point, reports; of a point also ``low`` and ``high``,
  between which it reads when it is well.
* event: ``channel``, and ``active`` for kinds that start and stop.

``session`` counts up with every connection of the device; the Unix time of its start does as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.mqtt.descriptions import MAX_POINTS, parse_description, parse_point_key
from adapters.mqtt.fields import (
    Fault,
    Faults,
    TimeLimits,
    parse_mapping,
    parse_number,
    parse_object,
    parse_session,
    parse_text,
    parse_time,
)
from adapters.mqtt.topics import MAX_TOPIC_LENGTH, Leaf, Topic, parse_topic
from hub.domain.devices import DeviceDescription, Json
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

_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+\Z")
_RESERVED_KINDS = re.compile(
    r"device\.(described|status|online|offline|degraded|unknown|maintenance|flapping|steady"
    r"|identity_conflict)\Z|(alert|citizen_report|dispatch|drill|hub|link|patrol|picture|point"
    r"|receiver|roll_call|template)\."
)
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


def mask_secrets(payload: bytes) -> bytes:
    """The first bytes of a payload with the values of telling keys blotted out."""
    return _SECRET.sub(rb'\1"***"', payload[:EVIDENCE_BYTES])[:EVIDENCE_BYTES]


def _check_size(message: Message, max_payload_bytes: int) -> None:
    if message.size > max_payload_bytes:
        msg = f"the payload has {message.size} bytes, more than {max_payload_bytes}"
        raise Fault(msg)


def _parse_leaf(
    topic: Topic, document: dict[str, Json], limits: TimeLimits
) -> tuple[list[Event], Faults]:
    if topic.leaf is Leaf.READING:
        return _parse_reading(topic.device, document, limits)
    if topic.leaf is Leaf.STATUS:
        return _parse_status(topic.device, document, limits)
    if topic.leaf is Leaf.EVENT:
        return _parse_event(topic.device, document, limits)
    return [], Faults()


def _parse_reading(
    device: str, document: dict[str, Json], limits: TimeLimits
) -> tuple[list[Event], Faults]:
    at = parse_time(document.get("at"), limits)
    values = document.get("values")
    if not isinstance(values, dict) or len(values) > MAX_POINTS:
        msg = f"a reading needs values, an object of at most {MAX_POINTS} points"
        raise Fault(msg)
    events: list[Event] = []
    faults = Faults()
    for point, value in values.items():
        try:
            events.append(
                Reading(
                    device=device,
                    occurred_at=at,
                    point=parse_point_key(point),
                    value=parse_number(value),
                )
            )
        except Fault as fault:
            faults.add(point, fault)
    return events, faults


def _parse_status(
    device: str, document: dict[str, Json], limits: TimeLimits
) -> tuple[list[Event], Faults]:
    is_online = document.get("online")
    if not isinstance(is_online, bool):
        msg = "a status needs online, true or false"
        raise Fault(msg)
    at = parse_time(document.get("at"), limits)
    session = parse_session(document.get("session"))
    faults = Faults()
    description = parse_description(document, faults)
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


def _parse_event(
    device: str, document: dict[str, Json], limits: TimeLimits
) -> tuple[list[Event], Faults]:
    at = parse_time(document.get("at"), limits)
    kind = parse_text(document.get("kind"), longest=64)
    if not _KIND.match(kind) or _RESERVED_KINDS.match(kind):
        msg = "an event needs a kind such as door.opened, and not one of the hub's own"
        raise Fault(msg)
    faults = Faults()
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


def _parse_active(value: Json, kind: str, faults: Faults) -> bool | None:
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
        topic=message.topic[:MAX_TOPIC_LENGTH].replace("\0", "\ufffd"),
        reason=reason,
        payload=mask_secrets(message.payload),
    )
