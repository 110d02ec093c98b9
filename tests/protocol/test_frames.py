"""Encoded frames of one visit: from web servers and streams, good, endless, slow and hostile."""

import asyncio
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from aiohttp import web

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.ports import CameraTarget, Clock
from hub.domain.quality import Codec, EncodedFrame
from hub.domain.secrets import Credentials, Secret
from hub.runtime.outbound import open_client
from streams.frames import MAX_FRAMES, fetch_frames
from tests.encoded_frames import (
    WRONG_TYPES,
    build_jpeg,
    build_key_frame,
    claim_size,
    insert_segment,
    paint_scene,
)
from tests.protocol.scripted_rtsp import (
    Seen,
    Served,
    play_along,
    read_request,
    reply,
    serve,
    serve_answers,
    stay_silent,
)
from tests.protocol.web_camera import Handler, serve_web

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
PASSWORD = "nachts-um-3"
ADMIN = Credentials(username="admin", password=Secret(PASSWORD))
JPEG = build_jpeg(paint_scene(320, 240))
KEY_FRAME = build_key_frame(Codec.H264, paint_scene(320, 240))
START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def ticking() -> Clock:
    """A clock that is a second later each time it is read."""
    count = itertools.count()
    return lambda: START + timedelta(seconds=next(count))


async def fetch(
    *,
    count: int = 1,
    spacing_s: float = 0.0,
    timeout_s: float = 5.0,
    policy: AddressPolicy = LOOPBACK,
    **addresses: str,
) -> tuple[EncodedFrame, ...]:
    """``addresses`` are any of ``snapshot``, ``stream`` and ``sub``."""
    target = CameraTarget(
        device_id=1,
        snapshot_address=addresses.get("snapshot", ""),
        stream_address=addresses.get("stream", ""),
        sub_stream_address=addresses.get("sub", ""),
        credentials=ADMIN,
    )
    async with open_client(policy) as client:
        return await fetch_frames(
            target,
            count=count,
            spacing_s=spacing_s,
            timeout_s=timeout_s,
            client=client,
            policy=policy,
            clock=ticking(),
        )


def packets(frame: bytes, *, timestamp: int, sequence: int) -> list[bytes]:
    """A frame in Annex B form as interleaved RTP packets, fragmented (RFC 6184)."""
    payloads: list[bytes] = []
    for unit in frame.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]:
        if len(unit) < 1200:
            payloads.append(unit)
            continue
        chunks = [unit[i : i + 1200] for i in range(1, len(unit), 1200)]
        for i, chunk in enumerate(chunks):
            flags = (0x80 if i == 0 else 0) | (0x40 if i == len(chunks) - 1 else 0)
            head = bytes([unit[0] & 0xE0 | 28, flags | unit[0] & 0x1F])
            payloads.append(head + chunk)
    built: list[bytes] = []
    for i, payload in enumerate(payloads):
        marker = 0x80 if i == len(payloads) - 1 else 0
        rtp = bytes([0x80, marker | 96]) + ((sequence + i) & 0xFFFF).to_bytes(2, "big")
        rtp += timestamp.to_bytes(4, "big") + b"ssrc" + payload
        built.append(b"$\0" + len(rtp).to_bytes(2, "big") + rtp)
    return built


class KeyFrames:
    """A camera that plays ``frames`` of them, ``gap_s`` apart, then stays silent or hangs up."""

    def __init__(self, frames: int, *, gap_s: float = 0.0, hangs_up: bool = False) -> None:
        self._frames, self._gap_s, self._hangs_up = frames, gap_s, hangs_up
        self.seen: list[Seen] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method = ""
        while method != "PLAY":
            self.seen.append(await read_request(reader))
            method = self.seen[-1].method
            writer.write(play_along(self.seen[-1]))
        sequence = 0
        for i in range(self._frames):
            parts = packets(KEY_FRAME, timestamp=3600 * i, sequence=sequence)
            sequence += len(parts)
            writer.write(b"".join(parts))
            await writer.drain()
            await asyncio.sleep(self._gap_s)
        if not self._hangs_up:
            self.seen.append(await read_request(reader))


async def _good(request: web.Request) -> web.StreamResponse:
    return web.Response(body=JPEG, content_type="image/jpeg")


def answering(*responses: Callable[[], web.Response]) -> Handler:
    """Give each answer once, the last one for ever."""
    left = list(responses)

    async def handler(request: web.Request) -> web.StreamResponse:
        return (left.pop(0) if len(left) > 1 else left[0])()

    return handler


async def test_pictures_of_a_snapshot_address_are_passed_on_as_they_are() -> None:
    async with serve_web(_good) as port:
        frames = await fetch(snapshot=f"http://127.0.0.1:{port}/snap.jpg?a=%20", count=3)
    assert [frame.data for frame in frames] == [JPEG] * 3
    assert {frame.codec for frame in frames} == {Codec.JPEG}
    assert [frame.taken_at - START for frame in frames] == [timedelta(seconds=s) for s in range(3)]


