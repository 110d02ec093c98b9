"""Notifications over MQTT through a real mosquitto, published with paho."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from alerts.notify.mqtt import MqttNotifier
from hub.domain.errors import DeviceUnreachable, Rejected
from hub.domain.notifications import ReceiverKind
from tests.protocol.mosquitto import Mosquitto, run_mosquitto
from tests.protocol.notify_contract import PATIENT_S, SECRET, SHORT_S, NotifierContract, Received
from tests.unit.alerts_examples import message, receiver

TOPIC = "gengfu/alerts/county"


class PahoPublisher:
    """What the composition root gives: publish and wait for the broker's word."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Event] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_publish = self._published
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    async def __call__(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        if not self._client.is_connected():
            msg = "the broker is away"
            raise DeviceUnreachable(msg)
        done = asyncio.Event()
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        self._waiting[info.mid] = done
        if info.is_published():
            done.set()
        await done.wait()

    def _published(self, *args: object) -> None:
        mid = args[2]
        assert isinstance(mid, int)
        self._loop.call_soon_threadsafe(self._release, mid)

    def _release(self, mid: int) -> None:
        done = self._waiting.pop(mid, None)
        if done is not None:
            done.set()

    def is_connected(self) -> bool:
        return self._client.is_connected()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class MqttRig:
    """A notifier, a broker and a subscriber."""

    kind = ReceiverKind.MQTT
    secret = SECRET

    def __init__(self, broker: Mosquitto) -> None:
        self.broker = broker
        self.publisher = PahoPublisher(broker.port)
        self.notifier = MqttNotifier(self.publisher, UTC, timeout_s=PATIENT_S)
        self.hasty = MqttNotifier(self.publisher, UTC, timeout_s=SHORT_S)
        self.options = {"topic": TOPIC}
        self.messages: list[paho.MQTTMessage] = []
        self._loop = asyncio.get_running_loop()
        self._subscribed = asyncio.Event()
        self._arrived = asyncio.Event()
        self._subscriber = paho.Client(CallbackAPIVersion.VERSION2)
        self._subscriber.on_message = self._arrive
        self._subscriber.on_subscribe = self._ready
        self._subscriber.connect("127.0.0.1", broker.port)
        self._subscriber.loop_start()
        self._subscriber.subscribe("#", qos=1)

    async def start(self) -> None:
        async with asyncio.timeout(5):
            await self._subscribed.wait()
            while not self.publisher.is_connected():
                await asyncio.sleep(0.01)

    def _ready(self, *_args: object) -> None:
        self._loop.call_soon_threadsafe(self._subscribed.set)

    def _arrive(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._keep, message)

    def _keep(self, message: paho.MQTTMessage) -> None:
        self.messages.append(message)
        self._arrived.set()

    async def received(self, count: int) -> list[Received]:
        async with asyncio.timeout(5):
            while len(self.messages) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return [
            Received(
                message_id=str(json.loads(message.payload)["id"]),
                text=f"{message.topic} {json.loads(message.payload)['text']}",
            )
            for message in self.messages
        ]

    async def refuse(self) -> None:
        """MQTT has no "later": a broker that is being restarted comes nearest."""
        await self.close()

    async def hang(self) -> None:
        await self.broker.freeze()

    async def close(self) -> None:
        await self.broker.kill()
        async with asyncio.timeout(5):
            while self.publisher.is_connected():
                await asyncio.sleep(0.01)

    def stop(self) -> None:
        self.publisher.stop()
        self._subscriber.disconnect()
        self._subscriber.loop_stop()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[MqttRig]:
    async with run_mosquitto(tmp_path) as broker:
        made = MqttRig(broker)
        await made.start()
        yield made
        made.stop()
        await broker.kill()


class TestMqtt(NotifierContract):
    """The contract."""


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_every_quality_of_service_arrives(rig: MqttRig, qos: int) -> None:
    options = {"topic": TOPIC, "qos": qos}
    detail = await rig.notifier.send(message(to=receiver(rig.kind, options)))
    assert detail == f"published with QoS {qos}"
    (got,) = await rig.received(1)
    assert got.text.startswith(TOPIC)


@pytest.mark.threat("T30")
async def test_a_stored_topic_of_a_device_is_not_published_to(rig: MqttRig) -> None:
    """The check holds at the wire too, not only in the form."""
    options = {"topic": "gengfu/v1/gate/command"}
    with pytest.raises(Rejected):
        await rig.notifier.send(message(to=receiver(rig.kind, options)))
    await rig.notifier.send(message(to=receiver(rig.kind, {"topic": TOPIC})))
    await rig.received(1)
    assert [message.topic for message in rig.messages] == [TOPIC]
