"""Live video of one camera over a WebSocket, and who watches.

``GET /api/v1/devices/{device_id}/live?channel=&stream=main|sub`` (permission: see). Sign in as for
every other route: the session cookie (then with an Origin of our own) or a bearer token; nothing
secret stands in the address. Before the connection is accepted a refusal is an HTTP answer (401,
403, 404, 409), as everywhere; without ``stream`` it is ``main``.

**The client** sends JSON texts:

``{"play": [types]}``
    First of all, within 10 s: what its MediaSource can play, each a type of which
    ``MediaSource.isTypeSupported`` said yes: ``'video/mp4; codecs="avc1.640028"'`` for H.264,
    ``'video/mp4; codecs="hvc1.1.6.L123.B0"'`` for H.265. An empty list: pictures, please.
``{"pictures": true}``
    At any time: what came cannot be played after all, send pictures.

**The hub** sends JSON texts, each with a ``type``, and binary messages:

``{"type": "hello", "viewing": 17, "device": 7, "channel": "ch1", "stream": "main",
"wanted": "sub", "at": time}``
    ``stream`` is what is sent: a camera without a small stream gives its main one.
``{"type": "state", "state": …, "since": time, "why": text, "layer": text or null}``
    ``connecting``; ``live``; ``frozen``: connected, but nothing has come since; ``offline``:
    the layer (network, protocol, credentials, stream, frames) failed, and why; the hub tries
    again by itself for as long as anybody watches.
``{"type": "init", "mime": …, "codec": "h264"|"hevc", "width": w, "height": h}``
    The next binary message is the initialisation segment; those after it are whole fragments of
    MP4, one or several in a message, each picture one fragment, in a timeline without gaps that
    does not begin at 0. The first is a key picture; what comes at once is the current group of
    pictures, so that there is a picture at once: go to the end of what is buffered. It may come
    again, when the camera encodes differently: append it, after ``changeType`` for another mime.
``{"type": "behind", "skipped": n}``
    This client takes too little: n pictures were left out, what follows begins with a key
    picture. Other viewers notice nothing.
``{"type": "pictures", "why": "codec"|"masked"|"no_stream"|"asked"}``
    From now on there are pictures, at most one a second: the browser cannot play the codec, the
    camera has privacy masks (they are painted over), or it has no stream.
``{"type": "picture", "at": time, "width": w, "height": h}``
    The next binary message is this JPEG picture, taken at that time.
``{"type": "beat", "at": time}``
    Every second: a client that hears nothing for 3 s has lost the hub, whatever it shows.
``{"type": "viewers", "names": [text]}``
    Who watches this camera, for those who may ``plan`` there; again whenever that changes.
``{"type": "ended", "why": "session"|"gone"|"stopping"|"too_many"|"silent"|"store"}``
    The last message, then the connection is closed (4401, 4404, 1012, 4429, 4408, 1013): the
    session is over; the camera is gone or no longer visible; the hub stops, connect again; this
    user or the hub has too many; the client never said what it can play; the database has been
    away for so long that nobody knows any more who may watch.
"""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, WebSocket

from hub.domain.access import Permission, Principal
from hub.domain.errors import Conflict
from hub.domain.live_video import StreamRole
from hub.store.live_targets import find_live_target
from hub.store.viewings import list_live_viewers, list_viewings
from hub.web.access import Plan, See, SignedIn, look_up
from hub.web.live_guard import Standpoint
from hub.web.live_messages import Ending
from hub.web.live_session import LiveSession, refuse
from hub.web.live_video import LiveVideo
from hub.web.schemas.live_video import ViewerOut, ViewingOut
from hub.web.schemas.shapes import MAX_NUMBER, Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["live video"])

MOST_DEVICES = 128  # of one question who watches
ChannelKey = Annotated[str, Query(max_length=128, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be watched."""

    device_id: int
    channel: str
    role: StreamRole


def read_asked(
    device_id: Id,
    channel: ChannelKey = "",
    role: Annotated[StreamRole, Query(alias="stream")] = StreamRole.MAIN,
) -> Asked:
    """Which stream of which camera; without a channel its first one."""
    return Asked(device_id=device_id, channel=channel, role=role)


@router.websocket("/devices/{device_id}/live")
async def watch_live(
    socket: WebSocket,
    scope: See,
    visitor: SignedIn,
    asked: Annotated[Asked, Depends(read_asked)],
    services: Services,
) -> None:
    """Live video of one camera."""
    if services.relay is None:
        msg = "this process relays no live video"
        raise Conflict(msg)

    async def find(principal: Principal) -> Standpoint:
        here = principal.scope(Permission.SEE, source=visitor.source)
        async with services.database.transaction() as tx:
            target = await find_live_target(tx, here, asked.device_id, asked.channel, asked.role)
        return Standpoint(principal=principal, target=target)

    async def recheck() -> Standpoint | None:
        caller = await look_up(
            services, visitor.credential, is_token=visitor.is_token, source=visitor.source
        )
        return None if caller is None else await find(caller.principal)

    session = LiveSession(
        socket,
        services.relay,
        standpoint=await find(visitor.principal),
        wanted=asked.role,
        recheck=recheck,
        clock=services.clock,
    )
    live_video = cast("LiveVideo", socket.app.state.live_video)
    has_too_many = live_video.has_too_many(session.user_id)
    await socket.accept()
    if has_too_many:
        await refuse(socket, Ending.TOO_MANY)
    else:
        await live_video.serve(session, scope)


@router.get("/live-viewers")
async def list_viewers(
    scope: Plan,
    services: Services,
    device: Annotated[
        list[Annotated[int, Query(ge=1, le=MAX_NUMBER)]] | None, Query(max_length=MOST_DEVICES)
    ] = None,
) -> Listing[ViewerOut]:
    """Who watches which camera now, by device; ``?device=`` may be given several times."""
    async with services.database.transaction() as tx:
        found = await list_live_viewers(tx, scope, device_ids=device, now=services.clock())
    return Listing(items=[ViewerOut.model_validate(one) for one in found])


@router.get("/devices/{device_id}/viewings")
async def list_history(
    scope: Plan, device_id: Id, services: Services, limit: Limit = None, cursor: Cursor = None
) -> Listing[ViewingOut]:
    """Who watched a camera, from when to when, the newest first."""
    async with services.database.transaction() as tx:
        page = await list_viewings(tx, scope, device_id, limit=limit, cursor=cursor)
    return Listing(items=[ViewingOut.model_validate(one) for one in page.items], next=page.next)
