"""The form of addresses, and the endpoints we connect to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.addresses import AddressPolicy, parse_address, parse_networks
from hub.domain.errors import AddressRefused

OWN_DATABASE = (ipaddress.ip_address("192.168.7.9"), 5432)
POLICY = AddressPolicy(
    allowed=parse_networks(["192.168.0.0/16", "fc00::/7"]), own_endpoints=frozenset({OWN_DATABASE})
)


@pytest.mark.threat("T3")
@pytest.mark.threat("T5")
@pytest.mark.parametrize(
    "text",
    [
        "exec:ffmpeg -i x",
        "exec://x",
        "file:///etc/passwd",
        "concat:a|b",
        "concat://a|b",
        "pipe:0",
        "data:text/html,x",
        "gopher://h/",
        "ftp://h/x",
        "-i",
        "-rtsp://h/",
        " rtsp://h/",
        "rtsp://h/ -f x",
        "rtsp://h/\nx",
        "rtsp://h/\r\nHost: x",
        "rtsp://h/\0",
        "rtsp://h/\t",
        "rtsp:///x",
        "rtsp://",
        "rtsp://-o/x",
        "rtsp://h:0/",
        "rtsp://h:99999/",
        "rtsp://h:x/",
        "rtsp://[::1/",
        "rtsp://h/{{7*7}}",
        "rtsp://h/`id`",
        "rtsp://h/$(id)|x",
        'rtsp://h/"x',
        "rtsp://h/<x>",
        "rtsp://h\\@evil/",
        "rtsp://例子/x",
        "rtsp://h/" + "x" * 3000,
        "",
    ],
)
def test_what_is_no_stream_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        parse_address(text)
    assert "passwd" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "host", "port", "shown"),
    [
        ("rtsp://10.0.0.1/s1", "10.0.0.1", 554, "rtsp://10.0.0.1/s1"),
        ("RTSP://Cam.example:8554/s?ch=1", "cam.example", 8554, "rtsp://cam.example:8554/s?ch=1"),
        ("rtsps://[fd00::1]/x", "fd00::1", 322, "rtsps://[fd00::1]/x"),
        ("http://u:p%40ss@h/x", "h", 80, "http://h/x"),
        ("https://h", "h", 443, "https://h/"),
    ],
)
def test_good_addresses_lose_their_credentials(text: str, host: str, port: int, shown: str) -> None:
    address = parse_address(text)
    assert (address.host, address.port, address.text) == (host, port, shown)
    assert "p%40ss" not in address.text


@given(st.text(max_size=200))
def test_any_text_is_accepted_or_refused_never_worse(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressRefused:
        return
    assert address.scheme in {"rtsp", "rtsps", "http", "https"}
    assert not set(address.text) & set(" \n\r\t\0\"'<>|`{}\\") - {"'"}


@pytest.mark.threat("T13")
@pytest.mark.threat("T4")
@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "0.0.0.0",
        "169.254.169.254",
        "fe80::1",
        "10.0.0.1",
        "172.16.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "::",
        "64:ff9b::7f00:1",
    ],
)
def test_special_addresses_are_refused_unless_allowed(ip: str) -> None:
    assert POLICY.refusal(ip, 80) is not None


@pytest.mark.threat("T4")
def test_our_own_services_are_refused_even_in_an_allowed_network() -> None:
    assert POLICY.refusal("192.168.7.9", 80) is None
    assert "own services" in str(POLICY.refusal("192.168.7.9", 5432))
    assert POLICY.refusal("::ffff:192.168.7.9", 5432) is not None


@pytest.mark.parametrize("ip", ["192.168.1.20", "fd00::20", "93.184.216.34", "::ffff:192.168.1.2"])
def test_allowed_and_public_endpoints_pass(ip: str) -> None:
    assert POLICY.refusal(ip, 554) is None
