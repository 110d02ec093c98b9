"""Discovery on loopback: multicast with hostile answers, and the range scan."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from adapters.onvif.discovery import (
    MAX_REPLIES,
    Found,
    _Collector,
    discover_multicast,
    scan_range,
)
from hub.domain.addresses import AddressPolicy
from hub.domain.errors import Invalid
from tests.protocol.onvif_camera import Camera, serve
from tests.protocol.onvif_run import LOOPBACK

Answer = Callable[[str], list[bytes]]


def match(message: str, xaddrs: str, *, scopes: str = "", endpoint: str = "urn:uuid:1") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
        f"<e:Header><a:RelatesTo>{message}</a:RelatesTo></e:Header><e:Body><d:ProbeMatches>"
        f"<d:ProbeMatch><a:EndpointReference><a:Address>{endpoint}</a:Address>"
        f"</a:EndpointReference><d:Scopes>{scopes}</d:Scopes><d:XAddrs>{xaddrs}</d:XAddrs>"
        "</d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
    ).encode()


class Responder(asyncio.DatagramProtocol):
    """Answers every probe with what it is told to."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None
        self.probes: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's own datagram transport is no subclass of DatagramTransport.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode()
        self.probes.append(text)
        message = re.search(r"MessageID>([^<]*)<", text)
        assert message is not None
        assert self._transport is not None
        for one in self._answer(message.group(1)):
            self._transport.sendto(one, addr)


@asynccontextmanager
async def responder(answer: Answer, host: str = "127.0.0.1") -> AsyncIterator[tuple[str, int]]:
    """A device that answers probes at a free port; yields its address."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Responder(answer), local_addr=(host, 0)
    )
    try:
        name: tuple[str, int] = transport.get_extra_info("sockname")
        yield name
    finally:
        transport.close()


async def discover(answer: Answer) -> list[Found]:
    async with responder(answer) as address:
        return await discover_multicast(timeout_s=0.3, interfaces=["lo"], destination=address)


async def test_an_answer_is_found_once_with_name_and_hardware() -> None:
    found = await discover(
        lambda message: (
            [
                match(
                    message,
                    "http://127.0.0.1:8080/onvif/device_service",
                    scopes="onvif://www.onvif.org/name/West%20gate "
                    "onvif://www.onvif.org/hardware/T1 onvif://www.onvif.org/type/ptz",
                )
            ]
            * 3
        )
    )
    assert found == [
        Found(
            address="http://127.0.0.1:8080/onvif/device_service",
            name="West gate",
            hardware="T1",
            endpoint_reference="urn:uuid:1",
        )
    ]


async def test_the_senders_own_address_is_chosen_among_several() -> None:
    found = await discover(
        lambda message: [match(message, "http://169.254.119.177/onvif http://127.0.0.1/onvif")]
    )
    assert [one.address for one in found] == ["http://127.0.0.1/onvif"]


@pytest.mark.threat("T21")
@pytest.mark.threat("T4")
async def test_hostile_answers_are_ignored_and_the_honest_one_is_found() -> None:
    def answers(message: str) -> list[bytes]:
        honest = match(message, "http://127.0.0.1:81/onvif")
        return [
            b"",
            b"\x00\xff" * 500,
            b"<!DOCTYPE a [<!ENTITY e 'x'>]>" + honest,
            match(message, "http://169.254.169.254/latest"),
            match(message, "file:///etc/passwd"),
            match(message, "exec:reboot"),
            match("urn:uuid:somebody-else", "http://127.0.0.1:82/onvif"),
            match(message, "http://127.0.0.1:83/onvif", scopes="x" * 20_000),
            honest.replace(b"</e:Envelope>", b""),
            honest.decode().encode("utf-16"),
            honest,
        ]

    found = await discover(answers)
    assert [one.address for one in found] == ["http://127.0.0.1:81/onvif"]


async def test_names_are_bounded_and_hold_no_controls() -> None:
    found = await discover(
        lambda message: [
            match(
                message,
                "http://127.0.0.1/onvif",
                scopes="onvif://www.onvif.org/name/%3Cimg%3E%0A%1b[31m" + "n" * 500,
            )
        ]
    )
    assert found[0].name.startswith("<img>[31mn")
    assert len(found[0].name) <= 128


def test_a_flood_of_answers_is_bounded() -> None:
    collector = _Collector(frozenset({"urn:uuid:1"}))
    for number in range(MAX_REPLIES + 100):
        answer = match("urn:uuid:1", f"http://127.0.0.1:{number + 1}/")
        collector.datagram_received(answer, ("127.0.0.1", 3702))
    assert len(collector.found) == MAX_REPLIES


async def test_nobody_answers() -> None:
    assert await discover(lambda _message: []) == []


async def test_multicast_reaches_a_camera_on_the_loopback_interface() -> None:
    """The group itself, on a free port, so that no other listener of this machine hears it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("", 0))
        member = socket.inet_aton("239.255.255.250") + socket.inet_aton("127.0.0.1")
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Responder(lambda message: [match(message, "http://127.0.0.1/onvif")]),
            sock=listener,
        )
        try:
            found = await discover_multicast(
                timeout_s=0.3,
                interfaces=["lo", "no-such-interface"],
                destination=("239.255.255.250", listener.getsockname()[1]),
            )
        finally:
            transport.close()
    assert [one.address for one in found] == ["http://127.0.0.1/onvif"]


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def test_a_scan_finds_cameras_and_reports_progress() -> None:
    progress: list[tuple[int, int]] = []
    silent = await asyncio.start_server(_silent, "127.0.0.1", 0)
    async with silent, serve(Camera(password="other")) as camera:
        port = int(camera.base.rpartition(":")[2])
        quiet = int(silent.sockets[0].getsockname()[1])
        found = await scan_range(
            ["127.0.0.0/29"],
            ports=(port, quiet),
            on_progress=lambda done, total: progress.append((done, total)),
            policy=LOOPBACK,
            deadline_s=0.3,
        )
        assert set(camera.calls) == {"GetSystemDateAndTime"}
        assert "Password" not in "".join(camera.bodies)
    assert found == [Found(address=f"{camera.base}/onvif/device_service")]
    assert progress[0] == (0, 6)
    assert progress[-1] == (6, 6)


