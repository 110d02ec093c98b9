"""The MQTT adapter: one connection to a broker, its sensors and gateways.

It subscribes with a persistent session at QoS 1 and acknowledges a message only after the hub has
committed what it said, in the order of arrival: what dies in between comes again. It never
retries and never reconnects; ``run`` raises and the supervisor decides.

Back-pressure: while the hub is behind, unacknowledged messages fill the receive maximum and the
broker keeps the rest. A broker that ignores it (3.1.1 knows none) is not read from any more.
QoS 0 messages, which the sender allows to be lost, are dropped then, counted and logged.
"""

import asyncio
import logging
import ssl
import uuid
from collections.abc import Mapping
from functools import partial

from adapters.mqtt.commands import PendingCommands, build_command, check_command
from adapters.mqtt.digest import Digest
from adapters.mqtt.endpoint import parse_broker_address, resolve
from adapters.mqtt.inbox import Inbox, Item
from adapters.mqtt.ledger import Ack, AckLedger, Batch
from adapters.mqtt.options import MqttOptions
from adapters.mqtt.payloads import EVIDENCE_BYTES, Message, parse_reply
from adapters.mqtt.tls import build_context
from adapters.mqtt.topics import Leaf, build_filters, build_topic, parse_topic
from adapters.mqtt.wire import Identity, Wire
from hub.domain.addresses import AddressPolicy
from hub.domain.devices import Connection, Json
from hub.domain.errors import DeviceError, DeviceUnreachable
from hub.domain.events import Event, UnrecognisedEvent
from hub.domain.ports import Clock, Link

log = logging.getLogger(__name__)

TICK_S = 1.0  # how often keep-alive and silence are looked at


