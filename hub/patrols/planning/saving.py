"""Checks plans against the cameras there are, says how long they take, and stores them.

Called by the API and the command line inside their own transaction, with the caller's scope.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.errors import Invalid
from hub.domain.patrols import PatrolMode, PatrolPlan, StopOrder
from hub.patrols.planning.forecast import Forecast, forecast
from hub.patrols.planning.on_duty import find_people
from hub.patrols.planning.plans import check_form, check_plan, next_due, times
from hub.patrols.planning.sampling import (
    Promise,
    biggest_village,
    check_promise,
    draws,
    foreseeable_share,
)
from hub.patrols.planning.selecting import select
from hub.store import patrols
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.duty_rooms import rooms_below
from hub.store.patrol_candidates import Candidate, candidates, medians
from hub.store.plan_names import check_names

# A draw of which more than this is forced by its promise repeats itself for all to see.
MOST_FORESEEN: Final = 0.25
# What is shown of the cameras and the begins of a plan while it is thought over.
CAMERAS_SHOWN: Final = 50
COMING_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A plan as it is stored, and what its rounds are thought to take."""

    plan: PatrolPlan
    forecast: Forecast


async def create_plan(tx: Transaction, scope: Scope, plan: PatrolPlan, *, now: datetime) -> Saved:
    """Check and store a new plan (its ``id`` is ignored). What does not fit is said, not refused.

    Raises:
        Invalid: the plan cannot be used, its rule never fires, or its draw cannot keep what it
            promises.
        NotFound: it names something outside the scope.
    """
    check_plan(plan, now=now)
    stored = await patrols.add_plan(tx, scope, plan, now=now)
    return Saved(plan=stored, forecast=await _foretell(tx, scope, stored, now))


async def change_plan(tx: Transaction, scope: Scope, plan: PatrolPlan, *, now: datetime) -> Saved:
    """Check and replace a plan of the scope; raises as :func:`create_plan` does.

    A plan that is switched off may hold a rule whose times are past.
    """
    if plan.is_enabled:
        check_plan(plan, now=now)
    else:
        check_form(plan)
    await patrols.change_plan(tx, scope, plan, now=now)
    stored = await patrols.get_plan(tx, scope, plan.id)
    return Saved(plan=stored, forecast=await _foretell(tx, scope, stored, now))


async def foretell(tx: Transaction, scope: Scope, plan: PatrolPlan, *, now: datetime) -> Forecast:
    """Say what a plan would take that is not stored; raises as :func:`create_plan` does."""
    check_plan(plan, now=now)
    await check_names(tx, scope, plan, None)
    return await _foretell(tx, scope, plan, now)


async def foretell_stored(
    tx: Transaction, scope: Scope, plan_id: int, *, now: datetime
) -> Forecast:
    """Say what a plan of the scope takes; raises NotFound outside it.

    That cameras were added, and its draw keeps its promise no longer, is among the warnings.
    """
    plan = await patrols.get_plan(tx, scope, plan_id)
    try:
        return await _foretell(tx, scope, plan, now)
    except Invalid as broken:
        thought = await _foretell(tx, scope, replace(plan, is_enabled=False), now)
        return replace(thought, warnings=(str(broken), *thought.warnings))


async def _foretell(tx: Transaction, scope: Scope, plan: PatrolPlan, now: datetime) -> Forecast:
    path = (await get_area(tx, scope, plan.area_id)).path
    found = select(await candidates(tx, scope, path, plan), plan.details.selection)
    stops = len(found)
    if plan.mode is PatrolMode.SAMPLED:
        promise = Promise.of(plan.details)
        if plan.is_enabled:
            check_promise(found, promise)
        stops = draws(found, promise)
    thought = forecast(plan, stops, await medians(tx, scope, plan, path), now)
    warnings = (
        *thought.warnings,
        *await _warn_of_draw(plan, found),
        *_warn_of_cameras(plan, found),
        *await _warn_of_people(tx, plan, path, now),
    )
    return replace(
        thought,
        warnings=warnings,
        cameras_fit=len(found),
        cameras=tuple(found[:CAMERAS_SHOWN]),
        coming=tuple(islice(times(plan, now), COMING_SHOWN)) if plan.is_enabled else (),
    )


async def _warn_of_draw(plan: PatrolPlan, found: Sequence[Candidate]) -> list[str]:
    if plan.mode is not PatrolMode.SAMPLED:
        return []
    name, count = biggest_village(found) or ("", 0)
    share = await asyncio.to_thread(foreseeable_share, count, Promise.of(plan.details))
    if share <= MOST_FORESEEN:
        return []
    said = (
        f"to see each of the {count} cameras of {name} in time, {share:.0%} of its draws leave no"
        " choice and can be foreseen: draw more a round, or promise them within more rounds"
    )
    return [said]


def _warn_of_cameras(plan: PatrolPlan, found: Sequence[Candidate]) -> list[str]:
    said = []
    unplaced = sum(one.longitude is None for one in found)
    if unplaced and plan.order is StopOrder.SHORTEST:
        said.append(f"{unplaced} cameras have no coordinates: they come last, village by village")
    moved = set(plan.details.presets) - {one.device_id for one in found if one.has_ptz}
    if moved:
        said.append(f"{len(moved)} cameras of the presets have no motors or are no stops")
    return said


async def _warn_of_people(tx: Transaction, plan: PatrolPlan, path: str, now: datetime) -> list[str]:
    said = []
    if plan.details.roll_call is not None and not await rooms_below(tx, _HUB, path):
        said.append("the plan asks duty rooms, and there is none in its area")
    due = next_due(plan, now) if plan.details.walker.is_roster else None
    if due is not None and await find_people(tx, _HUB, path, due) is None:
        said.append(
            "nobody is on duty by the roster when the next round begins: whoever may operate"
            " there may walk it"
        )
    return said


_HUB: Final[Scope] = system_scope("hub.patrols")
