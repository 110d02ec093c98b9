"""The end of a round: when no stop is open, or its time is over. Then its report is made.

Everything of an end is in one transaction: what is closed, the evidence and its seal, the event,
and the job that makes the report.
"""

from datetime import datetime
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.patrols import RoundState
from hub.patrols.reporting.reports import defer_report
from hub.patrols.roll_calls.asking import cancel_calls
from hub.runtime.jobs import Jobs
from hub.store import round_ends, rounds
from hub.store.database import Transaction
from hub.store.patrol_places import learn_movements

OUT_OF_TIME: Final = "巡查时间已到 The time of the round was over"
NEXT_BEGAN: Final = "下一轮巡查已开始 The next round of its plan began"


async def end_if_done(
    tx: Transaction, scope: Scope, jobs: Jobs, round_id: int, now: datetime
) -> bool:
    """End a round of the scope when none of its stops is open; True when it ended just now.

    Call it in the transaction that gives a stop its result.
    """
    if not await rounds.hold_round(tx, scope, round_id):
        return False
    if await round_ends.has_open_stops(tx, scope, round_id):
        return False
    return await end_round(tx, jobs, round_id, now=now)


async def end_round(
    tx: Transaction, jobs: Jobs, round_id: int, *, now: datetime, reason: str = ""
) -> bool:
    """End a round that runs or is paused; what is open is closed as not judged, with ``reason``.

    False when it is over already.
    """
    walk = await rounds.lock_round(tx, _HUB, round_id)
    if walk is None or walk.state not in {RoundState.RUNNING, RoundState.PAUSED}:
        return False
    await learn_movements(tx, _HUB, round_id)
    await defer_report(tx, jobs, round_id)
    return await round_ends.finish_round(tx, _HUB, round_id, now=now, reason=reason)


async def cancel_round(tx: Transaction, scope: Scope, round_id: int, *, now: datetime) -> None:
    """Stop a round of the scope that is not over, and ask no duty room any more.

    Raises:
        NotFound: the round lies outside the scope.
        Conflict: it is over already.
    """
    await round_ends.cancel_round(tx, scope, round_id, now=now)
    await cancel_calls(tx, _HUB, round_id)


_HUB: Final[Scope] = system_scope("hub.patrols")
