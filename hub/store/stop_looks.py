"""What the machine does at the stops of rounds: sets out for one, settles it, looks again.

A verdict is given once; whoever comes second changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import Conflict, NotFound
from hub.domain.patrols import PatrolStop, Result, SecondLook, Timing
from hub.store import notices
from hub.store.database import Transaction
from hub.store.patrol_evidence import Line, append
from hub.store.rounds import TOPIC, hold_round
from hub.store.scoping import IN_SCOPE, scope_paths
from hub.store.stops import StopResult, some_stops

# Whose result it is when the machine judged.
MACHINE: Final = "hub.patrols"
LOOKED: Final = "stop_looked"
JUDGED: Final = "stop_judged"
# A sign of life is written down no more often than this.
TOUCH_EVERY: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the machine makes of what it found. OPEN: it leaves the stop to a person."""

    result: Result = Result.OPEN
    kind: str = ""
    timing: Timing = Timing.NONE
    is_for_person: bool = False
    second_look: SecondLook = SecondLook.NONE


async def pending_stops(
    tx: Transaction, scope: Scope, round_id: int, group: int
) -> list[PatrolStop]:
    """The stops of a group without a verdict, those nobody set out for yet first."""
    rows = await tx.tuples(
        "SELECT s.position FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
        " JOIN areas a ON a.id = r.area_id WHERE s.round_id = %(round)s AND s.group_no = %(group)s"
        " AND s.verdict = 'pending' AND r.state IN ('running', 'paused') AND" + IN_SCOPE,
        {"round": round_id, "group": group, "scope": scope_paths(scope)},
    )
    found = await some_stops(tx, scope, round_id, [int(str(row[0])) for row in rows])
    return sorted(found, key=lambda stop: (stop.attempts, stop.position))


async def is_looking(tx: Transaction, scope: Scope, round_id: int) -> bool:
    """Tell whether a stop of a round of the scope waits for its verdict."""
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
            " JOIN areas a ON a.id = r.area_id WHERE s.round_id = %(round)s"
            " AND s.verdict = 'pending' AND" + IN_SCOPE + ")",
            {"round": round_id, "scope": scope_paths(scope)},
        )
    )


async def claim_stop(
    tx: Transaction, scope: Scope, round_id: int, position: int, now: datetime
) -> PatrolStop | None:
    """Set out for a stop; None when it has a verdict already or its round goes on no more.

    The attempt is counted once this commits, whatever becomes of the worker afterwards.
    """
    await tx.execute(
        "UPDATE patrol_rounds r SET touched_at = %(now)s FROM areas a WHERE a.id = r.area_id"
        " AND r.id = %(round)s AND (r.touched_at IS NULL OR r.touched_at NOT BETWEEN"
        "  %(now)s - %(every)s::interval AND %(now)s) AND" + IN_SCOPE,
        {"round": round_id, "now": now, "every": TOUCH_EVERY, "scope": scope_paths(scope)},
    )
    is_mine = await tx.execute(
        "UPDATE patrol_stops s SET attempts = s.attempts + 1, claimed_at = %(now)s"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id WHERE r.id = s.round_id"
        " AND s.round_id = %(round)s AND s.position = %(position)s AND s.verdict = 'pending'"
        " AND r.state IN ('running', 'paused') AND" + IN_SCOPE,
        {"round": round_id, "position": position, "now": now, "scope": scope_paths(scope)},
    )
    return (await some_stops(tx, scope, round_id, [position]))[0] if is_mine else None


