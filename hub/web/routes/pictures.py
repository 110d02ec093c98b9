"""Pictures of cameras: which are worth nothing, why, since when, and how they were before."""

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Response

from hub.domain.access import Scope
from hub.domain.devices import Device
from hub.domain.errors import Conflict, NotFound
from hub.domain.quality import HOURS_A_BAND, BandKey, Faults, Index, PictureState
from hub.maintenance.pictures.assigned import Applied, find_applied
from hub.maintenance.pictures.evidence import EvidenceFolder, Kind
from hub.maintenance.pictures.learning import lessons_of
from hub.store import (
    audit,
    devices,
    picture_baselines,
    picture_faults,
    picture_history,
    picture_masks,
    picture_states,
)
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.picture_due import look_again
from hub.store.picture_faults import FRESH, FaultFilter
from hub.web.access import Maintain, See
from hub.web.routes.devices import JpegResponse
from hub.web.routes.history import Moment, read_period
from hub.web.schemas.pictures import (
    BandOut,
    CheckHourOut,
    CheckOut,
    DueOut,
    EvidenceOut,
    FaultLineOut,
    FindingOut,
    PictureFaultOut,
    PictureOut,
    PictureProfilesOut,
    RegionOut,
    StandingFaultOut,
    SummaryOut,
)
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services, WebServices

router = APIRouter(tags=["pictures"])

CHECKS_PERIOD: Final = timedelta(days=1)
HOURS_PERIOD: Final = timedelta(days=14)

IndexFilter = Annotated[Index | None, Query()]
Exactly = Annotated[str, Query(max_length=128, pattern=r"^[^\x00]*$")]


def read_filter(
    area: AreaFilter = None,
    index: IndexFilter = None,
    device_class: Annotated[Exactly, Query(alias="class")] = "",
    team: Exactly = "",
) -> FaultFilter:
    """What the list of faults is narrowed to."""
    return FaultFilter(area_id=area, index=index, device_class=device_class, team=team)


