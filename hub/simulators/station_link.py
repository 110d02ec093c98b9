"""One connection of a sensor station to its broker: paho, watched by the event loop.

Hundreds fit into one process. A link is used once; the station opens a new one when it is lost.
"""

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from paho.mqtt.client import Client

from hub.domain.errors import ConfigError

KEEP_ALIVE_S = 30
CONNECT_S = 5.0
DEFAULT_PORT = 1883


class SocketLike(Protocol):
    """What paho calls a socket."""

    def fileno(self) -> int:
        """The file descriptor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker listens."""

    host: str
    port: int


def parse_broker(address: str) -> Broker:
    """Read a broker's address.

    Raises:
        ConfigError: it is not ``mqtt://host`` or ``mqtt://host:port``.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        host, port = None, 0
    if not host or parts.scheme != "mqtt":
        # The address is not repeated: it might hold a password.
        msg = "the simulated stations need a broker's address like mqtt://127.0.0.1:1883, no TLS"
        raise ConfigError(msg)
    return Broker(host=host, port=port)


class StationLink:
    """An open connection; its callbacks are the client's own."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._is_paused = False

    @classmethod
    async def open(cls, client: Client, broker: Broker) -> "StationLink":
        """Connect; the broker's welcome comes by the client's callback.

        Raises:
            OSError: the broker is not reached.
            UnicodeError: its name cannot be one.
        """
        client.connect_timeout = CONNECT_S
        # In a thread, for a broker that does not answer would halt every other device. A client
        # whose connecting was given up closes its socket when it is collected.
        await asyncio.to_thread(client.connect, broker.host, broker.port, KEEP_ALIVE_S)
        link = cls(client)
        link._watch()
        return link

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands, as far as one can see from here."""
        return self.client.socket() is not None

    @property
    def is_welcome(self) -> bool:
        """Whether the broker has accepted the client, and messages get through now."""
        return not self._is_paused and self.client.is_connected()

    def tend(self) -> None:
        """Do what falls due with time: pings, and noticing their absence."""
        if not self._is_paused:
            self.client.loop_misc()

    def pause(self) -> None:
        """Neither read nor write from now on: the cable is out."""
        self._is_paused = True
        line = self.client.socket()
        if line is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(line.fileno())
            loop.remove_writer(line.fileno())

    def resume(self) -> None:
        """Read and write again."""
        self._is_paused = False
        line = self.client.socket()
        if line is not None:
            loop = asyncio.get_running_loop()
            loop.add_reader(line.fileno(), self.client.loop_read)
            if self.client.want_write():
                loop.add_writer(line.fileno(), self.client.loop_write)

    def sign_off(self) -> None:
        """Say goodbye, so that the broker forgets the Will, and close."""
        self.client.disconnect()
        self.client.loop_write()
        self.hang_up()

    def hang_up(self) -> None:
        """Close without a word, as a station without power does."""
        self.client.on_message = None
        line = self.client.socket()
        if line is None:
            return
        with suppress(OSError), socket.socket(fileno=os.dup(line.fileno())) as twin:
            twin.shutdown(socket.SHUT_RDWR)
        # paho closes its socket when it reads the end, which may stand behind other bytes.
        while self.client.socket() is not None:
            self.client.loop_read()

    def _watch(self) -> None:
        """Let the event loop watch the socket, by paho's own callbacks for that."""
        loop = asyncio.get_running_loop()

        def closed(_client: Client, _data: object, line: SocketLike) -> None:
            loop.remove_reader(line.fileno())

        def has_more(_client: Client, _data: object, line: SocketLike) -> None:
            loop.add_writer(line.fileno(), self.client.loop_write)

        def has_no_more(_client: Client, _data: object, line: SocketLike) -> None:
            loop.remove_writer(line.fileno())

        self.client.on_socket_close = closed
        self.client.on_socket_register_write = has_more
        self.client.on_socket_unregister_write = has_no_more
        self.resume()
