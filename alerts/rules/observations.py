"""What a rule is shown: a status, a value, an event, or that time passed; and whom it is about.

Pure.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from hub.domain.alerts import Rule, RuleState, subject_key
from hub.domain.conditions import (
    Combination,
    DeviceDegraded,
    DeviceOffline,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    Per,
    PointBeyond,
)
from hub.domain.devices import DeviceKind
from hub.domain.events import StoredEvent
from hub.domain.health import Layer, Status

STATUS_KINDS = {f"device.{status.value}": status for status in Status}
LONGEST_MARK: Final = 64  # characters of what distinguishes subjects
_LAYERS: dict[object, frozenset[Layer]] = {layer.value: frozenset({layer}) for layer in Layer}
_NO_TAGS: Final[frozenset[str]] = frozenset()


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
    """A point's value, just read."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """When the last one came of what is missed if it stays away: a reading of a point, say.

    For an event: when the rule came to know a device that is expected to send it.
    """

    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeen:
    """A stored event that may start or end what the rule watches for."""

    event: StoredEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time alone."""


Observation = StatusSeen | ValueSeen | LastSeen | EventSeen | Tick


def is_watching(
    rule: Rule,
    area_path: str,
    device_kind: DeviceKind | None,
    device_class: str = "",
    tags: frozenset[str] = _NO_TAGS,
) -> bool:
    """Tell whether a rule concerns a device (or a place, without a kind) of an area."""
    is_inside = area_path == rule.area_path or area_path.startswith(rule.area_path + ".")
    wanted = rule.condition.device_kinds
    return (
        is_inside
        and (not wanted or device_kind in wanted)
        and (not rule.classes or device_class in rule.classes)
        and (not rule.tags or not tags.isdisjoint(rule.tags))
    )


def observe(rule: Rule, event: StoredEvent) -> Observation | None:
    """What an event means for a rule, None when it means nothing."""
    condition = rule.condition
    match condition:
        case DeviceOffline() | DeviceDegraded():
            return _observe_status(event)
        case EventOfKind(kind=kind, clear_kind=clear_kind):
            is_ours = event.kind == kind or (clear_kind != "" and event.kind == clear_kind)
        case EventCount(kind=kind):
            is_ours = event.kind == kind and event.is_active is not False
        case NothingSeen(kind=kind):
            is_ours = event.kind == kind and not event.replayed
        case Combination(clear_kind=clear_kind):
            is_end = clear_kind != "" and event.kind == clear_kind
            is_ours = is_end or matching_pattern(condition, event) is not None
        case PointBeyond():
            is_ours = False
        case _ as never:
            assert_never(never)
    return EventSeen(event=event) if is_ours else None


def matching_pattern(condition: Combination, event: StoredEvent) -> int | None:
    """Which of a combination's events this one is; None when it takes no part."""
    for number, pattern in enumerate(condition.events):
        if pattern.kind == event.kind and _has_activity(pattern, event):
            return number
    return None


def subject_of(rule: Rule, event: StoredEvent) -> RuleState:
    """The subject of an event under a rule, with nothing remembered of it.

    What counts per area has no device; a channel and what ``distinguish_by`` names divide
    subjects further.
    """
    condition = rule.condition
    channel = mark = ""
    device_id = event.device_id
    if isinstance(condition, EventOfKind):
        channel = event.channel
    if isinstance(condition, EventOfKind | EventCount) and condition.distinguish_by:
        mark = str(event.data.get(condition.distinguish_by, ""))[:LONGEST_MARK]
    if isinstance(condition, EventCount | Combination) and condition.per is Per.AREA:
        device_id = None
    return RuleState(
        rule_id=rule.id,
        subject=subject_key(area_id=event.area_id, device_id=device_id, channel=channel, mark=mark),
        area_id=event.area_id,
        device_id=device_id,
        channel=channel,
    )


def _has_activity(pattern: EventPattern, event: StoredEvent) -> bool:
    if pattern.is_active is None:
        return event.is_active is not False
    return event.is_active is pattern.is_active


def _observe_status(event: StoredEvent) -> StatusSeen | None:
    status = STATUS_KINDS.get(event.kind)
    if status is None or event.device_id is None or event.replayed:
        return None
    return StatusSeen(
        status=status,
        since=min(event.at, event.received_at),
        detail=str(event.data.get("detail", "")),
        faults=_LAYERS.get(event.data.get("layer"), frozenset()),
    )
