"""Six cameras that answer as they are told to, on a real database: what the prober is tried on."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hub.domain.errors import StoreUnavailable
from hub.domain.health import Depth, DeviceStatusReport, Layer, ProbeResult, Status
from hub.domain.ports import CameraTarget
from hub.maintenance.probing import Prober, ProbingOptions, Senses
from hub.runtime.registry import Registry
from hub.store.outages import Outage, OutageFilter, list_outages
from hub.store.status import apply_reports
from tests.db.patrol_world import HUB, World
from tests.statuses import Told, change_status

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


class Site:
    """Six cameras, the time, and what the prober told."""

    def __init__(self, world: World, registry: Registry) -> None:
        self.world = world
        self.database = world.database
        self.registry = registry
        self.now = START
        self.faults: dict[int, Layer] = {}
        self.recovers: set[int] = set()  # between the first and the second probe
        self.is_ours = False
        self.is_away = False
        self.asked: list[int] = []
        self.told: list[DeviceStatusReport] = []

    def clock(self) -> datetime:
        return self.now

    async def probe(
        self, target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        del timeout_s
        await asyncio.sleep(0)
        self.asked.append(target.device_id)
        fault = self.faults.get(target.device_id)
        if target.device_id in self.recovers:
            self.recovers.discard(target.device_id)
            self.faults.pop(target.device_id)
        return ProbeResult(
            probed_at=self.now,
            latency_s=0.01,
            failed_layer=fault,
            detail="connection refused" if fault else "",
            lines=("connecting", "connection refused") if fault else ("good",),
            is_conclusive=not self.is_ours,
            depth=depth,
        )

    async def report(self, reports: Sequence[DeviceStatusReport]) -> None:
        if self.is_away:
            msg = "the database does not answer"
            raise StoreUnavailable(msg)
        self.told += reports
        async with self.database.transaction() as tx:
            for change in await apply_reports(tx, HUB, reports):
                known = self.registry.get(change.after.device_id)
                assert known is not None
                known.learn(change.after)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(0)  # what was begun runs before time goes on
        self.now += timedelta(seconds=seconds)

    def prober(self, options: ProbingOptions | None = None) -> Prober:
        senses = Senses(probe=self.probe, report=self.report, clock=self.clock, pause=self.pause)
        return Prober(self.database, self.registry, senses, options or ProbingOptions(shards=1))

    async def hold(self, device_id: int, status: Status, layer: Layer | None = None) -> None:
        async with self.database.transaction() as tx:
            told = Told(device_id=device_id, status=status, since=self.now, layer=layer)
            await change_status(tx, HUB, told)
        await self.registry.load()

    async def outages(self) -> list[Outage]:
        async with self.database.transaction() as tx:
            wanted = OutageFilter(since=START, until=START + timedelta(days=30))
            return list((await list_outages(tx, HUB, wanted)).items)

    async def absences(self) -> list[tuple[int, datetime, datetime]]:
        async with self.database.transaction() as tx:
            return await tx.tuples(  # type: ignore[return-value]  # as the columns are
                "SELECT shard, started_at, ended_at FROM absences ORDER BY shard, started_at"
            )
