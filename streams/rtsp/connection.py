"""One TCP connection that carries RTSP: bytes in, items out, memory bounded."""

import asyncio
from collections.abc import Callable
from typing import cast

from hub.domain.errors import DeviceUnreachable
from streams.rtsp.messages import Item, take_item, take_packets

HIGH_WATER_BYTES = 1024 * 1024  # stop reading until the items received have been taken
PACKETS_PER_TURN = 1_000
ITEMS_PER_TURN = 100  # then others get their turn: a flood of tiny packets must not hold the loop


class RtspConnection(asyncio.Protocol):
    """The receiving side parses only when somebody asks, so that errors reach the one who asked.

    ``describe_error`` turns what the operating system says of the loss into a DeviceError.
    """

    def __init__(self, describe_error: Callable[[OSError], Exception]) -> None:
        self._describe_error = describe_error
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        self._is_paused = False
        self._taken = 0
        self.bytes_received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Keep the bytes; stop reading while too many wait."""
        self._buffer += data
        self.bytes_received += len(data)
        if len(self._buffer) > HIGH_WATER_BYTES and self._transport and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember why, for whoever waits now or asks later."""
        if isinstance(exc, OSError):
            self._lost = self._describe_error(exc)
        else:
            self._lost = DeviceUnreachable("the camera closed the connection")
        self._wake()

    def send(self, data: bytes) -> None:
        """Send without waiting: requests are small."""
        if self._transport is None or self._lost is not None:
            raise self._lost or DeviceUnreachable("there is no connection")
        self._transport.write(data)

    async def next_item(self) -> Item:
        """Return the next reply or packet; raises a DeviceError when there will be none."""
        while True:
            item = take_item(self._buffer)
            self._resume()
            if item is not None:
                self._taken += 1
                if self._taken % ITEMS_PER_TURN == 0:
                    await asyncio.sleep(0)
                return item
            await self._wait()

    async def next_burst(self, channel: int) -> list[bytes] | Item:
        """Return the packets of a channel that are there, at least one, or the next reply.

        Raises a DeviceError when there will be none.
        """
        while True:
            if self._buffer and self._buffer[0] == 0x24:  # "$"
                found, taken = take_packets(self._buffer, channel, PACKETS_PER_TURN)
                self._resume()
                if taken == PACKETS_PER_TURN:
                    await asyncio.sleep(0)
                if found:
                    return found
            item = take_item(self._buffer)
            if item is not None:
                return item
            await self._wait()

    def close(self) -> None:
        """Cut the connection at once: nothing is owed to a camera that was only asked."""
        if self._transport is not None:
            self._transport.abort()

    def _resume(self) -> None:
        """Read on, once enough of what was received has been taken."""
        if self._is_paused and self._transport and len(self._buffer) < HIGH_WATER_BYTES // 2:
            self._is_paused = False
            self._transport.resume_reading()

    async def _wait(self) -> None:
        """Wait for more bytes; raises a DeviceError when there will be none."""
        if self._lost is not None:
            raise self._lost
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
