"""What people do on a round: take it, judge its stops, pause, hand over. One walks at a time.

Every deed holds the round first, so that two people never judge in each other's way, and ends
with a line of evidence in the transaction of the deed itself. Whoever may operate in the round's
area and is asked for by its plan may walk; the rest of the world finds no such round.
"""

import random
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Grant, Principal, Scope, system_scope
from hub.domain.devices import Json
from hub.domain.errors import Conflict, NotFound, NotPermitted
from hub.domain.patrols import (
    PatrolMode,
    PatrolRound,
    PatrolStop,
    Result,
    RoundState,
    Verdict,
)
from hub.patrols.planning.on_duty import may_take
from hub.patrols.walking.ending import end_if_done
from hub.patrols.walking.groups import look_again as have_looked_again
from hub.patrols.walking.judging import (
    Judgement,
    check_judgement,
    check_open,
    clean_note,
    judged_already,
)
from hub.patrols.walking.prefetch import STOPS_AHEAD, look_ahead
from hub.patrols.walking.second_look import draw
from hub.patrols.walking.tasks import open_task
from hub.patrols.walking.timing import paused_until, time_stop
from hub.runtime.jobs import Jobs
from hub.store import round_deeds, rounds, stop_results
from hub.store.database import Transaction
from hub.store.round_deeds import Colleague, Deed
from hub.store.stop_looks import JUDGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a deed needs beside the caller.

    ``rng`` draws second looks: a secret one. ``stops_ahead`` of whoever walks are looked at.
    """

    jobs: Jobs
    now: datetime
    rng: random.Random
    stops_ahead: int = STOPS_AHEAD


async def take(
    tx: Transaction, scope: Scope, round_id: int, tools: Tools, *, take_over: bool = False
) -> PatrolRound:
    """Walk a round from now on; for whoever walks it already only lost looks are asked for again.

    Raises:
        NotFound: the round lies outside the scope.
        Conflict: it does not run, or somebody else walks it and ``take_over`` was not said.
        NotPermitted: its plan asks for somebody else.
    """
    walk = await _hold(tx, scope, round_id)
    if walk.mode is PatrolMode.MACHINE:
        msg = "this round is the machine's: nobody walks it"
        raise Conflict(msg)
    me = await _find(tx, scope, walk, scope.user_id, tools.now)
    if walk.walker_id == me.id:
        await _look_ahead(tx, walk, await _first_open(tx, scope, round_id), tools)
        return walk
    is_walked = walk.walker_id is not None
    if is_walked and not take_over:
        raise Conflict(_walked_by(walk))
    await round_deeds.set_walker(tx, scope, walk, me)
    await _look_ahead(tx, walk, await _first_open(tx, scope, round_id), tools)
    body: dict[str, Json] = {"walker": me.id, "name": me.name}
    if is_walked:
        body |= {"from": walk.walker_id, "from_name": walk.walker_name}
    what = "round_taken_over" if is_walked else "round_taken"
    await round_deeds.write_down(tx, scope, walk, Deed(what=what, now=tools.now, body=body))
    return await rounds.get_round(tx, scope, round_id)


async def hand_over(
    tx: Transaction, scope: Scope, round_id: int, to_user_id: int, note: str, tools: Tools
) -> PatrolRound:
    """Give a round to a colleague, who walks it from now on.

    Raises:
        NotFound: the round lies outside the scope, or there is no such colleague there.
        Conflict: the caller does not walk it, or it does not run.
        NotPermitted: the round's plan asks for somebody else.
    """
    walk = await _hold_mine(tx, scope, round_id)
    to = await _find(tx, scope, walk, to_user_id, tools.now)
    if to.id == walk.walker_id:
        msg = f"{to.name} walks this round already"
        raise Conflict(msg)
    await round_deeds.set_walker(tx, scope, walk, to)
    body: dict[str, Json] = {
        "from": walk.walker_id,
        "from_name": walk.walker_name,
        "walker": to.id,
        "name": to.name,
        "note": clean_note(note),
    }
    deed = Deed(what="round_handed_over", now=tools.now, body=body)
    await round_deeds.write_down(tx, scope, walk, deed)
    return await rounds.get_round(tx, scope, round_id)


async def pause(
    tx: Transaction, scope: Scope, round_id: int, reason: str, tools: Tools
) -> PatrolRound:
    """Let the clock of whoever walks stand still; the machine finishes what it has begun.

    Raises:
        NotFound: the round lies outside the scope.
        Conflict: the caller does not walk it, or it is paused or over.
    """
    walk = await _hold_mine(tx, scope, round_id)
    if walk.state is RoundState.PAUSED:
        msg = "this round is paused already"
        raise Conflict(msg)
    await round_deeds.pause_round(tx, scope, walk, tools.now)
    deed = Deed(what="round_paused", now=tools.now, body={"reason": clean_note(reason)})
    await round_deeds.write_down(tx, scope, walk, deed)
    return await rounds.get_round(tx, scope, round_id)


async def resume(tx: Transaction, scope: Scope, round_id: int, tools: Tools) -> PatrolRound:
    """Go on with a paused round; raises as :func:`pause` does."""
    walk = await _hold_mine(tx, scope, round_id)
    if walk.state is not RoundState.PAUSED:
        msg = "this round is not paused"
        raise Conflict(msg)
    paused_s = paused_until(walk, tools.now)
    await round_deeds.resume_round(tx, scope, walk, paused_s=paused_s, now=tools.now)
    after = await rounds.get_round(tx, scope, round_id)
    await _look_ahead(tx, after, await _first_open(tx, scope, round_id), tools)
    body: dict[str, Json] = {"paused_s": round(paused_s - walk.paused_s, 3)}
    await round_deeds.write_down(
        tx, scope, walk, Deed(what="round_resumed", now=tools.now, body=body)
    )
    await end_if_done(tx, scope, tools.jobs, round_id, tools.now)
    return await rounds.get_round(tx, scope, round_id)


async def judge(
    tx: Transaction, scope: Scope, round_id: int, position: int, said: Judgement, tools: Tools
) -> PatrolStop:
    """Close a stop for good: with the picture that was seen, or with a reason.

    Raises:
        NotFound: the stop lies outside the scope.
        Conflict: somebody judged it (the first judgement stands), it shows another picture than
            was seen, the machine has not looked, or the caller does not walk a running round.
        Invalid: something is missing in the judgement.
    """
    walk = await _hold_mine(tx, scope, round_id)
    if walk.state is RoundState.PAUSED:
        msg = "this round is paused: go on with it first"
        raise Conflict(msg)
    stop = await stop_results.get_stop(tx, scope, round_id, position)
    check_open(walk, stop, said)
    check_judgement(walk, stop, said)
    is_ooo = await stop_results.has_open_before(tx, scope, round_id, position)
    judged = stop_results.Judged(
        round_id=round_id,
        position=position,
        result=said.result,
        kind=said.kind,
        note=clean_note(said.note),
        checked=tuple(said.checked),
        at=tools.now,
        timing=time_stop(walk, stop, at=tools.now, has_open_before=is_ooo),
        second_look=draw(walk.details, said.result, tools.rng),
    )
    if not await stop_results.keep_judgement(tx, scope, judged):
        msg = "somebody judged this stop already"
        raise Conflict(msg)
    await _look_ahead(tx, walk, position, tools)
    task = None
    if said.task is not None and stop.dispatch_id is None:
        finding = await stop_results.get_stop(tx, scope, round_id, position)
        task = (await open_task(tx, scope, tools.jobs, finding, said.task, tools.now)).id
    body: dict[str, Json] = {
        "result": judged.result.value,
        "kind": judged.kind,
        "note": judged.note,
        "checked": list(judged.checked),
        "picture_sha256": said.picture_sha256,
        "timing": judged.timing.value,
        "second_look": judged.second_look.value,
        "dispatch": task,
    }
    deed = Deed(what=JUDGED, now=tools.now, position=position, body=body)
    await round_deeds.write_down(tx, scope, walk, deed)
    await end_if_done(tx, scope, tools.jobs, round_id, tools.now)
    return await stop_results.get_stop(tx, scope, round_id, position)


async def skip(
    tx: Transaction, scope: Scope, round_id: int, position: int, reason: str, tools: Tools
) -> PatrolStop:
    """Pass a stop by, with a reason; raises as :func:`judge` does."""
    said = Judgement(result=Result.NOT_JUDGED, note=reason)
    return await judge(tx, scope, round_id, position, said, tools)


async def look_again(
    tx: Transaction, scope: Scope, round_id: int, position: int, tools: Tools
) -> PatrolStop:
    """Have the machine take another picture of an open stop, at once.

    Raises:
        NotFound: the stop lies outside the scope.
        Conflict: it is judged, or the caller does not walk a running round.
    """
    walk = await _hold_mine(tx, scope, round_id)
    stop = await stop_results.get_stop(tx, scope, round_id, position)
    if stop.result is not Result.OPEN:
        raise Conflict(judged_already(stop))
    if stop.verdict is not Verdict.PENDING:  # else it is being looked at already
        await have_looked_again(tx, scope, tools.jobs, round_id, position)
        body: dict[str, Json] = {"picture_sha256": stop.picture_sha256}
        deed = Deed(what="stop_looked_again", now=tools.now, position=position, body=body)
        await round_deeds.write_down(tx, scope, walk, deed)
    return await stop_results.get_stop(tx, scope, round_id, position)


async def _hold(tx: Transaction, scope: Scope, round_id: int) -> PatrolRound:
    """Hold a round that is under way."""
    walk = await rounds.lock_round(tx, scope, round_id)
    if walk is None:
        msg = "no such patrol round"
        raise NotFound(msg)
    if walk.is_over:
        msg = "this round is over"
        raise Conflict(msg)
    if walk.state is RoundState.DUE:
        msg = "this round has not begun"
        raise Conflict(msg)
    return walk


async def _hold_mine(tx: Transaction, scope: Scope, round_id: int) -> PatrolRound:
    """Hold a round that the caller walks."""
    walk = await _hold(tx, scope, round_id)
    if walk.walker_id is None:
        msg = "nobody walks this round: take it first"
        raise Conflict(msg)
    if walk.walker_id != scope.user_id:
        raise Conflict(_walked_by(walk))
    return walk


async def _find(
    tx: Transaction, scope: Scope, walk: PatrolRound, user_id: int | None, now: datetime
) -> Colleague:
    """Somebody who may walk this round."""
    who = None
    if user_id is not None:
        who = await round_deeds.find_colleague(tx, scope, walk.id, user_id)
    if who is None:
        msg = "nobody of that number may operate where this round goes"
        raise NotFound(msg)
    grants = [Grant(role=r, area_id=walk.area_id, area_path=walk.area_path) for r in who.roles]
    principal = Principal(user_id=who.id, name=who.login, grants=tuple(grants))
    # Who is on duty may stand in an area above, which the caller need not see.
    if not await may_take(tx, system_scope("hub.patrols"), walk, principal, now):
        msg = f"the plan of this round asks for somebody else than {who.name}"
        raise NotPermitted(msg)
    return who


async def _look_ahead(tx: Transaction, walk: PatrolRound, position: int, tools: Tools) -> None:
    await look_ahead(tx, tools.jobs, walk, position, stops_ahead=tools.stops_ahead)


async def _first_open(tx: Transaction, scope: Scope, round_id: int) -> int:
    """Position of the first open stop; 1 when there is none."""
    wanted = stop_results.StopFilter(result=Result.OPEN)
    page = await stop_results.list_stops(tx, scope, round_id, wanted, limit=1)
    return page.items[0].position if page.items else 1


def _walked_by(walk: PatrolRound) -> str:
    return f"{walk.walker_name} walks this round: ask for a hand-over, or take it over expressly"
