"""Silences: look, try out, make, extend or shorten, end."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter

from alerts.handling import quieting
from hub.domain.access import Scope
from hub.domain.silences import Silence, SilenceState
from hub.store import silences
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.silences import SilenceFilter
from hub.web.access import Plan, See
from hub.web.schemas.matching import MatcherOut
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.schemas.silences import (
    PreviewIn,
    PreviewOut,
    SilenceEndIn,
    SilenceIn,
    SilenceOut,
)
from hub.web.services import Services

router = APIRouter(tags=["silences"])


@router.get("/silences")
async def list_silences(
    scope: See,
    services: Services,
    area: AreaFilter = None,
    state: SilenceState | None = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[SilenceOut]:
    """Silences, newest first."""
    now = services.clock()
    wanted = SilenceFilter(area_id=area, state=state)
    async with services.database.transaction() as tx:
        page = await silences.list_silences(tx, scope, wanted, now=now, limit=limit, cursor=cursor)
        items = await _show(tx, scope, page.items, now)
    return Listing(items=items, next=page.next)


@router.get("/silences/{silence_id}")
async def get_silence(scope: See, silence_id: Id, services: Services) -> SilenceOut:
    """One silence."""
    async with services.database.transaction() as tx:
        found = await silences.get_silence(tx, scope, silence_id)
        return (await _show(tx, scope, [found], services.clock()))[0]


@router.post("/silences", status_code=HTTPStatus.CREATED)
async def make_silence(scope: Plan, body: SilenceIn, services: Services) -> SilenceOut:
    """Make a silence; what is open and matches is quiet at once. "Resolved" is still told."""
    now = services.clock()
    wanted = Silence(
        area_id=body.area_id,
        matcher=body.matcher.matcher(),
        reason=body.reason,
        starts_at=body.starts_at or now,
        ends_at=body.ends_at,
    )
    async with services.database.transaction() as tx:
        made = await quieting.make_silence(tx, scope, wanted, now)
        return (await _show(tx, scope, [made], now))[0]


@router.post("/silences/preview")
async def preview(scope: Plan, body: PreviewIn, services: Services) -> PreviewOut:
    """How many open alerts a silence would keep quiet; nothing is changed."""
    now = services.clock()
    async with services.database.transaction() as tx:
        area = await get_area(tx, scope, body.area_id)
        wanted = Silence(
            area_id=area.id,
            area_path=area.path,
            area_name=area.name,
            matcher=body.matcher.matcher(),
            reason="",
            starts_at=now,
            ends_at=now,
        )
        counts = await quieting.count_matching(tx, scope, [wanted])
    return PreviewOut(quiets=counts[wanted.id], warning=quieting.warn_about(wanted))


@router.put("/silences/{silence_id}")
async def move_silence(
    scope: Plan, silence_id: Id, body: SilenceEndIn, services: Services
) -> SilenceOut:
    """Let it end later or earlier."""
    now = services.clock()
    async with services.database.transaction() as tx:
        moved = await quieting.move_silence(tx, scope, silence_id, body.ends_at, now)
        return (await _show(tx, scope, [moved], now))[0]


@router.delete("/silences/{silence_id}", status_code=HTTPStatus.NO_CONTENT)
async def end_silence(scope: Plan, silence_id: Id, services: Services) -> None:
    """End it now: what still fires and nobody took is told again. It stays in the list."""
    async with services.database.transaction() as tx:
        await quieting.end_silence(tx, scope, silence_id, services.clock())


async def _show(
    tx: Transaction, scope: Scope, found: Sequence[Silence], now: datetime
) -> list[SilenceOut]:
    active = [one for one in found if one.state(now) is SilenceState.ACTIVE]
    counts = await quieting.count_matching(tx, scope, active)
    return [
        SilenceOut(
            id=one.id,
            area_id=one.area_id,
            area_name=one.area_name,
            matcher=MatcherOut.model_validate(one.matcher),
            author=one.author,
            reason=one.reason,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            ended_by=one.ended_by,
            state=one.state(now),
            is_expiring=one.is_expiring(now),
            quiets=counts.get(one.id, 0),
            warning=quieting.warn_about(one),
        )
        for one in found
    ]
