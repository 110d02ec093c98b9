"""Ask a web address for its status line, and for nothing else: is there a camera that answers?

No credentials are sent and no redirect is followed.
"""

import asyncio
import re
from typing import cast

from hub.domain.addresses import Address, AddressPolicy
from hub.domain.errors import DeviceUnreachable, ProtocolViolation
from hub.domain.health import Layer
from streams.network import OutOfTime, Trace, connect, translate

MAX_LINE_BYTES = 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\Z)")


class _FirstLine(asyncio.Protocol):
    """Receives up to the first line end; what follows is not read."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self.line: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if b"\n" in self._buffer or len(self._buffer) > MAX_LINE_BYTES:
            if not self.line.done():
                self.line.set_result(bytes(self._buffer[:MAX_LINE_BYTES]))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.line.done():
            return
        if isinstance(exc, OSError):
            self.line.set_exception(translate(exc, self._address.host, self._address.port))
        else:
            self.line.set_exception(DeviceUnreachable("the camera closed the connection"))
        self.line.exception()  # nobody may be waiting any more

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def fetch_status(
    address: Address, *, timeout_s: float, policy: AddressPolicy, trace: Trace
) -> int:
    """Return the HTTP status a GET of this address is answered with; raises DeviceError."""
    protocol: _FirstLine | None = None
    try:
        async with asyncio.timeout(timeout_s):
            protocol = await connect(address, policy, lambda: _FirstLine(address), trace)
            host = f"[{address.host}]" if ":" in address.host else address.host
            head = f"GET {address.target} HTTP/1.1\r\nHost: {host}:{address.port}\r\n"
            protocol.send(f"{head}User-Agent: gengfu\r\nConnection: close\r\n\r\n".encode("ascii"))
            line = (await protocol.line).split(b"\r")[0].split(b"\n")[0]
    except TimeoutError:
        is_connected = trace.layer is not Layer.NETWORK
        what = "connected, and no HTTP answer" if is_connected else "no connection"
        msg = f"{what} within {timeout_s:g} s"
        raise OutOfTime(msg) from None
    finally:
        if protocol is not None:
            protocol.close()
    match = _STATUS_LINE.match(line)
    if match is None:
        msg = "the answer is not HTTP"
        raise ProtocolViolation(msg, evidence=line)
    trace.note(f"GET: {int(match.group(1))}")
    return int(match.group(1))
