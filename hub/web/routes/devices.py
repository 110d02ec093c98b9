"""Devices: list, look, approve, edit, probe, command, one picture now."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from hub.domain.access import Scope
from hub.domain.devices import Device, Registration
from hub.domain.errors import Conflict
from hub.domain.ports import CameraTarget
from hub.store import audit, cameras, device_lists, devices, firmware, probe_hours
from hub.store.database import Transaction
from hub.store.device_lists import DeviceFilter
from hub.store.notices import notify
from hub.web.access import Maintain, See
from hub.web.device_query import Paging, read_filter, read_paging
from hub.web.routes.history import Moment, read_period
from hub.web.schemas.places import (
    ChannelOut,
    CommandIn,
    CommandOut,
    DeviceChangeIn,
    DeviceLineOut,
    DeviceListing,
    DeviceOut,
    FirmwareOut,
    LatencyOut,
    PointOut,
    ProbeOut,
)
from hub.web.schemas.shapes import (
    AreaFilter,
    Id,
    Listing,
)
from hub.web.services import Services, WebServices

router = APIRouter(tags=["devices"])

PROBE_TIMEOUT_S = 10.0
SNAPSHOT_TIMEOUT_S = 15.0
LATENCY_PERIOD = timedelta(days=7)


class JpegResponse(Response):
    """One picture."""

    media_type = "image/jpeg"


@router.get("/devices")
async def list_devices(
    scope: See,
    services: Services,
    wanted: Annotated[DeviceFilter, Depends(read_filter)],
    paging: Annotated[Paging, Depends(read_paging)],
) -> DeviceListing:
    """Devices, narrowed, sorted, a page at a time: what fails, since when, where, behind what."""
    total = None
    async with services.database.transaction() as tx:
        for named in (wanted.behind_id, wanted.parent_id):
            if named is not None:
                await devices.get_device(tx, scope, named)
        page = await device_lists.list_devices(
            tx, scope, wanted, order=paging.order, limit=paging.limit, cursor=paging.cursor
        )
        if paging.is_counted:
            total = await device_lists.count_devices(tx, scope, wanted)
    items = [DeviceLineOut.model_validate(line) for line in page.items]
    return DeviceListing(items=items, next=page.next, total=total)


@router.get("/devices/firmware")
async def count_firmware(
    scope: See, services: Services, area: AreaFilter = None
) -> Listing[FirmwareOut]:
    """How many devices of each model run which firmware."""
    async with services.database.transaction() as tx:
        found = await firmware.count_firmware(tx, scope, area_id=area)
    return Listing(items=[FirmwareOut.model_validate(line) for line in found])


@router.get("/devices/{device_id}")
async def get_device(scope: See, device_id: Id, services: Services) -> DeviceOut:
    """One device with its channels, its points and its status."""
    async with services.database.transaction() as tx:
        return await _show(tx, scope, device_id)


@router.patch("/devices/{device_id}")
async def edit_device(
    scope: Maintain, device_id: Id, body: DeviceChangeIn, services: Services
) -> DeviceOut:
    """Rename a device or move it to another area."""
    async with services.database.transaction() as tx:
        before = await devices.get_device(tx, scope, device_id)
        name, area_id = body.name or before.name, body.area_id or before.area_id
        after = await devices.edit_device(tx, scope, device_id, name=name, area_id=area_id)
        detail = {"name": name, "area_id": area_id, "previous_area_id": before.area_id}
        await _record(tx, scope, "device.edited", after, detail)
        if after.area_id != before.area_id:
            # Those who saw it where it was must drop it: they read again.
            await notify(tx, scope, "areas", [before.area_id, after.area_id])
        return await _show(tx, scope, device_id)


@router.post("/devices/{device_id}/approve")
async def approve_device(scope: Maintain, device_id: Id, services: Services) -> DeviceOut:
    """Take a device that reported by itself into service."""
    return await _register(services, scope, device_id, Registration.APPROVED)


@router.post("/devices/{device_id}/retire")
async def retire_device(scope: Maintain, device_id: Id, services: Services) -> DeviceOut:
    """Take a device out of service; its history stays."""
    return await _register(services, scope, device_id, Registration.RETIRED)


@router.post("/devices/{device_id}/probe")
async def probe_device(scope: Maintain, device_id: Id, services: Services) -> ProbeOut:
    """Ask a camera now, layer by layer."""
    target = await _find_target(services, scope, device_id, "device.probed")
    result = await services.probe_camera(target, timeout_s=PROBE_TIMEOUT_S)
    return ProbeOut.of(result)


@router.post("/devices/{device_id}/command")
async def command_device(
    scope: Maintain, device_id: Id, body: CommandIn, services: Services
) -> CommandOut:
    """Have a device do something; the audit log has it before the device does."""
    async with services.database.transaction() as tx:
        device = await devices.get_device(tx, scope, device_id)
        await _record(tx, scope, "device.commanded", device, {"do": body.do})
    return CommandOut(reply=await services.run_command(device, body.do, body.args))


@router.get("/devices/{device_id}/snapshot", response_class=JpegResponse)
async def take_snapshot(scope: See, device_id: Id, services: Services) -> Response:
    """One picture of the camera as it is now; who looked is in the audit log."""
    target = await _find_target(services, scope, device_id, "device.looked_at")
    picture = await services.take_snapshot(target, timeout_s=SNAPSHOT_TIMEOUT_S)
    return JpegResponse(picture.jpeg)


@router.get("/devices/{device_id}/latency")
async def list_latency(
    scope: See, device_id: Id, services: Services, since: Moment = None, until: Moment = None
) -> Listing[LatencyOut]:
    """Latency and loss of a device by the hour, oldest first; by default of the last 7 days."""
    begin, end = read_period(services.clock(), since, until, LATENCY_PERIOD)
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
        hours = await probe_hours.list_hours(tx, scope, device_id, since=begin, until=end)
    return Listing(items=[LatencyOut.model_validate(hour) for hour in hours])


@router.get("/channels")
async def list_channels(
    scope: See, services: Services, device_id: Annotated[int, Query(ge=1, le=2**63 - 1)]
) -> Listing[ChannelOut]:
    """The video sources of one device."""
    async with services.database.transaction() as tx:
        found = await devices.list_channels(tx, scope, device_id)
    return Listing(items=[ChannelOut.model_validate(channel) for channel in found])


async def _show(tx: Transaction, scope: Scope, device_id: int) -> DeviceOut:
    device = await devices.get_device(tx, scope, device_id)
    line = (await device_lists.list_lines(tx, scope, [device_id]))[0]
    channels = await devices.list_channels(tx, scope, device_id)
    points = await devices.list_points(tx, scope, device_id)
    return DeviceOut.model_validate(
        {
            **asdict(device),
            **asdict(line),
            "channels": [ChannelOut.model_validate(channel) for channel in channels],
            "points": [PointOut.model_validate(point) for point in points],
        }
    )


async def _register(
    services: WebServices, scope: Scope, device_id: int, to: Registration
) -> DeviceOut:
    async with services.database.transaction() as tx:
        device = await devices.set_registration(tx, scope, device_id, to)
        await _record(tx, scope, f"device.{to.value}", device)
        return await _show(tx, scope, device_id)


async def _find_target(
    services: WebServices, scope: Scope, device_id: int, action: str
) -> CameraTarget:
    async with services.database.transaction() as tx:
        device = await devices.get_device(tx, scope, device_id)
        targets = await cameras.list_targets(tx, scope, device_ids=[device_id])
        if not targets:
            msg = "this device has no camera to ask: it is not approved, switched off or no camera"
            raise Conflict(msg)
        await audit.record(tx, scope, _deed(action, device))
    return targets[0]


async def _record(
    tx: Transaction,
    scope: Scope,
    action: str,
    device: Device,
    detail: Mapping[str, object] | None = None,
) -> None:
    await audit.record(tx, scope, _deed(action, device), detail)
    await notify(tx, scope, "devices", [device.id])


def _deed(action: str, device: Device) -> audit.Deed:
    return audit.Deed(
        action=action, object_type="device", object_id=str(device.id), area_id=device.area_id
    )
