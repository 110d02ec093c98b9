"""RTSP requests: read from a connection, parsed by a pure function (RFC 2326 section 6)."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MAX_LINE, MAX_LINES, MAX_BODY = 8192, 64, 8192
_TRACK = re.compile(r"/track([1-9])\Z")


class BadRequest(Exception):
    """What arrived is no RTSP request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RtspRequest:
    """One request; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path of the target, without the server and without a track."""
        rest = self.target.partition("://")[2]
        path = rest.partition("/")[2] if rest else self.target.lstrip("/")
        return _TRACK.sub("", path.partition("?")[0].removesuffix("/"))

    @property
    def track(self) -> int:
        """The number of the track of the target, 1 without one."""
        found = _TRACK.search(self.target)
        return int(found[1]) if found else 1


async def read_request(
    reader: asyncio.StreamReader, take: Callable[[int, bytes], None] | None = None
) -> RtspRequest | None:
    """Read the next request; None at the end of the connection.

    What comes between on interleaved channels is given to ``take``.

    Raises:
        BadRequest: the bytes are no RTSP, or are too many.
    """
    try:
        first = await reader.readexactly(1)
        while first == b"$":
            head = await reader.readexactly(3)
            data = await reader.readexactly(int.from_bytes(head[1:]))
            if take is not None:
                take(head[0], data)
            first = await reader.readexactly(1)
        lines = [first + await reader.readuntil(b"\n")]
        while lines[-1].strip():
            if len(lines) > MAX_LINES:
                raise BadRequest
            lines.append(await reader.readuntil(b"\n"))
        request = parse_request(b"".join(lines))
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 5 or int(length) > MAX_BODY:
            raise BadRequest
        await reader.readexactly(int(length))
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest from error
    return request


def parse_request(head: bytes) -> RtspRequest:
    """Parse a request line and its headers."""
    lines = head.decode("utf-8", "replace").splitlines()
    parts = lines[0].split()
    if len(parts) != 3 or not parts[2].startswith("RTSP/"):
        raise BadRequest
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in lines[1:])
        if colon
    }
    return RtspRequest(method=parts[0], target=parts[1], headers=headers)
