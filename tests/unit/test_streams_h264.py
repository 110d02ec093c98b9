"""Picture sizes out of parameter sets that encoders and cameras wrote."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.h264 import parse_sps_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("Z0LAFtoCgL/lwFqDAwNSgAAAAwCAAAAKR4sXUA==", (640, 360)),  # x264 by GStreamer 1.22
        ("Z0LAKNoB4AiflhAAAAMAEAAAAwMg8YMq", (1920, 1080)),  # x264, baseline, cropped
        ("Z2QAHqzZQLAk0IAAAAMAgAAAGQ+KFMs=", (704, 576)),  # x264, interlaced
        ("Z/QADZGbKCwS/cIAAAMAAgAAAwBkHihTLA==", (352, 286)),  # x264, 4:4:4
        ("Z0LAKNoB", None),  # cut off
        ("aM48gA==", None),  # a picture parameter set
        ("", None),
    ],
)
def test_size(text: str, size: tuple[int, int] | None) -> None:
    assert parse_sps_size(base64.b64decode(text)) == size


@pytest.mark.threat("K8")
@settings(max_examples=500, deadline=None, database=None)
@given(st.binary(max_size=120))
def test_no_bytes_crash_or_stall_the_parser(tail: bytes) -> None:
    size = parse_sps_size(b"\x67" + tail)
    assert size is None or min(size) > 0
