"""Options of a connection: checked by protocol, and one adapter for each."""

from datetime import UTC, datetime

import pytest

from adapters.mqtt.adapter import MqttAdapter
from adapters.onvif.adapter import OnvifAdapter
from adapters.rtsp.adapter import RtspAdapter
from hub.domain.addresses import AddressPolicy
from hub.domain.devices import Connection, Json, Registration, Stream
from hub.domain.errors import Invalid, UnsupportedByDevice
from hub.domain.ports import CameraTarget
from hub.main.adapters import AdapterFactory, parse_connection, registration_of


async def describe(target: CameraTarget, *, timeout_s: float) -> Stream:
    raise AssertionError(target, timeout_s)


FACTORY = AdapterFactory(
    policy=AddressPolicy(),
    describe=describe,
    clock=lambda: datetime(2026, 11, 22, tzinfo=UTC),
    broker_address="mqtt://127.0.0.1:1883",
)


def link(protocol: str, address: str, **options: Json) -> Connection:
    return Connection(
        id=1, protocol=protocol, name="x", address=address, area_id=1, options=options
    )


def test_each_protocol_has_its_adapter() -> None:
    onvif = FACTORY.make(link("onvif", "http://10.0.0.1/onvif/device_service"))
    rtsp = FACTORY.make(link("rtsp", "rtsp://10.0.0.1/live"))
    mqtt = FACTORY.make(link("mqtt", "mqtt://10.0.0.1"))
    assert isinstance(onvif, OnvifAdapter)
    assert isinstance(rtsp, RtspAdapter)
    assert isinstance(mqtt, MqttAdapter)


@pytest.mark.parametrize(
    "bad",
    [
        link("gopher", "gopher://10.0.0.1"),
        link("onvif", "http://10.0.0.1/", of_an_older_version=True),
        link("mqtt", "mqtt://10.0.0.1", version="7"),
    ],
)
def test_options_that_no_longer_fit_ask_for_an_edit(bad: Connection) -> None:
    with pytest.raises(UnsupportedByDevice, match="edit the connection"):
        FACTORY.make(bad)
    with pytest.raises(UnsupportedByDevice, match="edit the connection"):
        registration_of(bad)


def test_only_what_was_given_is_stored() -> None:
    assert parse_connection({"protocol": "onvif"}) == {}
    assert parse_connection({"protocol": "mqtt", "approve_unknown": True}) == {
        "approve_unknown": True
    }


@pytest.mark.threat("T31")
@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "options.protocol"),
        ({"protocol": "gopher-hunter2"}, "options.protocol"),
        ({"protocol": "onvif", "evnts": "hunter2"}, "options.evnts"),
        ({"protocol": "mqtt", "version": "hunter2"}, "options.version"),
        ({"protocol": "mqtt", "tls": {"ca_fle": "hunter2"}}, "options.tls.ca_fle"),
    ],
)
def test_the_wrong_option_is_named_and_its_value_is_not(raw: dict[str, Json], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_connection(raw)
    assert caught.value.field == field
    assert "hunter2" not in str(caught.value)


def test_a_broker_speaks_for_anybody_and_a_camera_for_itself() -> None:
    assert registration_of(link("onvif", "http://10.0.0.1/")) is Registration.APPROVED
    assert registration_of(link("mqtt", "mqtt://10.0.0.1")) is Registration.PENDING
    trusted = link("mqtt", "mqtt://10.0.0.1", approve_unknown=True)
    assert registration_of(trusted) is Registration.APPROVED
