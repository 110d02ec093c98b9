"""What a rule can watch for, and its JSON form."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from hub.domain.devices import DeviceKind, Json
from hub.domain.errors import Invalid
from hub.domain.health import OFFLINE_LAYERS, Layer

LONGEST_WAIT_S = 30 * 86_400.0
_NAME = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{0,126}[^\x00-\x20\x7f])?\Z")


class Direction(StrEnum):
    """On which side of the threshold it is bad."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOffline:
    """A device is offline for ``for_s`` seconds. Unknown is not offline."""

    type: ClassVar[str] = "device_offline"
    for_s: float = 0.0
    device_kinds: tuple[DeviceKind, ...] = ()  # empty: every kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDegraded:
    """One of ``layers`` of a device that answers fails for ``for_s`` seconds: no frames, say."""

    type: ClassVar[str] = "device_degraded"
    layers: tuple[Layer, ...] = ()  # empty: any
    for_s: float = 0.0
    device_kinds: tuple[DeviceKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PointBeyond:
    """A point reads beyond ``threshold`` for ``for_s`` seconds; over once it reaches ``clear``."""

    type: ClassVar[str] = "point_beyond"
    point: str
    direction: Direction
    threshold: float
    clear: float
    for_s: float = 0.0
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


Condition = DeviceOffline | DeviceDegraded | PointBeyond | EventOfKind

# What a device can fail at and still be there.
DEGRADED_LAYERS = tuple(layer for layer in Layer if layer not in OFFLINE_LAYERS)


def build_condition(condition: Condition) -> dict[str, Json]:
    """Turn a condition into JSON; :func:`parse_condition` reads it back."""
    match condition:
        case DeviceOffline():
            own: dict[str, Json] = {"for_s": condition.for_s}
        case DeviceDegraded():
            layers = [layer.value for layer in condition.layers]
            own = {"layers": layers, "for_s": condition.for_s}
        case PointBeyond():
            own = {
                "point": condition.point,
                "direction": condition.direction.value,
                "threshold": condition.threshold,
                "clear": condition.clear,
                "for_s": condition.for_s,
            }
        case EventOfKind():
            own = {
                "kind": condition.kind,
                "clear_kind": condition.clear_kind,
                "auto_clear_s": condition.auto_clear_s,
                "distinguish_by": condition.distinguish_by,
            }
    kinds = [kind.value for kind in condition.device_kinds]
    return {"type": condition.type, **own, "device_kinds": kinds}


def parse_condition(raw: Mapping[str, Json]) -> Condition:
    """Read a condition from JSON, strictly: the one place that says what is allowed.

    Raises:
        Invalid: naming the field that is missing, unknown or out of its range.
    """
    fields = dict(raw)
    kind = fields.pop("type", None)
    device_kinds = _device_kinds(fields.pop("device_kinds", []))
    condition: Condition
    if kind == DeviceOffline.type:
        condition = DeviceOffline(for_s=_seconds(fields, "for_s"), device_kinds=device_kinds)
    elif kind == DeviceDegraded.type:
        condition = DeviceDegraded(
            layers=_layers(fields.pop("layers", [])),
            for_s=_seconds(fields, "for_s"),
            device_kinds=device_kinds,
        )
    elif kind == PointBeyond.type:
        condition = _parse_point_beyond(fields, device_kinds)
    elif kind == EventOfKind.type:
        auto_clear = fields.pop("auto_clear_s", None)
        condition = EventOfKind(
            kind=_name(fields, "kind"),
            clear_kind=_name(fields, "clear_kind", default=""),
            auto_clear_s=None
            if auto_clear is None
            else _seconds({"auto_clear_s": auto_clear}, "auto_clear_s", least=1.0),
            distinguish_by=_name(fields, "distinguish_by", default=""),
            device_kinds=device_kinds,
        )
    else:
        msg = "a condition is one of device_offline, device_degraded, point_beyond, event_of_kind"
        raise Invalid(msg, field="type")
    if fields:
        name = min(fields)
        msg = f"a condition of this type has no such field: {name[:64]!r}"
        raise Invalid(msg, field=name[:64])
    return condition


def _parse_point_beyond(
    fields: dict[str, Json], device_kinds: tuple[DeviceKind, ...]
) -> PointBeyond:
    side = fields.pop("direction", None)
    if not isinstance(side, str) or side not in set(Direction):
        msg = "direction is above or below"
        raise Invalid(msg, field="direction")
    direction = Direction(side)
    threshold = _number(fields, "threshold")
    clear = _number(fields, "clear", default=threshold)
    if (clear > threshold) if direction is Direction.ABOVE else (clear < threshold):
        msg = "clear must lie on the good side of the threshold"
        raise Invalid(msg, field="clear")
    return PointBeyond(
        point=_name(fields, "point"),
        direction=direction,
        threshold=threshold,
        clear=clear,
        for_s=_seconds(fields, "for_s"),
        device_kinds=device_kinds,
    )


def _name(fields: dict[str, Json], key: str, *, default: str | None = None) -> str:
    value = fields.pop(key, default)
    is_good = isinstance(value, str) and (value == default or _NAME.match(value) is not None)
    if not isinstance(value, str) or not is_good:
        msg = f"{key} is a text of 1 to 128 characters"
        raise Invalid(msg, field=key)
    return value


def _number(fields: dict[str, Json], key: str, *, default: float | None = None) -> float:
    value = fields.pop(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        msg = f"{key} is a number"
        raise Invalid(msg, field=key)
    return float(value)


def _seconds(fields: dict[str, Json], key: str, *, least: float = 0.0) -> float:
    value = _number(fields, key, default=0.0)
    if not least <= value <= LONGEST_WAIT_S:
        msg = f"{key} is a number of seconds from {least:g} to {LONGEST_WAIT_S:g}"
        raise Invalid(msg, field=key)
    return value


def _device_kinds(raw: Json) -> tuple[DeviceKind, ...]:
    items = raw if isinstance(raw, list | tuple) else [None]
    if any(not isinstance(item, str) or item not in set(DeviceKind) for item in items):
        msg = f"device_kinds is a list of {', '.join(DeviceKind)}"
        raise Invalid(msg, field="device_kinds")
    return tuple(dict.fromkeys(DeviceKind(str(item)) for item in items))


def _layers(raw: Json) -> tuple[Layer, ...]:
    items = raw if isinstance(raw, list | tuple) else [None]
    if any(not isinstance(item, str) or item not in set(DEGRADED_LAYERS) for item in items):
        msg = f"layers is a list of {', '.join(DEGRADED_LAYERS)}"
        raise Invalid(msg, field="layers")
    return tuple(dict.fromkeys(Layer(str(item)) for item in items))
