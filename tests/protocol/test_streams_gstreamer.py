"""Probe, description and pictures against GStreamer's RTSP server, which nobody here wrote."""

import asyncio
import contextlib
import io
import json
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiohttp
import av
import cv2
import numpy as np
import pytest

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import Stream
from hub.domain.errors import AuthRejected, DeviceBusy, UnsupportedByDevice
from hub.domain.events import DeviceDescribed
from hub.domain.health import Depth, Layer
from hub.domain.live_video import Fragment, StreamRole, Track
from hub.domain.ports import CameraTarget
from hub.domain.quality import CheckOrder, Codec, Index, Mode
from hub.domain.secrets import Credentials, Secret
from hub.runtime.outbound import open_client
from streams.decoder import DecoderProcess
from streams.describe import describe_stream
from streams.frames import fetch_frames
from streams.live.relay import Relay
from streams.probe import probe_camera
from streams.quality.judges import JudgePool
from streams.snapshot import take_snapshot
from tests.conftest import missing
from tests.protocol.test_rtsp_adapter import CollectingLink, build_adapter

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
PASSWORD = "nachts-um-3"
ADMIN = Credentials(username="admin", password=Secret(PASSWORD))
WRONG = Credentials(username="admin", password=Secret("falsch-und-geheim"))

Got = TypeVar("Got")


def now() -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class GStreamer:
    ports: dict[str, int]

    def target(
        self, server: str, path: str = "/live", *, credentials: Credentials = ADMIN
    ) -> CameraTarget:
        address = f"rtsp://127.0.0.1:{self.ports[server]}{path}"
        return CameraTarget(device_id=1, stream_address=address, credentials=credentials)


