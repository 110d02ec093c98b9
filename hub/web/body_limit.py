"""Bounds what a request may bring, whether it says how much or not.

Stands inside :class:`hub.web.headers.SecurityHeaders`, so that its refusal carries those headers,
which FastAPI's own limit does not.
"""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.web.problems import build_problem


class BodyLimit:
    """ASGI middleware: 413 beyond ``most_bytes``."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what says it is too long, count what does not say."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self._most_bytes:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            await build_problem(status, self._refusal)(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._refusal)
            return message

        await self._app(scope, receive_counted, send)

    @property
    def _refusal(self) -> str:
        return f"a request brings at most {self._most_bytes} bytes"
