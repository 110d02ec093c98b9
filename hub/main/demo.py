"""The demonstration: a simulated village beside the hub, found and registered like a real one.

The village is a process of its own; it shares nothing with the hub but the wire.
"""

import asyncio
import json
import logging
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from adapters.onvif.discovery import Found, discover_multicast, scan_range
from config.schema import Settings
from hub.domain.access import system_scope
from hub.domain.addresses import parse_address
from hub.domain.devices import Area, Connection
from hub.domain.dispatches import DispatchRule, Unit, UnitKind
from hub.domain.duty_rooms import DutyRoom
from hub.domain.errors import Conflict
from hub.domain.patrol_details import PlanDetails, RollCall
from hub.domain.patrols import PatrolMode, PatrolPlan
from hub.domain.secrets import Credentials, Secret
from hub.main.assembly import Parts
from hub.main.running import Started
from hub.main.servers import Servers
from hub.main.surroundings import device_policy, utc_now
from hub.patrols.planning.saving import create_plan
from hub.runtime.processes import end, last_lines, spawn, write_private
from hub.store import areas, connections, device_lists, notices, patrols
from hub.store.database import Transaction
from hub.store.dispatch_rules import add_rule
from hub.store.duty_rooms import add_room
from hub.store.field_units import add_unit
from hub.store.probe_intervals import ProbeInterval, put_interval

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.demo")
LOOPBACK, PREFIX = "127.0.1.0/24", "127.0.1."
MULTICAST_S = 10.0
CAMERA_PORT = 8000
CAMERA_USER = "admin"
SETTLE_S = 60.0
# Names of the demonstration's places: code, name, code of the parent.
PLACES = (
    ("330402", "南湖区 Nanhu", None),
    ("330402100", "凤桥镇 Fengqiao", "330402"),
    ("330402100201", "青龙村 Qinglong village", "330402100"),
)
# A round that people walk comes a little after the one of the machine.
WALK_LATER, WALK_LASTS_S = timedelta(minutes=3), 3000
VILLAGE_CODE = PLACES[-1][0]


def demo_settings(settings: Settings) -> Settings:
    """The settings with the simulated cameras' network allowed, and the page for residents open."""
    network = settings.network.model_copy(update={"devices": (*settings.network.devices, LOOPBACK)})
    citizens = settings.citizens.model_copy(update={"is_open": True})
    return settings.model_copy(update={"network": network, "citizens": citizens})


