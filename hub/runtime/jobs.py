"""Work that is due: Procrastinate on our own database, wherever a worker runs.

Handlers are registered by name at start; work is deferred by name inside the caller's own
transaction, so that a change and its consequence commit together. A job whose worker was
killed is given to another one once the heartbeat is missed: handlers must be repeatable.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import (
    AlreadyEnqueued,
    ConnectorException,
    JobAborted,
    UniqueViolation,
)
from procrastinate.jobs import Job as QueuedJob
from procrastinate.jobs import Status
from procrastinate.types import JSONValue

from hub.domain.devices import Json
from hub.domain.errors import GengfuError, StoreUnavailable
from hub.domain.ports import Clock
from hub.runtime.job_connector import JobConnector
from hub.store.database import Database, Transaction

log = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
# A worker that missed this many seconds of heartbeats is dead: its jobs go to others.
STALLED_AFTER_S = 10.0
POLL_S = 1.0
RESTART_S = 2.0
# Jobs wait for the network most of their time; too few at once would starve deliveries.
CONCURRENCY = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of due work as its handler gets it. ``attempt`` counts from 1."""

    id: int
    args: Mapping[str, Json]
    attempt: int


Handler = Callable[[Job], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryWaits(BaseRetryStrategy):
    """Try again after each of ``waits_s`` in turn, then give up; only for errors we named."""

    waits_s: Sequence[float] = ()

    def get_retry_decision(
        self, *, exception: BaseException, job: QueuedJob
    ) -> RetryDecision | None:
        """Decide for one failure; a job that our own stop cut short runs again at once."""
        if isinstance(exception, JobAborted | asyncio.CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        if not isinstance(exception, GengfuError) or job.attempts >= len(self.waits_s):
            return None
        wait = self.waits_s[job.attempts]
        return RetryDecision(retry_in={"milliseconds": round(wait * 1000)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Periodic:
    name: str
    every_s: float


class Jobs:
    """The queue of due work."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._app = App(connector=JobConnector())
        self._periodic: list[_Periodic] = []

    def handle(self, name: str, handler: Handler, *, retry_waits_s: Sequence[float] = ()) -> None:
        """Say who does the work called ``name``. Call before :meth:`run`.

        A handler that raises a GengfuError is run again after each of ``retry_waits_s``.
        """

        async def run(context: JobContext, /, **args: Json) -> None:
            job = Job(id=context.job.id or 0, args=args, attempt=context.job.attempts + 1)
            try:
                await handler(job)
            except GengfuError:
                # Two of one mark cannot wait: this one could not be put back beside the other.
                if not await self._has_successor(context.job):
                    raise
                log.info("job %s (%s) failed: the next one of its kind waits", job.id, name)

        self._app.task(name=name, pass_context=True, retry=RetryWaits(waits_s=retry_waits_s))(run)

    def every(self, name: str, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work again and again, one at a time over all workers.

        The next run is due ``every_s`` after the start of this one; a failed run is logged and
        does not end the series.
        """

        async def handler(_job: Job) -> None:
            started = self._clock()
            try:
                await work()
            except GengfuError as error:
                log.warning("periodic work %s failed and will run again: %s", name, error)
            finally:
                await self._defer_next(name, started + timedelta(seconds=every_s))

        self.handle(name, handler, retry_waits_s=(1, 5, 5, 30, 30, 60, 60))
        self._periodic.append(_Periodic(name=name, every_s=every_s))

    async def defer(
        self,
        tx: Transaction,
        name: str,
        args: Mapping[str, Json],
        *,
        at: datetime | None = None,
        lock: str | None = None,
        once: str | None = None,
    ) -> bool:
        """Ask for work, in the caller's transaction.

        Args:
            tx: The work exists if and only if this commits.
            name: Who does it, see :meth:`handle`.
            args: JSON values for the handler; no secrets.
            at: When it is due; None for at once.
            lock: Jobs with one lock never run at the same time.
            once: At most one job with this mark waits; returns False when one does already.
        """
        deferrer = self._app.configure_task(
            name,
            allow_unknown=True,
            connection=tx.connection,
            schedule_at=at,
            lock=lock,
            queueing_lock=once,
        )
        try:
            async with tx.savepoint():
                await deferrer.defer_async(**cast("dict[str, JSONValue]", dict(args)))
        except AlreadyEnqueued:
            return False
        except ConnectorException as error:
            msg = "the database did not take a job"
            raise StoreUnavailable(msg) from error
        return True

    async def run(self, *, concurrency: int = CONCURRENCY) -> None:
        """Work until cancelled; survives the loss of the database."""
        await self._app.open_async(self._database.pool)
        is_away = False
        while True:
            try:
                await self._start_series()
                if is_away:
                    is_away = False
                    log.info("due work is done again")
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._rescue_stalled(), name="jobs-rescue")
                    group.create_task(self._work(concurrency), name="jobs-work")
            except* (StoreUnavailable, ConnectorException) as errors:
                if not is_away:
                    is_away = True
                    log.warning("due work waits until the database is back: %s", _reason(errors))
                await asyncio.sleep(RESTART_S)

    async def _work(self, concurrency: int) -> None:
        await self._app.run_worker_async(
            concurrency=concurrency,
            install_signal_handlers=False,
            fetch_job_polling_interval=POLL_S,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=STALLED_AFTER_S,
            shutdown_graceful_timeout=1.0,
            delete_jobs="successful",
        )

    async def _rescue_stalled(self) -> None:
        """Give back the jobs of workers that died (they stay "doing" for ever otherwise)."""
        manager = self._app.job_manager
        while True:
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
                log.warning("job %s (%s) lost its worker: it runs again", job.id, job.task_name)
                try:
                    await manager.retry_job(job)
                except UniqueViolation:
                    # Its successor in a series waits already: this one is over.
                    await manager.finish_job(job, status=Status.FAILED, delete_job=True)
            await asyncio.sleep(STALLED_AFTER_S / 4)

    async def _has_successor(self, job: QueuedJob) -> bool:
        """Tell whether another job with the same mark waits."""
        if job.queueing_lock is None:
            return False
        waiting = await self._app.job_manager.list_jobs_async(
            queueing_lock=job.queueing_lock, status=Status.TODO.value
        )
        return any(one.id != job.id for one in waiting)

    async def _start_series(self) -> None:
        for periodic in self._periodic:
            await self._defer_next(periodic.name, self._clock())

    async def _defer_next(self, name: str, at: datetime) -> None:
        async with self._database.transaction() as tx:
            await self.defer(tx, name, {}, at=at, lock=f"every:{name}", once=f"every:{name}")


def _reason(errors: BaseException) -> str:
    """The sentence of the innermost error: the queue's own says only that there was one."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return " ".join(str(errors.__cause__ or errors).split())
