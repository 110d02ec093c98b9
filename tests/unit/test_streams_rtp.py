"""Key frames out of RTP packets: single units, aggregates, fragments, loss and rubbish."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import ProtocolViolation, UnsupportedByDevice
from streams.access_units import MAX_FRAME_BYTES, find_payload
from streams.rtp import KeyFrameAssembler

SPS, PPS, IDR, SLICE = b"\x67sps", b"\x68pps", b"\x65" + b"key" * 10, b"\x41delta"
START = b"\x00\x00\x00\x01"


def rtp(sequence: int, payload: bytes, *, timestamp: int = 1, is_last: bool = False) -> bytes:
    marker = 0x80 if is_last else 0
    return (
        bytes([0x80, marker | 96])
        + (sequence & 0xFFFF).to_bytes(2, "big")
        + timestamp.to_bytes(4, "big")
        + b"ssrc"
        + payload
    )


def fragments(unit: bytes, parts: int) -> list[bytes]:
    """FU-A (RFC 6184 section 5.8)."""
    body, size = unit[1:], -(-len(unit[1:]) // parts)
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    indicator = (unit[0] & 0xE0) | 28
    return [
        bytes([indicator, (0x80 if i == 0 else 0) | (0x40 if i == len(chunks) - 1 else 0) | 5])
        + chunk
        for i, chunk in enumerate(chunks)
    ]


def test_key_frame_comes_with_its_parameter_sets() -> None:
    assembler = KeyFrameAssembler("h264", (SPS, PPS))
    assert assembler.feed(rtp(1, SLICE, is_last=True)) is None  # no key frame yet
    frame = assembler.feed(rtp(2, IDR, timestamp=2, is_last=True))
    assert frame == START + SPS + START + PPS + START + IDR


def test_a_film_begins_with_a_key_frame_and_goes_on_until_a_packet_is_lost() -> None:
    assembler = KeyFrameAssembler("h264", (SPS, PPS), is_film=True)
    stream = (
        (1, SLICE, None),  # what it refers to is not known
        (2, IDR, START + SPS + START + PPS + START + IDR),
        (3, SLICE, START + SLICE),
        (5, SLICE, None),  # the fourth was lost
        (6, SLICE, None),
        (7, IDR, START + SPS + START + PPS + START + IDR),
        (8, SLICE, START + SLICE),
    )
    for sequence, payload, expected in stream:
        packet = rtp(sequence, payload, timestamp=sequence, is_last=True)
        assert assembler.feed(packet) == expected, sequence


def test_aggregate_and_fragments_across_the_sequence_wrap() -> None:
    aggregate = b"\x18" + b"".join(len(u).to_bytes(2, "big") + u for u in (SPS, PPS))
    payloads = [aggregate, *fragments(IDR, 4)]
    assembler = KeyFrameAssembler("h264")
    frames = [
        assembler.feed(rtp(0xFFFE + i, payload, is_last=i == len(payloads) - 1))
        for i, payload in enumerate(payloads)
    ]
    assert frames[:-1] == [None] * (len(payloads) - 1)
    assert frames[-1] == START + SPS + START + PPS + START + IDR


def test_hevc_fragments() -> None:
    unit = bytes([19 << 1, 1]) + b"idr" * 9  # IDR_W_RADL
    head = bytes([49 << 1, 1])
    assembler = KeyFrameAssembler("hevc")
    assert assembler.feed(rtp(1, head + bytes([0x80 | 19]) + unit[2:11])) is None
    frame = assembler.feed(rtp(2, head + bytes([0x40 | 19]) + unit[11:], is_last=True))
    assert frame == START + unit


def test_frame_with_a_lost_packet_is_dropped_and_the_next_one_taken() -> None:
    first, *_, last = fragments(IDR, 4)
    assembler = KeyFrameAssembler("h264")
    assert assembler.feed(rtp(1, first)) is None
    assert assembler.feed(rtp(4, last, is_last=True)) is None
    assert assembler.feed(rtp(5, IDR, timestamp=2, is_last=True)) == START + IDR


def test_endless_frame_is_refused() -> None:
    assembler = KeyFrameAssembler("h264")
    chunk = bytes([0x7C, 0x85]) + b"x" * 60_000
    whole = MAX_FRAME_BYTES // len(chunk)
    assert [assembler.feed(rtp(i, chunk)) for i in range(whole)] == [None] * whole
    with pytest.raises(ProtocolViolation, match="exceeds"):
        assembler.feed(rtp(whole, chunk))


def test_extension_sources_and_padding_are_cut_off() -> None:
    header = b"\xb1\xe0\x00\x07\x00\x00\x00\x09ssrc"
    extension = b"\xbe\xde\x00\x01extn"
    packet = b"".join((header, b"csrc", extension, b"data", b"\x00\x02"))
    found = find_payload(packet)
    assert found is not None
    assert packet[slice(*found)] == b"data"


@pytest.mark.parametrize("codec", ["mjpeg", "", "av1"])
def test_other_codecs_are_said_to_be_unsupported(codec: str) -> None:
    with pytest.raises(UnsupportedByDevice):
        KeyFrameAssembler(codec)


@pytest.mark.threat("K8")
@settings(max_examples=400, deadline=None, database=None)
@given(
    st.sampled_from(["h264", "hevc"]),
    st.lists(st.one_of(st.binary(max_size=40), st.binary(max_size=40).map(lambda b: rtp(1, b)))),
)
def test_no_packets_crash_the_assembler(codec: str, packets: list[bytes]) -> None:
    assembler = KeyFrameAssembler(codec)
    with contextlib.suppress(ProtocolViolation):
        for packet in packets:
            frame = assembler.feed(packet)
            assert frame is None or frame.startswith(START)
