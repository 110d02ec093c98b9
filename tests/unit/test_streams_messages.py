"""RTSP messages: what is built, what is read, and what a stranger may send."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import ProtocolViolation
from streams.rtsp.messages import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    Packet,
    Response,
    ServerRequest,
    build_request,
    take_item,
    take_packets,
)

REPLY = (
    b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\n"
    b"Content-Length: 5\r\n\r\nv=0\r\n"
)


def test_request_has_one_line_per_header() -> None:
    built = build_request("DESCRIBE", "rtsp://h/x", sequence=3, headers=[("Accept", "a/b")])
    assert built == (
        b"DESCRIBE rtsp://h/x RTSP/1.0\r\nCSeq: 3\r\nUser-Agent: gengfu\r\nAccept: a/b\r\n\r\n"
    )


@pytest.mark.parametrize("url", ["rtsp://h/a b", "rtsp://h/a\r\nX: y", "", "rtsp://h/\x00"])
@pytest.mark.threat("T3")
def test_request_refuses_an_url_that_breaks_its_line(url: str) -> None:
    with pytest.raises(ProtocolViolation):
        build_request("SETUP", url, sequence=1)


@pytest.mark.threat("T3")
def test_request_refuses_a_header_that_breaks_its_line() -> None:
    with pytest.raises(ProtocolViolation):
        build_request("PLAY", "rtsp://h/", sequence=1, headers=[("Session", "1\r\nX: y")])


def test_reply_is_taken_off_the_buffer() -> None:
    buffer = bytearray(REPLY + b"$")
    item = take_item(buffer)
    assert isinstance(item, Response)
    assert (item.status, item.reason, item.header("cseq"), item.body) == (
        200,
        "OK",
        "2",
        b"v=0\r\n",
    )
    assert buffer == b"$"


@pytest.mark.parametrize("cut", range(len(REPLY)))
def test_incomplete_reply_waits(cut: int) -> None:
    buffer = bytearray(REPLY[:cut])
    assert take_item(buffer) is None
    buffer += REPLY[cut:]
    assert isinstance(take_item(buffer), Response)


def test_repeated_and_folded_headers_are_kept() -> None:
    item = take_item(
        bytearray(
            b'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="a"\r\n'
            b'WWW-AUTHENTICATE: Digest realm="a",\r\n nonce="n"\r\n\r\n'
        )
    )
    assert isinstance(item, Response)
    assert item.all_of("www-authenticate") == ('Basic realm="a"', 'Digest realm="a", nonce="n"')


def test_packet_and_server_request_are_told_apart() -> None:
    buffer = bytearray(b"$\x01\x00\x03abcOPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    assert take_item(buffer) == Packet(channel=1, data=b"abc")
    assert take_item(buffer) == ServerRequest(method="OPTIONS")
    assert take_item(buffer) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not RTSP"),
        (b"\x16\x03\x01\x02", "not RTSP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not RTSP"),
        (b"RTSP/1.0 200 OK\r\nno header\r\n\r\n", "no header"),
        (b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 65 + b"\r\n", "more than 64"),
        (b"RTSP/1.0 200 OK\r\nX: " + b"a" * MAX_HEAD_BYTES, "exceed"),
        (f"RTSP/1.0 200 OK\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n".encode(), "up to"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", "no number"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "no number"),
    ],
)
def test_nonsense_is_named_with_its_bytes(data: bytes, reason: str) -> None:
    with pytest.raises(ProtocolViolation, match=reason):
        take_item(bytearray(data))


def test_reason_phrase_is_printable_and_short() -> None:
    item = take_item(bytearray(b"RTSP/1.0 500 " + b"\x1b[31m" * 99 + b"\r\n\r\n"))
    assert isinstance(item, Response)
    assert len(item.reason) == 80
    assert item.reason.isprintable()


@pytest.mark.threat("K8")
@settings(max_examples=400, deadline=None, database=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda a, b, n: REPLY[:n] + a + REPLY[n:] + b,
            st.binary(max_size=30),
            st.binary(max_size=30),
            st.integers(0, len(REPLY)),
        ),
    )
)
def test_no_bytes_crash_or_stall_the_parser(data: bytes) -> None:
    buffer = bytearray(data)
    with contextlib.suppress(ProtocolViolation):
        while (item := take_item(buffer)) is not None:
            assert isinstance(item, Response | Packet | ServerRequest)
    assert len(buffer) <= len(data)


@pytest.mark.threat("K8")
@settings(max_examples=200, deadline=None, database=None)
@given(
    st.lists(st.sampled_from([REPLY, b"$\x00\x00\x02hi", b"OPTIONS * RTSP/1.0\r\n\r\n", b"\r\n"])),
    st.lists(st.integers(1, 40), min_size=1),
)
def test_cuts_between_segments_change_nothing(parts: list[bytes], sizes: list[int]) -> None:
    whole, rest = take_all(bytearray(b"".join(parts))), b"".join(parts)
    buffer, found, turn = bytearray(), list[object](), 0
    while rest:
        size = sizes[turn % len(sizes)]
        buffer += rest[:size]
        rest, turn = rest[size:], turn + 1
        found += take_all(buffer)
    assert found == whole
    assert len(found) == len(parts) - parts.count(b"\r\n")


def take_all(buffer: bytearray) -> list[object]:
    items: list[object] = []
    while (item := take_item(buffer)) is not None:
        items.append(item)
    return items


@pytest.mark.threat("K8")
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20).map(lambda b: b"$\0" + len(b).to_bytes(2, "big") + b),
            st.binary(max_size=20).map(lambda b: b"$\1" + len(b).to_bytes(2, "big") + b),
            st.just(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
        ),
        max_size=8,
    ),
    st.integers(0, 40),
)
def test_packets_taken_together_are_those_taken_one_by_one(parts: list[bytes], cut: int) -> None:
    data = b"".join(parts)
    data = data[: max(0, len(data) - cut)]
    together, one_by_one = bytearray(data), bytearray(data)
    found, taken = take_packets(together, 0, 1_000)
    expected = []
    for _ in range(taken):
        item = take_item(one_by_one)
        assert isinstance(item, Packet)
        expected += [item.data] if item.channel == 0 else []
    assert (found, together) == (expected, one_by_one)
    assert not isinstance(take_item(one_by_one), Packet)
