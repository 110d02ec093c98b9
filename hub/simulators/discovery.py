"""Answers WS-Discovery probes for all cameras of a process, on the loopback interface.

WS-Discovery 2005/04 with ONVIF core section 7.3; one ProbeMatches datagram a camera.
"""

import asyncio
import logging
import socket
import struct
import uuid
from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

from hub.simulators.camera import Camera
from hub.simulators.onvif_device import scopes
from hub.simulators.soap import BadSoap, build_envelope, el, parse_request

log = logging.getLogger(__name__)

GROUP, PORT = "239.255.255.250", 3702
LOOPBACK = "127.0.0.1"
_ACTION = "http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches"
_TYPES = ("NetworkVideoTransmitter", "Device")


class DiscoveryResponder(asyncio.DatagramProtocol):
    """An async context manager: hears probes as long as it is open."""

    def __init__(self, cameras: Sequence[Camera], *, port: int = PORT) -> None:
        self._cameras = cameras
        self._port = port
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        """Join the group; where multicast is not possible, say so and go on without."""
        loop = asyncio.get_running_loop()
        try:
            opened = _open_socket(self._port)
        except OSError as error:
            log.warning("no discovery by multicast here: %s", error)
            return self
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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a probe for cameras; anything else is ignored."""
        try:
            request = parse_request(data)
        except BadSoap:
            return
        asked = request.values.get("Types", "")
        if request.action != "d:Probe" or not (asked == "" or any(t in asked for t in _TYPES)):
            return
        for camera in self._cameras:
            if camera.is_discoverable and self._transport is not None:
                answer = build_match(camera, relates_to=request.header.get("MessageID", ""))
                self._transport.sendto(answer, addr)


def build_match(camera: Camera, *, relates_to: str) -> bytes:
    """Build one camera's answer."""
    state = camera.state
    identity = uuid.uuid5(uuid.NAMESPACE_OID, state.options.serial)
    header = el(
        "a:MessageID",
        f"urn:uuid:{uuid.uuid4()}",
    )
    header = type(header)(
        header
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
        opened.bind(("", port))
        member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(LOOPBACK))
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        opened.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    except OSError:
        opened.close()
        raise
    return opened
