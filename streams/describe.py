"""Describe one stream of a camera: what flows under its address."""

from hub.domain.addresses import AddressPolicy, parse_address
from hub.domain.devices import Stream
from hub.domain.errors import UnsupportedByDevice
from hub.domain.ports import CameraTarget
from streams.h264 import parse_sps_size
from streams.network import Trace
from streams.rtsp.client import open_rtsp
from streams.rtsp.sdp import Media

RTSP_SCHEMES = frozenset({"rtsp", "rtsps"})


async def describe_stream(
    target: CameraTarget, *, timeout_s: float, policy: AddressPolicy
) -> Stream:
    """Return the first video stream under the target's stream address, as role ``main``.

    Raises:
        DeviceError: the camera cannot be asked, or has no video there.
    """
    address = parse_address(target.stream_address, schemes=RTSP_SCHEMES)
    async with open_rtsp(
        address, target.credentials, timeout_s=timeout_s, policy=policy, trace=Trace()
    ) as rtsp:
        video = (await rtsp.describe()).video
    if video is None:
        msg = "the camera describes no video stream under this address"
        raise UnsupportedByDevice(msg)
    width, height = _size_of(video)
    return Stream(
        role="main",
        address=address.text,
        codec=video.codec,
        width=width,
        height=height,
        frame_rate=video.frame_rate,
    )


def _size_of(video: Media) -> tuple[int, int]:
    """What the encoder says of itself, else what the description says, else 0 by 0."""
    for unit in video.parameter_sets if video.codec == "h264" else ():
        size = parse_sps_size(unit)
        if size is not None:
            return size
    return video.width, video.height
