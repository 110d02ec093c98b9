"""Listening at a camera and speaking through it, over a WebSocket.

``GET /api/v1/devices/{device_id}/talk`` (permission: operate). Signed in as for live video. One
person at a time for each camera. Sound is G.711, 8,000 bytes a second, as the camera has it.

**The hub** sends ``{"type": "hello", "hears": codec, "speaks": codec}``, each ``pcma``, ``pcmu``
or empty where the camera has none; ``{"type": "until", "until": time}``: then it ends; binary
messages with what the camera hears; last of all ``{"type": "ended", "why":
"session"|"gone"|"busy"|"time"|"camera", "detail": text}``: ``detail`` names who has the camera, or
what it answered.

**The client** sends binary messages with what the camera is to say, of half a second at the most,
and ``{"renew":true}`` to talk on for another minute.
"""

from contextlib import suppress

from fastapi import APIRouter
from starlette.websockets import WebSocket

from hub.domain.access import Permission, Principal, Scope
from hub.domain.devices import Device
from hub.domain.errors import Conflict, NotPermitted, StoreUnavailable
from hub.domain.live_video import StreamRole
from hub.domain.ports import CameraTarget
from hub.store import audit, device_holds, devices
from hub.store.device_holds import Taken, Wanted, Work
from hub.store.live_targets import find_live_target
from hub.web.access import Operate, SignedIn, Visitor, look_up
from hub.web.schemas.shapes import Id
from hub.web.services import Services, WebServices
from hub.web.talk_session import TalkEnding, TalkSession, end_talk

router = APIRouter(tags=["talk"])


@router.websocket("/devices/{device_id}/talk")
async def talk(
    socket: WebSocket, scope: Operate, visitor: SignedIn, device_id: Id, services: Services
) -> None:
    """Listen at a camera and speak through it."""
    wanted = Wanted(device_id, Work.TALK)
    device, target = await _find(services, scope, device_id)
    if services.talk is None:
        msg = "this process opens no lines to cameras"
        raise Conflict(msg)
    taken = await _take(services, scope, wanted)
    await socket.accept()
    if not taken.is_mine:
        await end_talk(socket, TalkEnding.BUSY, taken.hold.actor)
        return

    async def recheck() -> bool:
        principal = await _who(services, visitor)
        if principal is None:
            return False
        here = principal.scope(Permission.OPERATE, source=visitor.source)
        if not here.paths:
            msg = "this needs a role that may operate"
            raise NotPermitted(msg)
        await _find(services, here, device_id)
        if not (await _take(services, here, wanted)).is_mine:
            msg = "another person has the camera"
            raise Conflict(msg)
        return True

    try:
        async with services.database.transaction() as tx:
            deed = audit.Deed(
                action="device.talked_to",
                object_type="device",
                object_id=str(device.id),
                area_id=device.area_id,
            )
            await audit.record(tx, scope, deed)
        session = TalkSession(
            socket, services.talk, recheck=recheck, feed=services.live, clock=services.clock
        )
        await session.run(target)
    finally:
        with suppress(StoreUnavailable):  # it ends by itself, too
            async with services.database.transaction() as tx:
                await device_holds.end_hold(tx, scope, wanted)


async def _find(services: WebServices, scope: Scope, device_id: int) -> tuple[Device, CameraTarget]:
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
        found = await find_live_target(tx, scope, device_id, "", StreamRole.MAIN)
    return found.device, found.camera


async def _take(services: WebServices, scope: Scope, wanted: Wanted) -> Taken:
    async with services.database.transaction() as tx:
        return await device_holds.take_hold(tx, scope, wanted, services.clock())


async def _who(services: WebServices, visitor: Visitor) -> Principal | None:
    caller = await look_up(
        services, visitor.credential, is_token=visitor.is_token, source=visitor.source
    )
    return None if caller is None else caller.principal
