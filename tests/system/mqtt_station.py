"""An MQTT client for the tests of the broker, on paho: it keeps what it receives."""

import contextlib
import os
import queue
from collections.abc import Iterator
from typing import Literal

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hub.domain.secrets import Credentials, Secret
from hub.runtime.embedded_broker import EmbeddedBroker, find_mosquitto

Flavour = Literal["mosquitto", "amqtt"]
PATIENCE_S = 10.0
SILENCE_S = 0.3  # how long "nothing arrives" is listened for
V5 = MQTTProtocolVersion.MQTTv5
V311 = MQTTProtocolVersion.MQTTv311

needs_mosquitto = pytest.mark.skipif(
    find_mosquitto() is None and not os.environ.get("CI"), reason="mosquitto is not installed"
)
MOSQUITTO = pytest.param("mosquitto", marks=needs_mosquitto)
both = pytest.mark.parametrize("flavour", [MOSQUITTO, "amqtt"])


class Station:
    """A connected client that keeps what it receives."""

    def __init__(self, client: paho.Client) -> None:
        self.client = client
        self.connected: queue.Queue[ReasonCode] = queue.Queue()
        self.subscribed: queue.Queue[list[ReasonCode]] = queue.Queue()
        self.received: queue.Queue[tuple[str, bytes]] = queue.Queue()
        client.on_connect = lambda _c, _u, _f, reason, _p: self.connected.put(reason)
        client.on_subscribe = lambda _c, _u, _m, reasons, _p: self.subscribed.put(reasons)
        client.on_message = lambda _c, _u, m: self.received.put((m.topic, bytes(m.payload)))

    def subscribe(self, topic: str) -> list[ReasonCode]:
        """Subscribe and return the broker's answer."""
        self.client.subscribe(topic, qos=1)
        return self.subscribed.get(timeout=PATIENCE_S)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the acknowledgement."""
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def attempt(self, topic: str, payload: bytes) -> None:
        """Publish what the broker should refuse; mosquitto 2.0.11 then cuts the connection."""
        with contextlib.suppress(RuntimeError):
            self.publish(topic, payload)

    def next(self) -> tuple[str, bytes]:
        """Return the next message: topic and payload."""
        return self.received.get(timeout=PATIENCE_S)

    def is_silent(self) -> bool:
        """Tell whether nothing arrives for a moment."""
        try:
            self.received.get(timeout=SILENCE_S)
        except queue.Empty:
            return True
        return False


@contextlib.contextmanager
def connect(
    port: int,
    credentials: Credentials,
    *,
    client_id: str = "",
    keep: bool = False,
    version: MQTTProtocolVersion = V311,
) -> Iterator[tuple[Station, ReasonCode]]:
    """Connect; with ``keep`` the broker keeps the session when the client leaves."""
    name = client_id or f"test-{credentials.username}"
    if version == V5:
        client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=V5)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
        properties.SessionExpiryInterval = 3600 if keep else 0
        options = {"clean_start": not keep, "properties": properties}
    else:
        client = paho.Client(CallbackAPIVersion.VERSION2, name, clean_session=not keep)
        options = {}
    if credentials.username:
        client.username_pw_set(credentials.username, credentials.password.reveal())
    station = Station(client)
    client.connect("127.0.0.1", port, **options)  # type: ignore[arg-type]  # by version
    client.loop_start()
    try:
        yield station, station.connected.get(timeout=PATIENCE_S)
    finally:
        client.disconnect()
        client.loop_stop()


@contextlib.contextmanager
def station(
    port: int,
    credentials: Credentials,
    *,
    client_id: str = "",
    keep: bool = False,
    version: MQTTProtocolVersion = V311,
) -> Iterator[Station]:
    """Connect as :func:`connect` does, and fail when the broker refuses."""
    with connect(port, credentials, client_id=client_id, keep=keep, version=version) as found:
        assert not found[1].is_failure
        yield found[0]


def add_device(broker: EmbeddedBroker, name: str) -> Credentials:
    """Register a device and wait until the broker knows it."""
    credentials = Credentials(username=name, password=Secret(f"secret of {name}"))
    broker.add_user(name, credentials.password)
    for _ in range(50):
        with connect(broker.port, credentials) as (_, reason):
            if not reason.is_failure:
                return credentials
    pytest.fail("the broker never learnt of the device")
