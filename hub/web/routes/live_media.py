"""Live video through a media server, where one is set: WebRTC (WHEP) and LL-HLS.

The hub speaks to the media server; a browser never does, but for the WebRTC packets themselves,
and knows no name under which anything could be read there. Each viewing is recorded, guarded and
ended like one at a WebSocket (:mod:`hub.web.routes.live_video`). A camera with privacy masks is
never sent like this.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hub.domain.access import Permission, Principal, Scope
from hub.domain.errors import Conflict, DeviceError
from hub.store.live_targets import find_live_target
from hub.web.access import See, SignedIn, Visitor, look_up
from hub.web.live_guard import Standpoint
from hub.web.live_media import MediaSession
from hub.web.live_video import LiveVideo
from hub.web.problems import TooManyTries
from hub.web.schemas.live_video import HlsIn, HlsOut, MediaIn, WebRtcIn, WebRtcOut
from hub.web.schemas.shapes import Id
from hub.web.services import Services, WebServices

router = APIRouter(tags=["live video"])

FileName = Annotated[str, Path(max_length=128)]
WAIT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what for."""

    scope: Scope
    visitor: Visitor
    services: WebServices
    live_video: LiveVideo


def read_caller(request: Request, scope: See, visitor: SignedIn, services: Services) -> Caller:
    """Read who asks."""
    live_video = cast("LiveVideo", request.app.state.live_video)
    return Caller(scope=scope, visitor=visitor, services=services, live_video=live_video)


Calling = Annotated[Caller, Depends(read_caller)]


@router.post("/devices/{device_id}/live/whep", status_code=HTTPStatus.CREATED)
async def begin_webrtc(caller: Calling, device_id: Id, body: WebRtcIn) -> WebRtcOut:
    """Watch a camera by WebRTC: answers an SDP offer. It ends with the connection."""
    number, session = await _begin(caller, device_id, body)
    try:
        answer = await session.offer(body.offer)
    except DeviceError:
        session.leave()
        raise
    return WebRtcOut(viewing=number, stream=session.standpoint.target.role, answer=answer)


@router.post("/devices/{device_id}/live/hls", status_code=HTTPStatus.CREATED)
async def begin_hls(caller: Calling, device_id: Id, body: HlsIn) -> HlsOut:
    """Watch a camera by LL-HLS: answers where its playlist is. It ends 15 s after the last call."""
    number, session = await _begin(caller, device_id, body)
    playlist = f"/api/v1/devices/{device_id}/live/hls/{number}/index.m3u8"
    return HlsOut(viewing=number, stream=session.standpoint.target.role, playlist=playlist)


@router.get("/devices/{device_id}/live/hls/{viewing_id}/{file}", response_class=Response)
async def fetch_hls(  # noqa: PLR0913 - LL-HLS brings three parameters of its own
    caller: Calling,
    device_id: Id,
    viewing_id: Id,
    file: FileName,
    *,
    number: Annotated[str, Query(alias="_HLS_msn", max_length=12)] = "",
    part: Annotated[str, Query(alias="_HLS_part", max_length=12)] = "",
    skip: Annotated[str, Query(alias="_HLS_skip", max_length=12)] = "",
) -> Response:
    """A playlist of a viewing by LL-HLS, or a part of the film."""
    session = await _own(caller, device_id, viewing_id)
    query = {"_HLS_msn": number, "_HLS_part": part, "_HLS_skip": skip}
    found = await session.fetch(file, {key: value for key, value in query.items() if value})
    return Response(found.data, media_type=found.content_type)


@router.delete("/devices/{device_id}/live/viewings/{viewing_id}", status_code=HTTPStatus.NO_CONTENT)
async def end_media(caller: Calling, device_id: Id, viewing_id: Id) -> None:
    """End one's own viewing by WebRTC or LL-HLS at once."""
    (await _own(caller, device_id, viewing_id)).leave()


async def _own(caller: Caller, device_id: int, viewing_id: int) -> MediaSession:
    """The caller's own viewing, whose guard asks all the time whether he may watch."""
    if caller.services.media_server is None:
        await _find(caller, device_id)
    user_id = caller.visitor.principal.user_id
    return caller.live_video.find_media(viewing_id, user_id, device_id)


async def _find(caller: Caller, device_id: int, asked: MediaIn | None = None) -> Standpoint:
    """Who watches what; raises NotFound for what he may not see, Conflict without a server."""
    standpoint = await _stand(caller, caller.visitor.principal, device_id, asked or HlsIn())
    if caller.services.media_server is None:
        msg = "no media server is set: see [live] in the settings"
        raise Conflict(msg)
    return standpoint


async def _stand(
    caller: Caller, principal: Principal, device_id: int, asked: MediaIn
) -> Standpoint:
    here = principal.scope(Permission.SEE, source=caller.visitor.source)
    async with caller.services.database.transaction() as tx:
        target = await find_live_target(tx, here, device_id, asked.channel, asked.stream)
    return Standpoint(principal=principal, target=target)


async def _begin(caller: Caller, device_id: int, asked: MediaIn) -> tuple[int, MediaSession]:
    standpoint = await _find(caller, device_id, asked)
    server = caller.services.media_server
    if server is None:
        raise Conflict
    if caller.live_video.has_too_many(standpoint.principal.user_id):
        msg = "too many cameras are watched: close one"
        raise TooManyTries(msg, wait_s=WAIT_S)

    async def recheck() -> Standpoint | None:
        visitor = caller.visitor
        now = await look_up(
            caller.services, visitor.credential, is_token=visitor.is_token, source=visitor.source
        )
        return None if now is None else await _stand(caller, now.principal, device_id, asked)

    name = await server.open(standpoint.target.camera)
    session = MediaSession(server, name, standpoint=standpoint, recheck=recheck)
    try:
        return await caller.live_video.start(session, caller.scope), session
    except BaseException:
        await server.close(name)
        raise
