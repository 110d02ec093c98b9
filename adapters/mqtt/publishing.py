"""Publishes single messages to a broker, for whoever is not a device: notifications.

One short connection a message: few are sent, and nothing has to be kept alive in between.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from adapters.mqtt.endpoint import parse_broker_address
from adapters.mqtt.failures import connect_failure, refusal
from adapters.mqtt.options import MqttOptions
from adapters.mqtt.tls import build_context
from hub.domain.errors import DeviceError, DeviceUnreachable
from hub.domain.secrets import Credentials

TIMEOUT_S = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPublisher:
    """Knows one broker; ``address`` is trusted, it comes from the settings."""

    address: str
    credentials: Credentials
    options: MqttOptions

    async def log_in(self) -> None:
        """Log in and out again: is the broker there, and does it know us?

        Raises:
            DeviceError: the broker is away or refuses us.
        """
        await asyncio.to_thread(self._log_in)

    def _log_in(self) -> None:
        with self._connected():
            pass

    async def __call__(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Publish one message; returns once the broker has acknowledged it.

        Raises:
            DeviceError: the broker is away or refuses us.
        """
        await asyncio.to_thread(self._publish, topic, payload, qos, retain)

    def _publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:  # noqa: FBT001 - handed to a thread by position
        with self._connected() as client:
            message = client.publish(topic, payload, qos=qos, retain=retain)
            if message.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                msg = "the broker did not take the message"
                raise DeviceUnreachable(msg)
            message.wait_for_publish(TIMEOUT_S)
            if not message.is_published():
                msg = "the broker did not acknowledge the message in time"
                raise DeviceUnreachable(msg)

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        """A client that is logged in, driven by a thread of its own."""
        address = parse_broker_address(self.address)
        client = self._client(address.scheme == "mqtts", address.host)
        answered = threading.Event()
        refused: list[DeviceError] = []

        def on_connect(
            _client: Client,
            _data: object,
            _flags: ConnectFlags,
            reason: ReasonCode,
            _properties: Properties | None,
        ) -> None:
            if reason.is_failure:
                refused.append(refusal(reason.value, reason.getName(), step="log in"))
            answered.set()

        client.on_connect = on_connect
        try:
            client.connect(address.host, address.port)
        except OSError as error:
            raise connect_failure(error, endpoint=address.text) from error
        client.loop_start()
        try:
            if not answered.wait(TIMEOUT_S):
                msg = f"{address.text} accepts the connection but does not answer as a broker"
                raise DeviceUnreachable(msg)
            if refused:
                raise refused[0]
            yield client
        finally:
            client.disconnect()
            client.loop_stop()

    def _client(self, has_tls: bool, host: str) -> Client:  # noqa: FBT001 - private, one caller
        is_five = self.options.version == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            protocol=MQTTProtocolVersion.MQTTv5 if is_five else MQTTProtocolVersion.MQTTv311,
        )
        client.connect_timeout = TIMEOUT_S
        if self.credentials.username:
            client.username_pw_set(self.credentials.username, self.credentials.password.reveal())
        if has_tls:
            client.tls_set_context(build_context(self.options.tls, broker_name=host))
        return client
