"""Lays out the stops of a round: which cameras, in which order, when, and which are shown anyway.

Called in the transaction that begins the round; what is drawn here is drawn once.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.access import Scope
from hub.domain.patrols import PatrolMode, PatrolPlan, PatrolRound
from hub.patrols.planning.forecast import forecast
from hub.patrols.planning.ordering import arrange
from hub.patrols.planning.sampling import Promise, draw
from hub.patrols.planning.selecting import select
from hub.store.database import Transaction
from hub.store.patrol_candidates import Candidate, candidates, medians, rounds_unseen

# In these modes a person sees a random share of what the machine finds good.
_SHOWN_ANYWAY = frozenset({PatrolMode.MIXED, PatrolMode.SAMPLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """One stop. ``wait_s`` after the round's begin it is expected; ``is_drawn``: a person sees it.

    Pauses come on top of ``wait_s``. That of the last stop is what the round is thought to take.
    """

    device_id: int
    device_name: str
    area_id: int
    area_name: str
    is_drawn: bool
    wait_s: float


async def lay_out(
    tx: Transaction, scope: Scope, walk: PatrolRound, plan: PatrolPlan, *, rng: random.Random
) -> list[Laid]:
    """Choose, draw and order the stops of a round of the plan, within the scope.

    ``rng`` has to be one that nobody can foresee (``random.SystemRandom``) but in tests.
    """
    found = select(await candidates(tx, scope, walk.area_path, plan), plan.details.selection)
    if plan.mode is PatrolMode.SAMPLED:
        unseen = await rounds_unseen(tx, scope, plan, [one.device_id for one in found])
        found = draw(found, unseen, Promise.of(plan.details), rng)
    found = await asyncio.to_thread(arrange, found, plan.order, plan.device_ids, rng)
    takes_s = await _expect_s(tx, scope, walk, plan, len(found))
    shown = _draw_shown(found, plan, rng)
    return [
        Laid(
            device_id=one.device_id,
            device_name=one.name,
            area_id=one.area_id,
            area_name=one.area_name,
            is_drawn=one.device_id in shown,
            wait_s=takes_s * (place + 1) / len(found),
        )
        for place, one in enumerate(found)
    ]


async def _expect_s(
    tx: Transaction, scope: Scope, walk: PatrolRound, plan: PatrolPlan, stops: int
) -> float:
    """How long a round of so many stops is thought to take."""
    past = await medians(tx, scope, plan, walk.area_path)
    return forecast(plan, stops, past, walk.planned_at).takes_s


def _draw_shown(found: Sequence[Candidate], plan: PatrolPlan, rng: random.Random) -> set[int]:
    share = plan.details.random_share
    if plan.mode not in _SHOWN_ANYWAY or not found or share <= 0:
        return set()
    count = max(1, round(share * len(found)))
    return {one.device_id for one in rng.sample(list(found), min(count, len(found)))}
