"""What the cheap probe makes of cameras that answer, of those that do not, and of this machine."""

import asyncio
import os
import resource
import socket
import struct
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.errors import ProtocolViolation
from hub.domain.health import Depth, Layer, ProbeResult, Status
from hub.domain.ports import CameraTarget
from streams import exchange
from streams.answer import take_status
from streams.exchange import MAX_RECEIVED_BYTES, Exchange
from tests.protocol.answering import BOTH_WAYS, GOOD, ask, camera_at, say
from tests.protocol.probing import NOW, probe
from tests.protocol.scripted_rtsp import (
    Behaviour,
    play_along,
    read_request,
    reply,
    serve,
    serve_answers,
    stay_silent,
)
from tests.protocol.simulated import until

RunIn = Callable[[Coroutine[None, None, ProbeResult]], ProbeResult]
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER of no time: closing sends a reset


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
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)


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
    async with serve(repeat(b"RTSP/1.0 200 OK\r\n", b"X: " + b"a" * 65_536)) as camera:
        talk = Exchange(("127.0.0.1", camera.port), b"OPTIONS", take_status)
        assert await talk.run(timeout_s=5)
    assert isinstance(talk.error, ProtocolViolation)
    assert talk.received_bytes == MAX_RECEIVED_BYTES


@pytest.mark.parametrize(
    ("scheme", "failed"), [("rtsp", Layer.PROTOCOL), ("tcp", None)], ids=["camera", "link"]
)
async def test_who_hangs_up_at_once_has_been_reached(scheme: str, failed: Layer | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = camera_at(server.getsockname()[1], scheme=scheme)
        probing = asyncio.create_task(probe(target, depth=Depth.ANSWER))
        await asyncio.sleep(0)  # it connects, and has not looked yet
        connection, _ = server.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        connection.close()
        result = await probing
    assert result.failed_layer is failed, result.lines
    assert ("cut the connection" in result.detail) == (failed is not None)


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


@pytest.mark.parametrize("run_in", [asyncio.run, uvloop.run])
def test_what_came_while_the_event_loop_was_held_up_counts(run_in: RunIn) -> None:
    """uvloop runs the timers that are due before it looks at its sockets again."""

    class Camera(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.descriptor: int = transport.get_extra_info("socket").fileno()

        def data_received(self, data: bytes) -> None:
            assert data.startswith(b"OPTIONS")
            os.write(self.descriptor, GOOD)
            time.sleep(0.4)

    async def run() -> ProbeResult:
        server = await asyncio.get_running_loop().create_server(Camera, "127.0.0.1", 0)
        async with server:
            return await ask(server.sockets[0].getsockname()[1], timeout_s=0.2)

    assert run_in(run()).status is Status.ONLINE


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
    async def listen(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()

    async with serve_answers(play_along) as good, serve(listen) as silent:
        before = _open_files()
        results = await asyncio.gather(
            *(ask(port, timeout_s=1) for port in [good.port, silent.port] * 20)
        )
        await until(lambda: _open_files() == before)
    assert [one.status for one in results] == [Status.ONLINE, Status.OFFLINE] * 20


def test_uvloop_works_too() -> None:
    """The hub runs on uvloop."""

    async def run() -> list[ProbeResult]:
        async with serve_answers(play_along) as good, serve(stay_silent) as silent:
            ports = [good.port, silent.port] * 50
            return await asyncio.gather(*(ask(port, timeout_s=2) for port in ports))

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
