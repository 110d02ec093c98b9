"""People walk a round: take it, look at what waits, judge, pause, hand over, look a second time."""

import random
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query

from hub.domain.patrols import Result
from hub.patrols.walking import person
from hub.patrols.walking.judging import Judgement, TaskWish
from hub.patrols.walking.second_look import Opinion, second_look
from hub.patrols.walking.tasks import open_late
from hub.store import round_deeds, rounds, second_looks, stop_results
from hub.web.access import Operate, Plan
from hub.web.routes.patrols import Position
from hub.web.schemas.patrols import (
    ColleagueOut,
    HandOverIn,
    JudgeIn,
    PauseIn,
    QueueOut,
    RoundOut,
    SecondLookIn,
    SecondLookOut,
    SkipIn,
    StopOut,
    TakeIn,
    TaskIn,
)
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services, WebServices

router = APIRouter(tags=["patrols"])

# Who is looked at a second time must not be known before.
_RNG: Final = random.SystemRandom()


@router.get("/patrol-rounds/{round_id}/queue")
async def list_queue(
    scope: Operate,
    round_id: Id,
    services: Services,
    limit: Annotated[int, Query(ge=1, le=100)] = 12,
) -> QueueOut:
    """What waits for whoever walks: by position in a walk, else by doubt, the worst first."""
    async with services.database.transaction() as tx:
        await rounds.get_round(tx, scope, round_id)
        waiting = await stop_results.waiting_stops(tx, scope, round_id, limit=limit)
        coming = await stop_results.count_coming(tx, scope, round_id)
    return QueueOut(items=[StopOut.model_validate(stop) for stop in waiting], coming=coming)


@router.get("/patrol-rounds/{round_id}/colleagues")
async def list_colleagues(
    scope: Operate, round_id: Id, services: Services
) -> Listing[ColleagueOut]:
    """To whom the round can be handed over: whoever may operate where it goes."""
    async with services.database.transaction() as tx:
        await rounds.get_round(tx, scope, round_id)
        found = await round_deeds.list_colleagues(tx, scope, round_id)
    return Listing(items=[ColleagueOut.model_validate(one) for one in found])


@router.post("/patrol-rounds/{round_id}/take")
async def take(scope: Operate, round_id: Id, body: TakeIn, services: Services) -> RoundOut:
    """Walk the round from now on; from somebody who walks it only if that is said."""
    async with services.database.transaction() as tx:
        walk = await person.take(tx, scope, round_id, _tools(services), take_over=body.take_over)
    return RoundOut.model_validate(walk)


@router.post("/patrol-rounds/{round_id}/hand-over")
async def hand_over(scope: Operate, round_id: Id, body: HandOverIn, services: Services) -> RoundOut:
    """Give the round to a colleague."""
    async with services.database.transaction() as tx:
        walk = await person.hand_over(
            tx, scope, round_id, body.to_user_id, body.note, _tools(services)
        )
    return RoundOut.model_validate(walk)


@router.post("/patrol-rounds/{round_id}/pause")
async def pause(scope: Operate, round_id: Id, body: PauseIn, services: Services) -> RoundOut:
    """Stand still: what is paused makes no stop late."""
    async with services.database.transaction() as tx:
        walk = await person.pause(tx, scope, round_id, body.reason, _tools(services))
    return RoundOut.model_validate(walk)


@router.post("/patrol-rounds/{round_id}/resume")
async def resume(scope: Operate, round_id: Id, services: Services) -> RoundOut:
    """Go on."""
    async with services.database.transaction() as tx:
        return RoundOut.model_validate(await person.resume(tx, scope, round_id, _tools(services)))


@router.post("/patrol-rounds/{round_id}/stops/{position}/judge")
async def judge(
    scope: Operate, round_id: Id, position: Position, body: JudgeIn, services: Services
) -> StopOut:
    """Say what a stop came to; the first judgement stands."""
    said = Judgement(
        result=Result(body.result),
        kind=body.kind,
        note=body.note,
        checked=tuple(body.checked),
        picture_sha256=body.picture_sha256,
        task=None if body.task is None else _wish(body.task),
    )
    async with services.database.transaction() as tx:
        stop = await person.judge(tx, scope, round_id, position, said, _tools(services))
    return StopOut.model_validate(stop)


@router.post("/patrol-rounds/{round_id}/stops/{position}/skip")
async def skip(
    scope: Operate, round_id: Id, position: Position, body: SkipIn, services: Services
) -> StopOut:
    """Pass a stop by, and say why."""
    async with services.database.transaction() as tx:
        stop = await person.skip(tx, scope, round_id, position, body.reason, _tools(services))
    return StopOut.model_validate(stop)


@router.post("/patrol-rounds/{round_id}/stops/{position}/look-again")
async def look_again(
    scope: Operate, round_id: Id, position: Position, services: Services
) -> StopOut:
    """Have another picture taken of an open stop, at once."""
    async with services.database.transaction() as tx:
        stop = await person.look_again(tx, scope, round_id, position, _tools(services))
    return StopOut.model_validate(stop)


@router.post("/patrol-rounds/{round_id}/stops/{position}/dispatch", status_code=HTTPStatus.CREATED)
async def open_dispatch(
    scope: Operate, round_id: Id, position: Position, body: TaskIn, services: Services
) -> StopOut:
    """Open a task from a stop that is judged; the stop names it."""
    async with services.database.transaction() as tx:
        await open_late(
            tx, scope, services.jobs, (round_id, position), _wish(body), services.clock()
        )
        return StopOut.model_validate(await stop_results.get_stop(tx, scope, round_id, position))


@router.post("/patrol-rounds/{round_id}/stops/{position}/second-look")
async def look_a_second_time(
    scope: Plan, round_id: Id, position: Position, body: SecondLookIn, services: Services
) -> StopOut:
    """Agree with a judgement or not; whoever judged cannot."""
    said = Opinion(agrees=body.agrees, note=body.note, picture_sha256=body.picture_sha256)
    async with services.database.transaction() as tx:
        stop = await second_look(tx, scope, round_id, position, said, services.clock())
    return StopOut.model_validate(stop)


@router.get("/patrol-second-looks")
async def list_second_looks(
    scope: Plan,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[SecondLookOut]:
    """Stops that wait for a second look, those of the newest round first."""
    async with services.database.transaction() as tx:
        page = await second_looks.list_wanted(tx, scope, area_id=area, limit=limit, cursor=cursor)
    return Listing(items=[SecondLookOut.model_validate(one) for one in page.items], next=page.next)


def _wish(body: TaskIn) -> TaskWish:
    return TaskWish(title=body.title, text=body.text, priority=body.priority)


def _tools(services: WebServices) -> person.Tools:
    return person.Tools(jobs=services.jobs, now=services.clock(), rng=_RNG)