class Demo:
    """The village's process and its registration."""

    def __init__(self, settings: Settings, servers: Servers, *, cameras: int, sensors: int) -> None:
        self._settings = settings
        self._servers = servers
        self._cameras = cameras
        self._sensors = sensors
        self._folder = settings.data_dir.absolute() / "demo"
        self._log = self._folder / "village.log"
        self._login = Credentials(username=CAMERA_USER, password=self._password())
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def simulators(self) -> Iterator[None]:
        """Run the village's process; it ends with this one, even on kill -9."""
        plan = self._folder / "village.json"
        credentials = self._broker_login()
        write_private(
            plan,
            json.dumps(
                {
                    "broker": self._servers.broker_address,
                    "broker_user": credentials.username,
                    "broker_password": credentials.password.reveal(),
                    "camera_user": self._login.username,
                    "camera_password": self._login.password.reveal(),
                    "area": VILLAGE_CODE,
                }
            ),
        )
        numbers = ["--cameras", str(self._cameras), "--sensors", str(self._sensors)]
        numbers += ["--control-port", "0", "--plan", str(plan)]
        command = [sys.executable, "-m", "hub.main.cli", "simulate", *numbers]
        with self._log.open("wb") as output:
            self._process = spawn(command, cwd=self._folder, output=output)
        try:
            yield
        finally:
            end(self._process)

    async def settle(self, started: Started) -> None:
        """Find the cameras, register them, plan a patrol, and say when everything reports."""
        parts = started.parts
        village = await self._places(parts)
        self._say(f"looking for {self._cameras} cameras on {LOOPBACK} …")
        found = await self._discover()
        for camera in found:
            await self._register(parts, camera, village)
        await self._plan_patrol(parts, village)
        await self._wait(parts)

    async def _places(self, parts: Parts) -> Area:
        async with parts.database.transaction() as tx:
            known = {area.code: area for area in await areas.list_areas(tx, SCOPE)}
            root = next(area for area in known.values() if area.parent_id is None)
            for code, name, parent in PLACES:
                if code not in known:
                    above = known[parent] if parent else root
                    known[code] = await areas.create_area(
                        tx, SCOPE, code=code, name=name, parent_id=above.id
                    )
            # Whoever breaks a camera's picture to see what happens waits a minute, not an hour.
            often = ProbeInterval(area_id=known[VILLAGE_CODE].id, picture_s=60)
            await put_interval(tx, SCOPE, often)
        return known[VILLAGE_CODE]

    async def _discover(self) -> Sequence[Found]:
        """By multicast; by address range where multicast does not pass (containers)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + MULTICAST_S
        found: Sequence[Found] = ()
        while len(found) < self._cameras and loop.time() < deadline and self._is_village_alive():
            answers = await discover_multicast(timeout_s=1.5, interfaces=["lo"])
            found = [one for one in answers if parse_address(one.address).host.startswith(PREFIX)]
        if len(found) < self._cameras:
            policy = device_policy(self._settings, frozenset())
            found = await scan_range([LOOPBACK], ports=[CAMERA_PORT], policy=policy)
        return found

    async def _register(self, parts: Parts, camera: Found, village: Area) -> None:
        link = Connection(
            id=0,
            protocol="onvif",
            name=camera.name or camera.address,
            address=camera.address,
            area_id=village.id,
            credentials=self._login,
        )
        try:
            async with parts.database.transaction() as tx:
                number = await connections.add_connection(tx, SCOPE, link)
                await notices.notify(tx, SCOPE, "connections", [number])
        except Conflict:
            log.debug("%s is registered already", camera.address)

    async def _plan_patrol(self, parts: Parts, village: Area) -> None:
        """A round that falls due within the next minute, then one each hour."""
        now = utc_now()
        zone = self._settings.time_zone or "UTC"
        due = (now + timedelta(minutes=1)).astimezone(ZoneInfo(zone))
        async with parts.database.transaction() as tx:
            if (await patrols.list_plans(tx, SCOPE)).items:
                return
            plan = PatrolPlan(
                name="零点夜查演示 Demo night patrol",
                area_id=village.id,
                rrule=f"FREQ=HOURLY;BYMINUTE={due.minute}",
                time_zone=zone,
                starts_on=due.date(),
            )
            await create_plan(tx, SCOPE, plan, now=now)
            walked = replace(
                plan,
                name="人机夜查演示 Demo walk",
                rrule=f"FREQ=HOURLY;BYMINUTE={(due + WALK_LATER).minute}",
                mode=PatrolMode.MIXED,
                lasts_s=WALK_LASTS_S,
                details=PlanDetails(random_share=0.3, roll_call=RollCall(answer_s=300)),
            )
            await create_plan(tx, SCOPE, walked, now=now)
            await self._staff(tx, village)

    async def _staff(self, tx: Transaction, village: Area) -> None:
        """A duty room that is asked, and a grid officer who is sent."""
        await add_room(tx, SCOPE, DutyRoom(area_id=village.id, name="值班室 Duty room"))
        officer = Unit(area_id=village.id, name="网格员 Grid officer", kind=UnitKind.GRID_OFFICER)
        await add_unit(tx, SCOPE, officer)
        await add_rule(tx, SCOPE, DispatchRule(name="全村 Everything", area_id=village.id))

    async def _wait(self, parts: Parts) -> None:
        """Say how many report, until all do or the time is over."""
        wanted = self._cameras + self._sensors
        loop = asyncio.get_running_loop()
        started = loop.time()
        count = -1
        while count < wanted and loop.time() - started < SETTLE_S and self._is_village_alive():
            async with parts.database.transaction() as tx:
                online = (await device_lists.count_by_status(tx, SCOPE)).get("online", 0)
            if online != count:
                self._say(f"{online} of {wanted} devices online")
                count = online
            await asyncio.sleep(0.5)
        if count >= wanted:
            self._say(f"all devices report after {loop.time() - started:.0f} s; the village says:")
        else:
            self._say(f"only {count} of {wanted} devices report; the village says:")
        for line in last_lines(self._log):
            self._say(f"  {line.strip()}")

    def _is_village_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _broker_login(self) -> Credentials:
        if self._servers.broker is not None:
            return self._servers.broker.simulators
        return self._servers.broker_credentials

    def _password(self) -> Secret:
        """The cameras' password: random, kept, so that a restart finds the same cameras."""
        file = self._folder / "camera-password"
        if not file.exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(file, secrets.token_urlsafe(12))
        return Secret(file.read_text(encoding="ascii").strip())

    @staticmethod
    def _say(text: str) -> None:
        sys.stdout.write(f"  {text}\n")
        sys.stdout.flush()
