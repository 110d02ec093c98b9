"""The live stream of a console."""

from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from hub.domain.access import Permission, Scope
from hub.web.access import See, SignedIn, look_up
from hub.web.live import Broadcaster, stream
from hub.web.services import Services

router = APIRouter(tags=["live"])


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


@router.get("/live", response_class=EventStream)
async def live(request: Request, scope: See, visitor: SignedIn, services: Services) -> Response:
    """What changes in the caller's areas: an event a collection, ``{"items": […]}``.

    ``resync`` says: read the lists again. ``beat`` comes every 15 s. ``ended`` says: sign in.
    """
    broadcaster = cast("Broadcaster", request.app.state.broadcaster)

    async def recheck() -> Scope | None:
        caller = await look_up(
            services, visitor.credential, is_token=visitor.is_token, source=visitor.source
        )
        if caller is None:
            return None
        return caller.principal.scope(Permission.SEE, source=visitor.source)

    user_id = visitor.principal.user_id
    broadcaster.refuse_too_many(user_id)
    return EventStream(
        stream(broadcaster, user_id, scope, recheck), headers={"X-Accel-Buffering": "no"}
    )
