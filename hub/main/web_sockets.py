"""How the HTTP server speaks WebSocket."""

from typing import Final

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# What browsers say over a WebSocket is short.
MOST_SAID_BYTES: Final = 64 * 1024
# What of a film waits in the kernel for a slow link is a delay that nobody can leave out: with
# TCP_NOTSENT_LOWAT at the listening socket, which its connections inherit, it waits here instead.
MOST_UNSENT_BYTES: Final = 128 * 1024


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Knows that a WebSocket that was refused with an answer was answered.

    uvicorn 0.54 logs each of them as an error of the application.
    """

    async def send(self, message: ASGISendEvent) -> None:
        """Send on."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True
