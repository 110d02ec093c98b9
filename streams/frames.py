"""Fetch encoded pictures of one visit: from the snapshot address, else key frames of a stream.

Nothing is decoded here; size, time and address are limited before anything is kept. The message
of every error begins with the layer that failed and never holds a password.
"""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from hub.domain.addresses import WEB_SCHEMES, AddressPolicy, parse_address
from hub.domain.errors import (
    AddressRefused,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.ports import CameraTarget, Clock
from hub.domain.quality import Codec, EncodedFrame
from streams.describe import RTSP_SCHEMES
from streams.jpeg import parse_jpeg_size
from streams.network import Trace, name_layer, resolve
from streams.rtp import KeyFrameAssembler
from streams.rtsp.client import RtspClient, open_rtsp
from streams.urls import redact
from streams.web_picture import fetch_jpeg

log = logging.getLogger(__name__)

MAX_FRAMES: Final = 8  # of one visit
# A stream of 16 Mbit/s sends 20 MB in 10 s; more without a key frame is no camera's stream.
MAX_STREAM_BYTES: Final = 64 * 1024 * 1024
_LEAST_S: Final = 0.1  # of time for the second way, however long the first one took


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """What is wanted of a camera, by what means, and what is there already.

    ``deadline`` is a time of the event loop.
    """

    target: CameraTarget
    count: int
    spacing_s: float
    deadline: float
    client: aiohttp.ClientSession
    policy: AddressPolicy
    clock: Clock
    found: list[EncodedFrame] = field(default_factory=list)

    @property
    def left_s(self) -> float:
        """How much of the time is left."""
        return max(_LEAST_S, self.deadline - asyncio.get_running_loop().time())

    def keep(self, codec: Codec, data: bytes) -> bool:
        """Keep a frame that was received now; tells whether there are as many as wanted."""
        self.found.append(EncodedFrame(codec=codec, data=data, taken_at=self.clock()))
        return len(self.found) >= self.count


async def fetch_frames(  # noqa: PLR0913 - a visit's wishes and the means given once, by partial()
    target: CameraTarget,
    *,
    count: int = 1,
    spacing_s: float = 1.0,
    timeout_s: float,
    client: aiohttp.ClientSession,
    policy: AddressPolicy,
    clock: Clock,
) -> tuple[EncodedFrame, ...]:
    """Return ``count`` (at most MAX_FRAMES) frames, oldest first, within ``timeout_s``.

    They come from the snapshot address, one request each, else they are key frames of one
    session of the sub stream, or of the only stream; ``spacing_s`` apart at the least. Where a
    camera does not give so many in that time, there are fewer, but one at the least.
    ``client`` enforces the address policy on every connection it opens, redirects included.
    A snapshot address gets half of the time when there is a stream to fall back on.

    Raises:
        DeviceError: named for the reaction; the message begins with the failed layer.
    """
    now = asyncio.get_running_loop().time()
    visit = _Visit(
        target=target,
        count=min(count, MAX_FRAMES),
        spacing_s=spacing_s,
        deadline=now + timeout_s,
        client=client,
        policy=policy,
        clock=clock,
    )
    stream_address = target.sub_stream_address or target.stream_address
    first_failure: DeviceError | None = None
    if target.snapshot_address:
        share_s = timeout_s / 2 if stream_address else timeout_s
        try:
            await _fetch(visit, share_s)
        except DeviceError as error:
            if not stream_address:
                raise
            first_failure = error
            level = logging.WARNING if isinstance(error, AddressRefused) else logging.INFO
            log.log(level, "device %s: no snapshot (%s), taking a frame", target.device_id, error)
        else:
            return tuple(visit.found)
    try:
        await _grab(visit, stream_address)
    except DeviceError as error:
        if first_failure is not None:
            error.add_note(f"the snapshot address failed before: {first_failure}")
        raise
    return tuple(visit.found)


async def _fetch(visit: _Visit, share_s: float) -> None:
    """Fetch pictures from the snapshot address; ``share_s`` is the time for the first."""
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    is_done = visit.keep(Codec.JPEG, await _fetch_one(visit, share_s))
    while not is_done:
        pause_s = max(0.0, asked_at + visit.spacing_s - loop.time())
        if loop.time() + pause_s >= visit.deadline:
            return
        await asyncio.sleep(pause_s)
        asked_at = loop.time()
        try:
            is_done = visit.keep(Codec.JPEG, await _fetch_one(visit, visit.left_s))
        except DeviceError as error:
            _log_fewer(visit, error)
            return


async def _fetch_one(visit: _Visit, limit_s: float) -> bytes:
    """Return one picture of the snapshot address."""
    trace = Trace()
    try:
        address = parse_address(visit.target.snapshot_address, schemes=WEB_SCHEMES)
        async with asyncio.timeout(limit_s):
            await resolve(address, visit.policy)  # the client asks again for every connection
            jpeg = await fetch_jpeg(
                address, visit.target.credentials, client=visit.client, trace=trace
            )
        parse_jpeg_size(jpeg)
    except TimeoutError:
        msg = f"{trace.layer}: no picture within {limit_s:g} s"
        raise DeviceUnreachable(msg) from None
    except DeviceError as error:
        raise _with_layer(error, trace, visit.target) from None
    return jpeg


async def _grab(visit: _Visit, stream_address: str) -> None:
    """Receive key frames in one RTSP session."""
    trace = Trace()
    try:
        if not stream_address:
            msg = "no stream address is known"
            raise UnsupportedByDevice(msg)
        async with open_rtsp(
            parse_address(stream_address, schemes=RTSP_SCHEMES),
            visit.target.credentials,
            timeout_s=visit.left_s,
            policy=visit.policy,
            trace=trace,
        ) as rtsp:
            await _receive_key_frames(rtsp, visit)
    except DeviceError as error:
        if not visit.found:
            raise _with_layer(error, trace, visit.target) from None
        _log_fewer(visit, _with_layer(error, trace, visit.target))


async def _receive_key_frames(rtsp: RtspClient, visit: _Visit) -> None:
    """Play the stream and keep its key frames, until there are enough."""
    description = await rtsp.describe()
    video = description.video
    if video is None:
        msg = "the camera describes no video stream"
        raise UnsupportedByDevice(msg)
    assembler = KeyFrameAssembler(video.codec, video.parameter_sets)
    codec = Codec(video.codec)  # the assembler refuses all others
    await rtsp.play(description, video)
    loop = asyncio.get_running_loop()
    due = loop.time()
    received = 0
    async with aclosing(rtsp.packets()) as packets:
        async for packet in packets:
            received += len(packet)
            if received > MAX_STREAM_BYTES:
                msg = f"the stream sends {MAX_STREAM_BYTES} bytes without the frames waited for"
                raise ProtocolViolation(msg)
            frame = assembler.feed(packet)
            if frame is not None and loop.time() >= due:
                if visit.keep(codec, frame):
                    return
                due = loop.time() + visit.spacing_s
    msg = "the stream ended before a key frame"
    raise DeviceUnreachable(msg)


def _log_fewer(visit: _Visit, error: DeviceError) -> None:
    log.info(
        "device %s: %d of %d frames (%s)",
        visit.target.device_id,
        len(visit.found),
        visit.count,
        error,
    )


def _with_layer(error: DeviceError, trace: Trace, target: CameraTarget) -> DeviceError:
    """Return the same error with its layer in front and without any password."""
    text = redact(f"{name_layer(error, trace)}: {error}", target.credentials)
    if isinstance(error, ProtocolViolation):
        evidence = redact(error.evidence.decode("utf-8", "replace"), target.credentials)
        return ProtocolViolation(text, evidence=evidence.encode("utf-8"))
    return type(error)(text)