@router.get("/pictures/faults")
async def list_faults(
    scope: See,
    services: Services,
    wanted: Annotated[FaultFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[FaultLineOut]:
    """Cameras whose picture is bad, those that turned bad last first."""
    async with services.database.transaction() as tx:
        page = await picture_faults.list_picture_faults(
            tx, scope, wanted, limit=limit, cursor=cursor
        )
    items = [
        FaultLineOut.model_validate(
            {
                **asdict(line),
                "faults": show_faults(line.faults),
                "good": link(line.device_id, Kind.GOOD, line.good_at),
                "bad": link(line.device_id, Kind.BAD, line.bad_at),
            }
        )
        for line in page.items
    ]
    return Listing(items=items, next=page.next)


@router.get("/pictures/summary")
async def summarize(scope: See, services: Services, area: AreaFilter = None) -> SummaryOut:
    """How many cameras have which fault, and how many were looked at to know it."""
    async with services.database.transaction() as tx:
        counts = await picture_faults.count_picture_faults(tx, scope, FaultFilter(area_id=area))
        coverage = await picture_faults.picture_coverage(tx, scope, services.clock(), area_id=area)
    hours = round(FRESH / timedelta(hours=1))
    return SummaryOut(hours=hours, faults=counts, **asdict(coverage))


@router.get("/devices/{device_id}/picture")
async def get_picture(scope: See, device_id: Id, services: Services) -> PictureOut:
    """What is known of a camera's picture: every index with score, threshold, verdict and why."""
    async with services.database.transaction() as tx:
        device = await devices.get_device(tx, scope, device_id)
        state = await picture_states.get_state(tx, scope, device_id)
        applied = await find_applied(tx, device)
        bands = await show_bands(tx, scope, device_id)
        masks = await picture_masks.get_masks(tx, scope, device_id)
    files = evidence_of(services)
    return PictureOut(
        device_id=device.id,
        device_name=device.name,
        verdict=_verdict(state, services.clock()),
        checked_at=state.checked_at,
        tried_at=state.tried_at,
        next_at=state.next_at,
        unseen=state.unseen,
        mode=state.mode,
        width=state.width,
        height=state.height,
        profiles=PictureProfilesOut(
            day=applied.day_name, night=applied.night_name, source=applied.source
        ),
        findings=_show_findings(state),
        not_judged=_not_judged(state, applied),
        faults=_show_standing(state.faults, state),
        suspects=_show_standing(state.suspects, state),
        baseline=bands,
        masks=len(masks),
        good=await _kept(files, device, Kind.GOOD, state.good_at),
        bad=await _kept(files, device, Kind.BAD, state.bad_at),
    )


@router.get("/devices/{device_id}/picture/{which}.jpg", response_class=JpegResponse)
async def get_evidence(scope: See, device_id: Id, which: Kind, services: Services) -> Response:
    """The last good or the last bad picture of a camera; who looked is in the audit log."""
    async with services.database.transaction() as tx:
        device = await devices.get_device(tx, scope, device_id)
        jpeg = await evidence_of(services).read(device.id, which)
        if not jpeg:
            msg = f"no {which.value} picture of this camera is kept"
            raise NotFound(msg)
        await audit.record(tx, scope, deed_of("picture.looked_at", device), {"which": which.value})
    return JpegResponse(jpeg)


@router.get("/devices/{device_id}/picture/checks")
async def list_checks(
    scope: See, device_id: Id, services: Services, since: Moment = None, until: Moment = None
) -> Listing[CheckOut]:
    """The checks of a camera with their scores, oldest first, at most 10,000; of the last day."""
    begin, end = read_period(services.clock(), since, until, CHECKS_PERIOD)
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
        found = await picture_history.list_checks(tx, scope, device_id, since=begin, until=end)
    return Listing(items=[CheckOut.model_validate(one) for one in found])


@router.get("/devices/{device_id}/picture/hours")
async def list_hours(
    scope: See, device_id: Id, services: Services, since: Moment = None, until: Moment = None
) -> Listing[CheckHourOut]:
    """The worst scores of a camera by the hour, oldest first; of the last 14 days."""
    begin, end = read_period(services.clock(), since, until, HOURS_PERIOD)
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
        found = await picture_history.list_check_hours(tx, scope, device_id, since=begin, until=end)
    return Listing(items=[CheckHourOut.model_validate(hour) for hour in found])


@router.post("/devices/{device_id}/picture/check")
async def check_soon(scope: Maintain, device_id: Id, services: Services) -> DueOut:
    """Have a camera looked at again, as soon as the hub comes round to it."""
    now = services.clock()
    async with services.database.transaction() as tx:
        device = await devices.get_device(tx, scope, device_id)
        if not await look_again(tx, scope, [device.id], now):
            msg = "this picture is not judged: it is no approved camera, or was added just now"
            raise Conflict(msg)
        await audit.record(tx, scope, deed_of("picture.check_asked", device))
        await notify(tx, scope, picture_states.TOPIC, [device.id])
    return DueOut(next_at=now)


async def show_bands(tx: Transaction, scope: Scope, device_id: int) -> list[BandOut]:
    """What is learnt of a camera, by hours of the day and mode."""
    stored = await picture_baselines.load_baselines(tx, scope, [device_id])
    lessons = lessons_of(stored.get(device_id, {}))
    order: list[BandKey] = sorted(lessons, key=lambda key: (key[1], key[0]))
    return [
        BandOut(
            from_hour=band * HOURS_A_BAND,
            to_hour=(band + 1) * HOURS_A_BAND,
            mode=mode,
            pictures=lessons[band, mode].pictures,
            since=lessons[band, mode].since,
            last_at=lessons[band, mode].last_at,
            is_confirmed=lessons[band, mode].is_confirmed,
            is_ripe=lessons[band, mode].is_ripe(),
        )
        for band, mode in order
    ]


def evidence_of(services: WebServices) -> EvidenceFolder:
    """The pictures that are kept."""
    return _evidence_below(services.settings.data_dir)


@cache
def _evidence_below(data_dir: Path) -> EvidenceFolder:
    """One for a data folder: it remembers how full that is, which takes a walk to find out."""
    return EvidenceFolder(data_dir)


def deed_of(action: str, device: Device) -> audit.Deed:
    """A line of the audit log about a camera."""
    return audit.Deed(
        action=action, object_type="device", object_id=str(device.id), area_id=device.area_id
    )


def show_faults(faults: Faults) -> list[PictureFaultOut]:
    """Faults in the order in which people are told."""
    return [
        PictureFaultOut.model_validate({"index": index, **asdict(one)})
        for index, one in faults.items()
    ]


def link(device_id: int, kind: Kind, at: datetime | None) -> EvidenceOut | None:
    """Where a picture is to be had, None when none was kept."""
    if at is None:
        return None
    href = f"/api/v1/devices/{device_id}/picture/{kind.value}.jpg"
    return EvidenceOut(at=at, href=href)


def _show_standing(faults: Faults, state: PictureState) -> list[StandingFaultOut]:
    return [
        StandingFaultOut.model_validate(
            {"index": index, **asdict(one), "mending": state.mending.get(index, 0)}
        )
        for index, one in faults.items()
    ]


def _show_findings(state: PictureState) -> list[FindingOut]:
    return [
        FindingOut(
            index=one.index,
            score=one.score,
            threshold=one.threshold,
            correction=state.corrections.get(one.index, 0.0),
            is_fault=one.is_fault,
            why=one.why,
            region=None if one.region is None else RegionOut.model_validate(one.region),
        )
        for one in state.findings
    ]


def _not_judged(state: PictureState, applied: Applied) -> list[Index]:
    """What the profiles judge and the last check did not."""
    if state.checked_at is None:
        return []
    found = {one.index for one in state.findings}
    return [index for index in Index if index in applied.chosen.judged - found]


def _verdict(state: PictureState, now: datetime) -> Literal["good", "bad", "unknown"]:
    """Good, bad, or unknown: never looked at, or too long ago to know."""
    if state.checked_at is None or now - state.checked_at > FRESH:
        return "unknown"
    return "bad" if state.faults else "good"


async def _kept(
    files: EvidenceFolder, device: Device, kind: Kind, at: datetime | None
) -> EvidenceOut | None:
    """A link to a picture that is there: old ones go, and all when masks are set."""
    is_there = await asyncio.to_thread(files.path(device.id, kind).exists)
    return link(device.id, kind, at) if is_there else None
