"""Addresses a camera gives must be its own."""

import ipaddress

import pytest

from adapters.onvif.references import OwnHost, accept_reference, device_address
from hub.domain.addresses import STREAM_SCHEMES, AddressPolicy, parse_address, parse_networks
from hub.domain.errors import AddressRefused

POLICY = AddressPolicy(
    allowed=parse_networks(["192.168.1.0/24", "fd00::/8"]),
    own_endpoints=frozenset({(ipaddress.ip_address("192.168.1.64"), 5432)}),
)


def _own(text: str = "http://192.168.1.64:8081/x", *peers: str, rewrite: bool = False) -> OwnHost:
    return OwnHost(configured=parse_address(text), peers=frozenset(peers), rewrite=rewrite)


def _accept(text: str, own: OwnHost) -> str:
    return accept_reference(text, own=own, policy=POLICY, schemes=STREAM_SCHEMES).text


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ("rtsp://192.168.1.64:554/main", "rtsp://192.168.1.64:554/main"),
        (" rtsp://192.168.1.64/main\n", "rtsp://192.168.1.64/main"),
        ("rtsp://admin:secret@192.168.1.64/main", "rtsp://192.168.1.64/main"),
        ("http://192.168.1.64/a?user=admin&pwd=secret&ch=1", "http://192.168.1.64/a?ch=1"),
        ("http://192.168.1.64:8106:8106/sub?Idx=43", "http://192.168.1.64:8106/sub?Idx=43"),
        ("rtsp://[::ffff:192.168.1.64]/main", "rtsp://[::ffff:192.168.1.64]/main"),
    ],
)
def test_own_addresses_are_accepted_without_credentials(given: str, accepted: str) -> None:
    assert _accept(given, _own()) == accepted


@pytest.mark.threat("T4")
@pytest.mark.parametrize(
    "given",
    [
        "exec:id",
        "file:///etc/passwd",
        "rtsp://192.168.1.65/main",
        "rtsp://192.168.1.64.example.com/main",
        "rtsp://192.168.1.64@203.0.113.7/main",
        "http://169.254.169.254/latest",
        "http://192.168.1.64:5432/",
        "rtsp://192.168.1.64/\r\nX: y",
        "",
    ],
)
def test_other_addresses_are_refused(given: str) -> None:
    with pytest.raises(AddressRefused):
        _accept(given, _own())


@pytest.mark.threat("T4")
def test_rewriting_does_not_open_our_own_services() -> None:
    with pytest.raises(AddressRefused, match="own services"):
        _accept("rtsp://10.0.0.9:5432/", _own(rewrite=True))
    named = _own("http://nat.example:8081/x", "192.168.1.64", rewrite=True)
    with pytest.raises(AddressRefused, match="own services"):
        _accept("rtsp://10.0.0.9:5432/", named)


def test_a_camera_configured_by_name_may_give_its_number() -> None:
    own = _own("http://gate.example/x", "192.168.1.64")
    assert _accept("rtsp://192.168.1.64/main", own) == "rtsp://192.168.1.64/main"
    assert _accept("rtsp://GATE.example./main", own) == "rtsp://gate.example./main"
    with pytest.raises(AddressRefused):
        _accept("rtsp://192.168.1.65/main", own)


@pytest.mark.parametrize(
    ("given", "rewritten"),
    [
        ("rtsp://10.0.0.9:8554/main", "rtsp://192.168.1.64:8554/main"),
        ("http://10.0.0.9/onvif/media", "http://192.168.1.64:8081/onvif/media"),
    ],
)
def test_behind_address_translation_the_host_is_the_connections(given: str, rewritten: str) -> None:
    assert _accept(given, _own(rewrite=True)) == rewritten


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("http://192.168.1.64", "http://192.168.1.64/onvif/device_service"),
        ("http://192.168.1.64:8000/", "http://192.168.1.64:8000/onvif/device_service"),
        ("https://[fd00::1]:444", "https://[fd00::1]:444/onvif/device_service"),
        ("http://192.168.1.64/soap/dev", "http://192.168.1.64/soap/dev"),
    ],
)
def test_the_device_service_has_a_usual_path(given: str, address: str) -> None:
    assert device_address(given).text == address
