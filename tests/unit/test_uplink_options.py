"""Connections to switches and uplinks: their addresses, their options, their adapter."""

import pytest

from adapters.uplink.adapter import UplinkAdapter
from config.schema import CONNECTION_OPTIONS
from hub.domain.addresses import PROTOCOL_SCHEMES, STREAM_SCHEMES, AddressPolicy, parse_address
from hub.domain.devices import Connection, Json, Registration, Stream
from hub.domain.errors import AddressRefused, Invalid
from hub.domain.ports import CameraTarget
from hub.main.adapters import AdapterFactory, parse_connection, registration_of
from hub.main.surroundings import utc_now

SCHEMES = PROTOCOL_SCHEMES["uplink"]


async def describe(target: CameraTarget, *, timeout_s: float) -> Stream:
    raise AssertionError(target, timeout_s)


@pytest.mark.parametrize(
    ("text", "normal", "host", "port"),
    [
        ("tcp://10.0.0.1:22", "tcp://10.0.0.1:22", "10.0.0.1", 22),
        ("TCP://Sw1.example:443/", "tcp://sw1.example:443", "sw1.example", 443),
        ("tcp://[fd00::1]:22", "tcp://[fd00::1]:22", "fd00::1", 22),
        ("passive://Uplink-7.north", "passive://uplink-7.north", "uplink-7.north", 0),
        ("passive://7/", "passive://7", "7", 0),
    ],
)
def test_an_address_is_kept_in_its_normal_form(
    text: str, normal: str, host: str, port: int
) -> None:
    address = parse_address(text, schemes=SCHEMES)
    assert (address.text, address.host, address.port) == (normal, host, port)
    assert (address.username, address.password) == ("", "")
    assert parse_address(address.text, schemes=SCHEMES) == address


@pytest.mark.threat("T3")
@pytest.mark.parametrize(
    "text",
    [
        "tcp://10.0.0.1",
        "tcp://10.0.0.1:0",
        "tcp://10.0.0.1:70000",
        "tcp://10.0.0.1:22/x",
        "tcp://10.0.0.1:22?x",
        "tcp://10.0.0.1:22#x",
        "tcp://admin:hunter2@10.0.0.1:22",
        "tcp://-x:22",
        "tcp://:22",
        "passive://",
        "passive:///etc/passwd",
        "passive://a b",
        "passive://a\n",
        "passive://-a",
        "passive://a:1",
        "passive://a/b",
        "passive://a?b",
        "passive://hunter2@a",
        "passive://" + "a" * 65,
        "rtsp://10.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        parse_address(text, schemes=SCHEMES)
    assert "hunter2" not in str(caught.value)


@pytest.mark.threat("T3")
@pytest.mark.parametrize("text", ["tcp://10.0.0.1:22", "passive://a"])
def test_no_stream_has_such_an_address(text: str) -> None:
    with pytest.raises(AddressRefused):
        parse_address(text, schemes=STREAM_SCHEMES)


def test_every_protocol_says_which_addresses_it_takes() -> None:
    schema = CONNECTION_OPTIONS.json_schema()
    assert set(schema["discriminator"]["mapping"]) == set(PROTOCOL_SCHEMES)


def test_an_uplink_is_one_unless_told_otherwise() -> None:
    assert parse_connection({"protocol": "uplink"}) == {}
    assert parse_connection({"protocol": "uplink", "kind": "onu"}) == {"kind": "onu"}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"protocol": "uplink", "kind": "camera"}, "options.kind"),
        ({"protocol": "uplink", "knd": "onu"}, "options.knd"),
    ],
)
def test_nonsense_is_refused_by_name(raw: dict[str, Json], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_connection(raw)
    assert caught.value.field == field


def test_it_has_its_adapter_and_what_was_configured_is_approved() -> None:
    factory = AdapterFactory(
        policy=AddressPolicy(), describe=describe, clock=utc_now, broker_address=""
    )
    link = Connection(
        id=1, protocol="uplink", name="Uplink 7", address="tcp://10.0.0.1:22", area_id=1
    )
    assert isinstance(factory.make(link), UplinkAdapter)
    assert registration_of(link) is Registration.APPROVED
