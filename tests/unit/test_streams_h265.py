"""What H.265 parameter sets say, as an encoder writes them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.h265 import parse_h265_sps
from tests.encoded import encode


def sps(size: int) -> bytes:
    return next(
        unit for unit in encode("hevc", count=1, size=size).pictures[0] if unit[0] >> 1 == 33
    )


@pytest.mark.parametrize("size", [160, 200, 328])  # 200 x 150 is cropped on both sides
def test_size_and_profile(size: int) -> None:
    facts = parse_h265_sps(sps(size))
    assert facts is not None
    assert (facts.width, facts.height) == (size, size * 3 // 4)
    assert (facts.profile[0] & 0x1F, facts.chroma, facts.luma_depth, facts.layers) == (1, 1, 8, 1)


def test_what_is_cut_off_or_something_else_is_not_read() -> None:
    whole = sps(160)
    assert parse_h265_sps(whole[:18]) is None
    assert parse_h265_sps(b"\x40\x01" + whole[2:]) is None
    assert parse_h265_sps(b"") is None


@pytest.mark.threat("K8")
@settings(max_examples=300, deadline=None, database=None)
@given(st.binary(max_size=80))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    facts = parse_h265_sps(b"\x42\x01" + data)
    assert facts is None or facts.width > 0
