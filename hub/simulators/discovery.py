"""Answers WS-Discovery probes for all cameras of a process, on the loopback interface.

WS-Discovery 2005/04 with ONVIF core section 7.3; one ProbeMatches datagram a camera. Strangers
get no answer: a forged probe from outside would be multiplied by the number of cameras.
"""

import asyncio
import ipaddress
import logging
import random
import socket
import struct
import uuid
from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

from hub.simulators.camera import Camera
from hub.simulators.onvif_device import scopes
from hub.simulators.soap import BadSoap, Xml, build_envelope, el, parse_request

log = logging.getLogger(__name__)

GROUP, PORT = "239.255.255.250", 3702
LOOPBACK = "127.0.0.1"
_ACTION = "http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches"
_TYPES = ("NetworkVideoTransmitter", "Device")
# WS-Discovery section 3.1.3, APP_MAX_DELAY: answers are spread, for a burst of hundreds is lost.
SPREAD_S = 0.5
MAX_WAITING = 10_000  # answers not yet sent; more probes than that are a flood
_IP_MULTICAST_ALL = 49  # ip(7); the socket module does not name it


class DiscoveryResponder(asyncio.DatagramProtocol):
    """An async context manager: hears probes as long as it is open."""

    def __init__(self, cameras: Sequence[Camera], *, rng: random.Random, port: int = PORT) -> None:
        self._cameras = cameras
        self._rng = rng
        self.port = port
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting = 0
        self._is_closed = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Join the group; where multicast is not possible, say so and go on without."""
        loop = asyncio.get_running_loop()
        try:
            opened = _open_socket(self.port)
        except OSError as error:
            log.warning("no discovery by multicast here: %s", error)
            return self
        self.port = int(opened.getsockname()[1])
        await loop.create_datagram_endpoint(lambda: self, sock=opened)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._transport is not None:
            self._transport.close()
            await self._is_closed.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the socket is closed."""
        if exc is not None:
            log.warning("discovery has ended: %s", exc)
        self._is_closed.set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a probe for cameras; anything else is ignored."""
        if not ipaddress.ip_address(addr[0]).is_loopback:
            return
        try:
            request = parse_request(data)
        except BadSoap:
            return
        asked = request.values.get("Types", "")
        if request.action != "d:Probe" or not (asked == "" or any(t in asked for t in _TYPES)):
            return
        if self._waiting + len(self._cameras) > MAX_WAITING:
            return
        message = request.header.get("MessageID", "")
        loop = asyncio.get_running_loop()
        for camera in self._cameras:
            self._waiting += 1
            loop.call_later(self._rng.uniform(0, SPREAD_S), self._answer, camera, message, addr)

    def _answer(self, camera: Camera, message: str, addr: tuple[str, int]) -> None:
        self._waiting -= 1
        transport = self._transport
        if transport is not None and not transport.is_closing() and camera.is_discoverable:
            transport.sendto(build_match(camera, relates_to=message), addr)


def build_match(camera: Camera, *, relates_to: str) -> bytes:
    """Build one camera's answer."""
    state = camera.state
    identity = uuid.uuid5(uuid.NAMESPACE_OID, state.options.serial)
    header = Xml(
        el("a:MessageID", f"urn:uuid:{uuid.uuid4()}")
        + el("a:RelatesTo", relates_to)
        + el("a:To", "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous")
        + el("a:Action", _ACTION)
    )
    match = el(
        "d:ProbeMatch",
        el("a:EndpointReference", el("a:Address", f"urn:uuid:{identity}")),
        el("d:Types", "dn:NetworkVideoTransmitter tds:Device"),
        el("d:Scopes", " ".join(scopes(state))),
        el("d:XAddrs", state.service_address()),
        el("d:MetadataVersion", "1"),
    )
    return build_envelope(el("d:ProbeMatches", match), header=header)


def _open_socket(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Only what comes in by loopback, and nothing that others on this machine have joined.
        opened.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        opened.bind(("", port))
        member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(LOOPBACK))
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        opened.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    except OSError:
        opened.close()
        raise
    return opened
