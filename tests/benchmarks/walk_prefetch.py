"""How long somebody who walks a round waits for the next picture.

Cameras are simulated (a look takes 0.3 to 2 s, every twentieth does not answer for 5 s); the
round, its jobs, the pictures on disk and the API are the real ones, in this process, on the
database that ``deploy/timescaledb.sh`` starts. The operator looks at a picture for some seconds,
judges it and waits until he has the next one, as the start page does: it fetches three pictures
ahead. Prints figures, judges nothing:

    python -m tests.benchmarks.walk_prefetch [stops, 90] [seconds a stop, 3]
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import cv2
import httpx
import numpy as np
import psycopg
import uvloop

from hub.domain.access import Role
from hub.domain.errors import DeviceUnreachable
from hub.domain.health import Depth, ProbeResult
from hub.domain.patrols import PatrolMode, PatrolPlan
from hub.domain.ports import CameraTarget, Picture
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.reports import JOB as REPORT
from hub.patrols.walking.rounds import RoundWalker, defer_round
from hub.patrols.walking.visit import Eyes
from hub.runtime.jobs import Job, Jobs
from hub.runtime.live import LiveFeed
from hub.store import patrols, rounds
from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.vault import Vault
from hub.web.app import create_app
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.web.stage import SYSTEM, Field, add_camera, add_person, build_world, open_client, sign_in

DATABASE = "bench_walk"
FETCHED_AHEAD = 3
SILENT_EVERY = 20
SILENT_S = 5.0
GOAL_S = 1.0


@dataclass(slots=True, kw_only=True)
class Cameras:
    """What a look takes, and the picture it brings."""

    rng: random.Random
    jpeg: bytes
    looks: int = 0

    async def probe(
        self, target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        del target, timeout_s, depth
        return ProbeResult(probed_at=_now(), latency_s=0.01)

    async def snapshot(self, target: CameraTarget, *, timeout_s: float) -> Picture:
        self.looks += 1
        if target.device_id % SILENT_EVERY == 0:
            await asyncio.sleep(min(SILENT_S, timeout_s))
            msg = "no answer"
            raise DeviceUnreachable(msg)
        await asyncio.sleep(self.rng.uniform(0.3, 2.0))
        return Picture(jpeg=self.jpeg, width=1280, height=720, taken_at=_now(), source="snapshot")


@dataclass(slots=True, kw_only=True)
class Operator:
    """Walks a round through the API, as the start page does."""

    client: httpx.AsyncClient
    at: str
    think_s: float
    pictures: dict[str, asyncio.Task[bytes]] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)

    async def walk(self) -> None:
        """Judge stop after stop until the round is over."""
        await self._call("take", {})
        pressed = time.perf_counter()
        while (stop := await self._next()) is not None:
            if stop["has_picture"]:
                await self._picture(stop)
                taken = datetime.fromisoformat(str(stop["at"]))
                self.ages_s.append((_now() - taken).total_seconds())
            self.waits_s.append(time.perf_counter() - pressed)
            await asyncio.sleep(self.think_s)
            pressed = time.perf_counter()
            await self._judge(stop)

    async def _next(self) -> dict[str, object] | None:
        while True:
            found = (await self.client.get(f"{self.at}/queue?limit=12")).json()
            waiting = found["items"][: 1 + FETCHED_AHEAD]
            for stop in waiting:
                if stop["has_picture"]:
                    self._picture(stop)
            if waiting:
                return dict(waiting[0])
            if not found["coming"]:
                return None
            await asyncio.sleep(0.05)  # the page is told by the live line

    def _picture(self, stop: dict[str, object]) -> asyncio.Task[bytes]:
        key = f"{self.at}/stops/{stop['position']}/picture?sha256={stop['picture_sha256']}"
        if key not in self.pictures:
            self.pictures[key] = asyncio.create_task(self._fetch(key))
        return self.pictures[key]

    async def _fetch(self, address: str) -> bytes:
        return (await self.client.get(address)).raise_for_status().content

    async def _judge(self, stop: dict[str, object]) -> None:
        body: dict[str, object] = {"result": "normal", "picture_sha256": stop["picture_sha256"]}
        if not stop["has_picture"]:
            body = {"result": "abnormal", "kind": "camera_down", "note": "no answer"}
        await self._call(f"stops/{stop['position']}/judge", body)

    async def _call(self, path: str, body: dict[str, object]) -> None:
        (await self.client.post(f"{self.at}/{path}", json=body)).raise_for_status()


async def begin(database: Database, jobs: Jobs, stops: int) -> int:
    """Make a village of so many cameras and have a round of it begin."""
    world = await build_world(database)
    async with database.transaction() as tx:
        await add_person(tx, "operator", Role.OPERATOR, world.town)
        for number in range(stops - 2):
            await add_camera(tx, world.east, f"camera {number}")
        plan = PatrolPlan(
            name="零点夜查",
            area_id=world.town,
            rrule="FREQ=DAILY",
            time_zone="Asia/Shanghai",
            starts_on=date(2026, 1, 1),
            mode=PatrolMode.WALK,
        )
        kept = await patrols.add_plan(tx, SYSTEM, plan, now=_now())
        walk = await rounds.add_round(tx, SYSTEM, kept, _now())
        await defer_round(tx, jobs, walk or 0)
    return walk or 0


async def walk_once(url: str, stops: int, think_s: float) -> tuple[Operator, Cameras]:
    """Walk one round to its end."""
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(url, vault=Vault.open(Path(folder) / "key"))
        jobs, cameras = Jobs(database, _now), Cameras(rng=random.Random(1), jpeg=make_night())
        files = PictureFolder(Path(folder))
        eyes = Eyes(probe=cameras.probe, snapshot=cameras.snapshot, folder=files, clock=_now)
        RoundWalker(database=database, jobs=jobs, eyes=eyes).register()
        jobs.handle(REPORT, no_report)
        working = asyncio.create_task(jobs.run())
        outside = Field(now=_now())
        walk = await begin(database, jobs, stops)
        app = create_app(outside.services(database, Path(folder), LiveFeed(database)))
        async with open_client(app) as client:
            await sign_in(client, "operator")
            at = f"/api/v1/patrol-rounds/{walk}"
            while (await client.get(at)).json()["state"] == "due":
                await asyncio.sleep(0.05)
            operator = Operator(client=client, at=at, think_s=think_s)
            ticking = asyncio.create_task(tick(outside))
            await operator.walk()
        for task in (working, ticking):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await database.close()
    return operator, cameras


async def no_report(_job: Job) -> None:
    """What becomes of the round afterwards is not measured."""


async def tick(outside: Field) -> None:
    """Let the API's clock run."""
    while True:
        outside.now = _now()
        await asyncio.sleep(0.1)


