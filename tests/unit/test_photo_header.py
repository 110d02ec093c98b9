"""The header of a photo from a stranger: kinds, sizes, bombs and rubbish."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import Invalid
from streams.photo_header import (
    FIELD,
    MAX_PHOTO_BYTES,
    PhotoKind,
    parse_photo_size,
)
from tests.encoded_frames import WRONG_TYPES, build_jpeg, claim_size

PICTURE = np.full((48, 64, 3), 90, np.uint8)
JPEG = build_jpeg(PICTURE)


def encode(kind: str, *options: int) -> bytes:
    data: bytes = cv2.imencode(kind, PICTURE, list(options))[1].tobytes()
    return data


def png_of(width: int, height: int) -> bytes:
    """A PNG of a single colour is small whatever its size: the oldest of bombs."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 10_000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def webp_of(chunk: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk + bytes(30)


def test_the_three_kinds_tell_their_sizes() -> None:
    assert parse_photo_size(JPEG) == (PhotoKind.JPEG, 64, 48)
    assert parse_photo_size(encode(".png")) == (PhotoKind.PNG, 64, 48)
    lossy, lossless = (encode(".webp", cv2.IMWRITE_WEBP_QUALITY, q) for q in (80, 101))
    assert parse_photo_size(lossy) == (PhotoKind.WEBP, 64, 48)
    assert parse_photo_size(lossless) == (PhotoKind.WEBP, 64, 48)
    extended = webp_of(b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\x3f\0\0" + b"\x2f\0\0")
    assert parse_photo_size(extended) == (PhotoKind.WEBP, 64, 48)


def test_a_phone_may_have_a_hundred_megapixels() -> None:
    large = claim_size(JPEG, 12_000, 9_000)
    assert parse_photo_size(large) == (PhotoKind.JPEG, 12_000, 9_000)


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    "photo",
    [
        claim_size(JPEG, 65_000, 65_000),
        claim_size(JPEG, 4, 4),
        png_of(30_000, 30_000),
        png_of(0, 7),
        webp_of(b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6),
    ],
)
def test_sizes_no_camera_has_are_refused_before_anything_is_decoded(photo: bytes) -> None:
    with pytest.raises(Invalid, match="pixels") as caught:
        parse_photo_size(photo)
    assert caught.value.field == FIELD


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    "data",
    [
        *(data for name, data in WRONG_TYPES.items() if name not in {"png", "webp"}),
        b"",
        b"\xff\xd8\xff",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"\x00\x00\x00\x18ftypheic" + bytes(100),
        b"\x89PNG\r\n\x1a\n",
        webp_of(b"VP9 "),
    ],
)
def test_what_is_no_photo_is_refused_in_words_a_phone_can_show(data: bytes) -> None:
    with pytest.raises(Invalid, match="the photo was not taken: it is no photo: send a JPEG"):
        parse_photo_size(data)


@pytest.mark.threat("T27")
def test_a_photo_of_fifty_megabytes_is_refused_unread() -> None:
    with pytest.raises(Invalid, match="larger than 12 MiB"):
        parse_photo_size(JPEG + bytes(50 * 1024 * 1024))
    assert parse_photo_size(JPEG + bytes(MAX_PHOTO_BYTES - len(JPEG)))[1:] == (64, 48)


@settings(max_examples=50)
@given(
    start=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBPVP8 "]),
    rest=st.binary(max_size=200),
)
def test_whatever_comes_it_is_a_size_or_a_refusal(start: bytes, rest: bytes) -> None:
    try:
        _, width, height = parse_photo_size(start + rest)
    except Invalid:
        return
    assert width > 0
    assert height > 0
