"""The RTSP adapter against a description that is passed in."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from adapters.rtsp.adapter import RtspAdapter
from adapters.rtsp.options import RtspOptions
from hub.domain.devices import Connection, DeviceKind, Stream
from hub.domain.errors import DeviceUnreachable, UnsupportedByDevice
from hub.domain.events import DeviceDescribed, Event
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret

MAIN, SUB = "rtsp://192.0.2.7/main", "rtsp://192.0.2.7/sub"
CREDENTIALS = Credentials(username="admin", password=Secret("geheim-4711"))


class Link:
    def __init__(self) -> None:
        self.events: list[Event] = []

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        self.events.extend(events)
        if acknowledge is not None:
            acknowledge()


class Camera:
    """Answers from a list per address; the last answer is an error that ends the run."""

    def __init__(self, answers: dict[str, list[Stream | Exception]]) -> None:
        self.answers = answers
        self.targets: list[CameraTarget] = []

    async def describe(self, target: CameraTarget, *, timeout_s: float) -> Stream:
        assert timeout_s == 10.0
        self.targets.append(target)
        answer = self.answers[target.stream_address].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Time:
    """Stands still unless somebody sleeps."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)
        self.slept: list[float] = []

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def build(camera: Camera, time: Time, **options: object) -> RtspAdapter:
    return RtspAdapter(
        connection=Connection(
            id=7, protocol="rtsp", name="Gate", address=MAIN, area_id=1, credentials=CREDENTIALS
        ),
        options=RtspOptions.model_validate(options),
        describe=camera.describe,
        clock=time.clock,
        sleep=time.sleep,
    )


def stream(address: str, codec: str = "h264") -> Stream:
    return Stream(role="main", address=address, codec=codec)


async def test_describes_main_and_sub_and_raises_when_the_camera_dies() -> None:
    camera = Camera({MAIN: [stream(MAIN), DeviceUnreachable("gone")], SUB: [stream(SUB)]})
    time, link = Time(), Link()
    adapter = build(
        camera,
        time,
        sub_stream_address=SUB,
        snapshot_address="http://192.0.2.7/s",
        poll_interval_s=60,
    )
    with pytest.raises(DeviceUnreachable, match="gone"):
        await adapter.run(link)
    (event,) = link.events
    assert isinstance(event, DeviceDescribed)
    assert event.description.kind is DeviceKind.CAMERA
    (channel,) = event.description.channels
    assert [(s.role, s.address) for s in channel.streams] == [("main", MAIN), ("sub", SUB)]
    assert channel.snapshot_address == "http://192.0.2.7/s"
    assert camera.targets[0].credentials is CREDENTIALS
    assert time.slept == [60.0]


async def test_emits_again_only_what_has_changed() -> None:
    camera = Camera(
        {MAIN: [stream(MAIN), stream(MAIN), stream(MAIN, "hevc"), DeviceUnreachable("gone")]}
    )
    link = Link()
    with pytest.raises(DeviceUnreachable):
        await build(camera, Time()).run(link)
    codecs = [
        event.description.channels[0].streams[0].codec
        for event in link.events
        if isinstance(event, DeviceDescribed)
    ]
    assert codecs == ["h264", "hevc"]


async def test_missing_sub_stream_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    camera = Camera(
        {MAIN: [stream(MAIN), DeviceUnreachable("gone")], SUB: [UnsupportedByDevice("404")]}
    )
    link = Link()
    with pytest.raises(DeviceUnreachable):
        await build(camera, Time(), sub_stream_address=SUB).run(link)
    (event,) = link.events
    assert isinstance(event, DeviceDescribed)
    assert [s.role for s in event.description.channels[0].streams] == ["main"]
    assert "sub stream is left out" in caplog.text


async def test_main_stream_that_is_missing_ends_the_run() -> None:
    link = Link()
    with pytest.raises(UnsupportedByDevice):
        await build(Camera({MAIN: [UnsupportedByDevice("404")]}), Time()).run(link)
    assert link.events == []
