"""Steering cameras by hand: one person a camera at a time, who moves it stays known.

Presets are the camera's own, asked of it and kept in it. The audit log has one line for each time
that somebody begins to steer, and one for every preset he calls, stores or forgets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request

from hub.domain.access import Permission, Scope
from hub.domain.devices import Device, Json, Preset
from hub.domain.errors import Conflict, NotPermitted
from hub.domain.ports import CameraTarget
from hub.domain.steering import SteerCamera
from hub.store import audit, cameras, device_holds, devices
from hub.store.database import Transaction
from hub.store.device_holds import Wanted, Work
from hub.web.access import Maintain, Operate, See, SignedIn, Visitor
from hub.web.helm import ORDER_TIMEOUT_S, Helm
from hub.web.schemas.ptz import (
    GoToIn,
    PtzHoldOut,
    PtzMoveIn,
    PtzOut,
    PtzPresetIn,
    PtzPresetOut,
    PtzPresetRemoveIn,
    SteerIn,
)
from hub.web.schemas.shapes import Id, Listing
from hub.web.services import Services, WebServices

router = APIRouter(prefix="/devices/{device_id}/ptz", tags=["ptz"])


def get_helm(request: Request) -> Helm:
    """The way of this process's orders to cameras."""
    return cast("Helm", request.app.state.helm)


