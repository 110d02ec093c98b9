"""One request and its answer over plain TCP, with very many peers at once (Linux).

An event loop's transport costs more than the whole conversation of a cheap probe. Here the
sockets of all conversations under way are watched by one epoll object, which the event loop
watches in turn; it exists only while there are any. This module moves bytes, understands none.
"""

import asyncio
import errno
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Final

from hub.domain.errors import ProtocolViolation

MAX_RECEIVED_BYTES: Final = 4096  # honest answers to OPTIONS stay under 1 KiB
EVENTS_PER_TURN: Final = 256  # then the loop's other work gets its turn

_TYPE = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
# Edge-triggered: set once for everything, and told once of each thing that happens.
_EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET
_CONNECTED = frozenset({0, errno.EISCONN, errno.ECONNRESET})  # only a connected peer can reset
_CONNECTING = frozenset({errno.EINPROGRESS, errno.EALREADY})

Take = Callable[[bytearray], int | None]


class Exchange:
    """One conversation: how far it got, and what ended it.

    ``take`` is given the bytes received and not yet taken off; it returns the status they tell,
    or None while more are needed, or raises a ProtocolViolation, which ends the exchange.
    Without a request nothing is sent or received: to be connected is all that is wanted.
    """

    __slots__ = (
        "_done",
        "_endpoint",
        "_request",
        "_take",
        "_unread",
        "_wire",
        "answer",
        "connected_at",
        "error",
        "received_bytes",
    )

    def __init__(self, endpoint: tuple[str, int], request: bytes, take: Take) -> None:
        self._endpoint = endpoint
        self._request = request
        self._take = take
        self._unread = bytearray()
        self.answer: int | None = None
        self.connected_at: float | None = None  # on time.monotonic's clock
        self.error: OSError | ProtocolViolation | None = None
        self.received_bytes = 0

    async def run(self, *, timeout_s: float) -> bool:
        """Converse; returns whether it ended by itself, False when the time was up.

        Errors are kept in ``error``, never raised. With neither an answer nor an error, the peer
        has closed the connection.
        """
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self._endpoint[0] else socket.AF_INET
        try:
            self._wire = wire = socket.socket(family, _TYPE)
        except OSError as error:
            self.error = error
            return True
        self._done: asyncio.Future[bool] = loop.create_future()
        timer = loop.call_later(timeout_s, self._expire)
        try:
            self._connect(loop)
            return await self._done
        finally:
            timer.cancel()
            _forget(loop, wire)
            wire.close()

    def advance(self, events: int) -> None:
        """Do what can be done now that something happened to the connection."""
        if self._done.done():
            return
        try:
            if self.connected_at is None and not self._has_begun():
                return
            may_read = events != select.EPOLLOUT
            is_over = not self._request or (may_read and self._receive())
        except BlockingIOError:
            return  # nothing has come after all
        except (OSError, ProtocolViolation) as error:
            self.error = error
            is_over = True
        if is_over:
            self._done.set_result(True)

    def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._expect(self._wire.connect_ex(self._endpoint))
            watch = _WATCHES.get(loop) or _Watch(loop)
            watch.remember(self._wire, self)
        except OSError as error:
            self.error = error
            self._done.set_result(True)

    def _has_begun(self) -> bool:
        """Send the request as soon as there is a connection."""
        if not self._expect(self._wire.connect_ex(self._endpoint)):  # again: how did it go?
            return False
        self.connected_at = time.monotonic()
        if self._request:
            self._wire.send(self._request)  # the buffer of a new connection takes all of it
        return True

    def _expect(self, code: int) -> bool:
        if code in _CONNECTED:
            return True
        if code in _CONNECTING:
            return False
        raise OSError(code, os.strerror(code))

    def _receive(self) -> bool:
        data = self._wire.recv(MAX_RECEIVED_BYTES - self.received_bytes)
        if not data:
            return True
        self.received_bytes += len(data)
        self._unread += data
        self.answer = self._take(self._unread)
        if self.answer is None and self.received_bytes >= MAX_RECEIVED_BYTES:
            msg = f"the answer's headers exceed {MAX_RECEIVED_BYTES} bytes"
            raise ProtocolViolation(msg, evidence=bytes(self._unread[:256]))
        return self.answer is not None

    def _expire(self) -> None:
        self.advance(_EVENTS)  # an event loop that was held up runs its timers first
        if not self._done.done():
            self._done.set_result(False)


class _Watch:
    """The exchanges under way in one event loop, by file descriptor."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._exchanges: dict[int, Exchange] = {}
        loop.add_reader(self._epoll.fileno(), self._turn)
        _WATCHES[loop] = self

    def remember(self, wire: socket.socket, exchange: Exchange) -> None:
        self._exchanges[wire.fileno()] = exchange
        self._epoll.register(wire, _EVENTS)

    def forget(self, wire: socket.socket) -> None:
        """Closing the socket then ends its registration; without any the watch ends too."""
        self._exchanges.pop(wire.fileno(), None)
        if not self._exchanges:
            del _WATCHES[self._loop]
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _turn(self) -> None:
        for descriptor, events in self._epoll.poll(0, EVENTS_PER_TURN):
            exchange = self._exchanges.get(descriptor)
            if exchange is not None:
                exchange.advance(events)


_WATCHES: dict[asyncio.AbstractEventLoop, _Watch] = {}


def _forget(loop: asyncio.AbstractEventLoop, wire: socket.socket) -> None:
    watch = _WATCHES.get(loop)
    if watch is not None:
        watch.forget(wire)
