"""Profiles become channels and streams, options are checked, imports leave no trace."""

import logging
import os
import subprocess
import sys

import pytest
from pydantic import ValidationError

from adapters.onvif.answers import pick_list, pick_number, pick_text
from adapters.onvif.options import OnvifOptions
from adapters.onvif.profiles import (
    Profile,
    choose_streams,
    group_by_source,
    parse_profiles,
    tokens_of_channels,
)


def test_odd_answers_are_empty_not_errors() -> None:
    assert parse_profiles(None) == ()
    assert parse_profiles([None, 1, {}, {"token": "p"}, {"token": ["x"]}]) == ()
    assert pick_text({"a": {"_value_1": " x\n y "}}, "a") == "x y"
    assert pick_text({"a": 5}, "a", "b") == ""
    assert pick_number({"a": "5"}, "a") == 0
    assert pick_list({"a": {"b": 1}}, "a") == [{"b": 1}]


def test_a_profile_is_read() -> None:
    (profile,) = parse_profiles(
        {
            "token": "p1",
            "Name": "Main",
            "VideoSourceConfiguration": {"token": "vsc", "SourceToken": "vs", "Name": "Gate"},
            "VideoEncoderConfiguration": {
                "Encoding": "H265",
                "Resolution": {"Width": 2560, "Height": 1440},
                "RateControl": {"FrameRateLimit": 25},
            },
        }
    )
    assert profile == Profile(
        token="p1",
        source="vs",
        source_name="Gate",
        configuration="vsc",
        codec="hevc",
        width=2560,
        height=1440,
        frame_rate=25.0,
    )


def _profile(token: str, source: str, width: int, codec: str = "h264") -> Profile:
    return Profile(
        token=token, source=source, configuration=f"c_{source}", codec=codec, width=width, height=9
    )


def test_the_largest_picture_is_first_and_jpeg_last() -> None:
    profiles = (
        _profile("jpeg", "a", 4000, "mjpeg"),
        _profile("sub", "a", 640),
        _profile("main", "a", 1920),
        _profile("first", "b", 0),
        _profile("second", "b", 0),
    )
    groups = group_by_source(profiles)
    assert [one.token for one in groups["a"]] == ["main", "sub", "jpeg"]
    assert [one.token for one in groups["b"]] == ["first", "second"]
    assert [one.token for one in choose_streams(groups["a"])] == ["main", "sub"]
    assert [one.token for one in choose_streams(groups["b"])] == ["first", "second"]
    assert [one.token for one in choose_streams(profiles[:1])] == ["jpeg"]
    tokens = tokens_of_channels(profiles)
    assert (tokens["c_a"], tokens["sub"], tokens["b"]) == ("a", "a", "b")


@pytest.mark.parametrize(
    "wrong",
    [
        {"verify": "off"},
        {"verify": "off", "reason": " "},
        {"verify": "pinned"},
        {"verify": "pinned", "fingerprint": "s3cret"},
        {"fingerprint": "00" * 32},
        {"verify": "off", "reason": "x", "ca_file": "/x"},
        {"pull_timeout_s": 0},
        {"evnts": False},
        {"protocol": "mqtt"},
    ],
)
def test_wrong_options_are_refused_without_showing_them(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        OnvifOptions.model_validate(wrong)
    assert "s3cret" not in str(caught.value)


def test_a_fingerprint_may_have_colons() -> None:
    OnvifOptions(verify="pinned", fingerprint=":".join(["aB"] * 32))


def test_importing_the_library_leaves_logging_and_proxies_alone() -> None:
    check = (
        "import logging, os, adapters.onvif.adapter as a;"
        "assert not logging.getLogger().handlers, 'a handler';"
        "assert logging.getLogger().level == logging.WARNING, 'a level';"
        "assert os.environ['https_proxy'] == 'http://proxy.example:3128', 'the proxy'"
    )
    environment = {**os.environ, "https_proxy": "http://proxy.example:3128"}
    subprocess.run([sys.executable, "-c", check], check=True, env=environment, timeout=60)
    assert logging.getLogger("onvif").handlers == []
