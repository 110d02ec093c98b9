"""Encodes what a camera sees to H.264; the RTSP server sends it in a loop.

One group of pictures per second, each beginning with an IDR picture that carries its own
parameter sets, so that a stream may change from one clip to another at every second. Every
clip is encoded with the same settings and therefore shares its parameter sets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import av

from hub.simulators.picture import (
    STILL_MODES,
    Moment,
    Scene,
    draw_background,
    draw_picture,
)
from hub.simulators.picture_faults import Mode
from hub.simulators.rtp import build_payloads
from hub.simulators.scenery import Frame

FRAME_RATE = 10
CLIP_SECONDS = 4
STILL_SECONDS = 2
_GRAIN_STEP = 1009
_NAL_SLICE, _NAL_IDR, _NAL_SPS, _NAL_PPS = 1, 5, 7, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """An encoded loop: for each picture the RTP payloads that carry it."""

    width: int
    height: int
    sps: bytes
    pps: bytes
    pictures: tuple[tuple[bytes, ...], ...]


def encode_clip(scene: Scene, mode: Mode, begins: Moment, *, payload_limit: int) -> Clip:
    """Draw and encode what the camera sees from a moment on; 640x360 takes 0.2 s of a core."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = scene.width, scene.height, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FRAME_RATE), Fraction(FRAME_RATE, 1)
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",
        "qp": "27",  # constant: a frozen picture is encoded to the same bits each time
        "x264-params": f"keyint={FRAME_RATE}:min-keyint={FRAME_RATE}:scenecut=0:threads=1",
    }
    encoded: list[bytes] = []
    for number, frame in enumerate(_draw(scene, mode, begins)):
        picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
        picture.pts = number
        encoded += [bytes(packet) for packet in codec.encode(picture)]
    encoded += [bytes(packet) for packet in codec.encode(None)]
    units = [split_nals(data) for data in encoded]
    sps = next(nal for unit in units for nal in unit if nal[0] & 31 == _NAL_SPS)
    pps = next(nal for unit in units for nal in unit if nal[0] & 31 == _NAL_PPS)
    return Clip(
        width=scene.width,
        height=scene.height,
        sps=sps,
        pps=pps,
        pictures=tuple(
            build_payloads(_with_parameters(unit, sps, pps), limit=payload_limit) for unit in units
        ),
    )


def _draw(scene: Scene, mode: Mode, begins: Moment) -> Iterator[Frame]:
    background = draw_background(scene)
    if mode in STILL_MODES:
        still = draw_picture(scene, background, mode, begins)
        yield from (still for _ in range(STILL_SECONDS * FRAME_RATE))
        return
    for number in range(CLIP_SECONDS * FRAME_RATE):
        elapsed_s = number / FRAME_RATE
        moment = Moment(
            elapsed_s=begins.elapsed_s + elapsed_s,
            now=begins.now + timedelta(seconds=elapsed_s),
            chance=begins.chance + number * _GRAIN_STEP,
        )
        yield draw_picture(scene, background, mode, moment)


def split_nals(data: bytes) -> tuple[bytes, ...]:
    """Split an Annex B byte stream into its NAL units."""
    # No unit ends in zeros (ITU-T H.264 section 7.4.1): those belong to the next start code.
    parts = (part.rstrip(b"\0") for part in data.split(b"\0\0\1"))
    return tuple(part for part in parts if part)


def _with_parameters(unit: tuple[bytes, ...], sps: bytes, pps: bytes) -> tuple[bytes, ...]:
    slices = tuple(nal for nal in unit if nal[0] & 31 in (_NAL_SLICE, _NAL_IDR))
    is_key = any(nal[0] & 31 == _NAL_IDR for nal in slices)
    return (sps, pps, *slices) if is_key else slices
