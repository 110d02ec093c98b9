"""What clients say about live video, and what is made of it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.health import Layer
from hub.domain.live_video import LiveState, LiveStatus
from hub.web.live_messages import MOST_TYPES, Wish, build_state, parse_wish

H264 = 'video/mp4; codecs="avc1.640028"'
H265 = 'video/mp4; codecs="hvc1.1.6.L123.B0"'


@pytest.mark.parametrize(
    ("said", "plays"),
    [
        ([H264], {"h264"}),
        ([H265, "hev1.1.6.L93"], {"hevc"}),
        (["avc3.42E01E", H265], {"h264", "hevc"}),
        (["av01.0.04M.08", 7, None], set()),
        ([], set()),
    ],
)
def test_a_client_plays_what_it_says(said: list[object], plays: set[str]) -> None:
    wish = parse_wish(json.dumps({"play": said}))
    assert {codec for codec in ("h264", "hevc", "mjpeg", "") if wish.plays(codec)} == plays


def test_a_client_may_want_pictures() -> None:
    assert parse_wish('{"pictures": true}') == Wish(wants_pictures=True)
    assert parse_wish('{"pictures": 1}') == Wish()


@pytest.mark.threat("K8")
@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "null", '{"play": "avc1"}', "[" * 8_000, '{"play": ["' + "a" * 9_000 + '"]}'],
)
def test_what_is_not_understood_says_nothing(text: str) -> None:
    assert parse_wish(text) == Wish()


@pytest.mark.threat("K8")
@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["play", "pictures", ""]), x),
    )
)
def test_no_message_is_too_much(said: object) -> None:
    wish = parse_wish(json.dumps(said))
    assert wish.play is None or len(wish.play) <= MOST_TYPES


def test_a_state_is_told_with_its_layer_and_since_when() -> None:
    since = datetime(2026, 11, 22, 3, tzinfo=UTC)
    status = LiveStatus(state=LiveState.OFFLINE, since=since, why="没有\n回答", layer=Layer.NETWORK)
    assert json.loads(build_state(status)) == {
        "type": "state",
        "state": "offline",
        "since": "2026-11-22T03:00:00+00:00",
        "why": "没有\n回答",
        "layer": "network",
    }
