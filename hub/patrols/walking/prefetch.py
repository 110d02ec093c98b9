"""Has the pictures of the next stops taken before whoever walks a round comes to them.

A round that a person walks is not looked at whole when it begins: the pictures of its end would
be an hour old. So many groups are looked at ahead that he never waits, and no more.
"""

from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.patrols import PatrolMode, PatrolRound, RoundState
from hub.patrols.walking.groups import defer_group
from hub.runtime.jobs import Jobs
from hub.store import stop_results
from hub.store.database import Transaction

# A group takes a minute and more to walk, and some seconds to look at.
GROUPS_AHEAD: Final = 1


async def look_ahead(tx: Transaction, jobs: Jobs, walk: PatrolRound, position: int) -> None:
    """Have the groups after a stop looked at, those which nobody set out for."""
    if walk.mode is not PatrolMode.WALK or walk.state is not RoundState.RUNNING:
        return
    groups = await stop_results.untouched_groups(tx, _SCOPE, walk.id, position, ahead=GROUPS_AHEAD)
    for group in groups:
        await defer_group(tx, jobs, walk.id, group)


_SCOPE: Final[Scope] = system_scope("hub.patrols")
