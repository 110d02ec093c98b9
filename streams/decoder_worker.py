"""The program of the decoding process: frames in on stdin, JPEG pictures out on stdout.

Started by streams.decoder without the hub's environment, so that a stranger's bytes meet the
decoder where there are no secrets, little memory and no files. A request is a codec name (4
bytes), two lengths, masks as JSON, and one frame: a JPEG or a key frame in Annex B form. The
answer is a status (0 good), width, height, a length, and the picture or the reason.
"""

import json
import struct

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import Polygon
from streams.codecs import decode_jpeg, decode_key_frame, draw_frame
from streams.confinement import confine, limit_cpu, read_whole
from streams.quality.masks import paint_over

REQUEST = struct.Struct(">4sII")
ANSWER = struct.Struct(">BHHI")
MAX_MEMORY_BYTES = 2 * 1024**3  # one 40-megapixel frame takes 60 MB, as BGR 120 MB
JPEG_QUALITY = 85


def main() -> None:
    """Answer requests until stdin ends."""
    cv2.setNumThreads(1)
    source, sink = confine(MAX_MEMORY_BYTES)
    while (head := read_whole(source, REQUEST.size)) is not None:
        codec, mask_length, length = REQUEST.unpack(head)
        masks = read_whole(source, mask_length)
        data = read_whole(source, length)
        if masks is None or data is None:
            return
        limit_cpu()
        try:
            name = codec.rstrip(b"\0").decode("ascii")
            jpeg, width, height = decode(name, data, json.loads(masks))
            answer = ANSWER.pack(0, width, height, len(jpeg)) + jpeg
        except ProtocolViolation as error:
            answer = _refuse(str(error))
        except (av.FFmpegError, cv2.error, ValueError, TypeError, MemoryError, OSError) as error:
            answer = _refuse(f"the frame cannot be decoded ({type(error).__name__})")
        sink.write(answer)
        sink.flush()


def _refuse(reason: str) -> bytes:
    text = reason.encode("ascii", "replace")
    return ANSWER.pack(1, 0, 0, len(text)) + text


def decode(codec: str, data: bytes, masks: tuple[Polygon, ...]) -> tuple[bytes, int, int]:
    """Decode one frame, paint over it and encode it as JPEG; returns it with width and height."""
    picture = decode_jpeg(data) if codec == "jpeg" else _decode_video(codec, data)
    paint_over(picture, masks)
    is_encoded, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not is_encoded:
        msg = "not encoded"
        raise ValueError(msg)
    return jpeg.tobytes(), picture.shape[1], picture.shape[0]


def _decode_video(codec: str, data: bytes) -> NDArray[np.uint8]:
    frame = decode_key_frame(codec, data)
    return draw_frame(frame, frame.width, frame.height)
