"""Take one picture: from the camera's snapshot address, else one key frame of its stream.

Limits are checked before anything is decoded; decoding happens in a process of its own. The
message of every error begins with the layer that failed and never holds a password.
"""

import asyncio
import logging
from contextlib import aclosing

import aiohttp

from hub.domain.addresses import WEB_SCHEMES, AddressPolicy, parse_address
from hub.domain.errors import (
    AddressRefused,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.health import Layer
from hub.domain.ports import CameraTarget, Clock, Picture
from streams.decoder import DecoderProcess
from streams.describe import RTSP_SCHEMES
from streams.jpeg import parse_jpeg_size
from streams.network import Trace, name_layer, resolve
from streams.rtp import KeyFrameAssembler
from streams.rtsp.client import RtspClient, open_rtsp
from streams.urls import redact
from streams.web_picture import fetch_jpeg

log = logging.getLogger(__name__)


async def take_snapshot(
    target: CameraTarget,
    *,
    timeout_s: float,
    client: aiohttp.ClientSession,
    policy: AddressPolicy,
    clock: Clock,
    decoder: DecoderProcess | None = None,
) -> Picture:
    """Return one JPEG picture within ``timeout_s``.

    ``client`` enforces the address policy on every connection it opens, redirects included.
    ``decoder`` is shared between calls; without one, a process is started for this picture.
    A snapshot address gets half of the time when there is a stream to fall back on.

    Raises:
        DeviceError: named for the reaction; the message begins with the failed layer.
    """
    first_failure: DeviceError | None = None
    deadline = asyncio.get_running_loop().time() + timeout_s
    if target.snapshot_address:
        share_s = timeout_s / 2 if target.stream_address else timeout_s
        try:
            return await _fetch(target, share_s, client, policy, clock)
        except DeviceError as error:
            if not target.stream_address:
                raise
            first_failure = error
            level = logging.WARNING if isinstance(error, AddressRefused) else logging.INFO
            log.log(level, "device %s: no snapshot (%s), taking a frame", target.device_id, error)
    remaining_s = max(0.1, deadline - asyncio.get_running_loop().time())
    try:
        return await _grab(target, remaining_s, policy, clock, decoder)
    except DeviceError as error:
        if first_failure is not None:
            error.add_note(f"the snapshot address failed before: {first_failure}")
        raise


async def _fetch(
    target: CameraTarget,
    timeout_s: float,
    client: aiohttp.ClientSession,
    policy: AddressPolicy,
    clock: Clock,
) -> Picture:
    """Fetch the picture from the snapshot address."""
    trace = Trace()
    try:
        address = parse_address(target.snapshot_address, schemes=WEB_SCHEMES)
        async with asyncio.timeout(timeout_s):
            await resolve(address, policy)  # the client asks again for every connection
            jpeg = await fetch_jpeg(address, target.credentials, client=client, trace=trace)
        width, height = parse_jpeg_size(jpeg)
    except TimeoutError:
        msg = f"{trace.layer}: no picture within {timeout_s:g} s"
        raise DeviceUnreachable(msg) from None
    except DeviceError as error:
        raise _with_layer(error, trace, target) from None
    return Picture(jpeg=jpeg, width=width, height=height, taken_at=clock(), source="snapshot")


async def _grab(
    target: CameraTarget,
    timeout_s: float,
    policy: AddressPolicy,
    clock: Clock,
    decoder: DecoderProcess | None,
) -> Picture:
    """Receive one key frame over RTSP and have it decoded."""
    trace = Trace()
    started = asyncio.get_running_loop().time()
    try:
        if not target.stream_address:
            msg = "no stream address is known"
            raise UnsupportedByDevice(msg)
        address = parse_address(target.stream_address, schemes=RTSP_SCHEMES)
        async with open_rtsp(
            address, target.credentials, timeout_s=timeout_s, policy=policy, trace=trace
        ) as rtsp:
            codec, frame = await _receive_key_frame(rtsp)
        taken_at = clock()
        trace.layer = Layer.PICTURE
        left_s = timeout_s - (asyncio.get_running_loop().time() - started)
        async with asyncio.timeout(max(0.5, left_s)):
            jpeg, width, height = await _decode(decoder, codec, frame)
    except TimeoutError:
        msg = f"{trace.layer}: the frame was not decoded in time"
        raise DeviceUnreachable(msg) from None
    except DeviceError as error:
        raise _with_layer(error, trace, target) from None
    return Picture(jpeg=jpeg, width=width, height=height, taken_at=taken_at, source="stream")


async def _receive_key_frame(rtsp: RtspClient) -> tuple[str, bytes]:
    description = await rtsp.describe()
    video = description.video
    if video is None:
        msg = "the camera describes no video stream"
        raise UnsupportedByDevice(msg)
    assembler = KeyFrameAssembler(video.codec, video.parameter_sets)
    await rtsp.play(description, video)
    async with aclosing(rtsp.packets()) as packets:
        async for packet in packets:
            frame = assembler.feed(packet)
            if frame is not None:
                return video.codec, frame
    msg = "the stream ended before a key frame"
    raise DeviceUnreachable(msg)


async def _decode(
    decoder: DecoderProcess | None, codec: str, frame: bytes
) -> tuple[bytes, int, int]:
    if decoder is not None:
        return await decoder.decode(codec, frame)
    own = DecoderProcess()
    try:
        return await own.decode(codec, frame)
    finally:
        await own.close()


def _with_layer(error: DeviceError, trace: Trace, target: CameraTarget) -> DeviceError:
    """Return the same error with its layer in front and without any password."""
    text = redact(f"{name_layer(error, trace)}: {error}", target.credentials)
    if isinstance(error, ProtocolViolation):
        evidence = redact(error.evidence.decode("utf-8", "replace"), target.credentials)
        return ProtocolViolation(text, evidence=evidence.encode("utf-8"))
    return type(error)(text)
