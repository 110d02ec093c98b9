"""The cheap probe, both ways it goes: to an IP address by itself, to a name by the client."""

import asyncio
import os
import resource
import socket
import ssl
import struct
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.addresses import AddressPolicy, parse_address, parse_networks
from hub.domain.errors import AddressRefused, ProtocolViolation
from hub.domain.health import Depth, Layer, ProbeResult, Status
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials
from streams import exchange
from streams.answer import plan_call, take_status
from streams.describe import describe_stream
from streams.exchange import MAX_RECEIVED_BYTES
from streams.network import _tls_context
from tests.benchmarks.camera_farm import Farm, host_of, number_of
from tests.protocol.probing import ADMIN, LOOPBACK, NOW, PASSWORD, probe
from tests.protocol.scripted_rtsp import (
    Behaviour,
    play_along,
    read_request,
    reply,
    serve,
    serve_answers,
    stay_silent,
)
from tests.protocol.simulated import simulated_camera
from tests.protocol.test_streams_probe import self_signed

BOTH_WAYS = pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
GOOD = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE\r\n\r\n"


def camera_at(port: int, host: str = "127.0.0.1", scheme: str = "rtsp") -> CameraTarget:
    address = f"{scheme}://{host}:{port}" + ("" if scheme == "tcp" else "/live")
    return CameraTarget(device_id=1, stream_address=address, credentials=ADMIN)


async def ask(
    port: int, host: str = "127.0.0.1", *, timeout_s: float = 5.0, policy: AddressPolicy = LOOPBACK
) -> ProbeResult:
    target = camera_at(port, host)
    return await probe(target, timeout_s=timeout_s, policy=policy, depth=Depth.ANSWER)


