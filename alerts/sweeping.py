"""The present beside what rules remember: finds what no event told, or told before a rule was."""

from datetime import datetime

from alerts.judge import SCOPE, Sighting
from alerts.observations import StatusSeen, ValueSeen
from hub.domain.alerts import Rule, RuleState, subject_key
from hub.domain.conditions import DeviceDegraded, DeviceOffline, PointBeyond
from hub.store.database import Transaction
from hub.store.present import PresentStatus, present_statuses, present_values


async def sightings_of_present(tx: Transaction, rule: Rule, now: datetime) -> list[Sighting]:
    """What the present says to a rule about devices and points that could change its mind."""
    if isinstance(rule.condition, DeviceOffline | DeviceDegraded):
        return [
            Sighting(
                rule=rule,
                state=_subject(rule, area_id=s.area_id, device_id=s.device_id),
                seen=_status_seen(rule, s, now),
                at=now,
            )
            for s in await present_statuses(tx, SCOPE, rule)
        ]
    if isinstance(rule.condition, PointBeyond):
        return [
            Sighting(
                rule=rule,
                state=_subject(rule, area_id=v.area_id, device_id=v.device_id, point_id=v.point_id),
                seen=ValueSeen(value=v.value),
                at=now,
            )
            for v in await present_values(tx, SCOPE, rule, now)
        ]
    return []


def _status_seen(rule: Rule, found: PresentStatus, now: datetime) -> StatusSeen:
    since = found.since
    if isinstance(rule.condition, DeviceDegraded) and rule.condition.layers:
        # Since when a layer above the first one fails is not kept.
        since = since if found.layer in rule.condition.layers else now
    return StatusSeen(status=found.status, since=since, detail=found.detail, faults=found.faults)


def _subject(rule: Rule, *, area_id: int, device_id: int, point_id: int | None = None) -> RuleState:
    return RuleState(
        rule_id=rule.id,
        subject=subject_key(area_id=area_id, device_id=device_id, point_id=point_id),
        area_id=area_id,
        device_id=device_id,
        point_id=point_id,
    )
