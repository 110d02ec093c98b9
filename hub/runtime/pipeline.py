"""The way of every event into the database: bounded queue, one writer, one transaction a batch.

Store before rules, acknowledge after commit: an emission's ``acknowledge`` is called only when
all of it is on disk. While the database is away the batch is kept and tried again; the queue
fills, ``emit`` waits, and readings wait in the broker.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.domain.devices import Connection, Registration
from hub.domain.errors import GengfuError, StoreUnavailable
from hub.domain.events import Event, UnrecognisedEvent
from hub.domain.health import DeviceStatusReport
from hub.domain.ports import Clock, Link
from hub.runtime.batch import REPORT_WEIGHT, Batch, Emission
from hub.runtime.registry import Registry
from hub.store.database import Database
from hub.store.events import ReadingRow

log = logging.getLogger(__name__)

BATCH_EVENTS = 5_000
# A call that hands over more verdicts than this is cut into several.
BATCH_REPORTS = BATCH_EVENTS // REPORT_WEIGHT
BATCH_S = 0.2
# Once nothing more arrives for this long the batch is written: a broker with a small window
# would otherwise wait for acknowledgements that wait for it.
LINGER_S = 0.01
QUEUE_EMISSIONS = 1_000
RETRY_FIRST_S = 0.5
RETRY_MOST_S = 10.0

AfterCommit = Callable[[Sequence[ReadingRow]], Awaitable[None]]


class Pipeline:
    """One per process; every adapter and every probe ends here."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        clock: Clock,
        *,
        after_commit: AfterCommit | None = None,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._after_commit = after_commit
        self._queue: asyncio.Queue[Emission] = asyncio.Queue(QUEUE_EMISSIONS)
        self._held_back: Emission | None = None
        self._trouble = ""
        metrics = metrics or CollectorRegistry()
        self._stored = Counter(
            "gengfu_events_stored", "Events and readings committed", registry=metrics
        )
        self._unreadable = Counter(
            "gengfu_events_unrecognised",
            "Events nobody could read, stored as such",
            registry=metrics,
        )
        Gauge("gengfu_pipeline_waiting", "Emissions waiting", registry=metrics).set_function(
            self._queue.qsize
        )

    @property
    def trouble(self) -> str:
        """Why nothing can be stored now; empty while all is well."""
        return self._trouble

    def link(self, connection: Connection, registration: Registration) -> Link:
        """The way in for one connection; unknown devices get ``registration``."""
        return _Link(pipeline=self, connection=connection, registration=registration)

    async def report(self, reports: Sequence[DeviceStatusReport]) -> None:
        """Hand over confirmed verdicts of probes."""
        for start in range(0, len(reports), BATCH_REPORTS):
            part = reports[start : start + BATCH_REPORTS]
            await self.put(Emission(received_at=self._clock(), reports=part))

    async def put(self, emission: Emission) -> None:
        """Queue one emission; waits while the queue is full."""
        await self._queue.put(emission)

    async def run(self) -> None:
        """Write batches until cancelled."""
        while True:
            batch = await self._collect()
            await self._store_surely(batch)

    async def _collect(self) -> list[Emission]:
        batch = [self._held_back or await self._queue.get()]
        self._held_back = None
        size = len(batch[0])
        loop = asyncio.get_running_loop()
        end = loop.time() + BATCH_S
        while size < BATCH_EVENTS:
            try:
                emission = self._queue.get_nowait()
            except asyncio.QueueEmpty:
                wait = min(LINGER_S, end - loop.time())
                if wait <= 0:
                    break
                try:
                    emission = await asyncio.wait_for(self._queue.get(), wait)
                except TimeoutError:
                    break
            if size + len(emission) > BATCH_EVENTS:
                self._held_back = emission
                break
            batch.append(emission)
            size += len(emission)
        return batch

    async def _store_surely(self, emissions: list[Emission]) -> None:
        """Write a batch however long the database is away; a poisoned one is taken apart."""
        wait = RETRY_FIRST_S
        while True:
            try:
                readings = await self._store(emissions)
            except StoreUnavailable as error:
                if not self._trouble:
                    log.warning("nothing can be stored, events wait: %s", error)
                self._trouble = str(error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, RETRY_MOST_S)
            except GengfuError as error:
                await self._take_apart(emissions, error)
                return
            else:
                if self._trouble:
                    log.info("events are stored again")
                self._trouble = ""
                if self._after_commit is not None and readings:
                    await self._after_commit(readings)
                return

    async def _store(self, emissions: Sequence[Emission]) -> Sequence[ReadingRow]:
        async with self._database.transaction() as tx:
            batch = Batch(tx, self._registry)
            for emission in emissions:
                await batch.add(emission)
            await batch.write()
        batch.publish()
        self._count(emissions)
        for emission in emissions:
            if emission.acknowledge is not None:
                emission.acknowledge()
        return batch.readings

    async def _take_apart(self, emissions: list[Emission], error: GengfuError) -> None:
        """Find what the database refuses and store it as unrecognised; keep everything else."""
        if len(emissions) > 1:
            middle = len(emissions) // 2
            await self._store_surely(emissions[:middle])
            await self._store_surely(emissions[middle:])
            return
        emission = emissions[0]
        if len(emission.events) > 1:
            # The acknowledgement goes with the last part: all of them are committed then.
            parts = [replace(emission, events=[e], acknowledge=None) for e in emission.events]
            parts[-1] = replace(parts[-1], acknowledge=emission.acknowledge)
            for part in parts:
                await self._store_surely([part])
        elif emission.events and not isinstance(emission.events[0], UnrecognisedEvent):
            await self._store_surely([replace(emission, events=[_refused(emission, error)])])
        else:
            log.error("an event cannot be stored at all and is dropped: %s", error)
            if emission.acknowledge is not None:
                emission.acknowledge()

    def _count(self, emissions: Sequence[Emission]) -> None:
        for emission in emissions:
            self._stored.inc(len(emission))
            for event in emission.events:
                if isinstance(event, UnrecognisedEvent):
                    self._unreadable.inc()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    pipeline: Pipeline
    connection: Connection
    registration: Registration

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        """See :class:`hub.domain.ports.Link`."""
        await self.pipeline.put(
            Emission(
                received_at=self.pipeline._clock(),  # noqa: SLF001 - its own link
                connection=self.connection,
                registration=self.registration,
                events=events,
                acknowledge=acknowledge,
            )
        )


def _refused(emission: Emission, error: GengfuError) -> UnrecognisedEvent:
    event = emission.events[0]
    return UnrecognisedEvent(
        device=event.device.replace("\0", "\ufffd")[:128],
        topic=str(getattr(event, "kind", "event")).replace("\0", "\ufffd"),
        reason=f"the database refuses it: {error}",
        payload=repr(event).encode(errors="replace")[:2048],
    )
