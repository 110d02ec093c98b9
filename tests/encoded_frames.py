"""Frames as cameras encode them, made for tests, and the ways in which they can be broken."""

from datetime import UTC, datetime
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import Codec, EncodedFrame

TAKEN_AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ENCODERS = {Codec.H264: "libx264", Codec.H265: "libx265"}


def paint_scene(width: int, height: int, *, seed: int = 7) -> NDArray[np.uint8]:
    """A picture with light, colour, edges and texture, the same for the same seed."""
    rng = np.random.default_rng(seed)
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = np.linspace(60, 200, height, dtype=np.uint8)[:, None, None]
    for _ in range(60):
        left, top = rng.integers(0, width), rng.integers(0, height)
        size = rng.integers(8, max(9, width // 5), 2)
        colour = tuple(int(part) for part in rng.integers(20, 235, 3))
        end = (int(left + size[0]), int(top + size[1]))
        cv2.rectangle(picture, (int(left), int(top)), end, colour, cv2.FILLED)
    grain = rng.normal(0, 3, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def build_jpeg(picture: NDArray[np.uint8], *, is_progressive: bool = False) -> bytes:
    """A JPEG as a camera sends it."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_PROGRESSIVE, int(is_progressive)]
    data: bytes = cv2.imencode(".jpg", picture, options)[1].tobytes()
    return data


def build_key_frame(codec: Codec, picture: NDArray[np.uint8], *, crf: int = 18) -> bytes:
    """One key frame in Annex B form, by FFmpeg's own encoder; a larger ``crf`` is a worse one."""
    context = av.CodecContext.create(ENCODERS[codec], "w")
    assert isinstance(context, av.VideoCodecContext)
    context.height, context.width = picture.shape[:2]
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, 25)
    context.options = {"preset": "ultrafast", "crf": str(crf), "x265-params": "log-level=none"}
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def as_frame(data: bytes, codec: Codec = Codec.JPEG) -> EncodedFrame:
    return EncodedFrame(codec=codec, data=data, taken_at=TAKEN_AT)


def claim_size(jpeg: bytes, width: int, height: int) -> bytes:
    """The same JPEG with another size in its header."""
    at = jpeg.index(b"\xff\xc0") + 5
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return jpeg[:at] + size + jpeg[at + 4 :]


def insert_segment(jpeg: bytes, marker: int, body: bytes, *, length: int | None = None) -> bytes:
    """The same JPEG with a segment after its start, of any claimed length."""
    claimed = len(body) + 2 if length is None else length
    return jpeg[:2] + bytes([0xFF, marker]) + claimed.to_bytes(2, "big") + body + jpeg[2:]


def build_scan_bomb(scans: int) -> bytes:
    """A progressive JPEG of 38 megapixels in which every few bytes are one more pass over all."""
    jpeg = build_jpeg(np.full((64, 64, 3), 90, np.uint8), is_progressive=True)
    at = jpeg.index(b"\xff\xc2") + 5
    size = (6_200).to_bytes(2, "big") * 2
    jpeg = jpeg[:at] + size + jpeg[at + 4 :]
    start = jpeg.index(b"\xff\xda")
    end = jpeg.index(b"\xff", start + 12)
    return jpeg[:start] + jpeg[start:end] * scans + b"\xff\xd9"


WRONG_TYPES = {
    "png": bytes(cv2.imencode(".png", np.zeros((48, 64, 3), np.uint8))[1].tobytes()),
    "html": b"<html><body>Please log in</body></html>",
    "zip": b"PK\x03\x04" + bytes(64),
    "gif": b"GIF89a" + bytes(64),
    "text": b"\xff\xd8 is how a JPEG begins",
    "nothing": b"",
}