@pytest.fixture(scope="module")
def gstreamer() -> Iterator[GStreamer]:
    """GStreamer's server in a process of its own; ends when its stdin closes."""
    program = Path(__file__).with_name("gstreamer_rtsp.py")
    with subprocess.Popen(
        ["/usr/bin/python3", str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stdin.write(f"admin {PASSWORD}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            missing(f"GStreamer's RTSP server does not start: {process.stderr.read()[-500:]}")
        yield GStreamer(ports=json.loads(line))
        process.stdin.close()
        process.wait(10)


@pytest.mark.parametrize("server", ["open", "digest", "basic"])
@pytest.mark.parametrize("depth", list(Depth))
async def test_probe(gstreamer: GStreamer, server: str, depth: Depth) -> None:
    result = await probe_camera(
        gstreamer.target(server), timeout_s=10, policy=LOOPBACK, clock=now, depth=depth
    )
    assert result.failed_layer is None, result.lines
    assert result.latency_s < 10


@pytest.mark.threat("T31")
@pytest.mark.parametrize("server", ["digest", "basic"])
async def test_wrong_password(gstreamer: GStreamer, server: str) -> None:
    camera = gstreamer.target(server, credentials=WRONG)
    result = await probe_camera(camera, timeout_s=10, policy=LOOPBACK, clock=now)
    assert result.failed_layer is Layer.CREDENTIALS
    assert "falsch" not in repr(result)


async def test_unknown_path(gstreamer: GStreamer) -> None:
    result = await probe_camera(
        gstreamer.target("open", "/none"), timeout_s=10, policy=LOOPBACK, clock=now
    )
    assert result.failed_layer is Layer.STREAM


async def test_description(gstreamer: GStreamer) -> None:
    target = gstreamer.target("digest")
    stream = await describe_stream(target, timeout_s=10, policy=LOOPBACK)
    assert stream == Stream(
        role="main",
        address=target.stream_address,
        codec="h264",
        width=640,
        height=360,
        frame_rate=10.0,
    )


@pytest.mark.parametrize("path", ["/live", "/h265"])
async def test_picture_by_key_frame(gstreamer: GStreamer, path: str) -> None:
    if path == "/h265" and not gstreamer.ports["has_h265"]:
        missing("GStreamer has no x265enc")
    decoder = DecoderProcess()
    async with open_client(LOOPBACK) as client:
        for _ in range(2):  # the second one uses the process again
            picture = await _patiently(
                lambda: take_snapshot(
                    gstreamer.target("digest", path),
                    timeout_s=20,
                    client=client,
                    policy=LOOPBACK,
                    clock=now,
                    decoder=decoder,
                )
            )
            assert (picture.width, picture.height, picture.source) == (640, 360, "stream")
            assert picture.taken_at == now()
    await decoder.close()
    image = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    blue, green, red = image[100, 594].astype(int)  # the seventh bar is blue
    assert blue > 150
    assert green < 100
    assert red < 100


@pytest.mark.parametrize("path", ["/live", "/h265"])
async def test_key_frames_of_one_visit_are_judged(gstreamer: GStreamer, path: str) -> None:
    if path == "/h265" and not gstreamer.ports["has_h265"]:
        missing("GStreamer has no x265enc")
    main = gstreamer.target("open", "/none").stream_address
    camera = gstreamer.target("digest", path)
    camera = replace(camera, sub_stream_address=camera.stream_address, stream_address=main)
    pool = JudgePool(size=1)
    async with open_client(LOOPBACK) as client:
        frames = await _patiently(
            lambda: fetch_frames(
                camera,
                count=3,
                spacing_s=0.4,
                timeout_s=20,
                client=client,
                policy=LOOPBACK,
                clock=now,
            )
        )
    assert [frame.codec for frame in frames] == [Codec.H265 if "265" in path else Codec.H264] * 3
    thresholds = dict.fromkeys(Index, 50.0)
    order = CheckOrder(
        frames=frames, thresholds=thresholds, infrared=thresholds, evidence_width=320
    )
    check = await pool(order)
    await pool.close()
    assert (check.mode, check.width, check.height) == (Mode.COLOUR, 640, 360)
    image = cv2.imdecode(np.frombuffer(check.evidence, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    blue, green, red = image[50, 297].astype(int)  # the seventh bar is blue
    assert blue > 150
    assert max(green, red) < 100


async def test_stream_steps_in_for_a_snapshot_address_that_fails(gstreamer: GStreamer) -> None:
    camera = replace(gstreamer.target("basic"), snapshot_address="http://127.0.0.1:1/snap.jpg")
    async with open_client(LOOPBACK) as client:
        picture = await take_snapshot(
            camera, timeout_s=20, client=client, policy=LOOPBACK, clock=now
        )
    assert picture.source == "stream"


@pytest.mark.threat("T31")
async def test_no_picture_names_the_layer_and_no_password(gstreamer: GStreamer) -> None:
    async with aiohttp.ClientSession() as client:
        with pytest.raises(AuthRejected, match=r"^credentials: ") as caught:
            await take_snapshot(
                gstreamer.target("digest", credentials=WRONG),
                timeout_s=10,
                client=client,
                policy=LOOPBACK,
                clock=now,
            )
        assert "falsch" not in repr(caught.value) + repr(caught.value.__cause__)
        with pytest.raises(UnsupportedByDevice, match=r"^stream: "):
            await take_snapshot(
                gstreamer.target("open", "/none"),
                timeout_s=10,
                client=client,
                policy=LOOPBACK,
                clock=now,
            )


def collect_command_lines(is_done: threading.Event) -> set[bytes]:
    lines: set[bytes] = set()
    while not is_done.wait(0.02):
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it has ended
                lines.add(path.read_bytes())
    return lines


@pytest.mark.threat("T31")
async def test_password_is_on_no_command_line(gstreamer: GStreamer) -> None:
    """Looks at every process of this machine while a picture is taken."""
    is_done = threading.Event()
    looking = asyncio.create_task(asyncio.to_thread(collect_command_lines, is_done))
    try:
        async with aiohttp.ClientSession() as client:
            await take_snapshot(
                gstreamer.target("basic"), timeout_s=20, client=client, policy=LOOPBACK, clock=now
            )
    finally:
        is_done.set()
        lines = await looking
    assert any(b"streams.decoder_worker" in line for line in lines)
    assert not any(PASSWORD.encode() in line for line in lines)


async def test_adapter_registers_the_camera(gstreamer: GStreamer) -> None:
    link = CollectingLink()
    running = asyncio.create_task(build_adapter(gstreamer.target("digest")).run(link))
    async with asyncio.timeout(10):
        await link.arrived.wait()
    running.cancel()
    (event,) = link.events
    assert isinstance(event, DeviceDescribed)
    (channel,) = event.description.channels
    assert [(s.role, s.codec, s.width) for s in channel.streams] == [("main", "h264", 640)]


@pytest.mark.parametrize("path", ["/live", "/h265"])
async def test_live_video_is_relayed_as_it_is(gstreamer: GStreamer, path: str) -> None:
    if path == "/h265" and not gstreamer.ports["has_h265"]:
        missing("GStreamer has no x265enc")
    async with open_client(LOOPBACK) as client:
        snapshot = partial(take_snapshot, client=client, policy=LOOPBACK, clock=now)
        relay = Relay(policy=LOOPBACK, clock=now, take_snapshot=snapshot)
        film, pictures = b"", 0
        with relay.watch(gstreamer.target("digest", path), StreamRole.MAIN) as viewer:
            async with asyncio.timeout(30):
                while pictures < 15:
                    for item in await viewer.next():
                        film += item.init if isinstance(item, Track) else b""
                        film += item.data if isinstance(item, Fragment) else b""
                        pictures += isinstance(item, Fragment)
        await relay.close()
    with av.open(io.BytesIO(film), "r") as opened:
        stream = opened.streams.video[0]
        assert stream.codec_context.name == ("hevc" if "265" in path else "h264")
        frames = list(opened.decode(stream))
    assert len(frames) == pictures
    assert not any(frame.is_corrupt for frame in frames)
    assert (frames[0].width, frames[0].height) == (640, 360)


async def _patiently(take: Callable[[], Awaitable[Got]]) -> Got:
    """A camera that is busy is asked again: GStreamer is while it takes a stream down."""
    for _ in range(9):
        try:
            return await take()
        except DeviceBusy:
            await asyncio.sleep(1)
    return await take()
