"""From RTP packets to fragmented MP4: FFmpeg reads it back, picture by picture."""

import contextlib
import io
import itertools
from collections.abc import Iterable

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import ProtocolViolation
from hub.domain.live_video import Fragment, Track
from streams.live.muxer import Muxer
from streams.live.timeline import BEGIN, Timeline
from streams.rtsp.sdp import Media
from tests.encoded import Encoded, encode, packets_of


def media(codec: str) -> Media:
    return Media(kind="video", payload_type=96, codec=codec, control="")


def mux(codec: str, packets: Iterable[bytes]) -> tuple[list[Track], list[Fragment]]:
    muxer, tracks, fragments = Muxer(media(codec), Timeline()), [], []
    for packet in packets:
        track, fragment = muxer.feed(packet, 0.0)
        tracks += [track] if track is not None else []
        fragments += [fragment] if fragment is not None else []
    return tracks, fragments


def read(track: Track, fragments: Iterable[Fragment]) -> list[av.VideoFrame]:
    film = track.init + b"".join(one.data for one in fragments)
    with av.open(io.BytesIO(film), "r") as opened:
        stream = opened.streams.video[0]
        assert (stream.width, stream.height) == (track.width, track.height)
        return list(opened.decode(stream))


def slices_of(encoded: Encoded) -> list[list[bytes]]:
    """What of each picture must arrive unchanged."""
    if encoded.codec == "h264":
        return [[u for u in units if u[0] & 31 in {1, 5}] for units in encoded.pictures]
    return [[u for u in units if u[0] >> 1 & 63 < 32] for units in encoded.pictures]


@pytest.mark.parametrize(("codec", "mime"), [("h264", "avc1.42c00"), ("hevc", "hvc1.1.6.L")])
@pytest.mark.parametrize("marks", [True, False])
def test_what_a_camera_sends_is_played(codec: str, mime: str, *, marks: bool) -> None:
    encoded = encode(codec)
    (track,), fragments = mux(codec, packets_of(encoded, marks=marks))
    assert track.mime.startswith(f'video/mp4; codecs="{mime}')
    assert (track.width, track.height) == (160, 120)
    # Without marks a picture is whole only when the next one begins.
    whole = len(encoded.pictures) - (0 if marks else 1)
    assert [one.is_key for one in fragments] == [n % 10 == 0 for n in range(whole)]
    for fragment, slices in zip(fragments, slices_of(encoded), strict=False):
        body = b"".join(len(unit).to_bytes(4, "big") + unit for unit in slices)
        assert fragment.data.endswith(b"mdat" + body)
    frames = read(track, fragments)
    assert len(frames) == whole
    assert not any(frame.is_corrupt for frame in frames)
    shown = [int(frame.pts or 0) for frame in frames]
    assert {b - a for a, b in itertools.pairwise(shown)} == {3600}


def test_pictures_out_of_order_are_shown_in_order() -> None:
    encoded = encode("h264", count=40, key_every=20, b_frames=2)
    assert list(encoded.shown) != sorted(encoded.shown)
    (track,), fragments = mux("h264", packets_of(encoded))
    frames = read(track, fragments)
    shown = [int(frame.pts or 0) for frame in frames]
    assert len(frames) == 40
    assert shown[3:] == sorted(shown[3:])  # it is told from the fourth one on
    assert shown[0] >= 0
    film = track.init + b"".join(one.data for one in fragments)
    with av.open(io.BytesIO(film), "r") as opened:
        decoded = [int(packet.dts or 0) for packet in opened.demux() if packet.size]
    steps = [b - a for a, b in itertools.pairwise(decoded[2:])]
    assert steps.count(3600) >= len(steps) - 1  # it may skip one, at a key picture
    assert max(steps) <= 7200


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_after_a_lost_packet_the_next_key_picture_is_shown(codec: str) -> None:
    packets = list(packets_of(encode(codec)))
    lost = next(n for n in range(len(packets)) if n > len(packets) // 4)
    (track,), fragments = mux(codec, packets[:lost] + packets[lost + 1 :])
    keys = [n for n, one in enumerate(fragments) if one.is_key]
    assert len(keys) == 2
    assert keys[1] < 10  # the first group was cut short
    assert len(fragments) == keys[1] + 10
    frames = read(track, fragments)
    assert len(frames) == len(fragments)
    assert not any(frame.is_corrupt for frame in frames)
    # What is missing is no gap: a browser would wait in it.
    assert frames[-1].pts == BEGIN + 3600 * (len(frames) - 1)


def test_nothing_is_shown_before_a_key_picture_with_its_parameter_sets() -> None:
    packets = list(packets_of(encode("h264")))
    second = next(n for n, one in enumerate(packets) if n > 3 and one[12] & 31 == 24)
    tracks, fragments = mux("h264", packets[1:])
    assert len(tracks) == 1
    assert len(fragments) == 10
    assert fragments[0].is_key
    assert mux("h264", packets[1:second]) == ([], [])


def test_another_encoding_is_another_track() -> None:
    small, large = encode("h264"), encode("h264", size=320)
    packets = [*packets_of(small, first=0), *packets_of(large, first=0, start=90_000)]
    muxer, tracks, fragments = Muxer(media("h264"), Timeline()), [], []
    for sequence, packet in enumerate(packets):
        numbered = packet[:2] + sequence.to_bytes(2, "big") + packet[4:]
        track, fragment = muxer.feed(numbered, 0.0)
        tracks += [track.width] if track is not None else []
        fragments += [fragment] if fragment is not None else []
    assert tracks == [160, 320]
    assert len(fragments) == 40


@pytest.mark.threat("K8")
@settings(max_examples=300, deadline=None, database=None)
@given(
    st.sampled_from(["h264", "hevc"]),
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.binary(max_size=60).map(lambda b: b"\x80\xe0\0\1\0\0\0\1ssrc" + b),
            st.tuples(st.integers(0, 255), st.binary(max_size=60)).map(
                lambda two: b"\x80\xe0\0\2\0\0\0\2ssrc" + bytes((two[0], 1)) + two[1]
            ),
        ),
        max_size=12,
    ),
)
def test_no_packets_crash_the_muxer(codec: str, packets: list[bytes]) -> None:
    with contextlib.suppress(ProtocolViolation):
        mux(codec, packets)
