"""RTSP messages as bytes: requests built, replies and interleaved packets parsed (RFC 2326).

Pure: no I/O. Every size is bounded, because the bytes come from a stranger; whatever is not
RTSP raises ProtocolViolation with the offending bytes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hub.domain.errors import ProtocolViolation

MAX_HEAD_BYTES = 16 * 1024  # start line and headers of one reply; real ones stay under 2 KiB
MAX_HEADERS = 64
MAX_BODY_BYTES = 256 * 1024  # an SDP of a 64-channel recorder has about 40 KiB
MAX_REASON_CHARACTERS = 80

_STATUS_LINE = re.compile(rb"RTSP/[12]\.\d (\d{3})(?: ([^\r\n]*))?\Z")
_REQUEST_LINE = re.compile(rb"([A-Z_]{1,32}) \S{1,2048} RTSP/[12]\.\d\Z")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}\Z")
_TOKEN = re.compile(r"[!-~]{1,2048}\Z")  # printable ASCII without spaces
_UNPRINTABLE = re.compile(r"[^ -~]")
_PREFIX = b"RTSP/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A reply; header names are lower case, in the order received, repeats kept."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the first value of a header (lower-case name), empty when absent."""
        return next((value for key, value in self.headers if key == name), "")

    def all_of(self, name: str) -> tuple[str, ...]:
        """Return every value of a header (lower-case name)."""
        return tuple(value for key, value in self.headers if key == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRequest:
    """A request the server sends to us (some cameras announce or keep alive): to be ignored."""

    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """Binary data on an interleaved channel (RFC 2326 section 10.12)."""

    channel: int
    data: bytes


Item = Response | ServerRequest | Packet


def build_request(
    method: str, url: str, *, sequence: int, headers: Iterable[tuple[str, str]] = ()
) -> bytes:
    """Build a request without body; raises ProtocolViolation rather than let a line break in."""
    if not _TOKEN.match(url):
        msg = "the camera named an address that cannot be requested"
        raise ProtocolViolation(msg)
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {sequence}", "User-Agent: gengfu"]
    for name, value in headers:
        if _UNPRINTABLE.search(value):
            msg = f"the value for the header {name} holds control or non-ASCII characters"
            raise ProtocolViolation(msg)
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def take_item(buffer: bytearray) -> Item | None:
    """Take the first complete item off the buffer, or return None when more bytes are needed.

    Raises:
        ProtocolViolation: the bytes are not RTSP, or larger than any honest reply.
    """
    while buffer[:2] == b"\r\n":  # some cameras end a body with an empty line of their own
        del buffer[:2]
    if not buffer or buffer == b"\r":
        return None
    if buffer[0] == 0x24:  # "$"
        return _take_packet(buffer)
    return _take_message(buffer)


def take_packets(buffer: bytearray, channel: int, most: int) -> tuple[list[bytes], int]:
    """Take the packets that the buffer begins with, ``most`` at the most.

    Returns those of a channel, and how many were taken. For whoever receives a stream: it is a
    tenth of the work of :func:`take_item`.
    """
    data, end = bytes(buffer), len(buffer)
    found: list[bytes] = []
    position = taken = 0
    while taken < most and end - position >= 4 and data[position] == 0x24:
        after = position + 4 + (data[position + 2] << 8 | data[position + 3])
        if after > end:
            break
        if data[position + 1] == channel:
            found.append(data[position + 4 : after])
        position = after
        taken += 1
    del buffer[:position]
    return found, taken


def _take_packet(buffer: bytearray) -> Packet | None:
    if len(buffer) < 4:
        return None
    end = 4 + int.from_bytes(buffer[2:4], "big")
    if len(buffer) < end:
        return None
    packet = Packet(channel=buffer[1], data=bytes(buffer[4:end]))
    del buffer[:end]
    return packet


def _take_message(buffer: bytearray) -> Response | ServerRequest | None:
    head_end = buffer.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES + 4)
    if head_end < 0:
        _refuse_hopeless(buffer)
        return None
    start_line, *header_lines = bytes(buffer[:head_end]).split(b"\r\n")
    status_line = _STATUS_LINE.match(start_line)
    request_line = _REQUEST_LINE.match(start_line)
    if status_line is None and request_line is None:
        msg = "the answer is not RTSP"
        raise ProtocolViolation(msg, evidence=start_line)
    headers = _parse_headers(header_lines)
    body_start = head_end + 4
    end = body_start + _body_length(headers)
    if len(buffer) < end:
        return None
    body = bytes(buffer[body_start:end])
    del buffer[:end]
    if status_line is None:
        return ServerRequest(method=request_line.group(1).decode("ascii") if request_line else "")
    return Response(
        status=int(status_line.group(1)),
        reason=printable(status_line.group(2) or b""),
        headers=headers,
        body=body,
    )


def _refuse_hopeless(buffer: bytearray) -> None:
    """Refuse early what can never become a message: bytes that are not text, endless headers."""
    if len(buffer) > MAX_HEAD_BYTES:
        msg = f"the answer's headers exceed {MAX_HEAD_BYTES} bytes"
        raise ProtocolViolation(msg, evidence=bytes(buffer[:256]))
    start = bytes(buffer[: len(_PREFIX)])
    if not _PREFIX.startswith(start) and not re.match(rb"[A-Z_]+ ?", start):
        msg = "the answer is not RTSP"
        raise ProtocolViolation(msg, evidence=bytes(buffer[:256]))


def _parse_headers(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    if len(lines) > MAX_HEADERS:
        msg = f"the answer has more than {MAX_HEADERS} headers"
        raise ProtocolViolation(msg)
    headers: list[tuple[str, str]] = []
    for line in lines:
        text = line.decode("utf-8", "replace")
        if text[:1] in {" ", "\t"} and headers:  # a folded line continues the one before
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {text.strip()}")
            continue
        name, colon, value = text.partition(":")
        if not colon or not _HEADER_NAME.match(name.strip()):
            msg = "the answer holds a line that is no header"
            raise ProtocolViolation(msg, evidence=line)
        headers.append((name.strip().lower(), value.strip()))
    return tuple(headers)


def _body_length(headers: tuple[tuple[str, str], ...]) -> int:
    lengths = {value for name, value in headers if name == "content-length"}
    if not lengths:
        return 0
    text = lengths.pop()
    if lengths or not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > MAX_BODY_BYTES:
        msg = f"the answer's Content-Length is no number up to {MAX_BODY_BYTES}"
        raise ProtocolViolation(msg, evidence=text.encode("utf-8"))
    return int(text)


def printable(data: bytes) -> str:
    """Return foreign bytes as short, printable text for messages and logs."""
    return _UNPRINTABLE.sub("?", data[:MAX_REASON_CHARACTERS].decode("utf-8", "replace"))
