"""Bounds what a request may bring, whether it says how much or not.

Stands inside :class:`hub.web.headers.SecurityHeaders`, so that its refusal carries those headers,
which FastAPI's own limit does not.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.web.problems import build_problem

NOTHING_LARGER: Final[Mapping[str, int]] = MappingProxyType({})


class BodyLimit:
    """ASGI middleware: 413 beyond ``most_bytes``, or what ``larger`` allows a path."""

    def __init__(
        self, app: ASGIApp, *, most_bytes: int, larger: Mapping[str, int] = NOTHING_LARGER
    ) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what says it is too long, count what does not say."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._larger.get(scope["path"], self._most_bytes)
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > most:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            await build_problem(status, _refusal(most))(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _refusal(most))
            return message

        await self._app(scope, receive_counted, send)


def _refusal(most_bytes: int) -> str:
    return f"this request brings at most {most_bytes} bytes"
