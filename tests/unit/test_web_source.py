"""Who is believed about where a request comes from."""

from pathlib import Path

import pytest
from starlette.requests import HTTPConnection

from hub.domain.addresses import parse_networks
from hub.web.services import WebSettings
from hub.web.source import find_source, group_source, is_foreign_origin, is_loopback

pytestmark = pytest.mark.threat("T29")
PROXIES = parse_networks(["10.0.0.0/8", "::1/128"])


def connection(peer: str, **headers: str) -> HTTPConnection:
    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return HTTPConnection({"type": "http", "client": (peer, 1), "headers": raw})


def settings(origin: str = "") -> WebSettings:
    return WebSettings(data_dir=Path(), trusted_proxies=PROXIES, public_origin=origin)


@pytest.mark.parametrize(
    ("peer", "chain", "expected"),
    [
        ("192.0.2.1", "203.0.113.5", "192.0.2.1"),  # a stranger speaks for nobody
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.5", "203.0.113.5"),  # the left end is the client's own
        ("10.0.0.1", "203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.1", "rubbish", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5, rubbish", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
    ],
)
def test_the_chain_is_read_from_the_end_for_as_long_as_it_is_trusted(
    peer: str, chain: str, expected: str
) -> None:
    assert find_source(connection(peer, x_forwarded_for=chain), settings()) == expected


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("192.0.2.1", {}, False),
        ("127.0.0.1", {"x_forwarded_for": "127.0.0.1"}, False),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, False),
        ("10.0.0.1", {"x_forwarded_for": "127.0.0.1"}, False),
    ],
)
def test_only_a_direct_caller_is_local(
    peer: str, headers: dict[str, str], *, expected: bool
) -> None:
    assert is_loopback(connection(peer, **headers), settings()) is expected


@pytest.mark.threat("T19")
@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, False),
        ("http://hub.test:8080", False),
        ("https://hub.example", False),
        ("http://evil.test", True),
        ("http://hub.test", True),  # another port is another site
        ("null", True),
        ("http://hub.test:8080.evil.test", True),
        ("http://[", True),
    ],
)
def test_another_page_is_recognised(origin: str | None, *, expected: bool) -> None:
    headers = {"host": "hub.test:8080"} | ({} if origin is None else {"origin": origin})
    asked = is_foreign_origin(connection("192.0.2.1", **headers), settings("https://hub.example"))
    assert asked is expected


@pytest.mark.parametrize(
    ("source", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", "unknown"),
    ],
)
def test_sources_are_grouped_as_they_are_handed_out(source: str, group: str) -> None:
    assert group_source(source) == group
