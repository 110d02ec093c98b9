"""Says every few seconds that this process lives, and what only it knows of itself."""

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import time
import uuid
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector

from config.schema import Settings
from hub.domain.access import system_scope
from hub.domain.devices import Json
from hub.domain.errors import StoreUnavailable
from hub.main.assembly import Parts
from hub.main.roles import ProcessRole
from hub.main.servers import Servers
from hub.main.surroundings import utc_now
from hub.store.processes import ProcessMark, forget_process, mark_process

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.main")
MARK_S: Final = 5.0


@dataclass(slots=True, kw_only=True)
class StoringPace:
    """How many events a second were stored lately, and when one was stored last."""

    stored: float = 0.0
    seen_s: float | None = None
    per_s: float = 0.0
    last_at: datetime | None = None

    def note(self, stored: float, now_s: float, now: datetime) -> None:
        """Take in how many were stored so far."""
        passed = 0.0 if self.seen_s is None else now_s - self.seen_s
        if passed > 0:
            self.per_s = (stored - self.stored) / passed
        if stored > self.stored:
            self.last_at = now
        self.stored, self.seen_s = stored, now_s


async def tell_of_process(parts: Parts, roles: Set[ProcessRole]) -> None:
    """Leave marks until cancelled, then take the last one back."""
    mark = ProcessMark(
        key=uuid.uuid4().hex,
        host=socket.gethostname(),
        pid=os.getpid(),
        roles=sorted(roles),
        version=metadata.version("gengfu"),
        started_at=utc_now(),
    )
    own = CollectorRegistry()
    ProcessCollector(registry=own)
    pace = StoringPace()
    try:
        while True:
            stored = parts.metrics.get_sample_value("gengfu_events_stored_total") or 0.0
            pace.note(stored, time.monotonic(), utc_now())
            facts = {
                **describe_servers(parts.settings, parts.servers),
                "parts": dict(parts.health.readiness()),
                "figures": _figures(parts.metrics, own, pace),
                "disk": await asyncio.to_thread(measure_disk, parts.settings),
            }
            await _mark(parts, mark, facts)
            await asyncio.sleep(MARK_S)
    finally:
        with contextlib.suppress(StoreUnavailable):
            async with parts.database.transaction() as tx:
                await forget_process(tx, SCOPE, mark.key)


async def _mark(parts: Parts, mark: ProcessMark, facts: Mapping[str, Json]) -> None:
    said = ProcessMark(
        key=mark.key,
        host=mark.host,
        pid=mark.pid,
        roles=mark.roles,
        version=mark.version,
        started_at=mark.started_at,
        facts=facts,
    )
    try:
        async with parts.database.transaction() as tx:
            await mark_process(tx, SCOPE, said)
    except StoreUnavailable as error:
        log.debug("the mark of this process was not left: %s", error)


def describe_servers(settings: Settings, servers: Servers) -> dict[str, Json]:
    """Which broker and database this process works with, and how long is remembered. No secret."""
    broker = servers.broker
    keep = settings.history
    return {
        "broker": {
            "is_embedded": broker is not None,
            "flavour": "" if broker is None else broker.flavour,
            "address": servers.broker_address,
            "limits": "" if broker is None else broker.limits,
        },
        "database": {"is_embedded": servers.database is not None},
        "retention": {
            "readings_days": keep.readings_days,
            "events_days": keep.events_days,
            "health_days": keep.health_days,
            "scores_days": settings.pictures.scores_days,
        },
    }


def _figures(
    metrics: CollectorRegistry, own: CollectorRegistry, pace: StoringPace
) -> dict[str, Json]:
    return {
        "waiting": metrics.get_sample_value("gengfu_pipeline_waiting"),
        "events_per_s": round(pace.per_s, 1),
        "last_stored_at": None if pace.last_at is None else pace.last_at.isoformat(),
        "consoles": metrics.get_sample_value("gengfu_consoles_open"),
        "memory_bytes": own.get_sample_value("process_resident_memory_bytes"),
        "cpu_s": own.get_sample_value("process_cpu_seconds_total"),
    }


def measure_disk(settings: Settings) -> dict[str, Json]:
    """The disk of the data folder; nothing of one that does not answer."""
    folder = settings.data_dir.absolute()
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return {}
    return {"folder": str(folder), "free_bytes": usage.free, "total_bytes": usage.total}
