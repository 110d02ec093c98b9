"""The present beside what rules remember: finds what no event told, or told before a rule was."""

from datetime import datetime

from alerts.judging.judge import SCOPE, Sighting
from alerts.rules.observations import LastSeen, Observation, StatusSeen, ValueSeen
from hub.domain.alerts import Rule, RuleState, subject_key
from hub.domain.calendars import NO_HOLIDAYS, Holidays
from hub.domain.conditions import DeviceDegraded, DeviceOffline, NothingSeen, PointBeyond
from hub.runtime.calendars import is_active
from hub.store.database import Transaction
from hub.store.sweeps import (
    PresentStatus,
    expected_devices,
    present_silences,
    present_statuses,
    present_values,
)


async def sightings_of_present(
    tx: Transaction, rule: Rule, now: datetime, holidays: Holidays = NO_HOLIDAYS
) -> list[Sighting]:
    """What the present says to a rule about devices and points that could change its mind.

    Outside the rule's hours that is only what may end.
    """
    found: list[tuple[RuleState, Observation]] = []
    match rule.condition:
        case DeviceOffline() | DeviceDegraded():
            may_fire = is_active(rule.hours, now, holidays)
            found = [
                (_subject(rule, s.area_id, s.device_id), _status_seen(rule, s, now))
                for s in await present_statuses(tx, SCOPE, rule, may_fire=may_fire)
            ]
        case PointBeyond():
            may_fire = is_active(rule.hours, now, holidays)
            found = [
                (_subject(rule, v.area_id, v.device_id, v.point_id), ValueSeen(value=v.value))
                for v in await present_values(tx, SCOPE, rule, now, may_fire=may_fire)
            ]
        case NothingSeen(point=point) if point:
            may_fire = is_active(rule.hours, now, holidays)
            found = [
                (_subject(rule, p.area_id, p.device_id, p.point_id), LastSeen(last_at=p.last_at))
                for p in await present_silences(tx, SCOPE, rule, now, may_fire=may_fire)
            ]
        case NothingSeen(expects_all=True):
            found = [
                (_subject(rule, e.area_id, e.device_id), LastSeen(last_at=now))
                for e in await expected_devices(tx, SCOPE, rule)
            ]
        case _:
            pass
    return [Sighting(rule=rule, state=state, seen=seen, at=now) for state, seen in found]


def _status_seen(rule: Rule, found: PresentStatus, now: datetime) -> StatusSeen:
    since = found.since
    if isinstance(rule.condition, DeviceDegraded) and rule.condition.layers:
        # Since when a layer above the first one fails is not kept.
        since = since if found.layer in rule.condition.layers else now
    return StatusSeen(status=found.status, since=since, detail=found.detail, faults=found.faults)


def _subject(rule: Rule, area_id: int, device_id: int, point_id: int | None = None) -> RuleState:
    return RuleState(
        rule_id=rule.id,
        subject=subject_key(area_id=area_id, device_id=device_id, point_id=point_id),
        area_id=area_id,
        device_id=device_id,
        point_id=point_id,
    )
