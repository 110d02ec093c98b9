"""Why a device is as it is: its last probes, and what slow looks found day by day."""

from datetime import timedelta

from fastapi import APIRouter

from hub.store import camera_days, devices
from hub.web.access import See
from hub.web.routes.history import Moment, read_period
from hub.web.schemas.health import CameraDayOut
from hub.web.schemas.places import ProbeOut
from hub.web.schemas.shapes import Id, Listing
from hub.web.services import Services

router = APIRouter(tags=["devices"])

DEFAULT_PERIOD = timedelta(days=30)


@router.get("/devices/{device_id}/probes")
async def list_probes(scope: See, device_id: Id, services: Services) -> Listing[ProbeOut]:
    """The last probes with their log lines, newest first; failures are kept longer.

    They live in the memory of the process that probes: another one knows none.
    """
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
    return Listing(items=[ProbeOut.of(result) for result in services.recent_probes(device_id)])


@router.get("/devices/{device_id}/days")
async def list_days(
    scope: See,
    device_id: Id,
    services: Services,
    since: Moment = None,
    until: Moment = None,
) -> Listing[CameraDayOut]:
    """Clock and recordings of a camera by day, oldest first; by default of 30 days."""
    begin, end = read_period(services.clock(), since, until, DEFAULT_PERIOD)
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
        found = await camera_days.list_camera_days(tx, scope, device_id, since=begin, until=end)
    return Listing(items=[CameraDayOut.model_validate(day) for day in found])