async def test_requests_keep_their_distance() -> None:
    asked: list[float] = []

    async def noting(request: web.Request) -> web.StreamResponse:
        asked.append(asyncio.get_running_loop().time())
        return await _good(request)

    async with serve_web(noting) as port:
        await fetch(snapshot=f"http://127.0.0.1:{port}/", count=3, spacing_s=0.15)
    assert all(later - earlier >= 0.12 for earlier, later in itertools.pairwise(asked))
    assert len(asked) == 3


async def test_one_visit_has_a_bounded_number_of_frames() -> None:
    async with serve_web(_good) as port:
        frames = await fetch(snapshot=f"http://127.0.0.1:{port}/", count=10_000)
    assert len(frames) == MAX_FRAMES


async def test_later_failure_leaves_what_is_there() -> None:
    handler = answering(lambda: web.Response(body=JPEG), lambda: web.Response(status=503))
    async with serve_web(handler) as port:
        frames = await fetch(snapshot=f"http://127.0.0.1:{port}/", count=2)
        assert [frame.data for frame in frames] == [JPEG]
        with pytest.raises(DeviceBusy, match=r"^protocol: .*503"):
            await fetch(snapshot=f"http://127.0.0.1:{port}/", count=2)


async def test_no_request_is_made_that_would_be_too_late() -> None:
    async with serve_web(_good) as port:
        async with asyncio.timeout(5):
            frames = await fetch(
                snapshot=f"http://127.0.0.1:{port}/", count=2, spacing_s=60, timeout_s=3
            )
    assert len(frames) == 1


async def test_key_frames_come_from_the_sub_stream_in_one_session() -> None:
    camera = KeyFrames(3)
    async with serve(camera) as served, serve(stay_silent) as main:
        frames = await fetch(
            stream=f"rtsp://127.0.0.1:{main.port}/main",
            sub=f"rtsp://127.0.0.1:{served.port}/sub",
            count=3,
        )
        assert (served.connections, main.connections) == (1, 0)
        await until(lambda: len(camera.seen) == 4)
    assert [frame.codec for frame in frames] == [Codec.H264] * 3
    assert all(frame.data.endswith(KEY_FRAME[-500:]) for frame in frames)
    assert [one.method for one in camera.seen] == ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    assert camera.seen[0].url.endswith("/sub")


async def test_key_frames_keep_their_distance() -> None:
    loop = asyncio.get_running_loop()
    async with serve(KeyFrames(40, gap_s=0.02)) as served:
        began_at = loop.time()
        frames = await fetch(
            stream=f"rtsp://127.0.0.1:{served.port}/", count=2, spacing_s=0.3, timeout_s=15
        )
    assert len(frames) == 2
    assert loop.time() - began_at >= 0.3


@pytest.mark.parametrize("camera", [KeyFrames(1), KeyFrames(1, hangs_up=True)])
async def test_stream_with_fewer_key_frames_gives_those(camera: KeyFrames) -> None:
    async with serve(camera) as served:
        frames = await fetch(stream=f"rtsp://127.0.0.1:{served.port}/", count=2, timeout_s=1.0)
    assert len(frames) == 1


async def test_stream_is_asked_where_the_snapshot_address_fails() -> None:
    async with (
        serve_web(answering(lambda: web.Response(status=404))) as port,
        serve(KeyFrames(1)) as served,
        serve_answers(play_along) as without_frames,
    ):
        snapshot = f"http://127.0.0.1:{port}/"
        (frame,) = await fetch(snapshot=snapshot, sub=f"rtsp://127.0.0.1:{served.port}/")
        assert frame.codec is Codec.H264
        with pytest.raises(DeviceUnreachable, match=r"^frames: ") as caught:
            await fetch(
                snapshot=snapshot,
                stream=f"rtsp://127.0.0.1:{without_frames.port}/",
                timeout_s=0.6,
            )
    assert any("404" in note for note in caught.value.__notes__)


async def test_camera_without_any_address() -> None:
    with pytest.raises(UnsupportedByDevice, match="no stream address"):
        await fetch()


@pytest.mark.threat("T27")
@pytest.mark.parametrize("kind", WRONG_TYPES)
async def test_what_is_no_jpeg_is_refused(kind: str) -> None:
    handler = answering(lambda: web.Response(body=WRONG_TYPES[kind], content_type="image/jpeg"))
    async with serve_web(handler) as port:
        with pytest.raises(ProtocolViolation, match=r"^frames: the answer is not a JPEG"):
            await fetch(snapshot=f"http://127.0.0.1:{port}/")


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (JPEG[: len(JPEG) // 2], "cut off"),
        (claim_size(JPEG, 30_000, 30_000), "30000 x 30000 pixels"),
        (insert_segment(JPEG, 0xE1, b"Exif", length=65_535)[:60_000] + b"\xff\xd9", "no size"),
    ],
)
async def test_picture_is_measured_before_anybody_decodes_it(data: bytes, words: str) -> None:
    async with serve_web(answering(lambda: web.Response(body=data))) as port:
        with pytest.raises(ProtocolViolation, match=words):
            await fetch(snapshot=f"http://127.0.0.1:{port}/")


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"\xff\xd8\xff" + bytes(65_536))


