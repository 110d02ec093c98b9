"""A camera that does exactly what a test tells it, over a real socket on 127.0.0.1."""

import asyncio
import contextlib
import hashlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[["Seen"], bytes]

SDP = (
    b"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\na=control:*\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=framerate:25\r\n"
    b"a=x-dimensions:704,576\r\na=control:trackID=1\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as the camera saw it."""

    method: str
    url: str
    sequence: str
    authorization: str


@dataclass(slots=True, kw_only=True)
class Served:
    """A running camera; ``requests`` and ``connections`` tell what reached it."""

    port: int
    connections: int = 0
    requests: list[Seen] = field(default_factory=list)
    was_reached: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def serve(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """Run a behaviour for every connection; all of it ends with the block."""
    served = Served(port=0)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        served.was_reached.set()
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await behave(reader, writer)
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        running = list(tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0)  # lets the transports close


@asynccontextmanager
async def serve_answers(answer: Answer) -> AsyncIterator[Served]:
    """Answer each request by a function; an empty answer cuts the connection."""
    seen: list[Seen] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_request(reader)
            seen.append(request)
            data = answer(request)
            if not data:
                return
            writer.write(data)
            await writer.drain()

    async with serve(behave) as served:
        served.requests = seen
        yield served


async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, read nothing, say nothing."""
    await asyncio.Event().wait()


async def read_request(reader: asyncio.StreamReader) -> Seen:
    """Read one request without body."""
    text = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, url, _ = text.split("\r\n", 1)[0].split(" ")
    headers = dict(re.findall(r"^([A-Za-z-]+): (.*?)\r$", text, re.MULTILINE))
    return Seen(
        method=method,
        url=url,
        sequence=headers["CSeq"],
        authorization=headers.get("Authorization", ""),
    )


def reply(seen: Seen, status: str = "200 OK", *headers: str, body: bytes = b"") -> bytes:
    """Build a reply to a request."""
    lines = [f"RTSP/1.0 {status}", f"CSeq: {seen.sequence}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def play_along(seen: Seen) -> bytes:
    """A well-behaved camera without a password and without frames."""
    if seen.method == "DESCRIBE":
        return reply(seen, "200 OK", "Content-Type: application/sdp", body=SDP)
    if seen.method == "SETUP":
        transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
        return reply(seen, "200 OK", transport, "Session: 12345678;timeout=60")
    return reply(seen)


def ask_digest(answer: Answer, *, algorithm: str, password: str, nonces: tuple[str, ...]) -> Answer:
    """Put Digest before an answer; each nonce but the last goes stale at its first use."""
    fresh = list(nonces)

    def guarded(seen: Seen) -> bytes:
        challenge = (
            f'WWW-Authenticate: Digest realm="cam", nonce="{fresh[0]}", qop="auth", '
            f"algorithm={algorithm}"
        )
        if not is_digest_right(seen, algorithm=algorithm, password=password):
            return reply(seen, "401 Unauthorized", challenge)
        if f'nonce="{nonces[-1]}"' not in seen.authorization:
            fresh.pop(0)
            stale = challenge.replace(nonces[0], fresh[0]) + ", stale=true"
            return reply(seen, "401 Unauthorized", stale)
        return answer(seen)

    return guarded


def is_digest_right(seen: Seen, *, algorithm: str, password: str) -> bool:
    """Check an Authorization header as a server does (RFC 7616 section 3.4)."""
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', seen.authorization.removeprefix("Digest ")))
    if not fields:
        return False

    def digest(text: str) -> str:
        return hashlib.new(algorithm.replace("-", ""), text.encode()).hexdigest()

    ha1 = digest(f"{fields['username']}:cam:{password}")
    ha2 = digest(f"{seen.method}:{seen.url}")
    middle = f"{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:auth"
    expected = digest(f"{ha1}:{middle}:{ha2}")
    return bool(fields["response"] == expected and fields["uri"] == seen.url)