def make_night() -> bytes:
    """A noisy picture of some hundred kilobytes, as cameras send them by night."""
    noise = np.random.default_rng(1).normal(60, 14, (720, 1280, 3)).clip(0, 255)
    return cv2.imencode(".jpg", noise.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()


def show(operator: Operator, cameras: Cameras, stops: int) -> None:
    """Print the figures."""
    first, *rest = operator.waits_s
    over = sum(wait > GOAL_S for wait in rest)
    sys.stdout.write(
        f"{len(operator.waits_s)} of {stops} stops judged, {cameras.looks} looks,"
        f" {len(cameras.jpeg) / 1024:.0f} KiB a picture, {operator.think_s:g} s a stop\n"
        f"the first picture after {first:.2f} s\n"
        f"waiting for each next one: p50 {_share(rest, 50):.3f} s, p95 {_share(rest, 95):.3f} s,"
        f" max {max(rest):.3f} s; over {GOAL_S:g} s: {over}\n"
        f"how old a picture is when it shows: p50 {_share(operator.ages_s, 50):.0f} s,"
        f" max {max(operator.ages_s):.0f} s\n"
    )


def _share(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _now() -> datetime:
    return datetime.now(UTC)


async def run(stops: int, think_s: float) -> None:
    """Make a database of its own, walk, print."""
    server_url = await asyncio.to_thread(start_timescaledb)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    url = psycopg.conninfo.make_conninfo(server_url, dbname=DATABASE)
    await migrate(url)
    operator, cameras = await walk_once(url, stops, think_s)
    show(operator, cameras, stops)


if __name__ == "__main__":
    given = [float(argument) for argument in sys.argv[1:]]
    stops_asked, seconds = given + [90.0, 3.0][len(given) :]
    uvloop.run(run(int(stops_asked), seconds))
