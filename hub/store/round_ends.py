"""How patrol rounds end: finished, out of time, missed or cancelled. Nothing stays open.

Every end is a line of evidence, and the round's evidence is sealed with it. Who ends a round holds
the round first, then the order of events, then the chain of seals: all in this order, or two that
do it at a time wait for each other.
"""

from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import Conflict, NotFound
from hub.domain.events import Severity
from hub.domain.patrols import PatrolRound, RoundState, Timing
from hub.store import audit, notices
from hub.store.database import Transaction
from hub.store.patrol_evidence import Line, append, seal
from hub.store.round_attention import say_attended
from hub.store.round_events import announce, round_event
from hub.store.rounds import TOPIC, deed, get_round, lock_round
from hub.store.scoping import IN_SCOPE, scope_paths
from hub.store.stop_looks import MACHINE, judged_line
from hub.store.stops import some_stops

ENDED: Final = "round_ended"
MISSED: Final = "round_missed"
CANCELLED: Final = "round_cancelled"
NOT_LOOKED_AT: Final = "未查看 Not looked at"


async def has_open_stops(tx: Transaction, scope: Scope, round_id: int) -> bool:
    """Tell whether a stop of a round of the scope waits for its result."""
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
            " JOIN areas a ON a.id = r.area_id WHERE s.round_id = %(round)s"
            " AND s.result = 'open' AND" + IN_SCOPE + ")",
            {"round": round_id, "scope": scope_paths(scope)},
        )
    )


async def finish_round(
    tx: Transaction, scope: Scope, round_id: int, *, now: datetime, reason: str = ""
) -> bool:
    """End a running or paused round, once; False when it does not run any more.

    What is open is closed as not judged, with ``reason``, which becomes the round's too. The
    caller defers the report.
    """
    walk = await lock_round(tx, scope, round_id)
    if walk is None or walk.state not in {RoundState.RUNNING, RoundState.PAUSED}:
        return False
    await _close_stops(tx, scope, walk, now=now, reason=reason, timing=Timing.MISSED)
    await _set_over(tx, scope, walk, RoundState.FINISHED, now=now, reason=reason)
    walk = await get_round(tx, scope, round_id)
    counts = _counts(walk)
    is_clean = 0 < walk.stops_planned == walk.stops_seen == walk.stops_normal
    severity = Severity.INFO if is_clean else Severity.WARNING
    body = {"reason": reason, **counts}
    await say_attended(tx, scope, walk, now)
    event = round_event(walk, "patrol.round_finished", now, body, severity=severity)
    await announce(tx, scope, event)
    await _seal(tx, scope, walk, Line(what=ENDED, at=now, body=body))
    return True


async def miss_round(
    tx: Transaction, scope: Scope, walk: PatrolRound, *, now: datetime, reason: str, earlier: int
) -> None:
    """Mark a due round of :func:`lock_round` as missed and store the event that says so.

    ``earlier`` counts the missed rounds before it that have no row of their own.
    """
    await _set_over(tx, scope, walk, RoundState.MISSED, now=None, reason=reason)
    data: dict[str, Json] = {
        "window_s": walk.window_s,
        "reason": reason,
        "earlier_missed": earlier,
        "detail": f"{walk.plan_name}: {reason}",
    }
    await announce(tx, scope, round_event(walk, "patrol.round_missed", now, data))
    await _seal(tx, scope, walk, Line(what=MISSED, at=now, body={"reason": reason}))


async def cancel_round(tx: Transaction, scope: Scope, round_id: int, *, now: datetime) -> None:
    """Stop a round of the scope that is not over; what was seen stays.

    Raises:
        NotFound: the round lies outside the scope.
        Conflict: it is over already.
    """
    walk = await lock_round(tx, scope, round_id)
    if walk is None:
        msg = "no such patrol round"
        raise NotFound(msg)
    if walk.is_over:
        msg = "this round is over"
        raise Conflict(msg)
    reason = f"已取消 Cancelled by {scope.actor}"
    await _close_stops(tx, scope, walk, now=now, reason=reason, timing=Timing.NONE)
    await _set_over(tx, scope, walk, RoundState.CANCELLED, now=now, reason=reason)
    await audit.record(tx, scope, deed("patrol_round.cancelled", walk))
    await notices.notify(tx, scope, TOPIC, [round_id])
    await say_attended(tx, scope, walk, now)
    body: dict[str, Json] = {"by": scope.actor, "user": scope.user_id}
    await _seal(tx, scope, walk, Line(what=CANCELLED, at=now, body=body))


