"""Frames become small pictures, cheaply; what is hostile or broken becomes an error."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import Codec
from streams.codecs import MAX_SCANS
from streams.quality.decoding import choose_reduction, decode
from streams.quality.sample import ANALYSIS_WIDTH
from tests.encoded_frames import (
    WRONG_TYPES,
    as_frame,
    build_jpeg,
    build_key_frame,
    build_scan_bomb,
    claim_size,
    insert_segment,
    paint_scene,
)

SCENE = paint_scene(320, 240)
JPEG = build_jpeg(SCENE)


@pytest.mark.parametrize(
    ("width", "by"),
    [
        (352, 1),
        (2 * ANALYSIS_WIDTH - 1, 1),
        (2 * ANALYSIS_WIDTH, 2),
        (4 * ANALYSIS_WIDTH - 1, 2),
        (4 * ANALYSIS_WIDTH, 4),
        (8 * ANALYSIS_WIDTH, 8),
        (60_000, 8),
    ],
)
def test_picture_is_reduced_no_further_than_is_analysed(width: int, by: int) -> None:
    assert choose_reduction(width) == by


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize(("width", "height"), [(320, 240), (1922, 1080)])
def test_every_codec_shows_the_same_picture(codec: Codec, width: int, height: int) -> None:
    scene = paint_scene(width, height)
    data = build_jpeg(scene) if codec is Codec.JPEG else build_key_frame(codec, scene)
    decoded = decode(as_frame(data, codec))
    assert (decoded.width, decoded.height) == (width, height)
    by = choose_reduction(width)
    assert decoded.bgr.shape == (-(-height // by), -(-width // by), 3)
    size = (decoded.bgr.shape[1], decoded.bgr.shape[0])
    expected = cv2.resize(scene, size, interpolation=cv2.INTER_AREA).astype(float)
    assert float(np.mean(np.abs(decoded.bgr - expected))) < 6  # levels


def test_progressive_picture_is_decoded() -> None:
    decoded = decode(as_frame(build_jpeg(SCENE, is_progressive=True)))
    assert float(np.mean(np.abs(decoded.bgr - SCENE.astype(float)))) < 6


def test_picture_that_says_it_stands_on_end_is_turned() -> None:
    little_endian = b"Exif\0\0II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
    turned = insert_segment(JPEG, 0xE1, little_endian + bytes(4))
    decoded = decode(as_frame(turned))
    assert decoded.bgr.shape == (320, 240, 3)
    assert (decoded.width, decoded.height) == (240, 320)


@pytest.mark.threat("T27")
@pytest.mark.parametrize("kind", WRONG_TYPES)
@pytest.mark.parametrize("codec", list(Codec))
def test_wrong_types_are_no_picture(kind: str, codec: Codec) -> None:
    with pytest.raises(ProtocolViolation):
        decode(as_frame(WRONG_TYPES[kind], codec))


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (claim_size(JPEG, 30_000, 30_000), "30000 x 30000 pixels exceeds"),
        (claim_size(JPEG, 65_535, 65_535), "exceeds"),
        (claim_size(JPEG, 65_500, 600), "is no camera's"),
        (claim_size(JPEG, 8, 8), "is no camera's"),
        (JPEG[: len(JPEG) // 2], "cut off"),
        (insert_segment(JPEG, 0xFE, b"", length=65_535), "names no size"),
        (insert_segment(JPEG, 0xC4, b"\0" + b"\xff" * 200), "cannot be decoded"),
        (insert_segment(JPEG, 0xDB, b"\xff" * 65), "cannot be decoded"),
        (JPEG[:2] + bytes(64) + JPEG[2:], "not a JPEG"),
        (build_scan_bomb(MAX_SCANS + 1), f"more than {MAX_SCANS} passes"),
        (JPEG[:20] + bytes(len(JPEG) - 22) + b"\xff\xd9", "names no size"),
    ],
)
def test_hostile_jpeg_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ProtocolViolation, match=words):
        decode(as_frame(data))


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    ("marker", "body"),
    [(0xE1, b"Exif\0\0MM\0*"), (0xE2, b"ICC_PROFILE\0\x01\xff"), (0xFE, b"")],
)
def test_hostile_remarks_are_passed_over(marker: int, body: bytes) -> None:
    decoded = decode(as_frame(insert_segment(JPEG, marker, body + b"\xff" * 60_000)))
    assert decoded.bgr.shape == (240, 320, 3)


@pytest.mark.threat("T27")
def test_second_size_does_not_slip_past_the_limit() -> None:
    at = JPEG.index(b"\xff\xc0")
    end = at + 2 + int.from_bytes(JPEG[at + 2 : at + 4], "big")
    huge = claim_size(JPEG, 30_000, 30_000)[at:end]
    with pytest.raises(ProtocolViolation):
        decode(as_frame(JPEG[:end] + huge + JPEG[end:]))


@pytest.mark.threat("T27")
@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_broken_video_is_refused(codec: Codec) -> None:
    good = build_key_frame(codec, SCENE)
    for data in (b"\0\0\0\1", good[: len(good) // 8], good[:40] + bytes(len(good) - 40)):
        with pytest.raises(ProtocolViolation, match="decoded"):
            decode(as_frame(data, codec))


@pytest.mark.threat("K8")
@settings(max_examples=50, deadline=None, database=None)
@given(data=st.data(), codec=st.sampled_from(list(Codec)))
def test_flipped_bytes_give_a_picture_or_an_error(data: st.DataObject, codec: Codec) -> None:
    good = bytearray(JPEG if codec is Codec.JPEG else build_key_frame(codec, SCENE[:64, :64]))
    for _ in range(data.draw(st.integers(1, 20))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode(as_frame(bytes(good), codec))
    except ProtocolViolation:
        return
    assert decoded.bgr.ndim == 3
