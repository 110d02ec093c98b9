"""Profiles of thresholds, where they are assigned, and what another threshold would change."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter

from hub.domain.access import Scope
from hub.domain.errors import Conflict, Invalid
from hub.domain.quality import Profile
from hub.maintenance.pictures import corrections
from hub.store import picture_assignments, picture_profiles
from hub.store.areas import get_area
from hub.store.database import Transaction
from hub.store.device_lists import list_lines
from hub.store.picture_assignments import Assignment
from hub.store.picture_changes import DryRun, IndexChange, count_changes
from hub.web.access import Maintain, See
from hub.web.schemas.pictures import (
    AssignmentIn,
    AssignmentOut,
    ExampleOut,
    IndexChangeOut,
    ProfileChangeIn,
    ProfileIn,
    ProfileOut,
    ProfileTrialIn,
    ProfileTrialOut,
)
from hub.web.schemas.shapes import AreaFilter, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["pictures"])

# A browser waits so long, and people do not wait longer.
LONGEST_TRIAL_S: Final = 20.0
# Each keeps the database busy while it runs.
MOST_AT_ONCE: Final = 2
running: Final = asyncio.Semaphore(MOST_AT_ONCE)


@router.get("/picture-profiles")
async def list_profiles(
    scope: See,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[ProfileOut]:
    """Profiles by number, those of areas above too; of an area: what can be assigned in it."""
    async with services.database.transaction() as tx:
        page = await picture_profiles.list_profiles(
            tx, scope, usable_in=area, limit=limit, cursor=cursor
        )
    return Listing(items=[ProfileOut.model_validate(one) for one in page.items], next=page.next)


@router.post("/picture-profiles", status_code=HTTPStatus.CREATED)
async def add_profile(scope: Maintain, body: ProfileIn, services: Services) -> ProfileOut:
    """Add a profile for the cameras of an area and below it."""
    new = Profile(area_id=body.area_id, name=body.name, thresholds=body.thresholds)
    async with services.database.transaction() as tx:
        return ProfileOut.model_validate(await picture_profiles.add_profile(tx, scope, new))


@router.post("/picture-profiles/dry-run")
async def try_thresholds(
    scope: Maintain, body: ProfileTrialIn, services: Services
) -> ProfileTrialOut:
    """What thresholds would have made of past checks: nothing is stored, nothing changes."""
    if running.locked():
        msg = f"{MOST_AT_ONCE} dry runs are under way: try again when one is done"
        raise Conflict(msg)
    picture_profiles.check_thresholds(body.thresholds)
    until = services.clock()
    wanted = DryRun(
        thresholds=body.thresholds,
        since=until - timedelta(hours=body.hours),
        until=until,
        is_night=body.night,
        area_id=body.area_id,
        device_class=body.device_class,
        correct=corrections.apply,
    )
    try:
        async with running, asyncio.timeout(LONGEST_TRIAL_S), services.database.transaction() as tx:
            await get_area(tx, scope, body.area_id)
            found = await count_changes(tx, scope, wanted)
            changes = [one for one in found if one.index in body.thresholds]
            return await _show_trial(tx, scope, wanted, changes)
    except TimeoutError:
        msg = f"that takes longer than {LONGEST_TRIAL_S:.0f} s: ask for fewer hours"
        raise Invalid(msg, field="hours") from None


@router.get("/picture-profiles/{profile_id}")
async def get_profile(scope: See, profile_id: Id, services: Services) -> ProfileOut:
    """One profile."""
    async with services.database.transaction() as tx:
        return ProfileOut.model_validate(await picture_profiles.get_profile(tx, scope, profile_id))


@router.put("/picture-profiles/{profile_id}")
async def change_profile(
    scope: Maintain, profile_id: Id, body: ProfileChangeIn, services: Services
) -> ProfileOut:
    """Replace name and thresholds of a profile, wherever it is assigned."""
    changed = Profile(id=profile_id, name=body.name, thresholds=body.thresholds)
    async with services.database.transaction() as tx:
        return ProfileOut.model_validate(await picture_profiles.change_profile(tx, scope, changed))


@router.delete("/picture-profiles/{profile_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_profile(scope: Maintain, profile_id: Id, services: Services) -> None:
    """Remove a profile that is assigned nowhere."""
    async with services.database.transaction() as tx:
        await picture_profiles.remove_profile(tx, scope, profile_id)


@router.get("/picture-assignments")
async def list_assignments(
    scope: See,
    services: Services,
    area: AreaFilter = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[AssignmentOut]:
    """What is assigned, by number; where nothing is, the built-in day and night apply."""
    async with services.database.transaction() as tx:
        page = await picture_assignments.list_assignments(
            tx, scope, area_id=area, limit=limit, cursor=cursor
        )
    return Listing(items=[AssignmentOut.model_validate(one) for one in page.items], next=page.next)


@router.post("/picture-assignments", status_code=HTTPStatus.CREATED)
async def assign(scope: Maintain, body: AssignmentIn, services: Services) -> AssignmentOut:
    """Assign profiles in place of what was assigned to the same area and class, or camera."""
    if (body.area_id is None) == (body.device_id is None):
        msg = "name an area or a device"
        raise Invalid(msg, field="area_id")
    wanted = Assignment(
        area_id=body.area_id or 0,
        device_class=body.device_class,
        device_id=body.device_id,
        day_id=body.day_id,
        night_id=body.night_id,
    )
    async with services.database.transaction() as tx:
        return AssignmentOut.model_validate(
            await picture_assignments.put_assignment(tx, scope, wanted)
        )


@router.delete("/picture-assignments/{assignment_id}", status_code=HTTPStatus.NO_CONTENT)
async def withdraw(scope: Maintain, assignment_id: Id, services: Services) -> None:
    """Remove what is assigned: the cameras inherit again."""
    async with services.database.transaction() as tx:
        await picture_assignments.remove_assignment(tx, scope, assignment_id)


async def _show_trial(
    tx: Transaction, scope: Scope, wanted: DryRun, changes: list[IndexChange]
) -> ProfileTrialOut:
    ids = sorted({number for change in changes for number in change.examples})
    names = {line.id: line.name for line in await list_lines(tx, scope, ids)}
    return ProfileTrialOut(
        since=wanted.since,
        until=wanted.until,
        indices=[
            IndexChangeOut(
                index=one.index,
                checks=one.checks,
                faults_before=one.faults_before,
                faults_after=one.faults_after,
                became=one.became,
                ceased=one.ceased,
                cameras=one.cameras,
                examples=[
                    ExampleOut(device_id=number, device_name=names[number])
                    for number in one.examples
                    if number in names
                ],
            )
            for one in changes
        ],
    )
