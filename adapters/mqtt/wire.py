"""The paho client on asyncio: the only module that knows paho.

paho's own thread is not used: its socket is watched by the event loop, so that every callback,
and every acknowledgement, happens in the loop and nothing needs a lock. One ``Wire`` is one
network connection; the persistent session behind it lives in the broker.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from adapters.mqtt.failures import connect_failure, not_a_broker, refusal
from adapters.mqtt.ledger import Ack
from adapters.mqtt.options import MqttOptions
from adapters.mqtt.sockets import has_decrypted, peek, sign_off
from hub.domain.errors import DeviceError, DeviceUnreachable, ProtocolViolation
from hub.domain.secrets import Credentials

_T = TypeVar("_T")

READ_BURST = 256  # packets read before other tasks have their turn
_MALFORMED = 130  # what paho reports when it cannot read a packet


class Receive(Protocol):
    """Takes one message; must not raise and must not wait."""

    def __call__(self, topic: str, payload: bytes, ack: Ack, *, is_retained: bool) -> None:
        """``ack.qos`` is 0 for a message that wants no acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who connects."""

    client_id: str
    credentials: Credentials


class Wire:
    """One connection to a broker: open, subscribe, receive, acknowledge, publish, close."""

    def __init__(
        self,
        *,
        options: MqttOptions,
        identity: Identity,
        context: ssl.SSLContext | None,
        receive: Receive,
    ) -> None:
        self._options = options
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[bool] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._password = identity.credentials.password
        self._filters: Sequence[str] = ()
        self._endpoint = ""
        self._fd = -1
        self._packets = 0
        self._is_paused = False
        self._client = self._build_client(identity, context)

    def _build_client(self, identity: Identity, context: ssl.SSLContext | None) -> Client:
        is_five = self._options.is_five
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=identity.client_id,
            clean_session=None if is_five else False,
            protocol=MQTTProtocolVersion.MQTTv5 if is_five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = self._options.connect_timeout_s
        credentials = identity.credentials
        if credentials.username:
            client.username_pw_set(credentials.username, credentials.password.reveal() or None)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    @property
    def is_open(self) -> bool:
        """Whether the broker accepted the connection and it still stands."""
        return self._connected.done() and not self._lost.done() and self._fd >= 0

    @property
    def had_session(self) -> bool:
        """Whether the broker still had our session when it accepted the connection."""
        return self._connected.done() and self._connected.result()

    async def open(self, ip_text: str, port: int) -> None:
        """Connect and wait for the broker's answer.

        Raises:
            DeviceError: by its class, what to do about it.
        """
        self._endpoint = f"[{ip_text}]:{port}" if ":" in ip_text else f"{ip_text}:{port}"
        opening = self._loop.run_in_executor(None, partial(self._connect, ip_text, port))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._abandon)
            raise
        except (OSError, ValueError) as error:
            raise connect_failure(error, endpoint=self._endpoint) from error
        self._watch_socket()
        await self._answer(
            self._connected, "did not answer CONNECT", self._options.connect_timeout_s
        )

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe and wait for the broker's consent.

        In a resumed session the answer stands in line behind everything the broker has kept for
        us, and the subscriptions are there already: then there is no deadline.

        Raises:
            DeviceError: the broker refuses, or is gone.
        """
        self._filters = filters
        self._client.subscribe([(text, 1) for text in filters])
        timeout_s = None if self.had_session else self._options.connect_timeout_s
        await self._answer(self._subscribed, "did not answer SUBSCRIBE", timeout_s)

    async def wait_lost(self) -> None:
        """Wait until the connection dies; raises the DeviceError that says why."""
        await asyncio.shield(self._lost)

    def acknowledge(self, acks: Iterable[Ack]) -> None:
        """Acknowledge messages; on a dead connection nothing happens and they come again."""
        if self.is_open:
            for ack in acks:
                if ack.qos:
                    self._client.ack(ack.mid, ack.qos)

    def publish(self, topic: str, payload: bytes, *, expiry_s: float) -> None:
        """Publish at QoS 1; with MQTT 5 the broker forgets it after ``expiry_s``.

        Raises:
            DeviceUnreachable: the connection is gone.
        """
        properties = None
        if self._options.is_five:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho left it bare
            properties.MessageExpiryInterval = max(1, round(expiry_s))
        info = self._client.publish(topic, payload, qos=1, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            msg = "the connection to the broker is gone"
            raise DeviceUnreachable(msg)

    def pause(self) -> None:
        """Stop reading: the broker's side of the connection fills and it waits."""
        if self._fd >= 0 and not self._is_paused:
            self._is_paused = True
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Read again."""
        if self._fd >= 0 and self._is_paused:
            self._is_paused = False
            self._loop.add_reader(self._fd, self._on_readable)
            self._loop.call_soon(self._on_readable)  # TLS may hold bytes the socket has not

    def tick(self) -> None:
        """Keep the connection alive; call about once a second.

        While paused we cannot see the broker's answers, so we must not judge it by them.
        """
        if self._fd >= 0 and not self._is_paused:
            self._client.loop_misc()

    async def close(self) -> None:
        """Send what acknowledgements wait, sign off, close. The session stays in the broker."""
        is_up = self._fd >= 0
        if is_up:
            self._client.loop_write()
        self._unwatch_socket()
        sock = self._client.socket()
        if sock is not None:
            try:
                if is_up and isinstance(sock, socket.socket) and not self._client.want_write():
                    await sign_off(sock)
            finally:
                sock.close()
        for future in (self._connected, self._subscribed, self._lost):
            if not future.done():
                future.cancel()
            elif not future.cancelled():
                future.exception()  # seen: nobody may be left to await it

    def _connect(self, ip_text: str, port: int) -> None:
        options = self._options
        if not options.is_five:
            self._client.connect(ip_text, port, options.keep_alive_s)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho left it bare
        properties.SessionExpiryInterval = options.session_expiry_s
        properties.ReceiveMaximum = options.receive_maximum
        properties.MaximumPacketSize = options.max_packet_bytes
        self._client.connect(
            ip_text, port, options.keep_alive_s, clean_start=False, properties=properties
        )

    def _abandon(self, opening: "asyncio.Future[None]") -> None:
        if not opening.cancelled():
            opening.exception()
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    async def _answer(
        self, future: "asyncio.Future[_T]", silence: str, timeout_s: float | None
    ) -> _T:
        """Wait for an answer of the broker; a connection that dies meanwhile raises its reason."""
        either: set[asyncio.Future[_T] | asyncio.Future[None]] = {future, self._lost}
        await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if future.done():
            return future.result()
        if self._lost.done():
            self._lost.result()
        hint = "; does it speak MQTT 5? else set version 3.1.1" if self._options.is_five else ""
        msg = f"{self._endpoint}: the broker {silence} within {timeout_s:g} s{hint}"
        raise DeviceUnreachable(msg)

    def _watch_socket(self) -> None:
        sock = self._client.socket()
        if sock is None:
            msg = f"{self._endpoint}: closed by the broker"
            raise DeviceUnreachable(msg)
        self._fd = sock.fileno()
        self._client.on_socket_close = self._on_socket_close
        self._client.on_socket_register_write = self._on_want_write
        self._client.on_socket_unregister_write = self._on_written
        self._loop.add_reader(self._fd, self._on_readable)

    def _unwatch_socket(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = -1

    def _on_readable(self) -> None:
        has_read = False
        try:
            self._read()
            has_read = True
        finally:
            if not has_read:  # an error in paho: said by the loop's handler; and never again here
                self._die(ProtocolViolation(f"{self._endpoint}: sent what paho cannot read"))

    def _read(self) -> None:
        if self._fd < 0 or self._is_paused or not self._looks_like_broker():
            return
        for _ in range(READ_BURST):
            before = self._packets
            if self._client.loop_read() or self._fd < 0 or self._is_paused:
                return
            if self._packets == before and not has_decrypted(self._client.socket()):
                return
        if has_decrypted(self._client.socket()):
            self._loop.call_soon(self._on_readable)

    def _looks_like_broker(self) -> bool:
        """Look at the very first bytes: paho would wait for the rest of a packet that is none."""
        if self._connected.done():
            return True
        first = peek(self._client.socket())
        if not first:
            return first is None
        error = not_a_broker(first, endpoint=self._endpoint, password=self._password)
        if error is not None:
            self._die(error)
        return error is None

    def _on_want_write(self, *_: object) -> None:
        if self._fd >= 0:
            self._loop.add_writer(self._fd, self._client.loop_write)

    def _on_written(self, *_: object) -> None:
        if self._fd >= 0:
            self._loop.remove_writer(self._fd)

    def _on_socket_close(self, *_: object) -> None:
        self._unwatch_socket()

    def _on_connect(
        self, _c: Client, _u: object, flags: ConnectFlags, reason: ReasonCode, _p: object
    ) -> None:
        if self._connected.done():
            return
        if reason.is_failure:
            error = refusal(reason.value, reason.getName(), step="refused the connection")
            self._connected.set_exception(error)
        else:
            self._connected.set_result(flags.session_present)

    def _on_subscribe(
        self, _c: Client, _u: object, _mid: int, reasons: list[ReasonCode], _p: object
    ) -> None:
        if self._subscribed.done():
            return
        for text, reason in zip(self._filters, reasons, strict=False):
            if reason.is_failure:
                step = f"refused the subscription to {text}"
                code = 135 if reason.value == 128 else reason.value  # 3.1.1 knows one failure
                self._subscribed.set_exception(refusal(code, reason.getName(), step=step))
                return
        self._subscribed.set_result(None)

    def _on_message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        self._packets += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(a topic that is not UTF-8)"
        self._receive(
            topic,
            bytes(message.payload),
            Ack(message.mid, message.qos),
            is_retained=message.retain,
        )

    def _on_disconnect(
        self, _c: Client, _u: object, flags: DisconnectFlags, reason: ReasonCode, _p: object
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._die(refusal(reason.value, reason.getName(), step="ended the connection"))
        elif reason.value == _MALFORMED:
            self._die(ProtocolViolation(f"{self._endpoint}: sent what is not MQTT"))
        else:
            # Mosquitto 2.0.11 says nothing when it ends a session that another client takes over.
            text = "the connection broke; should it do so again and again: is client_id used twice?"
            self._die(DeviceUnreachable(f"{self._endpoint}: {text}"))

    def _die(self, error: DeviceError) -> None:
        self._unwatch_socket()
        if not self._lost.done():
            self._lost.set_exception(error)
