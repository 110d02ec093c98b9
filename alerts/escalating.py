"""Alerts that nobody takes climb: the policies carried out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.domain.escalations import Climb
from hub.domain.matchers import AlertFacts, is_match
from hub.store.climbs import start_climbs
from hub.store.database import Transaction
from hub.store.policies import policy_starts


async def begin(
    tx: Transaction, scope: Scope, facts: Sequence[AlertFacts], at: Mapping[int, datetime]
) -> None:
    """Start the climbs of alerts that fired, or were reopened, at ``at[alert_id]``.

    Two statements however many alerts. What is folded into another alert does not climb; an
    exercise does.
    """
    standing = [one for one in facts if not one.is_folded]
    if not standing:
        return
    climbs = [
        Climb(
            alert_id=one.alert_id,
            policy_id=policy.id,
            step=0,
            repeat=0,
            due_at=at[one.alert_id] + timedelta(seconds=policy.wait_s),
            since=at[one.alert_id],
        )
        for policy in await policy_starts(tx, scope)
        for one in standing
        if is_match(policy.matcher, policy.area_path, one)
    ]
    if climbs:
        await start_climbs(tx, scope, climbs)
