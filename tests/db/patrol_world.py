"""A county with two villages of cameras for the tests of patrols, on a real database."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

import cv2
import numpy as np

from hub.domain.access import system_scope
from hub.domain.devices import (
    Channel,
    Connection,
    DeviceDescription,
    DeviceKind,
    Registration,
    Stream,
)
from hub.domain.errors import DeviceUnreachable
from hub.domain.events import StoredEvent
from hub.domain.health import Depth, Layer, ProbeResult
from hub.domain.patrols import PatrolPlan, PatrolStop, RoundState
from hub.domain.ports import CameraTarget, Picture
from hub.patrols import desk
from hub.patrols.evidence import Asked, Proof, verify
from hub.patrols.files import PictureFolder
from hub.patrols.planning import saving
from hub.patrols.walking.planner import Planner
from hub.patrols.walking.rounds import RoundWalker
from hub.patrols.walking.visit import Eyes
from hub.runtime.jobs import Job, Jobs
from hub.store import rounds, stops
from hub.store.areas import create_area
from hub.store.connections import add_connection
from hub.store.database import Database
from hub.store.devices import NewDevice, add_device, describe_device
from hub.store.events import EventFilter, list_events
from hub.store.rounds import RoundFilter

HUB = system_scope("test")
NOW = datetime(2026, 11, 22, 15, 59, 30, tzinfo=UTC)  # half a minute before midnight in Shanghai
MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


def make_jpeg(shade: int = 90) -> bytes:
    picture = np.full((720, 1280, 3), shade, np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


@dataclass
class World:
    """A county with two villages of cameras, and what looks at them.

    ``dead`` cameras do not answer, ``odd`` ones give a picture and no video: doubtful. No two
    pictures are alike. A ``barrier`` holds pictures back until so many are asked for at once.
    """

    database: Database
    jobs: Jobs
    folder: PictureFolder
    now: datetime = NOW
    areas: dict[str, int] = field(default_factory=dict)
    cameras: list[int] = field(default_factory=list)
    dead: set[int] = field(default_factory=set)
    odd: set[int] = field(default_factory=set)
    visits: list[int] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0
    barrier: asyncio.Barrier | None = None
    snapshot_error: Callable[[CameraTarget], None] | None = None

    def clock(self) -> datetime:
        return self.now

    async def probe(
        self, target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        del timeout_s, depth
        self.visits.append(target.device_id)
        if target.device_id in self.dead:
            return ProbeResult(
                probed_at=self.now,
                latency_s=0.1,
                failed_layer=Layer.NETWORK,
                detail="no route to host",
            )
        if target.device_id in self.odd:
            return ProbeResult(
                probed_at=self.now,
                latency_s=0.1,
                failed_layer=Layer.STREAM,
                detail="no video described",
            )
        return ProbeResult(probed_at=self.now, latency_s=0.01)

    async def snapshot(self, target: CameraTarget, *, timeout_s: float) -> Picture:
        del timeout_s
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await (self.barrier.wait() if self.barrier else asyncio.sleep(0))
        self.busy -= 1
        if self.snapshot_error:
            self.snapshot_error(target)
        if target.device_id in self.dead:
            msg = "no route to host"
            raise DeviceUnreachable(msg)
        return Picture(
            jpeg=make_jpeg(40 + len(self.visits)),
            width=1280,
            height=720,
            taken_at=self.now,
            source="snapshot",
        )

    def walker(self, **more: object) -> RoundWalker:
        eyes = Eyes(probe=self.probe, snapshot=self.snapshot, folder=self.folder, clock=self.clock)
        walker = RoundWalker(
            database=self.database, jobs=self.jobs, eyes=eyes, rng=random.Random(2026)
        )
        return replace(walker, **more)  # type: ignore[arg-type]  # the caller knows the fields

    def planner(self) -> Planner:
        return Planner(database=self.database, jobs=self.jobs, clock=self.clock)

    def plan(self, **changes: object) -> PatrolPlan:
        plan = PatrolPlan(
            name="零点夜查",
            area_id=self.areas["county"],
            rrule="FREQ=DAILY;BYHOUR=0;BYMINUTE=0",
            time_zone="Asia/Shanghai",
            starts_on=date(2026, 11, 1),
            window_s=600,
        )
        return replace(plan, **changes)  # type: ignore[arg-type]  # the caller knows the fields

    async def create(self, **changes: object) -> PatrolPlan:
        async with self.database.transaction() as tx:
            saved = await saving.create_plan(tx, HUB, self.plan(**changes), now=self.now)
        return saved.plan

    async def run_now(self, plan: PatrolPlan) -> int:
        async with self.database.transaction() as tx:
            return await desk.run_now(tx, HUB, self.jobs, plan.id, now=self.now)

    async def begin(self, round_id: int, walker: RoundWalker | None = None) -> None:
        """Do the job that begins a round by hand, as a worker would."""
        await (walker or self.walker()).begin(Job(id=1, args={"round": round_id}, attempt=1))

    async def look(self, round_id: int, group: int, walker: RoundWalker | None = None) -> None:
        """Do the job of a group by hand."""
        looker = (walker or self.walker()).looker()
        await looker.look(Job(id=1, args={"round": round_id, "group": group}, attempt=1))

    async def walk_to_end(self, round_id: int, walker: RoundWalker | None = None) -> None:
        """Begin a round and do every job of its groups by hand, until nothing is left."""
        await self.begin(round_id, walker)
        for group in sorted({stop.group_no for stop in await self.stops(round_id)}):
            await self.look(round_id, group, walker)

    async def proof(self) -> Proof:
        """Whether all that was kept is whole."""
        return await verify(self.database, HUB, self.folder, Asked())

    async def state(self, round_id: int) -> RoundState:
        async with self.database.transaction() as tx:
            return (await rounds.get_round(tx, HUB, round_id)).state

    async def stops(self, round_id: int) -> list[PatrolStop]:
        async with self.database.transaction() as tx:
            return await stops.all_stops(tx, HUB, round_id)

    async def events(self, kind: str) -> list[StoredEvent]:
        async with self.database.transaction() as tx:
            return list((await list_events(tx, HUB, EventFilter(kind=kind))).items)

    async def rounds(self) -> list[tuple[RoundState, datetime]]:
        async with self.database.transaction() as tx:
            page = await rounds.list_rounds(tx, HUB, RoundFilter(), limit=500)
        return [(r.state, r.planned_at) for r in reversed(page.items)]


async def settle(world: World) -> None:
    async with world.database.transaction() as tx:
        county = await create_area(tx, HUB, code="c", name="某县", parent_id=None)
        world.areas["county"] = county.id
        connection = await add_connection(
            tx,
            HUB,
            Connection(
                id=0,
                protocol="onvif",
                name="cameras",
                address="http://192.0.2.1/onvif",
                area_id=county.id,
            ),
        )
        for code, name in (("a", "安平村"), ("b", "北沟村")):
            village = await create_area(tx, HUB, code=code, name=name, parent_id=county.id)
            world.areas[code] = village.id
        for number in range(6):
            area = world.areas["a" if number % 2 else "b"]
            device = await add_device(
                tx,
                HUB,
                NewDevice(
                    connection_id=connection,
                    key=f"camera-{number}",
                    area_id=area,
                    registration=Registration.APPROVED,
                    description=DeviceDescription(kind=DeviceKind.CAMERA, name=f"村口 {number}"),
                ),
            )
            address = f"rtsp://192.0.2.{number + 1}/main"
            await describe_device(
                tx,
                HUB,
                device.id,
                DeviceDescription(
                    kind=DeviceKind.CAMERA,
                    channels=(Channel(key="1", streams=(Stream(role="main", address=address),)),),
                ),
            )
            world.cameras.append(device.id)
