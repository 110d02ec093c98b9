"""The status prober: asks every camera again and again whether it works.

Cameras are dealt out to shards by number; a shard is a job under a lock, so that it runs on one
worker of all. Nothing is written per probe: results stay in memory, for whoever asks why, and
go to a callback when they differ from what the database holds. A camera that stops working is
told of only once a second probe confirms it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from hub.domain.access import system_scope
from hub.domain.errors import StoreUnavailable
from hub.domain.health import SEEN_BY, DeviceStatusReport, Layer, ProbeResult, Status
from hub.domain.ports import CameraTarget, ProbeCamera
from hub.runtime.jobs import Jobs
from hub.store.cameras import list_targets
from hub.store.database import Database
from hub.store.probing import known_verdicts

log = logging.getLogger(__name__)

Report = Callable[[Sequence[DeviceStatusReport]], Awaitable[None]]
Pause = Callable[[float], Awaitable[None]]

SERIES = "maintenance.probe-shard-"
KEPT_SUCCESSES = 3
KEPT_FAILURES = 10
# What a probe cannot see it cannot contradict: a good one does not clear such a fault.
UNSEEN_LAYERS = frozenset({Layer.FRAMES, Layer.PICTURE, Layer.RECORDING, Layer.CLOCK})

Verdict = tuple[Status, Layer | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbingOptions:
    """How often and how hard cameras are asked.

    With these values a camera that dies is told of within 15 s (interval) + 1 s (the queue) +
    3 s (probe) + 2.5 s (pause) + 3 s (second probe) = 24.5 s; one that refuses the connection,
    within 19 s. A shard's probes are spread over ``spread_s``; at most ``concurrency`` are under
    way in one process.
    """

    shards: int = 8
    interval_s: float = 15.0
    timeout_s: float = 3.0
    confirm_after_s: float = 2.5
    spread_s: float = 3.0
    concurrency: int = 256


@dataclass(slots=True)
class History:
    """The last results of one device: failures are kept longer than successes."""

    successes: deque[ProbeResult] = field(default_factory=lambda: deque(maxlen=KEPT_SUCCESSES))
    failures: deque[ProbeResult] = field(default_factory=lambda: deque(maxlen=KEPT_FAILURES))

    def add(self, result: ProbeResult) -> None:
        """Keep a result; the oldest of its kind goes."""
        (self.successes if result.failed_layer is None else self.failures).append(result)

    def newest_first(self) -> list[ProbeResult]:
        """Everything kept."""
        kept = [*self.successes, *self.failures]
        return sorted(kept, key=lambda result: result.probed_at, reverse=True)


def is_news(found: ProbeResult, held: Verdict) -> bool:
    """Tell whether a result says something else than what is held of the device."""
    status, layer = held
    if not found.is_conclusive or status is Status.MAINTENANCE:
        return False
    if found.failed_layer is None and layer in UNSEEN_LAYERS:
        return False
    return (found.status, found.failed_layer) != held


class Prober:
    """Probes the shards this process is given, and remembers what it found."""

    def __init__(
        self,
        *,
        database: Database,
        probe: ProbeCamera,
        report: Report,
        options: ProbingOptions | None = None,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._database = database
        self._probe = probe
        self._report = report
        self._options = options or ProbingOptions()
        self._pause = pause
        self._slots = asyncio.Semaphore(self._options.concurrency)
        self._histories: dict[int, History] = {}
        self._waiting: list[DeviceStatusReport] = []
        self._telling = asyncio.Lock()
        self._members: dict[int, frozenset[int]] = {}

    def register(self, jobs: Jobs) -> None:
        """Make every shard a series of jobs. Call before the queue runs."""
        for shard in range(self._options.shards):
            jobs.every(
                f"{SERIES}{shard}", self._options.interval_s, partial(self.probe_shard, shard)
            )

    def last_result(self, device_id: int) -> ProbeResult | None:
        """The newest result of a device with its log lines; None when it was not probed here."""
        results = self.results(device_id)
        return results[0] if results else None

    def results(self, device_id: int) -> list[ProbeResult]:
        """Every result kept of a device, newest first."""
        history = self._histories.get(device_id)
        return history.newest_first() if history else []

    async def probe_shard(self, shard: int) -> None:
        """Probe every camera of a shard once and tell what changed."""
        hub = system_scope("hub.maintenance")
        part = (shard, self._options.shards)
        async with self._database.transaction() as tx:
            targets = await list_targets(tx, hub, shard=part)
            known = await known_verdicts(tx, hub, part)
        self._forget_gone(shard, frozenset(target.device_id for target in targets))
        gap_s = self._options.spread_s / len(targets) if targets else 0.0
        async with asyncio.TaskGroup() as group:
            for target in targets:
                held = known.get(target.device_id, (Status.UNKNOWN, None))
                group.create_task(self._watch(target, held), name=f"probe-{target.device_id}")
                await self._pause(gap_s)

    async def _watch(self, target: CameraTarget, held: Verdict) -> None:
        """Probe one camera; a change for the worse counts once a second probe agrees."""
        found = await self._ask(target)
        if found.failed_layer is not None and is_news(found, held):
            await self._pause(self._options.confirm_after_s)
            found = await self._ask(target)
        if is_news(found, held):
            await self._tell(_status_report(target.device_id, found))

    async def _tell(self, report: DeviceStatusReport) -> None:
        """Hand over a report, together with all that came while the one before was handed over."""
        self._waiting.append(report)
        async with self._telling:
            batch, self._waiting = self._waiting, []
            if not batch:
                return
            try:
                await self._report(batch)
            except StoreUnavailable as error:
                # Nothing is lost: the next run finds the same difference again.
                log.warning("the status of %s devices cannot be stored yet: %s", len(batch), error)

    async def _ask(self, target: CameraTarget) -> ProbeResult:
        async with self._slots:
            found = await self._probe(target, timeout_s=self._options.timeout_s)
        self._histories.setdefault(target.device_id, History()).add(found)
        return found

    def _forget_gone(self, shard: int, present: frozenset[int]) -> None:
        """Devices that were removed, retired or switched off take no memory."""
        for device_id in self._members.get(shard, frozenset()) - present:
            self._histories.pop(device_id, None)
        self._members[shard] = present


def _status_report(device_id: int, found: ProbeResult) -> DeviceStatusReport:
    return DeviceStatusReport(
        device_id=device_id,
        probed_at=found.probed_at,
        layer=found.failed_layer,
        detail=found.detail,
        seen=SEEN_BY[found.depth],
    )
