"""A script of failures, the hub it happens to, and what the ledger must say afterwards.

The script is the truth: which camera was silent from when to when, and when nobody watched.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from hub.domain.access import system_scope
from hub.maintenance.uptime import report_uptime
from hub.store.database import Database
from hub.store.ledger_rows import Period
from tests.benchmarks.camera_farm import Farm
from tests.benchmarks.county import build_county
from tests.system.whole_hub import WholeHub

INTERVAL_S = 2.0
ROLES = ("--role", "web", "--role", "work")
SCOPE = system_scope("truth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """How long."""
        return max(0.0, (self.end - self.start).total_seconds())

    def without(self, others: Sequence["Span"]) -> list["Span"]:
        """What is left of it outside of the others, which do not overlap."""
        left, start = [], self.start
        for other in sorted(others, key=lambda span: span.start):
            if other.end <= start or other.start >= self.end:
                continue
            left.append(Span(start=start, end=max(start, other.start)))
            start = max(start, other.end)
        left.append(Span(start=start, end=max(start, self.end)))
        return [span for span in left if span.seconds > 0]


@dataclass(slots=True, kw_only=True)
class Truth:
    """What happened, by camera (from 0)."""

    cameras: int
    silent: dict[int, list[Span]] = field(default_factory=dict)
    since: datetime
    until: datetime
    orders: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the hub said: outages by camera, absences by camera, down and known seconds."""

    outages: dict[int, list[Span]]
    absences: dict[int, list[Span]]
    down_s: dict[int, float]
    unknown_s: dict[int, float]


async def play(
    server: str, folder: Path, *, cameras: int, length_s: float, kills: int, database: str
) -> tuple[Truth, Found]:
    """Let cameras fail at random for so long, kill the hub meanwhile, and read the ledger."""
    rng = random.Random(2026)
    async with Farm() as farm:
        url = await build_county(server, database, cameras=cameras, port=farm.port)
        hub = WholeHub(
            data_dir=folder / "hub",
            settings={
                "GENGFU_DATABASE__URL": url,
                "GENGFU_NETWORK__DEVICES": "127.0.0.0/8",
                "GENGFU_HEALTH__PROBE_INTERVAL_S": str(INTERVAL_S),
                "GENGFU_HEALTH__FRAMES_INTERVAL_S": "604800",
                "GENGFU_HEALTH__PROBE_TIMEOUT_S": "1",
                "GENGFU_HEALTH__CONFIRM_AFTER_S": "0.5",
                "GENGFU_HEALTH__RECOVER_AFTER_S": "0.5",
            },
            arguments=("run", *ROLES),
        )
        await hub.start()
        try:
            await _all_online(url, cameras)
            truth = Truth(cameras=cameras, since=_now(), until=_now())
            async with asyncio.TaskGroup() as group:
                group.create_task(_kill(hub, kills, length_s))
                for camera in range(cameras):
                    seed = rng.getrandbits(32)
                    group.create_task(_fail(farm, truth, camera, length_s, random.Random(seed)))
            await asyncio.sleep(INTERVAL_S + 3)
            truth.until = _now()
            await _all_online(url, cameras)
            found = await _read(url, truth)
        finally:
            await hub.stop()
    return truth, found


def disagreements(truth: Truth, found: Found, *, within_s: float = INTERVAL_S + 2.5) -> list[str]:
    """Every way in which the ledger differs from the truth by more than an interval and a probe."""
    wrong: list[str] = []
    for camera in range(truth.cameras):
        absences = found.absences.get(camera, [])
        said = [p for span in found.outages.get(camera, []) for p in span.without(absences)]
        true = [p for span in truth.silent.get(camera, []) for p in span.without(absences)]
        missing = _unmatched(true, said, within_s)
        invented = _unmatched(said, true, within_s)
        wrong += [f"camera {camera}: the ledger lacks {_show(span)}" for span in missing]
        wrong += [f"camera {camera}: the ledger invents {_show(span)}" for span in invented]
        down, held = sum(span.seconds for span in true), found.down_s[camera]
        if abs(down - held) > within_s * max(1, len(true)):
            wrong.append(f"camera {camera}: down {down:.1f} s, the report says {held:.1f} s")
        away = sum(span.seconds for span in absences)
        if abs(away - found.unknown_s[camera]) > 0.1:
            wrong.append(
                f"camera {camera}: unknown {away:.1f} s, not {found.unknown_s[camera]:.1f}"
            )
    return wrong


