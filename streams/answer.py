"""The cheapest probe: does something answer RTSP there, or, at a link, take a connection?

Every camera is asked this every few seconds, so it does no more than it must: connect, send one
OPTIONS without credentials (RFC 2326 section 10.1), read the head of one answer. Whatever status
the answer has, the protocol answers. What is reached by a name or over TLS is asked by the
deeper probes' client instead: see ``streams.probe``.
"""

import asyncio
import functools
import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from hub.domain.addresses import LINK_SCHEMES, Address, AddressPolicy, parse_address
from hub.domain.errors import (
    AddressRefused,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
)
from streams.exchange import Exchange
from streams.network import Trace, build_timeout, connect, translate
from streams.rtsp.messages import Response, build_request, take_item

MAX_CALLS: Final = 131_072  # a county's cameras, at about half a KiB each

_STATUS_LINE = re.compile(rb"RTSP/1\.0 (\d{3})(?: [^\r\n]*)?\r\n")
_SEQUENCE = re.compile(rb"\r\nCSeq *: *([0-9]{1,9}) *\r\n", re.IGNORECASE)
_OURS = 1  # the number of the connection's only request


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Whom to ask what: an endpoint that the policy allows; without a request, to connect."""

    ip: str
    port: int
    request: bytes


@functools.lru_cache(maxsize=MAX_CALLS)
def plan_call(stream_address: str, policy: AddressPolicy) -> Call | None:
    """Return how to ask at a stream address, None when the cheap way cannot.

    What a policy says of an IP address never changes, so it is kept. A name is resolved and
    judged anew each time, elsewhere; there, too, it is said why an address is refused.
    """
    try:
        address = parse_address(stream_address, schemes={"rtsp"} | LINK_SCHEMES)
        ip = str(ipaddress.ip_address(address.host))
        is_link = address.scheme in LINK_SCHEMES
        request = b"" if is_link else build_request("OPTIONS", address.text, sequence=_OURS)
    except (AddressRefused, ValueError):
        return None
    if policy.refusal(ip, address.port) is not None:
        return None
    return Call(ip=ip, port=address.port, request=request)


async def ask(call: Call, *, timeout_s: float, trace: Trace) -> None:
    """Return when the other side answered; the trace tells how far it came.

    Raises:
        DeviceError: it did not, and why.
    """
    exchange = Exchange((call.ip, call.port), call.request, take_status)
    is_in_time = await exchange.run(timeout_s=timeout_s)
    if exchange.connected_at is not None:
        trace.enter_protocol(call.ip, call.port, at=exchange.connected_at)
        if not call.request:
            return
    if exchange.answer is None:
        raise _failure(exchange, call, None if is_in_time else timeout_s)
    trace.note(f"OPTIONS: {exchange.answer}")


async def reach(address: Address, *, timeout_s: float, policy: AddressPolicy, trace: Trace) -> None:
    """Return when the address, which may hold a name, takes a connection.

    Raises:
        DeviceError: it does not, and why.
    """
    try:
        async with asyncio.timeout(timeout_s):
            await connect(address, policy, _HangUp, trace)
    except TimeoutError:
        raise build_timeout(timeout_s, is_connected=False, has_answered=False) from None


def take_status(buffer: bytearray) -> int | None:
    """Return the status of the answer to our request, None while more bytes are needed.

    The head must be there as a whole, for half an answer is none; what it says is not looked at.

    Raises:
        ProtocolViolation: the bytes are not RTSP.
    """
    line = _STATUS_LINE.match(buffer)
    if line is not None:
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        sequence = _SEQUENCE.search(buffer, 0, end + 2)
        if sequence is None or int(sequence.group(1)) == _OURS:
            return int(line.group(1))
    while (item := take_item(buffer)) is not None:  # the rare: packets, requests, others' replies
        if isinstance(item, Response) and item.header("cseq").lstrip("0") in {"", str(_OURS)}:
            return item.status
    return None


def _failure(exchange: Exchange, call: Call, timed_out_s: float | None) -> DeviceError:
    if isinstance(exchange.error, ProtocolViolation):
        return exchange.error
    if exchange.error is not None:
        return translate(exchange.error, call.ip, call.port)
    if timed_out_s is None:
        return DeviceUnreachable("the camera closed the connection")
    return build_timeout(
        timed_out_s,
        is_connected=exchange.connected_at is not None,
        has_answered=exchange.received_bytes > 0,
    )


class _HangUp(asyncio.Protocol):
    """Ends the connection as soon as there is one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
