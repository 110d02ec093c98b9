"""What a rule is shown: a status, a value, an event, or that time passed. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from hub.domain.alerts import Rule
from hub.domain.conditions import DeviceDegraded, DeviceOffline, EventOfKind, PointBeyond
from hub.domain.devices import DeviceKind
from hub.domain.events import StoredEvent
from hub.domain.health import Layer, Status

STATUS_KINDS = {f"device.{status.value}": status for status in Status}
_LAYERS: dict[object, frozenset[Layer]] = {layer.value: frozenset({layer}) for layer in Layer}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSeen:
    """A device's status; ``since`` is when it began, by our clock.

    ``faults`` are the layers that fail; ``detail`` is the sentence about the first of them.
    """

    status: Status
    since: datetime
    detail: str = ""
    faults: frozenset[Layer] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSeen:
    """A point's value."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeen:
    """A stored event that may start or end what the rule watches for."""

    event: StoredEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time alone."""


Observation = StatusSeen | ValueSeen | EventSeen | Tick


def is_watching(rule: Rule, area_path: str, device_kind: DeviceKind | None) -> bool:
    """Tell whether a rule concerns a device (or a place, without a kind) of an area."""
    is_inside = area_path == rule.area_path or area_path.startswith(rule.area_path + ".")
    wanted = rule.condition.device_kinds
    return is_inside and (not wanted or device_kind in wanted)


def observe(rule: Rule, event: StoredEvent) -> Observation | None:
    """What an event means for a rule, None when it means nothing."""
    match rule.condition:
        case DeviceOffline() | DeviceDegraded():
            status = STATUS_KINDS.get(event.kind)
            if status is None or event.device_id is None or event.replayed:
                return None
            return StatusSeen(
                status=status,
                since=event.received_at,
                detail=str(event.data.get("detail", "")),
                faults=_LAYERS.get(event.data.get("layer"), frozenset()),
            )
        case EventOfKind(kind=kind, clear_kind=clear_kind):
            is_ours = event.kind == kind or (clear_kind != "" and event.kind == clear_kind)
            return EventSeen(event=event) if is_ours else None
        case PointBeyond():
            return None
        case _ as never:
            assert_never(never)