async def _trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"\xff")
        await asyncio.sleep(0.02)


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    ("handler", "kind", "words"),
    [
        (_endless, ProtocolViolation, "exceeds 8388608 bytes"),
        (_trickle, DeviceUnreachable, "no picture within"),
    ],
)
async def test_endless_and_slow_pictures_end(
    handler: Handler, kind: type[DeviceError], words: str
) -> None:
    async with serve_web(handler) as port, asyncio.timeout(20):
        limit_s = 0.5 if handler is _trickle else 15
        with pytest.raises(kind, match=words):
            await fetch(snapshot=f"http://127.0.0.1:{port}/", timeout_s=limit_s)


def without_key(sequence: int) -> bytes:
    rtp = b"\x80\xe0" + (sequence & 0xFFFF).to_bytes(2, "big") + sequence.to_bytes(4, "big")
    rtp += b"ssrc\x41" + bytes(1_200)
    return b"$\0" + len(rtp).to_bytes(2, "big") + rtp


async def _play_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    method = ""
    while method != "PLAY":
        seen = await read_request(reader)
        method = seen.method
        writer.write(play_along(seen))
    for sequence in itertools.count():
        writer.write(without_key(sequence))
        await writer.drain()


@pytest.mark.threat("T27")
async def test_stream_without_a_key_frame_ends_by_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.frames.MAX_STREAM_BYTES", 500_000)
    async with serve(_play_without_end) as served, asyncio.timeout(20):
        with pytest.raises(ProtocolViolation, match=r"^frames: .* 500000 bytes"):
            await fetch(stream=f"rtsp://127.0.0.1:{served.port}/", timeout_s=15)


@pytest.mark.threat("T27")
async def test_stream_without_a_key_frame_ends_by_its_time() -> None:
    async with serve(_play_without_end) as served, asyncio.timeout(10):
        with pytest.raises(DeviceUnreachable, match=r"^frames: .*did not come in"):
            await fetch(stream=f"rtsp://127.0.0.1:{served.port}/", timeout_s=0.3)


@pytest.mark.threat("T4")
@pytest.mark.threat("T13")
@pytest.mark.threat("T14")
@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "exec:/bin/true",
        "concat:/etc/passwd",
        "-i",
        "http://169.254.169.254/latest/",
        "rtsp://169.254.169.254/",
        "rtsp://[::ffff:169.254.169.254]/",
    ],
)
async def test_address_that_a_camera_must_not_send_us_to(address: str) -> None:
    for way in ("snapshot", "sub", "stream"):
        with pytest.raises(AddressRefused):
            await fetch(
                snapshot=address if way == "snapshot" else "",
                sub=address if way == "sub" else "",
                stream=address if way == "stream" else "",
            )


@pytest.mark.threat("T4")
@pytest.mark.parametrize("way", ["snapshot", "sub", "redirect"])
async def test_our_own_services_are_never_asked(way: str) -> None:
    async with serve_answers(play_along) as trap:
        policy = own(trap)
        where = f"127.0.0.1:{trap.port}/"
        lure = answering(lambda: web.Response(status=302, headers={"Location": f"http://{where}"}))
        async with serve_web(lure) as port:
            web_address = {"snapshot": f"http://{where}", "redirect": f"http://127.0.0.1:{port}/"}
            with pytest.raises(AddressRefused, match="own services"):
                await fetch(
                    policy=policy,
                    snapshot=web_address.get(way, ""),
                    sub=f"rtsp://{where}" if way == "sub" else "",
                )
        assert trap.connections == 0


def own(trap: Served) -> AddressPolicy:
    return AddressPolicy(
        allowed=LOOPBACK.allowed,
        own_endpoints=frozenset({(ip_address("127.0.0.1"), trap.port)}),
    )


@pytest.mark.threat("T31")
async def test_password_that_a_camera_echoes_is_in_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def echo(seen: Seen) -> bytes:
        if not seen.authorization:
            return reply(seen, "401 Unauthorized", 'WWW-Authenticate: Basic realm="cam"')
        return reply(seen, f"455 {PASSWORD} {seen.authorization}")

    async def ask(request: web.Request) -> web.StreamResponse:
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="cam"'})

    async with serve_answers(echo) as camera, serve_web(ask) as port:
        with pytest.raises(DeviceError) as caught:
            await fetch(
                snapshot=f"http://127.0.0.1:{port}/", sub=f"rtsp://127.0.0.1:{camera.port}/"
            )
        with pytest.raises(AuthRejected, match=r"^credentials: "):
            await fetch(snapshot=f"http://127.0.0.1:{port}/")
    shown = repr(caught.value) + str(caught.value.__notes__) + caplog.text
    assert "455: *** Basic ***" in shown
    assert PASSWORD not in shown
    assert "YWRtaW4" not in shown  # the same, as Basic sends it


async def test_cancelled_fetch_leaves_no_connection() -> None:
    ended = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            pass
        ended.set()

    async with serve(wait) as served:
        task = asyncio.create_task(fetch(stream=f"rtsp://127.0.0.1:{served.port}/"))
        await served.was_reached.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await ended.wait()


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not check():
            await asyncio.sleep(0.01)
