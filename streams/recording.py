"""Collects the encoded pictures a camera sends for some seconds. Nothing is decoded here.

Size, time and address are limited before anything is kept. The message of every error begins
with the layer that failed and never holds a password.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from hub.domain.addresses import AddressPolicy, parse_address
from hub.domain.errors import DeviceError, DeviceUnreachable, UnsupportedByDevice
from hub.domain.ports import CameraTarget
from hub.domain.quality import Codec
from streams.describe import RTSP_SCHEMES
from streams.network import Trace, name_layer
from streams.rtp import KeyFrameAssembler
from streams.rtsp.client import RtspClient, open_rtsp
from streams.urls import redact

# Twenty seconds of 8 Mbit/s; who sends more is cut short.
MAX_RECORDED_BYTES: Final = 20 * 1024 * 1024
MAX_RECORDED_FRAMES: Final = 1_000
LEAST_FRAMES: Final = 2


@dataclass(slots=True, kw_only=True)
class Recording:
    """Encoded pictures, oldest first, each with the second after the first at which it came."""

    codec: Codec
    frames: list[tuple[float, bytes]] = field(default_factory=list, repr=False)
    size: int = 0

    @property
    def is_full(self) -> bool:
        """Tell whether nothing more is kept."""
        return self.size >= MAX_RECORDED_BYTES or len(self.frames) >= MAX_RECORDED_FRAMES

    def keep(self, at_s: float, data: bytes) -> None:
        """Keep a picture that came at a second."""
        self.frames.append((at_s, data))
        self.size += len(data)


async def record_stream(
    target: CameraTarget, *, seconds: float, timeout_s: float, policy: AddressPolicy
) -> Recording:
    """Return what the camera's main stream, else its only one, shows from the next key frame on.

    Raises:
        DeviceError: it sends nothing that could be shown; the message begins with the layer.
    """
    trace = Trace()
    found: list[Recording] = []
    try:
        async with open_rtsp(
            parse_address(target.stream_address or target.sub_stream_address, schemes=RTSP_SCHEMES),
            target.credentials,
            timeout_s=timeout_s,
            policy=policy,
            trace=trace,
        ) as rtsp:
            await _record(rtsp, seconds, found)
    except DeviceError as error:
        # What came until the link broke is shown: it may be just what matters.
        if not found or len(found[0].frames) < LEAST_FRAMES:
            text = redact(f"{name_layer(error, trace)}: {error}", target.credentials)
            raise type(error)(text) from None
    return found[0]


async def _record(rtsp: RtspClient, seconds: float, found: list[Recording]) -> None:
    description = await rtsp.describe()
    video = description.video
    if video is None:
        msg = "the camera describes no video stream"
        raise UnsupportedByDevice(msg)
    assembler = KeyFrameAssembler(video.codec, video.parameter_sets, is_film=True)
    recording = Recording(codec=Codec(video.codec))  # the assembler refuses all others
    found.append(recording)
    await rtsp.play(description, video)
    loop = asyncio.get_running_loop()
    began: float | None = None
    async with aclosing(rtsp.packets()) as packets:
        async for packet in packets:
            frame = assembler.feed(packet)
            if frame is None:
                continue
            began = loop.time() if began is None else began
            recording.keep(loop.time() - began, frame)
            if loop.time() - began >= seconds or recording.is_full:
                return
    msg = "the stream ended before there was a film"
    raise DeviceUnreachable(msg)