async def _close_stops(
    tx: Transaction,
    scope: Scope,
    walk: PatrolRound,
    *,
    now: datetime,
    reason: str,
    timing: Timing,
) -> None:
    """Close what is open as not judged, and what nobody looked at as not seen, each with why."""
    params: dict[str, object] = {
        "round": walk.id,
        "now": now,
        "reason": reason,
        "unseen": f"{NOT_LOOKED_AT}: {reason}" if reason else NOT_LOOKED_AT,
        "judge": MACHINE,
        "timing": timing,
        "scope": scope_paths(scope),
    }
    await tx.execute(
        # One that should have been looked at again is what it was before.
        "UPDATE patrol_stops s SET"
        " verdict = CASE WHEN s.has_picture THEN 'seen' ELSE 'not_seen' END,"
        " reason = CASE WHEN s.at IS NULL THEN %(unseen)s ELSE s.reason END,"
        " at = coalesce(s.at, %(now)s)"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id WHERE r.id = s.round_id"
        " AND s.round_id = %(round)s AND s.verdict = 'pending' AND" + IN_SCOPE,
        params,
    )
    closed = await tx.tuples(
        "UPDATE patrol_stops s SET result = 'not_judged', note = %(reason)s,"
        " judged_by = %(judge)s, judged_at = %(now)s, timing = %(timing)s"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id WHERE r.id = s.round_id"
        " AND s.round_id = %(round)s AND s.result = 'open' AND" + IN_SCOPE + "RETURNING s.position",
        params,
    )
    stops = await some_stops(tx, scope, walk.id, [int(str(row[0])) for row in closed])
    await append(tx, scope, walk.id, [judged_line(stop, now) for stop in stops])


async def _set_over(
    tx: Transaction,
    scope: Scope,
    walk: PatrolRound,
    state: RoundState,
    *,
    now: datetime | None,
    reason: str,
) -> None:
    await tx.execute(
        "UPDATE patrol_rounds r SET state = %(state)s, finished_at = %(now)s, reason = %(reason)s,"
        " paused_s = paused_s + coalesce(greatest(0,"
        "  extract(epoch FROM %(now)s::timestamptz - r.paused_at)), 0), paused_at = NULL,"
        " counts = (SELECT ARRAY[count(*),"
        "  count(*) FILTER (WHERE verdict = 'seen'), count(*) FILTER (WHERE verdict = 'not_seen'),"
        "  count(*) FILTER (WHERE result = 'open'), count(*) FILTER (WHERE result = 'normal'),"
        "  count(*) FILTER (WHERE result = 'abnormal'),"
        "  count(*) FILTER (WHERE result = 'not_judged')] FROM patrol_stops WHERE round_id = r.id)"
        " FROM areas a WHERE a.id = r.area_id AND r.id = %(id)s AND" + IN_SCOPE,
        {
            "id": walk.id,
            "state": state,
            "now": now,
            "reason": reason,
            "scope": scope_paths(scope),
        },
    )


async def _seal(tx: Transaction, scope: Scope, walk: PatrolRound, last: Line) -> None:
    body = {
        "plan": walk.plan_name,
        "planned_at": walk.planned_at.isoformat(),
        **last.body,
    }
    line = Line(what=last.what, at=last.at, body=body)
    await append(tx, scope, walk.id, [line])
    await seal(tx, scope, walk.id, last.at)


def _counts(walk: PatrolRound) -> dict[str, Json]:
    return {
        "planned": walk.stops_planned,
        "seen": walk.stops_seen,
        "not_seen": walk.stops_not_seen,
        "normal": walk.stops_normal,
        "abnormal": walk.stops_abnormal,
        "not_judged": walk.stops_not_judged,
    }