AtHelm = Annotated[Helm, Depends(get_helm)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steered:
    """A camera that the caller steers now."""

    target: CameraTarget
    hold: PtzHoldOut


@router.get("")
async def show_hold(scope: See, device_id: Id, visitor: SignedIn, services: Services) -> PtzOut:
    """Who steers the camera now."""
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
        hold = await device_holds.find_hold(
            tx, scope, Wanted(device_id, Work.STEER), services.clock()
        )
    return PtzOut(holder=None if hold is None else _shown(hold, visitor))


@router.post("/move")
async def move(
    scope: Operate,
    device_id: Id,
    body: PtzMoveIn,
    visitor: SignedIn,
    services: Services,
    helm: AtHelm,
) -> PtzHoldOut:
    """Move for at most two seconds; whoever goes on holding the key sends it again."""
    steered = await _take(services, scope, device_id, body, visitor)
    await helm.move(steered.target, body.motion())
    return steered.hold


@router.post("/stop")
async def stop(
    scope: Operate, device_id: Id, visitor: SignedIn, services: Services, helm: AtHelm
) -> PtzHoldOut:
    """Stand still."""
    steered = await _take(services, scope, device_id, SteerIn(), visitor)
    await helm.stop(steered.target)
    return steered.hold


@router.post("/goto")
async def go_to(
    scope: Operate, device_id: Id, body: GoToIn, visitor: SignedIn, services: Services, helm: AtHelm
) -> PtzHoldOut:
    """Go to a stored position."""
    steered = await _take(services, scope, device_id, body, visitor, preset=body.preset)
    await helm.send(steered.target, body.preset)
    return steered.hold


@router.post("/home")
async def go_home(
    scope: Operate,
    device_id: Id,
    body: SteerIn,
    visitor: SignedIn,
    services: Services,
    helm: AtHelm,
) -> PtzHoldOut:
    """Go to the position the camera calls home."""
    steered = await _take(services, scope, device_id, body, visitor)
    await helm.send(steered.target, None)
    return steered.hold


@router.get("/presets")
async def list_presets(scope: See, device_id: Id, services: Services) -> Listing[PtzPresetOut]:
    """The stored positions, as the camera names them now."""
    async with services.database.transaction() as tx:
        target = await _find_target(tx, scope, device_id)
    found = await _steering(services).list_presets(target, timeout_s=ORDER_TIMEOUT_S)
    return Listing(items=[PtzPresetOut.model_validate(one) for one in found])


@router.post("/presets")
async def set_preset(
    scope: Maintain, device_id: Id, body: PtzPresetIn, services: Services
) -> PtzPresetOut:
    """Store where the camera looks now."""
    detail = {"name": body.name, "preset": body.preset}
    target = await _record(services, scope, device_id, "device.preset_stored", detail)
    token = await _steering(services).set_preset(
        target, body.name, preset=body.preset or "", timeout_s=ORDER_TIMEOUT_S
    )
    await _read_presets(services, scope, target)
    return PtzPresetOut(token=token, name=body.name)


@router.post("/presets/remove", status_code=HTTPStatus.NO_CONTENT)
async def remove_preset(
    scope: Maintain, device_id: Id, body: PtzPresetRemoveIn, services: Services
) -> None:
    """Forget a stored position."""
    detail = {"preset": body.preset}
    target = await _record(services, scope, device_id, "device.preset_removed", detail)
    await _steering(services).remove_preset(target, body.preset, timeout_s=ORDER_TIMEOUT_S)
    await _read_presets(services, scope, target)


async def _take(
    services: WebServices,
    scope: Scope,
    device_id: int,
    body: SteerIn,
    visitor: Visitor,
    *,
    preset: str | None = None,
) -> _Steered:
    """Steer from now on.

    Raises:
        Conflict: another person does.
        NotPermitted: who would take over may not.
    """
    now = services.clock()
    async with services.database.transaction() as tx:
        device = await devices.get_device(tx, scope, device_id)
        target = await _find_target(tx, scope, device_id)
        if body.take_over and not visitor.principal.scope(Permission.PLAN).covers(device.area_path):
            msg = "this needs a role that may plan: only such a person takes over"
            raise NotPermitted(msg)
        taken = await device_holds.take_hold(
            tx, scope, Wanted(device_id, Work.STEER), now, take_over=body.take_over
        )
        if not taken.is_mine:
            raise Conflict(_busy(services, taken.hold))
        if taken.is_new:
            detail = {"from": taken.before} if taken.before else {}
            await audit.record(tx, scope, _deed("device.steered", device), detail)
        if preset is not None:
            deed = _deed("device.sent_to_preset", device)
            await audit.record(tx, scope, deed, {"preset": preset})
    return _Steered(target=target, hold=_shown(taken.hold, visitor))


def _busy(services: WebServices, hold: device_holds.Hold) -> str:
    since: datetime = hold.since.astimezone(services.settings.zone)
    return f"another person steers: {hold.actor}, since {since:%H:%M:%S}"


async def _record(
    services: WebServices,
    scope: Scope,
    device_id: int,
    action: str,
    detail: Mapping[str, Json],
) -> CameraTarget:
    async with services.database.transaction() as tx:
        device = await devices.get_device(tx, scope, device_id)
        target = await _find_target(tx, scope, device_id)
        await audit.record(tx, scope, _deed(action, device), detail)
    return target


async def _read_presets(services: WebServices, scope: Scope, target: CameraTarget) -> None:
    """Keep what the camera names now, for plans and for whoever asks the hub."""
    found: tuple[Preset, ...] = await _steering(services).list_presets(
        target, timeout_s=ORDER_TIMEOUT_S
    )
    async with services.database.transaction() as tx:
        await device_holds.keep_presets(tx, scope, target.device_id, target.channel, found)


async def _find_target(tx: Transaction, scope: Scope, device_id: int) -> CameraTarget:
    await devices.get_device(tx, scope, device_id)
    targets = await cameras.list_targets(tx, scope, device_ids=[device_id])
    if not targets:
        msg = "this device has no camera to steer: it is not approved, switched off or no camera"
        raise Conflict(msg)
    return targets[0]


def _steering(services: WebServices) -> SteerCamera:
    if services.steer is None:
        msg = "this process steers no cameras"
        raise Conflict(msg)
    return services.steer


def _deed(action: str, device: Device) -> audit.Deed:
    return audit.Deed(
        action=action, object_type="device", object_id=str(device.id), area_id=device.area_id
    )


def _shown(hold: device_holds.Hold, visitor: Visitor) -> PtzHoldOut:
    return PtzHoldOut(
        actor=hold.actor,
        is_me=hold.user_id == visitor.principal.user_id,
        since=hold.since,
        until=hold.until,
    )
