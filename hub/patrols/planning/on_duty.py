"""Looks up who is on duty for an area, and whether somebody may walk a round now."""

from datetime import datetime

from hub.domain.access import Principal, Scope
from hub.domain.patrols import PatrolRound
from hub.patrols.planning.roster import may_walk, people_on_duty
from hub.store.database import Transaction
from hub.store.holidays import all_holidays
from hub.store.shifts import shifts_above


async def find_people(
    tx: Transaction, scope: Scope, area_path: str, now: datetime
) -> frozenset[int] | None:
    """Who is on duty for an area now, by number; None when nobody is."""
    shifts = await shifts_above(tx, scope, area_path)
    return people_on_duty(shifts, area_path, now, await all_holidays(tx, scope))


async def may_take(
    tx: Transaction, scope: Scope, walk: PatrolRound, principal: Principal, now: datetime
) -> bool:
    """Tell whether somebody may walk a round now."""
    walker = walk.details.walker
    on_duty = await find_people(tx, scope, walk.area_path, now) if walker.is_roster else None
    return may_walk(walker, principal, walk.area_path, on_duty)
