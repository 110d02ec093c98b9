"""Rounds that wait for a person while nobody looks: said once, and taken back when somebody does.

The last line of a round's evidence is its last sign of life, whoever gave it; what duty rooms
answer is none.
"""

from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.patrols import PatrolRound
from hub.store.database import Transaction
from hub.store.round_events import announce, round_event
from hub.store.scoping import IN_SCOPE, scope_paths

KIND: Final = "patrol.round_unattended"
PAUSE_LASTS: Final = timedelta(minutes=30)

_LAST_SIGN: Final = (
    " (SELECT e.at FROM patrol_evidence e WHERE e.round_id = r.id"
    " AND e.what NOT LIKE 'duty_room%%' ORDER BY e.seq DESC LIMIT 1) "
)
# In WALK every stop is for a person.
_WAITS: Final = (
    " EXISTS (SELECT FROM patrol_stops s WHERE s.round_id = r.id AND s.result = 'open'"
    " AND s.verdict <> 'pending' AND (s.is_for_person OR r.mode = 'walk')) "
)


async def unattended_rounds(tx: Transaction, scope: Scope, quiet_since: datetime) -> list[int]:
    """Rounds of the scope that wait for a person in vain; not said yet.

    One that is paused may stand still PAUSE_LASTS longer: somebody has gone to see for himself.
    """
    rows = await tx.tuples(
        "SELECT r.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.state IN ('running', 'paused') AND r.mode <> 'machine'"
        " AND NOT r.is_unattended AND"
        + _WAITS
        + "AND"
        + _LAST_SIGN
        + "< CASE r.state WHEN 'paused' THEN %(paused)s ELSE %(since)s END AND"
        + IN_SCOPE
        + "ORDER BY r.id",
        {
            "since": quiet_since,
            "paused": quiet_since - PAUSE_LASTS,
            "scope": scope_paths(scope),
        },
    )
    return [int(str(row[0])) for row in rows]


async def attended_rounds(tx: Transaction, scope: Scope, quiet_since: datetime) -> list[int]:
    """Rounds of the scope of which it was said, and in which something happened since."""
    rows = await tx.tuples(
        "SELECT r.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.state IN ('running', 'paused') AND r.is_unattended AND"
        + _LAST_SIGN
        + ">= %(since)s AND"
        + IN_SCOPE
        + "ORDER BY r.id",
        {"since": quiet_since, "scope": scope_paths(scope)},
    )
    return [int(str(row[0])) for row in rows]


async def waiting_rounds(
    tx: Transaction, scope: Scope, plan_id: int, *, quiet_since: datetime
) -> list[int]:
    """Rounds of a plan that have no end of their own and in which nothing happened since."""
    rows = await tx.tuples(
        "SELECT r.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.plan_id = %(plan)s AND r.state IN ('running', 'paused') AND r.ends_by IS NULL"
        " AND r.mode <> 'machine' AND"
        + _LAST_SIGN
        + "< %(since)s AND"
        + IN_SCOPE
        + "ORDER BY r.id",
        {"plan": plan_id, "since": quiet_since, "scope": scope_paths(scope)},
    )
    return [int(str(row[0])) for row in rows]


async def say_unattended(tx: Transaction, scope: Scope, walk: PatrolRound, now: datetime) -> bool:
    """Say of a round of ``lock_round`` that nobody looks; False when that was said already."""
    if not await _mark(tx, scope, walk, is_unattended=True):
        return False
    who = (
        f"{walk.walker_name} 没有查看 does not look"
        if walk.walker_name
        else "无人查看 nobody looks"
    )
    data: dict[str, Json] = {
        "open": walk.stops_open,
        "walker": walk.walker_name,
        "detail": f"{walk.plan_name}: {walk.stops_open} 处待看 stops wait, {who}",
    }
    await announce(tx, scope, round_event(walk, KIND, now, data, is_active=True))
    return True


async def say_attended(tx: Transaction, scope: Scope, walk: PatrolRound, now: datetime) -> bool:
    """Take back what was said of a round of ``lock_round``; False when nothing was."""
    if not await _mark(tx, scope, walk, is_unattended=False):
        return False
    await announce(tx, scope, round_event(walk, KIND, now, {}, is_active=False))
    return True


async def _mark(tx: Transaction, scope: Scope, walk: PatrolRound, *, is_unattended: bool) -> bool:
    changed = await tx.execute(
        "UPDATE patrol_rounds r SET is_unattended = %(mark)s FROM areas a WHERE a.id = r.area_id"
        " AND r.id = %(id)s AND r.is_unattended <> %(mark)s AND" + IN_SCOPE,
        {"id": walk.id, "mark": is_unattended, "scope": scope_paths(scope)},
    )
    return bool(changed)
