"""Stream descriptions: the shapes cameras send, and rubbish."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import ProtocolViolation
from streams.rtsp.client import join_control
from streams.rtsp.sdp import parse_sdp

CAPTURES = Path(__file__).parents[1] / "captures" / "rtsp"

SDP = b"""v=0\r
o=- 1109162014219182 1109162014219192 IN IP4 x.y.z.w\r
s=Media Presentation\r
a=control:*\r
m=audio 0 RTP/AVP 8\r
a=control:trackID=2\r
a=rtpmap:8 PCMA/8000\r
m=video 0 RTP/AVP 96 97\r
a=control:trackID=1\r
a=rtpmap:97 H265/90000\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IAKeKQFAe2,aM48gA==\r
a=framerate:25.0\r
a=x-dimensions:1920,1080\r
m=application 0 RTP/AVP 107\r
a=control:trackID=3\r
a=rtpmap:107 vnd.onvif.metadata/90000\r
"""


def test_video_stream_is_found_among_others() -> None:
    description = parse_sdp(SDP)
    video = description.video
    assert video is not None
    assert [media.kind for media in description.media] == ["audio", "video", "application"]
    assert (video.codec, video.width, video.height, video.frame_rate) == ("h264", 1920, 1080, 25.0)
    assert (video.payload_type, video.control, description.control) == (96, "trackID=1", "*")
    assert [unit[0] & 0x1F for unit in video.parameter_sets] == [7, 8]


def test_gstreamer_capture() -> None:
    video = parse_sdp((CAPTURES / "gstreamer-1.22-h264.sdp").read_bytes()).video
    assert video is not None
    assert (video.codec, video.payload_type) == ("h264", 96)
    assert video.control


def test_static_payload_and_unknown_codec() -> None:
    description = parse_sdp(
        b"v=0\nm=video 0 RTP/AVP 26\nm=video 0 RTP/AVP 99\na=rtpmap:99 X-NEW/1\n"
    )
    assert [media.codec for media in description.media] == ["mjpeg", "x-new"]


def test_attributes_of_a_section_that_is_no_rtp_do_not_leak() -> None:
    description = parse_sdp(
        b"v=0\nm=video 0 RTP/AVP 96\na=control:v\nm=application 9 TCP/BFCP *\na=framerate:1\n"
    )
    assert description.video is not None
    assert (description.video.control, description.video.frame_rate) == ("v", 0.0)


def test_unreadable_parameter_sets_are_left_out() -> None:
    description = parse_sdp(
        b"v=0\nm=video 0 RTP/AVP 96\na=fmtp:96 sprop-parameter-sets=!!!,aM48gA==,\n"
    )
    assert description.video is not None
    assert [unit[0] for unit in description.video.parameter_sets] == [0x68]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"v=1\n",
        b"v=0\n" + b"a=x\n" * 2001,
        b"v=0\n" + b"m=video 0 RTP/AVP 96\n" * 65,
    ],
)
def test_what_is_not_sdp_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        parse_sdp(body)


@pytest.mark.parametrize(
    ("base", "control", "url"),
    [
        ("rtsp://h/a/", "trackID=1", "rtsp://h/a/trackID=1"),
        ("rtsp://h/a?x=1", "trackID=1", "rtsp://h/a?x=1/trackID=1"),
        ("rtsp://h/a", "*", "rtsp://h/a"),
        ("rtsp://h/a", "", "rtsp://h/a"),
        ("rtsp://h/a", "RTSP://other/b", "RTSP://other/b"),  # a name, never connected to
    ],
)
def test_control_is_appended_as_cameras_expect(base: str, control: str, url: str) -> None:
    assert join_control(base, control) == url


@pytest.mark.threat("K8")
@settings(max_examples=400, deadline=None, database=None)
@given(
    st.one_of(
        st.binary(max_size=200).map(lambda tail: b"v=0\n" + tail),
        st.builds(
            lambda position, noise: SDP[:position] + noise + SDP[position:],
            st.integers(0, len(SDP)),
            st.binary(max_size=20),
        ),
    )
)
def test_no_description_crashes_the_parser(body: bytes) -> None:
    try:
        description = parse_sdp(body)
    except ProtocolViolation:
        return
    assert all(0 <= media.payload_type <= 127 for media in description.media)
