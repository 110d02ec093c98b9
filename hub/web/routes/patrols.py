"""The video patrol: rounds, stops, pictures, reports. What people do is in patrol_walks."""

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi import Path as PathParameter
from pydantic import AwareDatetime
from starlette.responses import HTMLResponse

from hub.domain.access import Scope
from hub.domain.errors import Conflict, NotFound
from hub.domain.patrols import Result, RoundState, SecondLook, Verdict
from hub.patrols import desk
from hub.patrols.files import CLIP_MIME, PictureFolder
from hub.patrols.walking import ending
from hub.store import audit, rounds, stop_results
from hub.store.database import Transaction
from hub.store.evidence_view import view_evidence
from hub.store.stop_results import StopFilter, StopSort
from hub.web.access import Operate, See
from hub.web.routes.devices import JpegResponse
from hub.web.schemas.patrols import EvidenceOut, RoundOut, StopOut
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["patrols"])

MOST_STOPS = 2**31 - 1
# The report carries its pictures and its style in itself, and may do nothing else.
REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; sandbox"
)


class FilmResponse(Response):
    """One film."""

    media_type = CLIP_MIME


def read_filter(
    area: AreaFilter = None,
    plan_id: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
    status: RoundState | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> rounds.RoundFilter:
    """What the list is narrowed to; ``since`` and ``until`` bound the planned begin."""
    return rounds.RoundFilter(area_id=area, plan_id=plan_id, state=status, since=since, until=until)


Position = Annotated[int, PathParameter(ge=1, le=MOST_STOPS)]
ShaFilter = Annotated[str, Query(pattern=r"^([0-9a-f]{64})?$", max_length=64)]


def read_stop_filter(  # noqa: PLR0913 - each is a parameter of the list
    result: Result | None = None,
    second_look: SecondLook | None = None,
    verdict: Verdict | None = None,
    area: AreaFilter = None,
    *,
    for_person: bool | None = None,
    task: bool | None = None,
    sort: StopSort = StopSort.POSITION,
) -> StopFilter:
    """What the list of stops is narrowed to, and its order; ``task``: one was opened from it."""
    return StopFilter(
        result=result,
        second_look=second_look,
        is_for_person=for_person,
        verdict=verdict,
        area_id=area,
        has_task=task,
        sort=sort,
    )


@router.get("/patrol-rounds")
async def list_rounds(
    scope: See,
    services: Services,
    wanted: Annotated[rounds.RoundFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[RoundOut]:
    """Rounds, newest first."""
    async with services.database.transaction() as tx:
        page = await rounds.list_rounds(tx, scope, wanted, limit=limit, cursor=cursor)
    return Listing(items=[RoundOut.model_validate(walk) for walk in page.items], next=page.next)


@router.get("/patrol-rounds/{round_id}")
async def get_round(scope: See, round_id: Id, services: Services) -> RoundOut:
    """One round with its figures."""
    async with services.database.transaction() as tx:
        return RoundOut.model_validate(await rounds.get_round(tx, scope, round_id))


@router.get("/patrol-rounds/{round_id}/evidence")
async def get_evidence(scope: See, round_id: Id, services: Services) -> EvidenceOut:
    """How much is kept of a round, what of it is sealed, and who did what with the round."""
    async with services.database.transaction() as tx:
        await rounds.get_round(tx, scope, round_id)
        kept = await view_evidence(tx, scope, round_id)
    return EvidenceOut.model_validate(kept)


@router.post("/patrol-rounds/{round_id}/cancel")
async def cancel_round(scope: Operate, round_id: Id, services: Services) -> RoundOut:
    """Stop a round; what was seen stays."""
    async with services.database.transaction() as tx:
        await ending.cancel_round(tx, scope, round_id, now=services.clock())
        return RoundOut.model_validate(await rounds.get_round(tx, scope, round_id))


@router.get("/patrol-rounds/{round_id}/stops")
async def list_stops(
    scope: See,
    round_id: Id,
    services: Services,
    wanted: Annotated[StopFilter, Depends(read_stop_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[StopOut]:
    """The stops of a round in their order, or by doubt, the worst first."""
    async with services.database.transaction() as tx:
        await rounds.get_round(tx, scope, round_id)
        page = await stop_results.list_stops(
            tx, scope, round_id, wanted, limit=limit, cursor=cursor
        )
    return Listing(items=[StopOut.model_validate(stop) for stop in page.items], next=page.next)


@router.get("/patrol-rounds/{round_id}/stops/{position}")
async def get_stop(scope: See, round_id: Id, position: Position, services: Services) -> StopOut:
    """One stop."""
    async with services.database.transaction() as tx:
        stop = await stop_results.get_stop(tx, scope, round_id, position)
    return StopOut.model_validate(stop)


@router.get("/patrol-rounds/{round_id}/stops/{position}/picture", response_class=JpegResponse)
async def get_picture(
    scope: See, round_id: Id, position: Position, services: Services, sha256: ShaFilter = ""
) -> Response:
    """The picture of a stop, the one of this SHA-256 if it is named; who looked is audited."""
    folder = PictureFolder(services.settings.data_dir)
    async with services.database.transaction() as tx:
        path = await desk.find_picture(tx, scope, folder, round_id, position)
        stop = await stop_results.get_stop(tx, scope, round_id, position)
        await _record(tx, scope, round_id, "patrol_round.picture_looked_at")
    if sha256 and sha256 != stop.picture_sha256:
        msg = "another picture was taken of this stop since: look again"
        raise Conflict(msg)
    jpeg = await _read(path)
    _check_kept(jpeg, stop.picture_sha256)
    return JpegResponse(jpeg)


@router.get("/patrol-rounds/{round_id}/stops/{position}/clip", response_class=FilmResponse)
async def get_clip(scope: See, round_id: Id, position: Position, services: Services) -> Response:
    """The film of a stop, whole; who looked is in the audit log."""
    folder = PictureFolder(services.settings.data_dir)
    async with services.database.transaction() as tx:
        stop = await stop_results.get_stop(tx, scope, round_id, position)
        if not stop.clip_sha256:
            msg = "no such film"
            raise NotFound(msg)
        await _record(tx, scope, round_id, "patrol_round.clip_looked_at")
    film = await _read(folder.clip_path(round_id, position))
    _check_kept(film, stop.clip_sha256)
    return FilmResponse(film)


@router.get("/patrol-rounds/{round_id}/report", response_class=HTMLResponse)
async def get_report(scope: See, round_id: Id, services: Services) -> Response:
    """The report of a round, one HTML file; who read it is in the audit log."""
    folder = PictureFolder(services.settings.data_dir)
    async with services.database.transaction() as tx:
        path = await desk.find_report(tx, scope, folder, round_id)
        await _record(tx, scope, round_id, "patrol_round.report_read")
    page = await _read(path)
    return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


async def _read(path: Path) -> bytes:
    """Whole: pictures and reports are bounded, and a Range header then means nothing."""
    try:
        return await asyncio.to_thread(path.read_bytes)
    except FileNotFoundError as error:
        msg = "the file is not in this hub's data folder any more"
        raise NotFound(msg) from error


def _check_kept(data: bytes, sha256: str) -> None:
    """Show nothing as evidence that is not what was kept; earlier versions kept no hash."""
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        # In the moment in which another one is taken this may be so, too.
        msg = "this file is not the one that was kept: if it stays so, it was changed"
        raise Conflict(msg)


async def _record(tx: Transaction, scope: Scope, round_id: int, action: str) -> None:
    walk = await rounds.get_round(tx, scope, round_id)
    deed = audit.Deed(
        action=action,
        object_type="patrol_round",
        object_id=str(round_id),
        area_id=walk.area_id,
    )
    await audit.record(tx, scope, deed)
