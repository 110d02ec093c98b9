"""Has the pictures of the next stops taken before whoever walks a round comes to them.

A round that a person walks is not looked at whole when it begins: the pictures of its end would
be an hour old. So many stops are looked at ahead that he never waits, and no more.
"""

from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.patrols import PatrolMode, PatrolRound, RoundState
from hub.patrols.walking.groups import defer_group
from hub.runtime.jobs import Jobs
from hub.store import stop_results
from hub.store.database import Transaction

# A minute and more of walking, while some seconds are enough to look at a group.
STOPS_AHEAD: Final = 20


async def look_ahead(
    tx: Transaction,
    jobs: Jobs,
    walk: PatrolRound,
    position: int,
    *,
    stops_ahead: int = STOPS_AHEAD,
) -> None:
    """Have the groups of the next stops looked at, those which nobody set out for."""
    if walk.mode is not PatrolMode.WALK or walk.state is not RoundState.RUNNING:
        return
    last = position + stops_ahead
    for group in await stop_results.untouched_groups(tx, _HUB, walk.id, position, last):
        await defer_group(tx, jobs, walk.id, group)


_HUB: Final[Scope] = system_scope("hub.patrols")
