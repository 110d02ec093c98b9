"""An HTTP server that answers as told: well, badly, slowly, endlessly, or not at all."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

PIECE: Final = b"x" * 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came in; the names of headers are in lower case."""

    target: str
    headers: dict[str, str]
    body: bytes


class FarEnd:
    """Requests it got, and how it answers: ``mode`` is one of the methods' names."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.status = 200
        self.extra = ""  # header lines
        self.body = b"{}"
        self.mode = "answer"
        self.sent = 0  # bytes of an endless answer
        self.port = 0
        self._arrived = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=tls, limit=1 << 20
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._server = None
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def restart(self) -> None:
        """Well again, and with nothing received."""
        if self._server is None:
            await self.start()
        self.requests.clear()
        self.status, self.extra, self.body, self.mode, self.sent = 200, "", b"{}", "answer", 0

    async def received(self, count: int) -> list[Request]:
        async with asyncio.timeout(10), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return list(self.requests)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._exchange(reader, writer)
        finally:
            writer.transport.abort() if self.mode == "hang" else writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        async with self._arrived:
            request = Request(target=first.split(" ")[1], headers=headers, body=body)
            self.requests.append(request)
            self._arrived.notify_all()
        await getattr(self, self.mode)(reader, writer)

    def _head(self, length: int | None) -> bytes:
        size = "" if length is None else f"Content-Length: {length}\r\n"
        return (
            f"HTTP/1.1 {self.status} Whatever\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\n{size}{self.extra}\r\n"
        ).encode()

    async def answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = b"" if self.status in {204, 304} else self.body
        writer.write(self._head(len(body) if body else None) + body)
        await writer.drain()

    async def hang(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        """Say nothing until the caller goes."""
        await reader.read()

    async def half(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Break off within the status line."""
        writer.write(self._head(100)[:7])
        await writer.drain()

    async def drip(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A header that never ends, a byte at a time."""
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def rubbish(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff220 not http\r\n\r\n" * 100)
        await writer.drain()

    async def huge(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A body without an end."""
        writer.write(self._head(None))
        while True:
            writer.write(PIECE)
            await writer.drain()
            self.sent += len(PIECE)


@asynccontextmanager
async def run_far_end() -> AsyncIterator[FarEnd]:
    far_end = FarEnd()
    await far_end.start()
    try:
        yield far_end
    finally:
        await far_end.stop()
