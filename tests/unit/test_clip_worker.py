"""Films out of what cameras encoded: masked, small enough, and whole where parts are broken."""

import io
import struct
from collections.abc import Sequence

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import Codec
from streams import clip_messages
from streams.clip_messages import FilmOrder
from streams.clip_worker import FRAMES_A_SECOND, WIDEST, make_film
from streams.recording import MAX_RECORDED_BYTES, MAX_RECORDED_FRAMES, Recording
from tests.encoded_frames import build_jpeg, build_key_frame, build_scan_bomb, paint_scene

SCENE = paint_scene(320, 240)
CORNER = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))


def encode(codec: Codec, picture: NDArray[np.uint8] = SCENE) -> bytes:
    return build_jpeg(picture) if codec is Codec.JPEG else build_key_frame(codec, picture)


def order(
    codec: Codec, frames: Sequence[bytes], *, gap_s: float = 0.1, **more: object
) -> FilmOrder:
    timed = [(gap_s * number, data) for number, data in enumerate(frames)]
    return FilmOrder(codec=codec.value, frames=timed, **more)  # type: ignore[arg-type]  # by name


def pictures(film: bytes) -> list[tuple[float, NDArray[np.uint8]]]:
    with av.open(io.BytesIO(film)) as opened:
        assert isinstance(opened, av.container.InputContainer)
        assert [stream.type for stream in opened.streams] == ["video"]
        assert opened.streams.video[0].codec_context.name == "h264"
        return [
            (float(frame.time or 0.0), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            for frame in opened.decode(video=0)
        ]


@pytest.mark.parametrize("codec", list(Codec))
def test_a_film_shows_what_the_camera_sent_and_not_what_is_masked(codec: Codec) -> None:
    film, seconds = make_film(order(codec, [encode(codec)] * 10, masks=(CORNER,)))
    shown = pictures(film)
    assert len(shown) == 10
    assert seconds == pytest.approx(0.9, abs=0.1)
    assert [round(at_s, 1) for at_s, _ in shown] == [round(0.1 * n, 1) for n in range(10)]
    for _, picture in shown:
        assert picture.shape == (240, 320, 3)
        assert picture[:116, :156].max() < 24
        assert float(np.abs(picture[130:].astype(float) - SCENE[130:]).mean()) < 12.0


def test_a_large_and_fast_stream_becomes_a_small_film() -> None:
    large = encode(Codec.H264, paint_scene(1920, 1080))
    film, _ = make_film(order(Codec.H264, [large] * 25, gap_s=0.04))
    shown = pictures(film)
    assert shown[0][1].shape == (540, WIDEST, 3)
    assert len(shown) <= FRAMES_A_SECOND + 1
    tall, _ = make_film(order(Codec.JPEG, [encode(Codec.JPEG, paint_scene(481, 1443))] * 2))
    assert pictures(tall)[0][1].shape == (960, 320, 3)


def test_times_that_stand_still_or_run_back_do_not_break_a_film() -> None:
    frames = [(at_s, encode(Codec.JPEG)) for at_s in (0.0, 0.0, 5.0, 1.0)]
    film, _ = make_film(FilmOrder(codec="jpeg", frames=frames))
    times = [at_s for at_s, _ in pictures(film)]
    assert times == sorted(set(times))


@pytest.mark.threat("T27")
def test_what_is_broken_in_between_is_left_out() -> None:
    good = encode(Codec.H264)
    film, _ = make_film(order(Codec.H264, [good, b"\0\0\0\1\x65" + bytes(range(256)), good]))
    assert len(pictures(film)) >= 2
    other = encode(Codec.JPEG, paint_scene(640, 480))
    film, _ = make_film(order(Codec.JPEG, [encode(Codec.JPEG), other]))
    assert len(pictures(film)) == 1  # another size: it ends there


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    ("codec", "frame"),
    [
        (Codec.H264, b""),
        (Codec.H264, bytes(1000)),
        (Codec.H265, b"\0\0\0\1\x65" + bytes(range(256)) * 8),
        (Codec.H264, encode(Codec.H265)),
        (Codec.H264, encode(Codec.H264, np.full((5120, 8192, 3), 90, np.uint8))),
        (Codec.JPEG, b"<html>"),
        (Codec.JPEG, build_scan_bomb(1_000)),
        (Codec.JPEG, encode(Codec.JPEG, np.full((8, 8, 3), 90, np.uint8))),
    ],
)
def test_what_is_no_film_is_refused(codec: Codec, frame: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        make_film(order(codec, [frame] * 3))


@pytest.mark.threat("T5")
@pytest.mark.parametrize("codec", ["png", "gif", "-i", "", "av1", "rawvideo"])
def test_other_decoders_cannot_be_reached(codec: str) -> None:
    with pytest.raises(ProtocolViolation, match="codec is not known"):
        make_film(FilmOrder(codec=codec, frames=[(0.0, encode(Codec.H264))]))


def test_a_film_with_an_unclear_mask_is_not_given_out() -> None:
    with pytest.raises(ValueError, match="mask"):
        make_film(order(Codec.JPEG, [encode(Codec.JPEG)], masks=(((0.0, 0.0), (1.0, 1.0)),)))


def test_an_order_arrives_as_it_was_sent() -> None:
    recording = Recording(codec=Codec.H265)
    recording.keep(0.0, b"one")
    recording.keep(0.25, b"")
    sent = io.BytesIO(clip_messages.build_order(recording, (CORNER,)))
    found = clip_messages.read_order(sent)
    assert found is not None
    assert (found.codec, list(found.frames)) == ("hevc", [(0.0, b"one"), (0.25, b"")])
    assert [[tuple(corner) for corner in mask] for mask in found.masks] == [list(CORNER)]
    assert clip_messages.read_order(sent) is None
    assert clip_messages.read_order(io.BytesIO(sent.getvalue()[:-1])) is None


def test_a_recording_is_full_at_its_limits() -> None:
    few, many = Recording(codec=Codec.H264), Recording(codec=Codec.H264)
    few.keep(0.0, bytes(MAX_RECORDED_BYTES))
    for _ in range(MAX_RECORDED_FRAMES):
        assert not many.is_full
        many.keep(0.0, b"x")
    assert few.is_full
    assert many.is_full


def test_a_refusal_is_short_and_printable() -> None:
    words = clip_messages.build_refusal("no\n" * 500)
    (length,) = struct.unpack_from(">I", words, 9)
    assert length == clip_messages.LONGEST_REASON