def say(*pieces: bytes, wait_s: float = 0.0) -> Behaviour:
    """Answer a request by these pieces, then keep the connection open."""

    async def behave(reader: StreamReader, writer: StreamWriter) -> None:
        await read_request(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(wait_s)
        await reader.read()

    return behave


def repeat(start: bytes, piece: bytes) -> Behaviour:
    """Send a start, then a piece without end, asked or not."""

    async def behave(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()

    return behave


def one_by_one(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


@pytest.fixture(autouse=True)
async def _nothing_is_left() -> AsyncIterator[None]:
    yield
    assert not exchange._WATCHES


@BOTH_WAYS
async def test_good_camera_is_asked_one_thing(host: str) -> None:
    async with serve_answers(play_along) as camera:
        result = await ask(camera.port, host)
    assert result.failed_layer is None, result.lines
    assert result.status is Status.ONLINE
    assert (result.depth, result.probed_at) == (Depth.ANSWER, NOW)
    assert 0 < result.latency_s < 5
    assert [seen.method for seen in camera.requests] == ["OPTIONS"]
    assert "OPTIONS: 200" in result.lines[0]


@BOTH_WAYS
@pytest.mark.parametrize(
    "status", ["401 Unauthorized", "404 Not Found", "454 Session", "500 Oh", "503 Busy", "551"]
)
async def test_any_status_is_an_answer(host: str, status: str) -> None:
    async with serve_answers(lambda seen: reply(seen, status)) as camera:
        result = await ask(camera.port, host)
    assert result.failed_layer is None, result.lines
    assert status[:3] in result.lines[0]


@BOTH_WAYS
@pytest.mark.parametrize(
    "pieces",
    [
        [b"RTSP/1.0 200 OK\r\n\r\n"],  # without a number
        [b"RTSP/1.0 200\r\nCSeq: 1\r\n\r\n"],  # without a reason
        [b"RTSP/1.0 200 OK\r\ncseq:1\r\n\r\n"],
        [b"RTSP/1.0 200 OK\r\nCSeq: 01\r\n\r\n"],
        [b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 2\r\n\r\nhi"],
        [b"\r\n", GOOD],
        [b"$\x00\x00\x02ab", GOOD],
        [b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n", GOOD],  # the reply to somebody else
        [b"ANNOUNCE rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", GOOD],
        [GOOD + GOOD],
        one_by_one(GOOD),
    ],
)
async def test_odd_answers_are_answers(host: str, pieces: list[bytes]) -> None:
    async with serve(say(*pieces, wait_s=0.001)) as camera:
        result = await ask(camera.port, host)
    assert result.failed_layer is None, result.lines


async def _cut(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)


async def _reset(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    wire = writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@BOTH_WAYS
@pytest.mark.threat("K8")
@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (stay_silent, "says nothing"),
        (_cut, "closed"),
        (_reset, "cut the connection"),
        (say(bytes(range(255, -1, -1)) * 16), "not RTSP"),
        (say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), "not RTSP"),
        (say(b"RTSP/1.0 2000 OK\r\n\r\n"), "not RTSP"),
        (say(b"RTSP/1.0 200 OK"), "too slowly"),
        (say(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n"), "too slowly"),
        (say(b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n"), "too slowly"),
        (say(*one_by_one(GOOD * 5), wait_s=0.02), "too slowly"),
        (repeat(b"RTSP/1.0 200 OK\r\n", b"X-Filler: " + b"a" * 1000 + b"\r\n"), "exceed"),
        (repeat(b"RTSP/1.0 200 ", b"a" * 65_536), "exceed"),
        (repeat(b"", b"$\x00\x00\x04data" * 1000), ""),
        (repeat(b"", b"RTSP/1.0 200 OK\r\nCSeq: 99\r\n\r\n" * 1000), ""),
    ],
)
async def test_what_is_no_answer_fails_the_protocol_in_time(
    host: str, behave: Behaviour, words: str
) -> None:
    async with serve(behave) as camera, asyncio.timeout(3):
        result = await ask(camera.port, host, timeout_s=0.4)
    assert result.failed_layer is Layer.PROTOCOL, result.lines
    assert result.is_conclusive
    assert words in result.detail
    assert result.latency_s < 2
    assert [line.split(" ")[2] for line in result.lines][:2] == ["network:", "protocol:"]


async def test_what_was_received_is_in_the_log_lines() -> None:
    async with serve(say(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as camera:
        result = await ask(camera.port)
    assert any("HTTP/1.1 400" in line for line in result.lines)


async def test_no_more_is_read_than_an_answer_may_have() -> None:
    sent = 0

    async def pour(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal sent
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(b"RTSP/1.0 200 OK\r\n")
        while True:
            writer.write(b"X-Filler: " + b"a" * 1000 + b"\r\n")
            await writer.drain()
            sent += 1

    async with serve(pour) as camera:
        result = await ask(camera.port, timeout_s=30)
    assert f"exceed {MAX_RECEIVED_BYTES}" in result.detail
    assert result.latency_s < 5


@BOTH_WAYS
async def test_nothing_listens(host: str) -> None:
    async with serve_answers(play_along) as camera:
        free_port = camera.port
    result = await ask(free_port, host)
    assert result.failed_layer is Layer.NETWORK
    assert "nothing listens" in result.detail
    assert f"{host}:{free_port}" in result.detail


@asynccontextmanager
async def _deaf_port() -> AsyncIterator[int]:
    """A port whose queue is full: it takes no connection and refuses none."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        endpoint = listener.getsockname()
        not_blocking = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
        waiting = [socket.socket(socket.AF_INET, not_blocking) for _ in range(3)]
        for one in waiting:
            one.connect_ex(endpoint)
        await asyncio.sleep(0.05)
        try:
            yield endpoint[1]
        finally:
            for one in waiting:
                one.close()


@BOTH_WAYS
@pytest.mark.parametrize("scheme", ["rtsp", "tcp"])
async def test_no_connection_in_time_fails_the_network(host: str, scheme: str) -> None:
    async with _deaf_port() as port:
        target = camera_at(port, host, scheme)
        result = await probe(target, timeout_s=0.3, depth=Depth.ANSWER)
    assert result.failed_layer is Layer.NETWORK
    assert "no connection within 0.3 s" in result.detail
    assert result.latency_s < 2


async def test_no_way_to_a_network_fails_the_network() -> None:
    target = CameraTarget(device_id=1, stream_address="rtsp://255.255.255.255/live")
    anywhere = AddressPolicy(allowed=parse_networks(["0.0.0.0/0"]))
    result = await probe(target, policy=anywhere, depth=Depth.ANSWER)
    assert result.failed_layer is Layer.NETWORK
    assert "no way to its network" in result.detail


@pytest.mark.parametrize("spare", [0, 1])
async def test_shortage_of_our_own_says_nothing_of_the_camera(spare: int) -> None:
    """Without a handle for the socket, or for what watches the sockets."""
    async with serve_answers(play_along) as camera:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = os.open("/dev/null", os.O_RDONLY)
        os.close(highest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + spare, hard))
        try:
            result = await ask(camera.port)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert result.status is Status.UNKNOWN
        assert "LimitNOFILE" in result.detail
        assert (await ask(camera.port)).status is Status.ONLINE


async def test_what_came_while_the_event_loop_was_held_up_counts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as camera:
        probing = asyncio.create_task(ask(camera.getsockname()[1], timeout_s=0.2))
        await asyncio.sleep(0.05)
        connection, _ = camera.accept()
        with connection:
            connection.sendall(GOOD)
            time.sleep(0.3)  # noqa: ASYNC251 - this is what holds it up
            assert (await probing).status is Status.ONLINE


@BOTH_WAYS
async def test_camera_is_not_blamed_for_an_event_loop_held_up(host: str) -> None:
    async with serve(stay_silent) as camera:
        probing = asyncio.create_task(ask(camera.port, host, timeout_s=0.2))
        await asyncio.sleep(0.05)
        time.sleep(1.0)  # noqa: ASYNC251 - this is what holds it up
        result = await probing
    assert result.status is Status.UNKNOWN
    assert "too busy" in result.detail


async def test_cancelling_a_probe_frees_it_at_once() -> None:
    has_ended = asyncio.Event()

    async def listen(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        has_ended.set()

    async with serve(listen) as camera:
        task = asyncio.create_task(ask(camera.port, timeout_s=30))
        await camera.was_reached.wait()
        task.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await task
            await has_ended.wait()


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_no_handle_is_kept() -> None:
    async with serve_answers(play_along) as good, serve(stay_silent) as silent:
        before = _open_files()
        results = await asyncio.gather(
            *(ask(port, timeout_s=0.3) for port in [good.port, silent.port] * 20)
        )
        await asyncio.sleep(0.1)  # the cameras see the end
        after = _open_files()
    assert [one.status for one in results] == [Status.ONLINE, Status.OFFLINE] * 20
    assert after <= before + 20  # the silent camera's own side: it never looks


@BOTH_WAYS
@pytest.mark.threat("T31")
@pytest.mark.parametrize("challenge", ['Digest realm="cam", nonce="n"', 'Basic realm="cam"'])
async def test_no_password_is_sent_even_when_asked_for(host: str, challenge: str) -> None:
    heard = b""

    async def listen(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal heard
        while data := await reader.read(4096):
            heard += data
            refusal = f"RTSP/1.0 401 {PASSWORD}\r\nCSeq: 1\r\nWWW-Authenticate: {challenge}\r\n\r\n"
            writer.write(refusal.encode())

    async with serve(listen) as camera:
        told = f"rtsp://{ADMIN.username}:{PASSWORD}@{host}:{camera.port}/live"
        for address in (told, camera_at(camera.port, host).stream_address):
            target = CameraTarget(device_id=1, stream_address=address, credentials=ADMIN)
            result = await probe(target, depth=Depth.ANSWER)
            assert result.status is Status.ONLINE
            assert PASSWORD not in repr(result)
    assert heard.count(b"OPTIONS") == 2
    for secret in (PASSWORD.encode(), b"Authorization", ADMIN.username.encode()):
        assert secret not in heard


@BOTH_WAYS
@pytest.mark.threat("T31")
async def test_a_password_the_camera_shouts_is_hidden(host: str) -> None:
    async with serve(say(f"nonsense {PASSWORD}\r\n\r\n".encode())) as camera:
        result = await ask(camera.port, host)
    assert result.failed_layer is Layer.PROTOCOL
    assert "***" in repr(result)
    assert PASSWORD not in repr(result)


@pytest.fixture
def trusted_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """What a camera with a certificate that verifies listens with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = self_signed(tmp_path)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    _tls_context.cache_clear()
    yield context
    _tls_context.cache_clear()


async def test_tls_is_spoken_first(trusted_tls: ssl.SSLContext) -> None:
    async with serve(say(b"RTSP/1.0 401 No\r\nCSeq: 1\r\n\r\n"), tls=trusted_tls) as camera:
        result = await probe(camera_at(camera.port, scheme="rtsps"), depth=Depth.ANSWER)
    assert result.failed_layer is None, result.lines
    assert "401" in result.lines[0]


async def test_tls_that_does_not_come_about_fails_the_protocol(
    trusted_tls: ssl.SSLContext,
) -> None:
    _tls_context.cache_clear()
    os.environ.pop("SSL_CERT_FILE")
    async with serve(stay_silent, tls=trusted_tls) as camera:
        untrusted = await probe(camera_at(camera.port, scheme="rtsps"), depth=Depth.ANSWER)
        plain = await ask(camera.port, timeout_s=0.5)
    async with serve_answers(play_along) as camera:
        deaf = camera_at(camera.port, scheme="rtsps")
        refused = await probe(deaf, timeout_s=0.5, depth=Depth.ANSWER)
    assert "certificate does not verify" in untrusted.detail
    layers = [one.failed_layer for one in (untrusted, plain, refused)]
    assert layers == [Layer.PROTOCOL] * 3


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "503 Busy"])
async def test_a_web_address_is_asked_for_any_answer(status: str) -> None:
    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    async with serve(answer) as camera:
        address = f"http://127.0.0.1:{camera.port}/onvif/device_service"
        only_service = CameraTarget(device_id=1, service_address=address)
        result = await probe(only_service, depth=Depth.ANSWER)
    assert result.failed_layer is None, result.lines
    assert result.depth is Depth.ANSWER


@BOTH_WAYS
@pytest.mark.parametrize("depth", list(Depth))
async def test_a_link_is_connected_to_and_told_nothing(host: str, depth: Depth) -> None:
    heard: list[bytes] = []
    has_ended = asyncio.Event()

    async def listen(reader: StreamReader, writer: StreamWriter) -> None:
        heard.append(await reader.read())
        has_ended.set()

    async with serve(listen) as switch:
        result = await probe(camera_at(switch.port, host, "tcp"), depth=depth)
        async with asyncio.timeout(2):
            await has_ended.wait()
    down = await probe(camera_at(switch.port, host, "tcp"), depth=depth)
    assert (result.status, result.depth) == (Status.ONLINE, depth)
    assert heard == [b""]
    assert "connected" in result.lines[0]
    assert down.failed_layer is Layer.NETWORK
    assert "nothing listens" in down.detail


@pytest.mark.threat("T14")
@pytest.mark.threat("T3")
@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:1/x",
        "exec:sh",
        "udp://127.0.0.1:1",
    ],
)
async def test_other_addresses_are_refused(address: str) -> None:
    for depth in Depth:
        for target in (
            CameraTarget(device_id=1, stream_address=address),
            CameraTarget(device_id=1, snapshot_address=address),
        ):
            result = await probe(target, depth=depth)
            assert result.failed_layer is Layer.NETWORK
            assert result.detail
            assert "passwd" not in repr(result)


@pytest.mark.threat("T3")
async def test_a_link_is_no_stream_and_no_web_address() -> None:
    async with serve(stay_silent) as switch:
        address = f"tcp://127.0.0.1:{switch.port}"
        with pytest.raises(AddressRefused):
            parse_address(address)
        link = CameraTarget(device_id=1, stream_address=address)
        with pytest.raises(AddressRefused):
            await describe_stream(link, timeout_s=1, policy=LOOPBACK)
        for target in (
            CameraTarget(device_id=1, snapshot_address=address),
            CameraTarget(device_id=1, service_address=address),
        ):
            assert "refused" in (await probe(target, depth=Depth.ANSWER)).detail
        assert switch.connections == 0


@pytest.mark.threat("T13")
@pytest.mark.threat("T4")
@pytest.mark.parametrize("scheme", ["rtsp", "tcp"])
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
async def test_what_the_policy_refuses_is_not_connected_to(scheme: str, host: str) -> None:
    async with serve_answers(play_along) as camera:
        target = camera_at(camera.port, host, scheme)
        own = frozenset({(ip_address("127.0.0.1"), camera.port)})
        allowed = await probe(target, depth=Depth.ANSWER)
        connections = camera.connections
        for policy in (
            AddressPolicy(),
            AddressPolicy(allowed=LOOPBACK.allowed[1:], own_endpoints=own),
        ):
            result = await probe(target, policy=policy, depth=Depth.ANSWER)
            if host == "[::1]" and policy.allowed:
                continue  # this one it allows
            assert result.failed_layer is Layer.NETWORK
            assert "refused" in result.detail
        assert camera.connections == connections
    assert allowed.failed_layer is not Layer.PROTOCOL


async def test_a_name_is_never_kept() -> None:
    assert plan_call("rtsp://localhost:8554/live", LOOPBACK) is None
    assert plan_call("rtsp://127.0.0.1:8554/live", AddressPolicy()) is None
    assert plan_call("rtsp://127.0.0.1:8554/live", LOOPBACK) is not None


async def test_simulated_camera_answers_with_and_without_its_password() -> None:
    async with simulated_camera() as camera:
        address = camera.state.stream_address()
        for credentials in (ADMIN, Credentials()):
            target = CameraTarget(device_id=1, stream_address=address, credentials=credentials)
            result = await probe(target, depth=Depth.ANSWER)
            assert result.status is Status.ONLINE, result.lines


async def test_farm_of_cameras_falls_silent_hangs_up_and_comes_back() -> None:
    async def statuses() -> list[str]:
        targets = [CameraTarget(device_id=n, stream_address=farm.address(n)) for n in range(8)]
        results = await asyncio.gather(
            *(probe(target, timeout_s=0.5, depth=Depth.ANSWER) for target in targets)
        )
        return [one.detail.rpartition(": ")[2] for one in results]

    async with Farm(is_digest=True) as farm:
        assert await statuses() == [""] * 8
        deep = CameraTarget(device_id=1, stream_address=farm.address(1), credentials=ADMIN)
        assert (await probe(deep)).failed_layer is None
        await farm.cut(range(2, 4))
        await farm.refuse(range(5, 6))
        silence = "it accepts the connection and says nothing within 0.5 s"
        reset = "it cut the connection"
        assert await statuses() == ["", "", silence, silence, "", reset, "", ""]
        await farm.restore(range(8))
        assert await statuses() == [""] * 8


def test_each_camera_of_a_farm_has_an_address_of_its_own() -> None:
    assert all(number_of(host_of(number)) == number for number in range(0, 69_919, 7))
    assert len({host_of(number) for number in range(69_919)}) == 69_919
    assert all(ip_address(host_of(number)).is_loopback for number in (0, 249, 250, 69_918))


def test_uvloop_works_too() -> None:
    """The hub runs on uvloop."""

    async def run() -> list[ProbeResult]:
        async with serve_answers(play_along) as good, serve(stay_silent) as silent:
            ports = [good.port, silent.port] * 50
            return await asyncio.gather(*(ask(port, timeout_s=0.5) for port in ports))

    results = uvloop.run(run())
    assert [one.status for one in results] == [Status.ONLINE, Status.OFFLINE] * 50


@pytest.mark.threat("K8")
@given(st.binary(max_size=300))
def test_any_bytes_are_a_status_a_wait_or_a_violation(data: bytes) -> None:
    for start in (b"", b"RTSP/1.0 ", b"RTSP/1.0 200 OK\r\n", b"$"):
        try:
            status = take_status(bytearray(start + data))
        except ProtocolViolation:
            continue
        assert status is None or 0 <= status <= 999


@pytest.mark.threat("K8")
@given(st.integers(0, 999), st.lists(st.integers(1, 20)), st.binary(max_size=20))
def test_an_answer_is_found_however_it_is_cut(status: int, cuts: list[int], rest: bytes) -> None:
    answer = b"RTSP/1.0 %03d Why\r\nServer: x\r\nCSeq: 1\r\n\r\n" % status
    buffer, left = bytearray(), answer
    for cut in cuts:
        buffer += left[:cut]
        left = left[cut:]
        assert take_status(buffer) == (None if left else status)
    buffer += left + rest
    assert take_status(buffer) == status