class MqttAdapter:
    """One broker connection; ``run`` reports, ``command`` sends.

    ``instance`` tells several hub processes on one connection apart: each needs a session of
    its own in the broker.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        options: MqttOptions,
        clock: Clock,
        policy: AddressPolicy | None,
        instance: str = "",
    ) -> None:
        self._log = logging.LoggerAdapter(log, {"connection": connection.name})
        self._connection = connection
        self._options = options
        self._policy = policy
        self._address = parse_broker_address(connection.address)
        base = options.client_id or f"gengfu-{connection.id}"
        self._client_id = f"{base}-{instance}" if instance else base
        self._clock = clock
        self._digest = Digest(options=options, clock=clock)
        self._commands = PendingCommands()
        self._wire: Wire | None = None
        self._inbox = Inbox()
        self._ledger = AckLedger()
        self._unsettled = 0
        self._dropped = 0
        self._had_connection = False

    @property
    def waiting(self) -> int:
        """How many messages are received and not yet committed; bounded."""
        return self._unsettled

    async def run(self, link: Link) -> None:
        """Report until cancelled; raise a DeviceError when the link dies."""
        self._inbox, self._ledger = Inbox(), AckLedger()
        self._unsettled, self._dropped = 0, 0
        try:
            wire = await self._open()
            await self._work(wire, link)
        finally:
            self._commands.fail(DeviceUnreachable("the connection to the broker ended"))
            if self._wire is not None:
                wire, self._wire = self._wire, None
                await wire.close()

    async def command(self, device: str, do: str, args: Mapping[str, Json]) -> Mapping[str, Json]:
        """Send a command and return the device's reply without its id.

        Raises:
            Invalid: the command must not be sent.
            DeviceUnreachable: no connection, or no reply within ``command_timeout_s``.
        """
        check_command(device, do, args)
        wire = self._wire
        if wire is None or not wire.is_open:
            msg = "there is no connection to the broker"
            raise DeviceUnreachable(msg)
        id_ = uuid.uuid4().hex
        timeout_s = self._options.command_timeout_s
        payload = build_command(id_, do, args, now=self._clock(), timeout_s=timeout_s)
        wire.publish(build_topic(device, Leaf.COMMAND), payload, expiry_s=timeout_s)
        return await self._commands.wait(device, id_, timeout_s=timeout_s)

    async def _open(self) -> Wire:
        address, options = self._address, self._options
        ips = await resolve(address, self._policy)
        context = None
        if address.scheme == "mqtts":
            context = await asyncio.to_thread(build_context, options.tls, broker_name=address.host)
        identity = Identity(client_id=self._client_id, credentials=self._connection.credentials)
        for ip in ips[:-1]:
            try:
                return await self._open_at(ip, identity, context)
            except DeviceUnreachable as error:
                self._log.info("broker address does not answer, trying the next: %s", error)
        return await self._open_at(ips[-1], identity, context)

    async def _open_at(self, ip: str, identity: Identity, context: ssl.SSLContext | None) -> Wire:
        wire = Wire(
            options=self._options, identity=identity, context=context, receive=self._receive
        )
        self._wire = wire
        try:
            await wire.open(ip, self._address.port)
        except DeviceError:
            await wire.close()
            raise
        return wire

    async def _work(self, wire: Wire, link: Link) -> None:
        self._digest.begin(self._now())
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._attend(wire), self._deliver(wire, link), self._tick(wire))
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _attend(self, wire: Wire) -> None:
        """Subscribe while what the broker kept is delivered already, then wait for the end."""
        group = self._options.shared_group if self._options.is_shared else ""
        await wire.subscribe(build_filters(shared_group=group))
        if self._had_connection and not wire.had_session:
            self._log.warning("the broker forgot our session: what came meanwhile may be lost")
        self._log.info("broker connected (session %s)", "resumed" if wire.had_session else "new")
        self._had_connection = True
        self._inbox.put(Item(is_greeting=True))
        await wire.wait_lost()

    def _receive(self, topic: str, payload: bytes, ack: Ack, *, is_retained: bool) -> None:
        if not ack.qos and self._load() >= 0.5:
            self._drop()
            return
        size = len(payload)
        if size > self._options.max_payload_bytes:
            payload = payload[:EVIDENCE_BYTES]
        message = Message(topic=topic, payload=payload, size=size, is_retained=is_retained)
        self._unsettled += 1
        if parse_topic(topic).leaf is Leaf.REPLY:
            self._inbox.put(Item(ack=ack, events=self._receive_reply(message)))
        else:
            self._inbox.put(Item(ack=ack, message=message))
        if self._wire is not None and self._load() >= 1:
            self._wire.pause()

    def _receive_reply(self, message: Message) -> tuple[Event, ...]:
        """Resolve at once: whoever waits must not wait for the database."""
        if message.is_retained:
            return ()
        reply = parse_reply(message, max_payload_bytes=self._options.max_payload_bytes)
        if isinstance(reply, UnrecognisedEvent):
            return (reply,)
        self._commands.resolve(reply)
        return ()

    def _load(self) -> float:
        """How far the hub is behind: at 0.5 QoS 0 is dropped, at 1 reading stops.

        A broker that keeps to our receive maximum never brings it to 1 by the count.
        """
        return max(self._inbox.filling, self._unsettled / (2 * self._options.receive_maximum))

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped == 1:
            self._log.warning("the hub is behind: messages sent at QoS 0 are dropped")

    async def _deliver(self, wire: Wire, link: Link) -> None:
        while True:
            items = await self._inbox.take()
            now = self._now()
            events: list[Event] = []
            for item in items:
                events.extend(item.events)
                if item.message is not None:
                    events.extend(self._digest.digest(item.message, now))
            acks = [item.ack for item in items if item.ack is not None]
            batch = self._ledger.open(acks, now)
            settle = partial(self._settle, wire, batch)
            if not events and not any(item.is_greeting for item in items):
                settle()
                continue
            await link.emit(events, acknowledge=settle)

    def _settle(self, wire: Wire, batch: Batch) -> None:
        """A batch is committed. On a connection that has died since, this does nothing."""
        if wire is not self._wire or batch.is_settled:
            return
        self._unsettled -= len(batch.acks)
        wire.acknowledge(self._ledger.settle(batch))
        load = self._load()
        if load < 1:
            wire.resume()
        if load < 0.5 and self._dropped:
            self._log.warning("the hub caught up: %d QoS 0 messages were dropped", self._dropped)
            self._dropped = 0

    async def _tick(self, wire: Wire) -> None:
        while True:
            before = self._now()
            await asyncio.sleep(TICK_S)
            wire.tick()
            now = self._now()
            if now - before > 2 * TICK_S or self._ledger.age(now) > TICK_S:
                self._digest.hold(now)  # we were busy, or wait for a commit: nobody is silent
            events = self._digest.fallen_silent(now)
            if events:
                self._inbox.put(Item(events=events))

    @staticmethod
    def _now() -> float:
        """A steady clock: silence must not follow a wall clock that is set."""
        return asyncio.get_running_loop().time()
