"""A sensor station of our own: our MQTT convention over a real connection, with faults on command.

One connection a station, driven by the event loop's sockets: hundreds fit into one process.
"""

import asyncio
import json
import logging
import math
import os
import random
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from hub.domain.devices import Json
from hub.domain.ports import Clock
from hub.domain.secrets import Credentials
from hub.simulators.faults import CLOCK_FAULT_S, Fault, FaultNotPossible, build_garbage

log = logging.getLogger(__name__)


class SocketLike(Protocol):
    """What paho calls a socket."""

    def fileno(self) -> int:
        """The file descriptor."""


KEEP_ALIVE_S = 30
MISC_S = 1.0
RECONNECT_S = 2.0
DOOR_ODDS = 0.05

# key: unit, quantity, mean, swing, decimals
POINTS: Mapping[str, tuple[str, str, float, float, int]] = {
    "temp": ("°C", "temperature", 12.0, 8.0, 1),
    "humidity": ("%", "humidity", 65.0, 15.0, 0),
    "level": ("m", "water level", 1.8, 0.4, 2),
    "battery": ("%", "battery", 85.0, 3.0, 0),
    "rssi": ("dBm", "signal strength", -71.0, 6.0, 0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StationOptions:
    """How to build one station; ``name`` is its place in the topics."""

    name: str
    label: str = ""
    area: str = ""
    interval_s: float = 10.0
    broker_address: str = "mqtt://127.0.0.1:1883"
    credentials: Credentials = field(default_factory=Credentials)


class Station:
    """One simulated station; an async context manager that is its power supply."""

    def __init__(self, options: StationOptions, *, clock: Clock, rng: random.Random) -> None:
        self.options = options
        self.fault: Fault | None = None
        self.relay = False
        self._clock = clock
        self._rng = rng
        self._phase = rng.uniform(0, 2 * math.pi)
        self._frozen: dict[str, Json] | None = None
        self._door = False
        self._client: Client | None = None
        self._work: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The station's name."""
        return self.options.name

    async def __aenter__(self) -> Self:
        self._switch_on()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._switch_off(is_orderly=True)

    async def set_fault(self, fault: Fault) -> None:
        """Break the station in one way; a fault it had before is cleared first.

        Raises:
            FaultNotPossible: a station has no picture and asks nobody for a password.
        """
        if fault not in _POSSIBLE:
            msg = f"a sensor station cannot have {fault}: use {', '.join(sorted(_POSSIBLE))}"
            raise FaultNotPossible(msg)
        await self.clear_fault()
        self.fault = fault
        if fault is Fault.POWER_CUT:
            await self._switch_off(is_orderly=False)
        if fault is Fault.FROZEN_PICTURE:
            self._frozen = self._measure()

    async def clear_fault(self) -> None:
        """Make the station whole again; one whose power was cut has booted anew."""
        fault, self.fault = self.fault, None
        self._frozen = None
        if fault is Fault.POWER_CUT:
            self._switch_on()

    def now(self) -> datetime:
        """The station's own idea of the time."""
        off = CLOCK_FAULT_S if self.fault is Fault.CLOCK_OFF else 0.0
        return self._clock() + timedelta(seconds=off)

    def _switch_on(self) -> None:
        self._work = asyncio.create_task(self._run(), name=f"station-{self.name}")

    async def _switch_off(self, *, is_orderly: bool) -> None:
        """Without order the socket just closes: the broker then publishes the Will."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
            self._work = None
        client, self._client = self._client, None
        if client is None:
            return
        if is_orderly and client.is_connected():
            self._say(client, "status", {**self._status(), "online": False}, retain=True)
            client.disconnect()
            client.loop_write()
        elif (line := client.socket()) is not None:
            with suppress(OSError), socket.socket(fileno=os.dup(line.fileno())) as twin:
                twin.shutdown(socket.SHUT_RDWR)
            client.loop_read()

    async def _run(self) -> None:
        while True:
            client = self._client = self._connect()
            if client is None:
                await asyncio.sleep(RECONNECT_S)
                continue
            reporting = asyncio.create_task(self._report(client))
            try:
                while client.socket() is not None:
                    await asyncio.sleep(MISC_S)
                    if self.fault is not Fault.CABLE_CUT:
                        client.loop_misc()
            finally:
                reporting.cancel()
                await asyncio.gather(reporting, return_exceptions=True)

    def _connect(self) -> Client | None:
        """Open a connection of this event loop; the session number is the time of its start."""
        parts = urlsplit(self.options.broker_address)
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"sim-{self.name}")
        _drive(client, asyncio.get_running_loop())
        session = int(self._clock().timestamp() * 1000)
        client.user_data_set(session)
        client.username_pw_set(
            self.options.credentials.username, self.options.credentials.password.reveal()
        )
        client.will_set(
            self._topic("status"), json.dumps({"online": False, "session": session}), 1, retain=True
        )
        client.on_connect = lambda *_: self._greet(client)
        client.on_message = lambda _client, _data, message: self._obey(client, message)
        try:
            client.connect(parts.hostname or "", parts.port or 1883, KEEP_ALIVE_S)
        except OSError as error:
            log.debug("station %s finds no broker: %s", self.name, error)
            return None
        return client

    def _greet(self, client: Client) -> None:
        client.subscribe(self._topic("command"), qos=1)
        self._say(client, "status", {**self._status(), "online": True}, retain=True)

    async def _report(self, client: Client) -> None:
        await asyncio.sleep(self._rng.uniform(0, min(2.0, self.options.interval_s)))
        while True:
            if client.is_connected() and self.fault is not Fault.CABLE_CUT:
                self._report_once(client)
            await asyncio.sleep(self.options.interval_s * self._rng.uniform(0.9, 1.1))

    def _report_once(self, client: Client) -> None:
        if self.fault is Fault.GARBAGE:
            client.publish(self._topic("reading"), build_garbage(self._rng), qos=1)
            return
        values = self._frozen or self._measure()
        self._say(client, "reading", {"at": self.now().isoformat(), "values": values})
        if self._rng.random() < DOOR_ODDS:
            self._door = not self._door
            kind = "door.opened" if self._door else "door.closed"
            self._say(client, "event", {"at": self.now().isoformat(), "kind": kind, "data": {}})

    def _measure(self) -> dict[str, Json]:
        seconds = self._clock().timestamp()
        angle = 2 * math.pi * (seconds % 86400) / 86400 + self._phase
        values: dict[str, Json] = {"door": self._door}
        for key, (_, _, mean, swing, decimals) in POINTS.items():
            value = mean + swing * math.sin(angle) + self._rng.gauss(0, swing / 50)
            values[key] = round(value, decimals)
        return values

    def _status(self) -> dict[str, Json]:
        client = self._client
        return {
            "session": None if client is None else client.user_data_get(),
            "name": self.options.label or self.name,
            "area": self.options.area,
            "kind": "sensor",
            "manufacturer": "Gengfu",
            "model": "SIM-STATION-1",
            "interval": self.options.interval_s,
            "points": {
                key: {"unit": unit, "quantity": quantity}
                for key, (unit, quantity, *_) in POINTS.items()
            },
        }

    def _obey(self, client: Client, message: MQTTMessage) -> None:
        """Carry out ``relay.set`` and answer; anything else is answered with an error."""
        if self.fault is Fault.CABLE_CUT:
            return
        try:
            command = json.loads(message.payload)
            number, do, args = command["id"], command["do"], command["args"]
            if do != "relay.set":
                reply = {"id": number, "ok": False, "error": f"no such command: {do}"}
            else:
                self.relay = bool(args["on"])
                reply = {"id": number, "ok": True, "on": self.relay}
        except (ValueError, KeyError, TypeError):
            return
        self._say(client, "command/reply", reply)

    def _say(
        self, client: Client, leaf: str, body: Mapping[str, Json], *, retain: bool = False
    ) -> None:
        client.publish(
            self._topic(leaf), json.dumps(body, ensure_ascii=False), qos=1, retain=retain
        )

    def _topic(self, leaf: str) -> str:
        return f"gengfu/v1/{self.name}/{leaf}"


_POSSIBLE = frozenset(
    {Fault.POWER_CUT, Fault.CABLE_CUT, Fault.CLOCK_OFF, Fault.GARBAGE, Fault.FROZEN_PICTURE}
)


def _drive(client: Client, loop: asyncio.AbstractEventLoop) -> None:
    """Let the event loop watch the client's socket, by paho's own callbacks for that."""

    def opened(_client: Client, _data: object, line: SocketLike) -> None:
        loop.add_reader(line.fileno(), client.loop_read)

    def closed(_client: Client, _data: object, line: SocketLike) -> None:
        loop.remove_reader(line.fileno())

    def has_more(_client: Client, _data: object, line: SocketLike) -> None:
        loop.add_writer(line.fileno(), client.loop_write)

    def has_no_more(_client: Client, _data: object, line: SocketLike) -> None:
        loop.remove_writer(line.fileno())

    client.on_socket_open = opened
    client.on_socket_close = closed
    client.on_socket_register_write = has_more
    client.on_socket_unregister_write = has_no_more
