"""What Prometheus is told of the devices, beside what each process tells of its own work.

Counted by the database when somebody asks, at most once in ten seconds; a scrape never waits
long: without the database ``gengfu_database_up`` is 0 and the counts are left out, for old ones
would look like new ones. The counts are of the whole hub and the same from every process with the
role web: take ``max by (…)`` of them, never the sum.

====================================  =============================================================
name                                  what
====================================  =============================================================
gengfu_devices                        approved devices, by area (code), area_name and status
gengfu_area_level                     0: every area with devices has its own figures; else the
                                      deepest level that has (there are more than 2,000 areas)
gengfu_devices_pending                devices that wait for approval
gengfu_devices_flapping               devices that fail and return again and again
gengfu_outages_open                   present outages, by the layer that fails
gengfu_alerts_open                    alerts not resolved, by severity and status
gengfu_picture_faults                 cameras, by what is wrong with their pictures
gengfu_connections                    links, by state: connected, new, disabled or the error
gengfu_jobs_due, gengfu_jobs_running  work that waits for a worker, work in hand
gengfu_database_up                    1 while the database answers
gengfu_count_seconds                  how long the counting took
process_*, python_*                   this process: memory, CPU, open files
====================================  =============================================================
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from hub.domain.access import system_scope
from hub.domain.alerts import AlertStatus
from hub.domain.errors import GengfuError
from hub.domain.events import Severity
from hub.domain.health import OFFLINE_LAYERS, Status
from hub.domain.quality import Index
from hub.store.database import Database
from hub.store.figures import HubCounts, count_everything, roll_up

FRESH_S: Final = 10.0
# Prometheus gives a scrape 10 s by default.
ANSWER_S: Final = 5.0
MOST_AREAS: Final = 2_000
_SCOPE = system_scope("hub.web.figures")


class HealthFigures:
    """The counts of the hub, kept for ten seconds; one a process that serves."""

    def __init__(
        self,
        database: Database,
        *,
        most_areas: int = MOST_AREAS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._most_areas = most_areas
        self._monotonic = monotonic
        self._counting = asyncio.Lock()
        self._counted_at: float | None = None
        self._families: list[Metric] = []
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def collect(self) -> Iterable[Metric]:
        """What was counted last; asks nobody."""
        return self._families

    async def refresh(self) -> None:
        """Count anew what is older than ten seconds; whoever asks meanwhile gets the same."""
        async with self._counting:
            now = self._monotonic()
            if self._counted_at is not None and now - self._counted_at < FRESH_S:
                return
            counts = await self._count()
            took = self._monotonic() - now
            self._counted_at = now
            is_up = _gauge("gengfu_database_up", "1 while the database answers", counts is not None)
            self._families = [is_up]
            if counts is not None:
                self._families += _families(*roll_up(counts, self._most_areas), took)

    async def _count(self) -> HubCounts | None:
        try:
            async with asyncio.timeout(ANSWER_S), self._database.transaction() as tx:
                return await count_everything(tx, _SCOPE)
        except (GengfuError, TimeoutError):
            return None


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _families(counts: HubCounts, level: int, took_s: float) -> Iterator[Metric]:
    yield _devices(counts)
    yield _gauge(
        "gengfu_area_level",
        "0: every area with devices has its own figures; else the deepest level that has",
        level,
    )
    yield _gauge("gengfu_devices_pending", "Devices that wait for approval", counts.pending)
    yield _gauge("gengfu_devices_flapping", "Devices that fail and return", counts.flapping)
    yield _by_label(
        "gengfu_outages_open",
        "Present outages by the layer that fails",
        "layer",
        {**dict.fromkeys(sorted(OFFLINE_LAYERS), 0), **counts.outages},
    )
    alerts = GaugeMetricFamily(
        "gengfu_alerts_open", "Alerts not resolved", labels=("severity", "status")
    )
    for severity in Severity:
        for status in (AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED):
            alerts.add_metric((severity, status), counts.alerts.get((severity, status), 0))
    yield alerts
    yield _by_label(
        "gengfu_picture_faults",
        "Cameras by what is wrong with their pictures",
        "index",
        {index: counts.picture_faults.get(index, 0) for index in Index},
    )
    yield _by_label(
        "gengfu_connections",
        "Links by state: connected, new, disabled or the error",
        "state",
        {**dict.fromkeys(("connected", "disabled", "new"), 0), **counts.connections},
    )
    yield _gauge("gengfu_jobs_due", "Work that waits for a worker", counts.jobs_due)
    yield _gauge("gengfu_jobs_running", "Work in hand", counts.jobs_running)
    yield _gauge("gengfu_count_seconds", "How long these counts took", took_s)


def _devices(counts: HubCounts) -> Metric:
    """Every area with every status, zeros too: a line that vanishes is no line at zero."""
    family = GaugeMetricFamily(
        "gengfu_devices",
        "Approved devices by area and status, of the whole hub: take max by (...), not the sum"
        " over processes",
        labels=("area", "area_name", "status"),
    )
    by_area: dict[str, dict[str, int]] = {}
    for row in counts.areas:
        by_area.setdefault(row.path, {})[row.status] = row.count
    for path, by_status in sorted(by_area.items()):
        code, name = path.rpartition(".")[2], counts.area_names.get(path, "")
        for status in Status:
            family.add_metric((code, name, status), by_status.get(status, 0))
    return family


def _by_label(name: str, text: str, label: str, counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for value, count in sorted(counts.items()):
        family.add_metric((value or "none",), count)
    return family
