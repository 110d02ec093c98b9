"""The simulated stream's pure parts: NAL units, RTP payloads and packets, RTSP requests."""

import random
import struct
from datetime import UTC, datetime

import pytest

from hub.simulators.clip import (
    CLIP_SECONDS,
    FRAME_RATE,
    STILL_SECONDS,
    encode_clip,
    split_nals,
)
from hub.simulators.picture import STILL_MODES, Moment, Scene
from hub.simulators.picture_faults import Mode
from hub.simulators.rtp import (
    PAYLOAD_LIMIT,
    build_interleaved,
    build_packet,
    build_payloads,
    build_sender_report,
)
from hub.simulators.rtsp_request import BadRequest, parse_request

STAP_A, FU_A = 24, 28
BEGIN = Moment(elapsed_s=0.0, now=datetime(2026, 11, 22, 8, tzinfo=UTC), chance=1)


@pytest.mark.parametrize(
    ("data", "units"),
    [
        (b"", ()),
        (b"\0\0\1\x67abc", (b"\x67abc",)),
        (b"\0\0\0\1\x67a\0\0\1\x68b", (b"\x67a", b"\x68b")),
        (b"\0\0\0\0\0\1\x67a\0\0\0\0\1\x68b\0\0", (b"\x67a", b"\x68b")),
        (b"\0\0\1\x65a\0\0\3\1b", (b"\x65a\0\0\3\1b",)),
        (b"\0\0\1\0\0\1\x68b", (b"\x68b",)),
    ],
)
def test_splits_an_annex_b_stream(data: bytes, units: tuple[bytes, ...]) -> None:
    assert split_nals(data) == units


def unpack(payloads: tuple[bytes, ...]) -> list[bytes]:
    """Put the NAL units back together, as RFC 6184 sections 5.6 to 5.8 tell a receiver."""
    units: list[bytes] = []
    open_unit: bytearray | None = None
    for payload in payloads:
        kind = payload[0] & 0x1F
        if kind == FU_A:
            start, end = payload[1] & 0x80, payload[1] & 0x40
            assert not (start and end)
            if start:
                assert open_unit is None
                open_unit = bytearray([payload[0] & 0xE0 | payload[1] & 0x1F])
            assert open_unit is not None
            open_unit += payload[2:]
            if end:
                units.append(bytes(open_unit))
                open_unit = None
            continue
        assert open_unit is None
        if kind == STAP_A:
            rest = payload[1:]
            while rest:
                (length,) = struct.unpack_from("!H", rest)
                units.append(rest[2 : 2 + length])
                rest = rest[2 + length :]
        else:
            units.append(payload)
    assert open_unit is None
    return units


def nal(length: int, *, header: int = 0x65) -> bytes:
    return bytes([header]) + bytes(n % 251 for n in range(length - 1))


@pytest.mark.parametrize("limit", [20, 100, PAYLOAD_LIMIT])
def test_payloads_keep_the_limit_and_every_byte(limit: int) -> None:
    rng = random.Random(limit)
    around = [size + by for size in (limit // 2, limit) for by in range(-4, 5)]
    for _ in range(50):
        sizes = [rng.choice([1, 2, 3, *around, 2 * limit, 5 * limit]) for _ in range(6)]
        nals = [nal(size) for size in sizes]
        payloads = build_payloads(nals, limit=limit)
        assert max(len(payload) for payload in payloads) <= limit
        assert unpack(payloads) == nals


def test_small_units_travel_together_and_large_ones_in_pieces() -> None:
    sps, pps, idr = nal(10, header=0x67), nal(4, header=0x68), nal(250, header=0x65)
    first, *pieces = build_payloads([sps, pps, idr], limit=100)
    assert first[0] & 0x1F == STAP_A
    assert [piece[0] & 0x1F for piece in pieces] == [FU_A] * 3
    assert {piece[0] & 0x60 for piece in (first, *pieces)} == {0x60}
    assert [piece[1] & 0xC0 for piece in pieces] == [0x80, 0, 0x40]
    assert build_payloads([nal(100)], limit=100) == (nal(100),)
    assert build_payloads([], limit=100) == ()


def test_a_packet_bears_marker_sequence_and_time_modulo_their_width() -> None:
    packet = build_packet(b"xy", sequence=65_537, timestamp=2**32 + 5, ssrc=9, is_last=True)
    assert packet == struct.pack("!BBHII", 0x80, 0x80 | 96, 1, 5, 9) + b"xy"
    assert build_packet(b"", sequence=1, timestamp=1, ssrc=1, is_last=False)[1] == 96
    assert build_interleaved(3, b"abc") == b"$\x03\x00\x03abc"


def test_a_sender_report_tells_the_time_since_1900() -> None:
    now = datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    report = build_sender_report(now=now, timestamp=7, ssrc=8, packets=9, octets=10)
    assert struct.unpack("!BBHIIIIII", report) == (
        0x80, 200, 6, 8, 2_208_988_801, 2**31, 7, 9, 10
    )  # fmt: skip
    assert len(report) == (6 + 1) * 4


@pytest.mark.parametrize("mode", list(Mode))
def test_a_clip_begins_each_second_with_a_key_picture_and_its_parameters(mode: Mode) -> None:
    scene = Scene(label="x", seed=1, preset=0, width=160, height=96)
    clip = encode_clip(scene, mode, BEGIN, payload_limit=200)
    seconds = STILL_SECONDS if mode in STILL_MODES else CLIP_SECONDS
    assert len(clip.pictures) == seconds * FRAME_RATE
    for number, payloads in enumerate(clip.pictures):
        assert max(len(payload) for payload in payloads) <= 200
        kinds = [unit[0] & 0x1F for unit in unpack(payloads)]
        if number % FRAME_RATE == 0:
            assert kinds[:3] == [7, 8, 5]
            assert unpack(payloads)[:2] == [clip.sps, clip.pps]
        else:
            assert set(kinds) == {1}


def test_clips_of_one_size_share_their_parameter_sets() -> None:
    scenes = [Scene(label="x", seed=1, preset=p, width=160, height=96) for p in (0, 1)]
    clips = [encode_clip(s, m, BEGIN, payload_limit=200) for s in scenes for m in Mode]
    assert len({(clip.sps, clip.pps) for clip in clips}) == 1


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("rtsp://127.0.0.1:8554/main", "main"),
        ("rtsp://127.0.0.1:8554/main/", "main"),
        ("rtsp://127.0.0.1:8554/main/track1", "main"),
        ("rtsp://127.0.0.1:8554/sub/track1?x=1", "sub"),
        ("/main", "main"),
        ("rtsp://127.0.0.1", ""),
        ("*", "*"),
    ],
)
def test_reads_requests(target: str, path: str) -> None:
    request = parse_request(f"DESCRIBE {target} RTSP/1.0\r\nCSeq : 3\r\nrubbish\r\n\r\n".encode())
    assert (request.method, request.path, request.headers) == ("DESCRIBE", path, {"cseq": "3"})


@pytest.mark.parametrize("head", [b"\r\n", b"x\r\n", b"GET / HTTP/1.1\r\n", b"\xff\xff\xff\n"])
def test_refuses_what_is_no_request(head: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_request(head)
