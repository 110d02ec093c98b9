"""XML from strangers is decoded by us, bounded, and refused when it holds a DOCTYPE."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.onvif.clocks import parse_date_and_time
from adapters.onvif.documents import (
    MAX_ATTRIBUTES,
    MAX_DOCUMENT_BYTES,
    MAX_TAGS,
    decode_document,
    find_local,
    parse_tree,
    text_of,
)
from adapters.onvif.faults import parse_fault
from adapters.onvif.notifications import parse_notifications
from adapters.onvif.probe_matches import parse_probe_matches
from adapters.onvif.replies import read_tree
from hub.domain.errors import ProtocolViolation

DOCTYPE = '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<a>1</a>", "<a>1</a>"),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\r\n<a/>", "<a/>"),
        ('<?xml version="1.0" encoding="GB2312"?><a>大门</a>'.encode("gbk"), "<a>大门</a>"),
        ("<a>大门</a>".encode(), "<a>大门</a>"),
        ("<a>大</a>".encode("gbk"), "<a>\ufffd\ufffd</a>"),  # undeclared: the rest stays good
        (b"<a>x\x07y & z &amp; &#65;</a>", "<a>xy &amp; z &amp; &#65;</a>"),
    ],
)
def test_decodes_what_cameras_send(content: bytes, text: str) -> None:
    assert decode_document(content) == text


@pytest.mark.threat("T21")
@pytest.mark.parametrize(
    "content",
    [
        DOCTYPE.encode(),
        b'<?xml version="1.0"?>\n' + DOCTYPE.encode(),
        b'<!doctype a SYSTEM "file:///etc/passwd"><a/>',
        b"<a/><!ENTITY e 'x'>",
        DOCTYPE.encode("utf-16"),
        DOCTYPE.encode("utf-32"),
        DOCTYPE.encode("cp037"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-',
        b'<?xml version="1.0" encoding="EBCDIC-CP-US"?><a/>',
        b'<?xml version="1.0" encoding="UTF-16"?><a/>',
        b"",
        b"hello",
        b"\x00<a/>",
        b"<a>" + b"x" * MAX_DOCUMENT_BYTES,
        b"<a/>" * (MAX_TAGS + 1),
        b"<a " + b"b='' " * (MAX_ATTRIBUTES + 1) + b"/>",
    ],
    ids=range(16),
)
def test_refuses_what_could_hurt_before_any_parser_sees_it(content: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(ProtocolViolation) as caught:
        decode_document(content)
    assert time.monotonic() - started < 1.0
    assert len(caught.value.evidence) <= 2048


@pytest.mark.parametrize("text", ["<a>", "<a><b></a>", "<a b=c/>", "a", "<x:a/>"])
def test_broken_xml_is_a_protocol_violation(text: str) -> None:
    with pytest.raises(ProtocolViolation, match="not well-formed"):
        parse_tree(text)


def test_broken_xml_is_read_forgivingly_where_something_can_be_saved() -> None:
    root = read_tree("<a><b>1</b><c x:y='1'><tt:Hour>5</tt:Hour></a>")
    assert root[0].text == "1"
    assert text_of(find_local(root, "Hour")) == "5"


@given(st.binary(max_size=400) | st.text(alphabet="<>/&;!?ab =\"'\x00é大", max_size=200))
def test_any_bytes_end_in_a_tree_or_a_protocol_violation(content: bytes | str) -> None:
    raw = content.encode() if isinstance(content, str) else content
    try:
        root = read_tree(decode_document(raw))
    except ProtocolViolation:
        return
    parse_notifications(root)
    parse_fault(root)
    parse_date_and_time(root)


@given(st.binary(max_size=300))
def test_any_datagram_ends_in_a_list_or_a_protocol_violation(content: bytes) -> None:
    with contextlib.suppress(ProtocolViolation):
        assert parse_probe_matches(content, sender="127.0.0.1", asked=["urn:uuid:1"]) == []
