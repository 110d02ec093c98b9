"""The RTSP adapter over real sockets: online, wrong password, cut cable, garbage, cancel."""

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from adapters.rtsp.adapter import RtspAdapter
from adapters.rtsp.options import RtspOptions
from hub.domain.devices import Connection
from hub.domain.errors import AddressRefused, AuthRejected, DeviceUnreachable, ProtocolViolation
from hub.domain.events import DeviceDescribed, Event
from hub.domain.ports import CameraTarget, DescribeStream
from streams.describe import describe_stream
from tests.protocol.probing import LOOPBACK, PASSWORD, target
from tests.protocol.scripted_rtsp import (
    ask_digest,
    play_along,
    serve,
    serve_answers,
    stay_silent,
)


class CollectingLink:
    """Keeps what an adapter emits."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.arrived = asyncio.Event()

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        self.events.extend(events)
        self.arrived.set()
        if acknowledge is not None:
            acknowledge()


def build_adapter(
    camera: CameraTarget, *, poll_interval_s: float = 60, timeout_s: float = 5
) -> RtspAdapter:
    """An adapter of one camera on 127.0.0.1."""

    describe: DescribeStream = functools.partial(describe_stream, policy=LOOPBACK)
    connection = Connection(
        id=1,
        protocol="rtsp",
        name="Gate",
        address=camera.stream_address,
        area_id=1,
        credentials=camera.credentials,
    )
    options = RtspOptions(poll_interval_s=poll_interval_s, timeout_s=timeout_s)
    return RtspAdapter(
        connection=connection, options=options, describe=describe, clock=lambda: datetime.now(UTC)
    )


@pytest.mark.threat("T31")
async def test_online_then_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    link = CollectingLink()
    answer = ask_digest(play_along, algorithm="SHA-256", password=PASSWORD, nonces=("n1",))
    with caplog.at_level(logging.DEBUG):
        async with serve_answers(answer) as camera:
            adapter = build_adapter(target(camera.port), poll_interval_s=1)
            running = asyncio.create_task(adapter.run(link))
            async with asyncio.timeout(10):
                await link.arrived.wait()
        async with asyncio.timeout(10):
            with pytest.raises(DeviceUnreachable) as caught:
                await running
    (event,) = link.events
    assert isinstance(event, DeviceDescribed)
    (stream,) = event.description.channels[0].streams
    assert (stream.codec, stream.width, stream.height) == ("h264", 704, 576)
    assert PASSWORD not in repr(event) + repr(caught.value) + caplog.text


async def test_wrong_password() -> None:
    answer = ask_digest(play_along, algorithm="MD5", password="another", nonces=("n1",))
    async with serve_answers(answer) as camera:
        with pytest.raises(AuthRejected):
            await build_adapter(target(camera.port)).run(CollectingLink())


@pytest.mark.threat("T31")
async def test_garbage_is_kept_as_evidence_without_the_password() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"nonsense {PASSWORD} and more\r\n\r\n".encode())
        await asyncio.Event().wait()

    async with serve(shout) as camera:
        with pytest.raises(ProtocolViolation) as caught:
            await build_adapter(target(camera.port)).run(CollectingLink())
    assert caught.value.evidence == b"nonsense *** and more"


async def test_silence_ends_by_the_time_limit() -> None:
    async with serve(stay_silent) as camera, asyncio.timeout(3):
        with pytest.raises(DeviceUnreachable, match="says nothing"):
            await build_adapter(target(camera.port), timeout_s=0.3).run(CollectingLink())


@pytest.mark.threat("T3")
@pytest.mark.parametrize("address", ["exec:/bin/sh", "http://127.0.0.1/x", "rtsp://169.254.0.1/"])
async def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        await build_adapter(CameraTarget(device_id=1, stream_address=address)).run(CollectingLink())


async def test_cancel_ends_it_within_a_second() -> None:
    async with serve(stay_silent) as camera:
        running = asyncio.create_task(build_adapter(target(camera.port)).run(CollectingLink()))
        await camera.was_reached.wait()
        running.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await running
