"""What a new hub starts with: deadlines, and policies that walk up the tree of areas.

Nobody is told by them until somebody is on duty: receivers are given areas to answer for.
"""

from typing import Final

from hub.domain.access import Scope
from hub.domain.escalations import Deadlines, Policy, PolicyStep
from hub.domain.events import Severity
from hub.domain.matchers import Matcher
from hub.store.database import Transaction
from hub.store.deadlines import add_deadlines, has_deadlines
from hub.store.policies import add_policy, has_policies

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0

# Seconds to acknowledge and to resolve.
DEADLINES: Final[tuple[tuple[Severity, float, float], ...]] = (
    (Severity.CRITICAL, 5 * MINUTE_S, 4 * HOUR_S),
    (Severity.WARNING, 30 * MINUTE_S, 24 * HOUR_S),
)
# Grid officer or village, township, county, and whoever is above (field.md, section 1).
CLIMB: Final = (
    PolicyStep(wait_s=0, climb=0),
    PolicyStep(wait_s=5 * MINUTE_S, climb=1),
    PolicyStep(wait_s=10 * MINUTE_S, climb=2),
    PolicyStep(wait_s=15 * MINUTE_S, climb=3),
)
# What can wait is told up once it is overdue.
OVERDUE: Final = (PolicyStep(wait_s=30 * MINUTE_S, climb=1),)
POLICIES: Final = (
    ("Climb 逐级上报", Severity.CRITICAL, CLIMB),
    ("Overdue 超时督办", Severity.WARNING, OVERDUE),
)


async def ensure_default_escalation(tx: Transaction, scope: Scope, root_area_id: int) -> int:
    """Add them to an area, unless the hub ever had a policy or has deadlines; return how many."""
    if await has_policies(tx, scope) or await has_deadlines(tx, scope):
        return 0
    for severity, acknowledge_s, resolve_s in DEADLINES:
        wanted = Deadlines(
            area_id=root_area_id,
            severity=severity,
            acknowledge_s=acknowledge_s,
            resolve_s=resolve_s,
        )
        await add_deadlines(tx, scope, wanted)
    for name, severity, steps in POLICIES:
        policy = Policy(
            name=name, area_id=root_area_id, matcher=Matcher(severities=(severity,)), steps=steps
        )
        await add_policy(tx, scope, policy)
    return len(DEADLINES) + len(POLICIES)