@pytest.mark.threat("T13")
async def test_a_scan_connects_only_where_the_policy_allows() -> None:
    connected = asyncio.Event()

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with server:
        port = int(server.sockets[0].getsockname()[1])
        assert await scan_range(["127.0.0.1"], ports=(port,), policy=AddressPolicy()) == []
        await asyncio.sleep(0.05)
    assert not connected.is_set()


@pytest.mark.parametrize(
    "ranges",
    [["10.0.0.0/15"], ["10.0.0.0/16", "10.1.0.0/24"], ["fd00::/64"], ["0.0.0.0/0"], ["x"], []],
)
async def test_ranges_that_are_too_large_or_wrong_are_refused(ranges: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        await scan_range(ranges, policy=LOOPBACK)
    assert caught.value.field == "range"


async def test_a_scan_keeps_to_its_concurrency() -> None:
    open_now = peak = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, peak
        open_now += 1
        peak = max(peak, open_now)
        await reader.read()
        open_now -= 1
        writer.close()

    first = await asyncio.start_server(count, "127.0.0.1", 0)
    port = int(first.sockets[0].getsockname()[1])
    others = [f"127.0.0.{number}" for number in range(2, 31)]
    async with first, await asyncio.start_server(count, others, port):
        await scan_range(
            ["127.0.0.0/27"], ports=(port,), concurrency=4, policy=LOOPBACK, deadline_s=0.2
        )
    assert 4 <= peak <= 2 * 4  # the server learns of a close a moment later
