"""What paho alone receives, and what the MQTT adapter receives, from one Mosquitto in one run.

A persistent session is filled with readings while nobody listens, then drained: so the sender
costs nothing while the receiver is measured. Both acknowledge by hand, both on MQTT 5 and 3.1.1.
Prints figures and ratios, judges nothing:

    python -m tests.benchmarks.mqtt_paho [messages]
"""

import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.mqtt.adapter import MqttAdapter
from adapters.mqtt.options import MqttOptions
from hub.domain.devices import Connection
from hub.domain.events import Event
from tests.protocol.mosquitto import Mosquitto, run_mosquitto

DEVICES = 200
TOPIC = "gengfu/v1/+/reading"


class CountingLink:
    """Takes everything, commits it at once, and says when the expected number has come."""

    def __init__(self, expected: int) -> None:
        self.done = asyncio.Event()
        self._left = expected

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        self._left -= len(events)
        if acknowledge is not None:
            acknowledge()
        if self._left <= 0:
            self.done.set()


def build_client(version: str, client_id: str) -> Client:
    """A paho client with a persistent session and acknowledgement by hand."""
    is_five = version == "5"
    return Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if is_five else False,
        protocol=MQTTProtocolVersion.MQTTv5 if is_five else MQTTProtocolVersion.MQTTv311,
        manual_ack=True,
    )


def connect(client: Client, version: str, port: int) -> None:
    """Connect so that the broker keeps the session."""
    if version != "5":
        client.connect("127.0.0.1", port)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho left it bare
    properties.SessionExpiryInterval = 600
    properties.ReceiveMaximum = 10_000
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)


def fill(port: int, messages: int) -> None:
    """Publish readings of 200 bytes at QoS 1."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages = 1_000
    client.connect("127.0.0.1", port)
    client.loop_start()
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    for number in range(messages):
        text = json.dumps({"at": at, "values": {"temp": number / 10}, "note": "x"})
        payload = text[:-2] + "x" * (200 - len(text)) + text[-2:]
        info = client.publish(f"gengfu/v1/s{number % DEVICES}/reading", payload, qos=1)
    info.wait_for_publish(120)
    client.disconnect()
    client.loop_stop()


def receive_by_paho(version: str, port: int, messages: int) -> tuple[float, float]:
    """Seconds and CPU seconds that paho alone takes."""
    done = threading.Event()
    count = 0

    def on_message(client: Client, _: object, message: MQTTMessage) -> None:
        nonlocal count
        count += 1
        client.ack(message.mid, message.qos)
        if count == messages:
            done.set()

    client = build_client(version, f"paho-{version}")
    client.on_message = on_message
    started, cpu = time.perf_counter(), time.process_time()
    connect(client, version, port)
    client.loop_start()
    if not done.wait(120):
        raise TimeoutError
    took = time.perf_counter() - started, time.process_time() - cpu
    client.disconnect()
    client.loop_stop()
    return took


def leave_session(version: str, port: int) -> None:
    """Make a session in the broker that subscribes and goes away."""
    client = build_client(version, f"paho-{version}")
    connect(client, version, port)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.01)
    client.subscribe(TOPIC, qos=1)
    time.sleep(0.2)
    client.disconnect()
    client.loop_stop()


def build_adapter(version: str, port: int) -> MqttAdapter:
    """The adapter under test."""
    connection = Connection(
        id=1, protocol="mqtt", name="bench", address=f"mqtt://127.0.0.1:{port}", area_id=1
    )
    options = MqttOptions.model_validate(
        {"version": version, "client_id": f"adapter-{version.replace('.', '')}"}
    )
    return MqttAdapter(
        connection=connection, options=options, clock=lambda: datetime.now(UTC), policy=None
    )


async def receive_by_adapter(version: str, port: int, messages: int) -> tuple[float, float]:
    """Seconds and CPU seconds that the adapter takes, parsing included."""
    link = CountingLink(messages)
    started, cpu = time.perf_counter(), time.process_time()
    running = asyncio.create_task(build_adapter(version, port).run(link))
    finished = asyncio.create_task(link.done.wait())
    await asyncio.wait({running, finished}, timeout=120, return_when=asyncio.FIRST_COMPLETED)
    took = time.perf_counter() - started, time.process_time() - cpu
    running.cancel()
    finished.cancel()
    outcomes = await asyncio.gather(running, finished, return_exceptions=True)
    if outcomes[1] is not True:
        msg = f"not everything came: {outcomes[0]!r}"
        raise RuntimeError(msg)
    return took


async def measure(broker: Mosquitto, version: str, messages: int) -> None:
    """One version: fill both sessions, drain each alone, print."""
    await asyncio.to_thread(leave_session, version, broker.port)
    adapter = asyncio.create_task(build_adapter(version, broker.port).run(CountingLink(1)))
    await asyncio.sleep(1)
    adapter.cancel()
    await asyncio.gather(adapter, return_exceptions=True)
    await asyncio.to_thread(fill, broker.port, messages)
    alone = await asyncio.to_thread(receive_by_paho, version, broker.port, messages)
    ours = await receive_by_adapter(version, broker.port, messages)
    sys.stdout.write(
        f"MQTT {version}: paho alone {messages / alone[0]:,.0f}/s ({alone[1]:.2f} s CPU), "
        f"adapter {messages / ours[0]:,.0f}/s ({ours[1]:.2f} s CPU), "
        f"ratio {alone[0] / ours[0]:.2f}\n"
    )


async def run(messages: int) -> None:
    """Measure both versions."""
    with tempfile.TemporaryDirectory() as folder:
        async with run_mosquitto(Path(folder)) as broker:
            for version in ("3.1.1", "5"):
                await measure(broker, version, messages)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))