async def settle_stop(
    tx: Transaction, scope: Scope, found: StopResult, ruling: Ruling | None = None
) -> bool:
    """Store what a visit found and the machine's ruling, with the evidence of both.

    False when the stop is settled already: nothing is doubled. What a person judged stays.
    """
    ruling = ruling or Ruling()
    is_judged = ruling.result is not Result.OPEN
    if not await hold_round(tx, scope, found.round_id):
        return False
    is_settled = await tx.execute(
        "UPDATE patrol_stops s SET verdict = %(verdict)s, reason = %(reason)s, layer = %(layer)s,"
        " detail = %(detail)s, has_picture = %(has_picture)s, at = %(at)s, remarks = %(remarks)s,"
        " doubt = %(doubt)s, moved = %(moved)s, picture_sha256 = %(picture)s,"
        " clip_sha256 = %(clip)s, looked_s = %(looked_s)s,"
        " is_for_person = s.is_for_person OR %(is_for_person)s,"
        " result = CASE s.result WHEN 'open' THEN %(result)s ELSE s.result END,"
        " kind = CASE s.result WHEN 'open' THEN %(kind)s ELSE s.kind END,"
        " timing = CASE s.result WHEN 'open' THEN %(timing)s ELSE s.timing END,"
        " second_look = CASE s.result WHEN 'open' THEN %(second)s ELSE s.second_look END,"
        " judged_by = CASE s.result WHEN 'open' THEN %(judge)s ELSE s.judged_by END,"
        " judged_at = CASE s.result WHEN 'open' THEN %(judged_at)s ELSE s.judged_at END"
        " FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.id = s.round_id AND s.round_id = %(round)s AND s.position = %(position)s"
        " AND s.verdict = 'pending' AND r.state IN ('running', 'paused') AND" + IN_SCOPE,
        {
            "round": found.round_id,
            "position": found.position,
            "verdict": found.verdict,
            "reason": found.reason,
            "layer": found.layer,
            "detail": found.detail,
            "has_picture": found.has_picture,
            "at": found.at,
            "remarks": list(found.remarks),
            "doubt": found.doubt,
            "moved": found.moved,
            "picture": found.picture_sha256,
            "clip": found.clip_sha256,
            "looked_s": found.looked_s,
            "is_for_person": ruling.is_for_person,
            "result": ruling.result,
            "kind": ruling.kind,
            "timing": ruling.timing,
            "second": ruling.second_look,
            "judge": MACHINE if is_judged else "",
            "judged_at": found.at if is_judged else None,
            "scope": scope_paths(scope),
        },
    )
    if not is_settled:
        return False
    [stop] = await some_stops(tx, scope, found.round_id, [found.position])
    await notices.notify(tx, scope, TOPIC, [found.round_id])
    lines = [looked_line(stop, found)]
    if is_judged and stop.judged_by == MACHINE:
        lines.append(judged_line(stop, found.at))
    await append(tx, scope, found.round_id, lines)
    return True


async def reopen_look(tx: Transaction, scope: Scope, round_id: int, position: int) -> int:
    """Take the verdict off an open stop of the scope; return its group, to be looked at again.

    Raises:
        NotFound: no such stop.
        Conflict: it is judged, or its round is over.
    """
    if not await hold_round(tx, scope, round_id):
        msg = "no such patrol round"
        raise NotFound(msg)
    group = await tx.scalar(
        int,
        "UPDATE patrol_stops s SET verdict = 'pending', attempts = 0, claimed_at = NULL,"
        " is_for_person = true FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.id = s.round_id AND s.round_id = %(round)s AND s.position = %(position)s"
        " AND s.result = 'open' AND r.state IN ('running', 'paused') AND"
        + IN_SCOPE
        + "RETURNING s.group_no",
        {"round": round_id, "position": position, "scope": scope_paths(scope)},
    )
    if group is None:
        msg = "this stop is closed: it is not looked at again"
        raise Conflict(msg)
    await notices.notify(tx, scope, TOPIC, [round_id])
    return group


def looked_line(stop: PatrolStop, found: StopResult) -> Line:
    """The evidence of a look: what was found, and the hashes of what was kept."""
    return Line(
        what=LOOKED,
        at=found.at,
        position=stop.position,
        body={
            "device": stop.device_id,
            "name": stop.device_name,
            "area": stop.area_name,
            "verdict": found.verdict.value,
            "reason": found.reason,
            "layer": str(found.layer),
            "detail": found.detail,
            "remarks": list(found.remarks),
            "doubt": round(found.doubt, 1),
            "has_picture": found.has_picture,
            "picture_sha256": found.picture_sha256,
            "clip_sha256": found.clip_sha256,
        },
    )


def judged_line(stop: PatrolStop, at: datetime) -> Line:
    """The evidence of a result that the hub itself gave."""
    return Line(
        what=JUDGED,
        at=at,
        position=stop.position,
        body={
            "result": stop.result.value,
            "kind": stop.kind,
            "note": stop.note,
            "timing": stop.timing.value,
            "second_look": stop.second_look.value,
            "by": stop.judged_by,
            "user": None,
        },
    )
