"""One session with a camera, for as long as pictures come. It never retries.

The message of every error begins with the layer that failed and never holds a password.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from hub.domain.addresses import AddressPolicy, parse_address
from hub.domain.errors import DeviceError, DeviceUnreachable, UnsupportedByDevice
from hub.domain.health import Layer
from hub.domain.live_video import Fragment, Track
from hub.domain.ports import CameraTarget
from streams.describe import RTSP_SCHEMES
from streams.live.muxer import Muxer
from streams.live.timeline import Timeline
from streams.network import Trace, name_layer
from streams.rtsp.client import RtspClient, open_rtsp
from streams.urls import redact

SETTING_UP_S: Final = 8.0
# Smart codecs send a key picture every ten seconds or more.
FIRST_KEY_S: Final = 30.0
# A session in which nothing whole comes for so long is over; it was called frozen long before.
SILENCE_S: Final = 10.0


class Taker(Protocol):
    """Takes what comes."""

    def begin(self, track: Track) -> None:
        """What follows is encoded like this."""

    def take(self, fragment: Fragment) -> None:
        """One picture."""


class PullFailed(Exception):
    """The session is over; ``error`` says why, ``layer`` which layer failed."""

    def __init__(self, error: DeviceError, layer: Layer) -> None:
        super().__init__(str(error))
        self.error = error
        self.layer = layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a camera is waited for: to set up, for a first key picture, for more."""

    setting_up_s: float = SETTING_UP_S
    first_key_s: float = FIRST_KEY_S
    silence_s: float = SILENCE_S


async def pull(
    target: CameraTarget,
    taker: Taker,
    *,
    policy: AddressPolicy,
    timeline: Timeline,
    patience: Patience,
) -> None:
    """Receive the stream at ``stream_address`` and hand it on; ends only by raising.

    Raises:
        PullFailed: the camera cannot be reached, sends nothing, or nothing that is understood.
    """
    trace = Trace()
    try:
        async with open_rtsp(
            parse_address(target.stream_address, schemes=RTSP_SCHEMES),
            target.credentials,
            timeout_s=patience.setting_up_s,
            policy=policy,
            trace=trace,
        ) as rtsp:
            await _receive(rtsp, taker, timeline, patience)
    except DeviceError as error:
        text = redact(str(error), target.credentials)
        raise PullFailed(type(error)(text), name_layer(error, trace)) from None


async def _receive(rtsp: RtspClient, taker: Taker, timeline: Timeline, patience: Patience) -> None:
    description = await rtsp.describe()
    video = description.video
    if video is None:
        msg = "the camera describes no video stream"
        raise UnsupportedByDevice(msg)
    muxer = Muxer(video, timeline)
    await rtsp.play(description, video)
    rtsp.patience.renew(patience.first_key_s)
    try:
        await _hand_on(rtsp, muxer, taker, patience)
    finally:
        rtsp.teardown()
    msg = "the stream ended"
    raise DeviceUnreachable(msg)


async def _hand_on(rtsp: RtspClient, muxer: Muxer, taker: Taker, patience: Patience) -> None:
    now = asyncio.get_running_loop().time
    async with aclosing(rtsp.bursts()) as bursts:
        async for burst in bursts:
            at = now()
            is_alive = False
            for packet in burst:
                track, fragment = muxer.feed(packet, at)
                if track is not None:
                    taker.begin(track)
                if fragment is not None:
                    taker.take(fragment)
                    is_alive = True
            if is_alive:
                rtsp.patience.renew(patience.silence_s)
