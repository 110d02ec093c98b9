"""What a rule can watch for, and its JSON form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar, Final, assert_never

from hub.domain.devices import DeviceKind, Json
from hub.domain.health import OFFLINE_LAYERS, Layer
from hub.domain.json_fields import Fields, refuse

MOST_COUNTED = 100
MOST_PATTERNS = 5
# Whether readings stay away is looked at this often at best.
SHORTEST_SILENCE_S = 10.0


class Direction(StrEnum):
    """On which side of the threshold it is bad."""

    ABOVE = "above"
    BELOW = "below"


class Per(StrEnum):
    """Whose events belong together: those of one device, or of all devices of one area."""

    DEVICE = "device"
    AREA = "area"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOffline:
    """A device is offline for ``for_s`` seconds. Unknown is not offline.

    It is over once the device was known to be back for ``clear_for_s`` seconds.
    """

    type: ClassVar[str] = "device_offline"
    for_s: float = 0.0
    clear_for_s: float = 0.0
    device_kinds: tuple[DeviceKind, ...] = ()  # empty: every kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDegraded:
    """One of ``layers`` of a device that answers fails for ``for_s`` seconds: no frames, say.

    It is over once they were known to be good for ``clear_for_s`` seconds.
    """

    type: ClassVar[str] = "device_degraded"
    layers: tuple[Layer, ...] = ()  # empty: any
    for_s: float = 0.0
    clear_for_s: float = 0.0
    device_kinds: tuple[DeviceKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PointBeyond:
    """A point reads beyond ``threshold`` for ``for_s`` seconds.

    It is over once it stayed at ``clear`` or on its good side for ``clear_for_s`` seconds.
    """

    type: ClassVar[str] = "point_beyond"
    point: str
    direction: Direction
    threshold: float
    clear: float
    for_s: float = 0.0
    clear_for_s: float = 0.0
    device_kinds: tuple[DeviceKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOfKind:
    """An event of a kind happened.

    It is over with an event of ``clear_kind``, with the same kind no longer active, or
    ``auto_clear_s`` after the last one. ``distinguish_by`` names a field of the event's data:
    each of its values is a subject of its own (one alert for each patrol plan, say).
    """

    type: ClassVar[str] = "event_of_kind"
    kind: str
    clear_kind: str = ""
    auto_clear_s: float | None = None
    distinguish_by: str = ""
    device_kinds: tuple[DeviceKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """At least ``count`` events of a kind within ``within_s`` seconds, by our clock.

    It is over when none came for ``clear_s`` seconds (None: ``within_s``). What is no longer
    active does not count.
    """

    type: ClassVar[str] = "event_count"
    kind: str
    count: int
    within_s: float
    per: Per = Per.DEVICE
    distinguish_by: str = ""
    clear_s: float | None = None
    device_kinds: tuple[DeviceKind, ...] = ()

    @property
    def quiet_s(self) -> float:
        """How long none must come for it to be over."""
        return self.within_s if self.clear_s is None else self.clear_s


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingSeen:
    """No event of ``kind``, or no reading of ``point``, came from a device for ``for_s`` seconds.

    It is over with the next one. Time counts from the last one: a device that never sent such an
    event is not expected to, and neither is a point that never reported. With ``expects_all``
    every device of the rule is expected to send the event; one that never did is missed
    ``for_s`` after the rule came to know it. Replayed events prove nothing and do not count.
    """

    type: ClassVar[str] = "nothing_seen"
    kind: str = ""
    point: str = ""
    for_s: float
    expects_all: bool = False
    device_kinds: tuple[DeviceKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPattern:
    """An event that takes part in a combination.

    ``is_active`` None: it began or happened; True: it began; False: it ended.
    """

    kind: str
    is_active: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """All of ``events`` within ``within_s`` seconds of each other, by our clock.

    It is over with an event of ``clear_kind``, or ``clear_s`` after the last complete one.
    """

    type: ClassVar[str] = "combination"
    events: tuple[EventPattern, ...]
    within_s: float
    per: Per = Per.DEVICE
    in_order: bool = False
    clear_s: float = 300.0
    clear_kind: str = ""
    device_kinds: tuple[DeviceKind, ...] = ()


Condition = (
    DeviceOffline
    | DeviceDegraded
    | PointBeyond
    | EventOfKind
    | EventCount
    | NothingSeen
    | Combination
)

# What a device can fail at and still be there.
DEGRADED_LAYERS = tuple(layer for layer in Layer if layer not in OFFLINE_LAYERS)


def kinds_of(condition: Condition) -> frozenset[str]:
    """The kinds of events a condition asks for; none for those over the present or readings."""
    match condition:
        case DeviceOffline() | DeviceDegraded() | PointBeyond():
            return frozenset()
        case EventOfKind(kind=kind, clear_kind=clear_kind):
            return frozenset({kind, clear_kind} - {""})
        case EventCount(kind=kind) | NothingSeen(kind=kind):
            return frozenset({kind} - {""})
        case Combination(events=events, clear_kind=clear_kind):
            return frozenset({*(one.kind for one in events), clear_kind} - {""})
        case _ as never:
            assert_never(never)


def build_condition(condition: Condition) -> dict[str, Json]:
    """Turn a condition into JSON; :func:`parse_condition` reads it back."""
    own = {each.name: _plain(getattr(condition, each.name)) for each in fields(condition)}
    return {"type": condition.type, **own}


def _plain(value: object) -> Json:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, EventPattern):
        return {"kind": value.kind, "is_active": value.is_active}
    return value.value if isinstance(value, StrEnum) else value


def parse_condition(raw: Mapping[str, Json]) -> Condition:
    """Read a condition from JSON, strictly: the one place that says what is allowed.

    Raises:
        Invalid: naming the field that is missing, unknown or out of its range.
    """
    left = Fields(raw)
    kind = left.take("type")
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        refuse(f"a condition is one of {', '.join(_PARSERS)}", "type")
    condition = parse(left, left.choices("device_kinds", tuple(DeviceKind)))
    left.done("a condition of this type")
    return condition


def _parse_offline(left: Fields, kinds: tuple[DeviceKind, ...]) -> Condition:
    return DeviceOffline(
        for_s=left.seconds("for_s"), clear_for_s=left.seconds("clear_for_s"), device_kinds=kinds
    )


def _parse_degraded(left: Fields, kinds: tuple[DeviceKind, ...]) -> Condition:
    return DeviceDegraded(
        layers=left.choices("layers", DEGRADED_LAYERS),
        for_s=left.seconds("for_s"),
        clear_for_s=left.seconds("clear_for_s"),
        device_kinds=kinds,
    )


def _parse_beyond(left: Fields, kinds: tuple[DeviceKind, ...]) -> Condition:
    direction = left.choice("direction", Direction)
    threshold = left.number("threshold")
    clear = left.number("clear", default=threshold)
    if (clear > threshold) if direction is Direction.ABOVE else (clear < threshold):
        refuse("clear must lie on the good side of the threshold", "clear")
    return PointBeyond(
        point=left.name("point"),
        direction=direction,
        threshold=threshold,
        clear=clear,
        for_s=left.seconds("for_s"),
        clear_for_s=left.seconds("clear_for_s"),
        device_kinds=kinds,
    )


def _parse_event(left: Fields, kinds: tuple[DeviceKind, ...]) -> Condition:
    return EventOfKind(
        kind=left.name("kind"),
        clear_kind=left.name("clear_kind", default=""),
        auto_clear_s=left.seconds_or_none("auto_clear_s", least=1.0),
        distinguish_by=left.name("distinguish_by", default=""),
        device_kinds=kinds,
    )


def _parse_count(left: Fields, kinds: tuple[DeviceKind, ...]) -> Condition:
    return EventCount(
        kind=left.name("kind"),
        count=left.whole("count", least=2, most=MOST_COUNTED),
        within_s=left.seconds("within_s", least=1.0, default=0.0),
        per=left.choice("per", Per, default=Per.DEVICE),
        distinguish_by=left.name("distinguish_by", default=""),
        clear_s=left.seconds_or_none("clear_s", least=1.0),
        device_kinds=kinds,
    )


def _parse_silence(left: Fields, kinds: tuple[DeviceKind, ...]) -> Condition:
    kind, point = left.name("kind", default=""), left.name("point", default="")
    if (kind == "") is (point == ""):
        refuse("name the kind of an event, or a point, and not both", "kind")
    expects_all = left.flag("expects_all")
    if expects_all and point:
        refuse(
            "only an event can be expected of all devices: not all have the point", "expects_all"
        )
    least = SHORTEST_SILENCE_S if point else 1.0
    return NothingSeen(
        kind=kind,
        point=point,
        for_s=left.seconds("for_s", least=least, default=0.0),
        expects_all=expects_all,
        device_kinds=kinds,
    )


def _parse_combination(left: Fields, kinds: tuple[DeviceKind, ...]) -> Condition:
    raw = left.take("events")
    items = raw if isinstance(raw, list | tuple) else ()
    if not 2 <= len(items) <= MOST_PATTERNS:
        refuse(f"events is a list of 2 to {MOST_PATTERNS} events", "events")
    events = tuple(_parse_pattern(item) for item in items)
    starts = [one.kind for one in events if one.is_active is not False]
    ends = [one.kind for one in events if one.is_active is False]
    if len(set(starts)) < len(starts) or len(set(ends)) < len(ends):
        refuse("one event would stand for two of these: count them instead", "events")
    clear_kind = left.name("clear_kind", default="")
    if clear_kind in {*starts, *ends}:
        refuse("an event that takes part cannot end it", "clear_kind")
    return Combination(
        events=events,
        within_s=left.seconds("within_s", least=1.0, default=0.0),
        per=left.choice("per", Per, default=Per.DEVICE),
        in_order=left.flag("in_order"),
        clear_s=left.seconds("clear_s", least=1.0, default=300.0),
        clear_kind=clear_kind,
        device_kinds=kinds,
    )


def _parse_pattern(raw: Json) -> EventPattern:
    if not isinstance(raw, Mapping):
        refuse("each of the events is an object with a kind", "events")
    left = Fields(raw)
    kind = left.name("kind")
    is_active = left.take("is_active")
    if is_active is not None and not isinstance(is_active, bool):
        refuse("is_active is true, false or null", "is_active")
    left.done("an event of a combination")
    return EventPattern(kind=kind, is_active=is_active)


_PARSERS: Final[Mapping[str, Callable[[Fields, tuple[DeviceKind, ...]], Condition]]] = {
    DeviceOffline.type: _parse_offline,
    DeviceDegraded.type: _parse_degraded,
    PointBeyond.type: _parse_beyond,
    EventOfKind.type: _parse_event,
    EventCount.type: _parse_count,
    NothingSeen.type: _parse_silence,
    Combination.type: _parse_combination,
}
