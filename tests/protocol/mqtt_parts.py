"""What the MQTT tests have in common: a link that commits as told, and a device on paho."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from adapters.mqtt.adapter import MqttAdapter
from adapters.mqtt.options import MqttOptions
from hub.domain.devices import Connection, Json
from hub.domain.errors import DeviceError
from hub.domain.events import Event, Reading
from hub.domain.secrets import Credentials, Secret

PASSWORD = "hunter2-not-in-logs"


class RecordingLink:
    """Keeps what comes; commits at once, or when told, or never."""

    def __init__(self, *, is_committing: bool = True) -> None:
        self.events: list[Event] = []
        self.pending: list[tuple[list[float], Callable[[], None]]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._is_committing = is_committing
        self._came = asyncio.Condition()

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        await self.gate.wait()
        self.events += events
        if acknowledge is not None:
            if self._is_committing:
                acknowledge()
            else:
                self.pending.append((_values(events), acknowledge))
        async with self._came:
            self._came.notify_all()

    async def wait_for(self, is_enough: Callable[[list[Event]], bool], *, s: float = 10) -> None:
        async with asyncio.timeout(s), self._came:
            await self._came.wait_for(lambda: is_enough(self.events))

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def values(self) -> list[float]:
        return _values(self.events)

    def commit_first(self, count: int) -> list[float]:
        """Commit the oldest batches; returns the values in them."""
        batches, self.pending = self.pending[:count], self.pending[count:]
        for _, acknowledge in batches:
            acknowledge()
        return [value for values, _ in batches for value in values]


def _values(events: Sequence[Event]) -> list[float]:
    return [event.value for event in events if isinstance(event, Reading)]


def build_adapter(
    address: str, *, user: str = "", password: str = PASSWORD, instance: str = "", **options: object
) -> MqttAdapter:
    credentials = Credentials(username=user, password=Secret(password)) if user else Credentials()
    connection = Connection(
        id=7,
        protocol="mqtt",
        name="broker",
        address=address,
        area_id=1,
        credentials=credentials,
    )
    return MqttAdapter(
        connection=connection,
        options=MqttOptions.model_validate({"connect_timeout_s": 2, **options}),
        clock=lambda: datetime.now(UTC),
        policy=None,
        instance=instance,
    )


@asynccontextmanager
async def running(adapter: MqttAdapter, link: RecordingLink) -> AsyncIterator["asyncio.Task[None]"]:
    """Run the adapter until the block ends; a cancelled run must be gone within a second."""
    task = asyncio.create_task(adapter.run(link))
    try:
        yield task
    finally:
        started = time.perf_counter()
        task.cancel()
        with suppress(asyncio.CancelledError, DeviceError):
            await task
        assert time.perf_counter() - started < 1


class Sensor:
    """A device: paho with its own thread."""

    def __init__(self, port: int, *, user: str = "", will: tuple[str, Json] | None = None) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        if user:
            self._client.username_pw_set(user, PASSWORD)
        if will is not None:
            self._client.will_set(will[0], json.dumps(will[1]), qos=1, retain=True)
        self._client.max_inflight_messages = 500
        is_in = threading.Event()

        def on_connect(*_: object) -> None:
            is_in.set()

        self._client.on_connect = on_connect
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert is_in.wait(5)

    def publish(
        self, topic: str, payload: bytes | Json, *, qos: int = 1, is_retained: bool = False
    ) -> None:
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        info = self._client.publish(f"gengfu/v1/{topic}", raw, qos=qos, retain=is_retained)
        info.wait_for_publish(10)

    def publish_all(self, messages: Sequence[tuple[str, Json]], *, qos: int = 1) -> None:
        """Publish many and wait for the last."""
        for topic, payload in messages:
            info = self._client.publish(f"gengfu/v1/{topic}", json.dumps(payload), qos=qos)
        info.wait_for_publish(30)

    def answer(self, device: str, reply: Callable[[dict[str, Json]], bytes]) -> None:
        """Answer every command with what ``reply`` makes of it."""

        def on_message(client: Client, _: object, message: MQTTMessage) -> None:
            payload = reply(json.loads(message.payload))
            client.publish(f"gengfu/v1/{device}/command/reply", payload, qos=1)

        granted = threading.Event()

        def on_subscribe(*_: object) -> None:
            granted.set()

        self._client.on_message = on_message
        self._client.on_subscribe = on_subscribe
        self._client.subscribe(f"gengfu/v1/{device}/command", qos=1)
        assert granted.wait(5)

    def cut(self) -> None:
        """Vanish without signing off."""
        sock = self._client.socket()
        self._client.loop_stop()
        if sock is not None:
            sock.close()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@asynccontextmanager
async def sensor(port: int, *, user: str = "") -> AsyncIterator[Sensor]:
    device = await asyncio.to_thread(Sensor, port, user=user)
    try:
        yield device
    finally:
        await asyncio.to_thread(device.close)


@asynccontextmanager
async def serve(answer: bytes | None, *, hold_s: float = 60) -> AsyncIterator[int]:
    """A TCP server that is no broker: it answers the first bytes, holds and hangs up."""
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(1)
            if answer is not None:
                writer.write(answer)
            await asyncio.sleep(hold_s)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(talk(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
