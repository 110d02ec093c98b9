"""Options and addresses of an MQTT connection."""

import pytest
from pydantic import ValidationError

from adapters.mqtt.endpoint import parse_broker_address, resolve
from adapters.mqtt.failures import not_a_broker, refusal
from adapters.mqtt.options import MqttOptions, TlsOptions
from adapters.mqtt.topics import build_filters
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.secrets import Secret


def test_defaults() -> None:
    options = MqttOptions()
    assert options.is_shared
    assert not MqttOptions(version="3.1.1").is_shared
    assert not MqttOptions(shared_group="").is_shared


@pytest.mark.parametrize(
    "fields",
    [
        {"versoin": "5"},
        {"version": "4"},
        {"client_id": "a b"},
        {"shared_group": "a/b"},
        {"shared_group": "#"},
        {"receive_maximum": 0},
        {"tls": {"pinned_sha256": "abc"}},
        {"tls": {"key_file": "/k"}},
        {"tls": {"ca_file": "/c", "pinned_sha256": "00" * 32}},
    ],
)
def test_options_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MqttOptions.model_validate(fields)


def test_fingerprints_with_and_without_colons() -> None:
    TlsOptions(pinned_sha256="ab" * 32)
    TlsOptions(pinned_sha256=":".join(["AB"] * 32))


def test_filters() -> None:
    assert build_filters(shared_group="") == ("gengfu/v1/#",)
    assert build_filters(shared_group="g")[0] == "$share/g/gengfu/v1/#"


@pytest.mark.threat("T3")
@pytest.mark.parametrize(
    "text",
    [
        "http://b",
        "b:1883",
        "mqtt://b/x",
        "mqtt://u:hunter2@b",
        "mqtt://b c",
        "-x://b",
        "mqtt://b?x",
    ],
)
def test_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        parse_broker_address(text)
    assert "hunter2" not in str(caught.value)


def test_addresses() -> None:
    assert parse_broker_address("mqtt://broker").port == 1883
    assert parse_broker_address("mqtts://[::1]:9").port == 9


@pytest.mark.threat("T13")
async def test_policy_is_asked_about_the_resolved_address() -> None:
    address = parse_broker_address("mqtt://127.0.0.1:1883")
    with pytest.raises(AddressRefused):
        await resolve(address, AddressPolicy())
    allowed = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
    assert await resolve(address, allowed) == ["127.0.0.1"]
    assert await resolve(address, None) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (134, AuthRejected),
        (135, AuthRejected),
        (138, AuthRejected),
        (137, DeviceBusy),
        (151, DeviceBusy),
        (132, UnsupportedByDevice),
        (158, UnsupportedByDevice),
        (130, ProtocolViolation),
        (149, ProtocolViolation),
        (136, DeviceUnreachable),
        (139, DeviceUnreachable),
        (142, DeviceUnreachable),
    ],
)
def test_reason_codes_become_reactions(code: int, error: type[DeviceError]) -> None:
    assert type(refusal(code, "name", step="refused")) is error


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (b"HTTP/1.1 400", "no MQTT broker"),
        (b"SSH-2.0", "no MQTT broker"),
        (b"\x15\x03", "mqtts://"),
    ],
)
def test_answers_that_are_not_a_brokers(first: bytes, text: str) -> None:
    error = not_a_broker(first, endpoint="x:1", password=Secret("hunter2"))
    assert error is not None
    assert text in str(error)
    assert error.evidence == first


def test_password_in_an_echo_is_masked() -> None:
    error = not_a_broker(b"\x10\x20..hub..hunter2", endpoint="x:1", password=Secret("hunter2"))
    assert error is not None
    assert error.evidence == b"\x10\x20..hub..***"


def test_connack_is_a_brokers_answer() -> None:
    assert not_a_broker(b"\x20\x02\x00\x00", endpoint="x:1", password=Secret("hunter2")) is None
