"""A sensor station of our own: our MQTT convention over a real connection, with faults on command.

What it measures and says is here; ``station_link`` is its connection.
"""

import asyncio
import json
import logging
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hub.domain.devices import Json
from hub.domain.errors import ConfigError
from hub.domain.ports import Clock
from hub.domain.secrets import Credentials
from hub.simulators.faults import (
    CLOCK_FAULT_S,
    SENSOR_FAULTS,
    Fault,
    FaultNotPossible,
    Line,
    build_garbage,
)
from hub.simulators.station_link import StationLink, parse_broker
from hub.simulators.station_values import Sensors, describe_points

log = logging.getLogger(__name__)

MISC_S = 1.0
RECONNECT_S = 1.0  # a tenth more or less, so that a village does not come back in one instant
DOOR_ODDS = 0.05
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


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
        """Build it without power.

        Raises:
            ConfigError: its name cannot stand in a topic, or the broker's address is none.
        """
        if not _NAME.match(options.name):
            msg = (
                f"{options.name!r} cannot name a station: use 1 to 64 letters, digits, dots, "
                "dashes and underscores, a letter or digit first"
            )
            raise ConfigError(msg)
        self.options = options
        self.fault: Fault | None = None
        self.relay = False
        self._broker = parse_broker(options.broker_address)
        self._clock = clock
        self._rng = rng
        self._sensors = Sensors(rng)
        self._frozen: dict[str, Json] | None = None
        self._door = False
        self._session = 0
        self._is_refused = False
        self._line = Line()
        self._link: StationLink | None = None
        self._work: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The station's name."""
        return self.options.name

    @property
    def label(self) -> str:
        """What people call it."""
        return self.options.label or self.name

    @property
    def is_connected(self) -> bool:
        """Whether the broker has accepted the station and hears it now."""
        return self._link is not None and self._link.is_welcome

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
        if fault is Fault.CABLE_CUT:
            self._line.cut()
            if self._link is not None:
                self._link.pause()
        if fault is Fault.FROZEN_PICTURE:
            self._frozen = self._measure()

    async def clear_fault(self) -> None:
        """Make the station whole again; one whose power was cut has booted anew."""
        fault, self.fault = self.fault, None
        self._frozen = None
        if fault is Fault.POWER_CUT:
            self._switch_on()
        if fault is Fault.CABLE_CUT:
            self._line.join()
            if self._link is not None:
                self._link.resume()

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
        link, self._link = self._link, None
        if link is None:
            return
        if is_orderly and link.is_welcome:
            self._say(link.client, "status", {**self._status(), "online": False}, retain=True)
            link.sign_off()
        else:
            link.hang_up()

    async def _run(self) -> None:
        while True:
            await self._line.passage()
            link = self._link = await self._open_link()
            if link is not None:
                await self._keep(link)
            await asyncio.sleep(RECONNECT_S * self._rng.uniform(0.9, 1.1))

    async def _keep(self, link: StationLink) -> None:
        """Report until the connection is lost."""
        if self._line.is_cut:
            link.pause()
        reporting = asyncio.create_task(self._report(link))
        try:
            while link.is_open:
                await asyncio.sleep(MISC_S)
                link.tend()
        finally:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)

    async def _open_link(self) -> StationLink | None:
        """Connect under a new session number, the time of the start: it only ever rises."""
        self._session = max(int(self._clock().timestamp() * 1000), self._session + 1)
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"sim-{self.name}")
        credentials = self.options.credentials
        if credentials.username:
            client.username_pw_set(credentials.username, credentials.password.reveal())
        will = json.dumps({"online": False, "session": self._session})
        client.will_set(self._topic("status"), will, 1, retain=True)
        client.on_connect = self._greet
        client.on_message = lambda _client, _data, message: self._obey(client, message)
        try:
            return await StationLink.open(client, self._broker)
        except (OSError, UnicodeError) as error:
            log.debug("station %s finds no broker: %s", self.name, error)
            return None

    def _greet(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            if not self._is_refused:
                log.warning("the broker refuses station %s: %s", self.name, reason)
            self._is_refused = True
            return
        self._is_refused = False
        client.subscribe(self._topic("command"), qos=1)
        self._say(client, "status", {**self._status(), "online": True}, retain=True)

    async def _report(self, link: StationLink) -> None:
        await asyncio.sleep(self._rng.uniform(0, min(2.0, self.options.interval_s)))
        while True:
            if link.is_welcome:
                self._report_once(link.client)
            await asyncio.sleep(self.options.interval_s * self._rng.uniform(0.9, 1.1))

    def _report_once(self, client: Client) -> None:
        if self.fault is Fault.GARBAGE:
            client.publish(self._topic("reading"), build_garbage(self._rng), qos=1)
            return
        values = self._frozen or self._measure()
        self._say(client, "reading", {"at": self.now().isoformat(), "values": values})
        if self._frozen is None and self._rng.random() < DOOR_ODDS:
            self._door = not self._door
            kind = "door.opened" if self._door else "door.closed"
            self._say(client, "event", {"at": self.now().isoformat(), "kind": kind, "data": {}})

    def _measure(self) -> dict[str, Json]:
        return {"door": self._door, **self._sensors.measure(self._clock(), self.fault)}

    def _status(self) -> dict[str, Json]:
        return {
            "session": self._session,
            "name": self.label,
            "area": self.options.area,
            "kind": "sensor",
            "manufacturer": "Gengfu",
            "model": "SIM-STATION-1",
            "interval": self.options.interval_s,
            "points": describe_points(),
        }

    def _obey(self, client: Client, message: MQTTMessage) -> None:
        """Answer a command; what is none is ignored."""
        try:
            command = json.loads(message.payload)
            number, do, args = command["id"], command["do"], command.get("args", {})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return
        error = self._carry_out(do, args)
        outcome = {"ok": False, "error": error} if error else {"ok": True, "on": self.relay}
        self._say(client, "command/reply", {"id": number, **outcome})

    def _carry_out(self, do: Json, args: Json) -> str | None:
        """Do what is asked, or return why not."""
        if do != "relay.set":
            return "no such command: this station knows relay.set"
        if not isinstance(args, dict) or not isinstance(args.get("on"), bool):
            return "relay.set needs on, true or false"
        self.relay = bool(args["on"])
        return None

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
    | SENSOR_FAULTS
)