def _unmatched(spans: Sequence[Span], others: Sequence[Span], within_s: float) -> list[Span]:
    """Those that no other begins and ends with; what is shorter than a look may go unseen."""
    return [
        span
        for span in spans
        if span.seconds > within_s
        and not any(
            abs((span.start - other.start).total_seconds()) <= within_s
            and abs((span.end - other.end).total_seconds()) <= within_s
            for other in others
        )
    ]


def _show(span: Span) -> str:
    return f"{span.start:%H:%M:%S.%f} to {span.end:%H:%M:%S.%f}"


async def _fail(farm: Farm, truth: Truth, camera: int, length_s: float, rng: random.Random) -> None:
    """One camera is silent now and then, and well at the end."""
    end = _now() + timedelta(seconds=length_s - 8)
    while True:
        await asyncio.sleep(rng.uniform(8, 30))
        lasts_s = rng.uniform(7, 25)
        if _now() + timedelta(seconds=lasts_s) > end:
            return
        async with truth.orders:
            await farm.cut(range(camera, camera + 1))
        start = _now()
        await asyncio.sleep(lasts_s)
        async with truth.orders:
            await farm.restore(range(camera, camera + 1))
        truth.silent.setdefault(camera, []).append(Span(start=start, end=_now()))


async def _kill(hub: WholeHub, kills: int, length_s: float) -> None:
    for _ in range(kills):
        await asyncio.sleep(length_s / (kills + 1) - 4)
        await hub.kill()
        await asyncio.sleep(4)
        await hub.start()


async def _all_online(url: str, cameras: int) -> None:
    async with asyncio.timeout(60):
        while await asyncio.to_thread(_count_online, url) < cameras:
            await asyncio.sleep(0.2)


def _count_online(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM device_status WHERE status = 'online'"
        ).fetchone()
    return int(row[0]) if row else 0


async def _read(url: str, truth: Truth) -> Found:
    database = await Database.open(url)
    try:
        async with database.transaction() as tx:
            period = Period(since=truth.since, until=truth.until)
            report = await report_uptime(tx, SCOPE, period, now=truth.until)
            outages = await tx.tuples(
                "SELECT device_id, started_at, coalesce(ended_at, now()) FROM outages ORDER BY 2"
            )
            absences = await tx.tuples(
                "SELECT d.id, greatest(a.started_at, %(since)s), least(a.ended_at, %(until)s)"
                " FROM absences a JOIN devices d ON d.id %% a.shards = a.shard"
                " WHERE a.ended_at > %(since)s AND a.watch = 'probes' ORDER BY 2",
                {"since": truth.since, "until": truth.until},
            )
    finally:
        await database.close()
    return Found(
        outages=_by_camera(outages),
        absences=_by_camera(absences),
        down_s={line.device_id - 1: line.rate.down_s for line in report.devices},
        unknown_s={line.device_id - 1: line.rate.unknown_s for line in report.devices},
    )


def _by_camera(rows: Sequence[tuple[object, ...]]) -> dict[int, list[Span]]:
    spans: dict[int, list[Span]] = {}
    for device, start, end in rows:
        assert isinstance(device, int)
        assert isinstance(start, datetime)
        assert isinstance(end, datetime)
        spans.setdefault(device - 1, []).append(Span(start=start, end=end))
    return spans


def _now() -> datetime:
    return datetime.now(UTC)
