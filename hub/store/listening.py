"""When the hub listened to its devices: only then is it known that something did not come.

The adapters' watch marks that it listens, and each gap becomes an absence of the hub (see
:func:`hub.store.outages.mark_watched`). Where no watch ever was, somebody else feeds the hub, and
it is taken to listen.
"""

from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.store.database import Transaction

# Marks come every five seconds; a busy machine may miss two.
LONGEST_MARK: Final = timedelta(seconds=15)
# How often it is asked whether anybody listens again.
LOOK_AGAIN: Final = timedelta(seconds=10)

# Whether somebody listens at %(now)s.
IS_LISTENING: Final = (
    " coalesce((SELECT max(m.seen_at) >= %(now)s::timestamptz - %(mark)s FROM watch_marks m"
    " WHERE m.watch = 'adapters'), true) "
)
# For how long nobody did from t.since until %(now)s.
AWAY: Final = (
    " coalesce((SELECT sum(least(x.ended_at, %(now)s) - greatest(x.started_at, t.since))"
    " FROM absences x WHERE x.watch = 'adapters' AND x.ended_at > t.since"
    " AND x.started_at < %(now)s), interval '0') "
)


async def put_off_absences(tx: Transaction, scope: Scope, now: datetime) -> int:
    """Do not count, in waits for what does not come, when nobody listened; return how many.

    Of waits that are due only: called before their timers ring. Only the hub itself may.
    """
    if scope.paths is not None:
        return 0
    return await tx.execute(
        "UPDATE rule_states r SET due_at = w.due_at FROM (SELECT s.rule_id, s.subject,"
        " CASE WHEN" + IS_LISTENING + "THEN t.since + (u.condition->>'for_s')::float8"
        " * interval '1 s' +" + AWAY + "ELSE %(again)s END AS due_at"
        " FROM rule_states s JOIN rules u ON u.id = s.rule_id"
        " CROSS JOIN LATERAL (SELECT s.since) AS t (since)"
        " WHERE s.due_at <= %(now)s AND s.phase = 'pending'"
        " AND u.condition->>'type' = 'nothing_seen') AS w"
        " WHERE w.rule_id = r.rule_id AND w.subject = r.subject AND w.due_at > %(now)s",
        {"now": now, "mark": LONGEST_MARK, "again": now + LOOK_AGAIN},
    )
