"""Pictures from strangers are measured before anything decodes them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import ProtocolViolation
from streams.jpeg import MAX_JPEG_BYTES, parse_jpeg_size

JPEG: bytes = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()


def with_size(width: int, height: int) -> bytes:
    position = JPEG.index(b"\xff\xc0")
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return JPEG[: position + 5] + size + JPEG[position + 9 :]


def test_size_is_read_from_the_header() -> None:
    assert parse_jpeg_size(JPEG) == (64, 48)


@pytest.mark.threat("T27")
def test_limits_hold_before_decoding() -> None:
    assert parse_jpeg_size(with_size(8000, 5000)) == (8000, 5000)  # 40 megapixels
    with pytest.raises(ProtocolViolation, match="pixels"):
        parse_jpeg_size(with_size(65_000, 65_000))
    with pytest.raises(ProtocolViolation, match="bytes"):
        parse_jpeg_size(JPEG + b"\x00" * MAX_JPEG_BYTES)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>login</html>",
        b"\x89PNG\r\n\x1a\n",
        JPEG[:-2],
        JPEG[:4] + b"\xff\xd9",
        with_size(0, 10),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        parse_jpeg_size(data)


@pytest.mark.threat("K8")
@settings(max_examples=300, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_parser(tail: bytes) -> None:
    try:
        width, height = parse_jpeg_size(b"\xff\xd8\xff" + tail + b"\xff\xd9")
    except ProtocolViolation:
        return
    assert width > 0
    assert height > 0
