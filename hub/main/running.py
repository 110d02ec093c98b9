"""Runs the parts of one process until it is told to stop."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import timedelta

from alerts.escalation.escalating import Escalator
from alerts.handling.quieting import QuietEnds
from config.schema import Settings
from hub.domain.access import system_scope
from hub.domain.errors import StoreUnavailable
from hub.domain.notes import SendNote
from hub.domain.secrets import Secret
from hub.main.assembly import Parts, open_parts
from hub.main.first_start import prepare
from hub.main.listening import listen, make_server, public_address
from hub.main.notifiers import Delivering
from hub.main.patrolling import register_patrols
from hub.main.reviving import revive_servers
from hub.main.roles import ProcessRole
from hub.main.servers import Servers
from hub.main.surroundings import calm_collector, utc_now
from hub.main.surveying import build_discoverer
from hub.main.system_view import tell_of_process
from hub.maintenance.area_days import AreaDays
from hub.maintenance.flapping import FlappingEnds
from hub.maintenance.parents import ParentFinder
from hub.maintenance.presence import mark_listening
from hub.maintenance.windows import WindowKeeper
from hub.patrols.dispatch.deadlines import DeadlineKeeper
from hub.patrols.roll_calls.answering import SilenceKeeper
from hub.runtime.ending import end_tasks
from hub.runtime.jobs import CONCURRENCY
from hub.runtime.leading import lead
from hub.runtime.supervisor import CONNECTED
from hub.store import server
from hub.store.alert_holds import drop_old_holds
from hub.store.citizen_reports import forget_contacts
from hub.store.migrate import migrate
from hub.store.viewings import drop_old_viewings

log = logging.getLogger(__name__)

SCOPE = system_scope("hub.main")
RETENTION_EVERY_S = 3600.0
COMPRESS_AFTER = timedelta(days=7)
# How long it can be asked why nobody was called.
KEEP_HOLDS = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What is known once everything runs. ``first_password`` is shown once, here and now."""

    parts: Parts
    address: str
    first_password: Secret | None


OnReady = Callable[[Started], Awaitable[None]]


async def run_process(
    settings: Settings,
    servers: Servers,
    roles: Set[ProcessRole],
    on_ready: OnReady,
    *,
    approve_unknown: bool = False,
) -> None:
    """Run the roles until SIGINT or SIGTERM.

    Raises:
        ConfigError: something prevents the start; it says what to do.
        StoreUnavailable: the database does not answer at the start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await migrate(servers.database_url.reveal())
    listening = listen(settings) if ProcessRole.WEB in roles else None
    async with open_parts(settings, servers) as parts:
        found = await prepare(parts.database, settings, servers, approve_unknown=approve_unknown)
        await server.compress_old(parts.database, SCOPE, COMPRESS_AFTER)
        address = "" if listening is None else public_address(settings, listening)
        parts.health.add("storing", lambda: parts.pipeline.trouble or True)
        if ProcessRole.INGEST in roles:
            parts.health.add("broker", lambda: _broker(parts, found.broker_link))
            parts.health.add("adapters", lambda: _links(parts))
        async with _running(parts, roles, listening, address):
            await on_ready(
                Started(parts=parts, address=address, first_password=found.first_password)
            )
            await stop.wait()
            log.info("stopping")


@contextlib.asynccontextmanager
async def _running(
    parts: Parts, roles: Set[ProcessRole], listening: socket.socket | None, address: str
) -> AsyncIterator[None]:
    """Run every task of the roles; all end when the block ends or when one of them fails."""
    async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(parts.health.run(), name="health"),
            group.create_task(parts.live.run(), name="live"),
            group.create_task(revive_servers(parts.servers, parts.settings), name="servers"),
            group.create_task(tell_of_process(parts, roles), name="marks"),
        ]
        # Who reads after this has missed nothing, and need not read again.
        await parts.live.listening.wait()
        if roles & {ProcessRole.INGEST, ProcessRole.WORK}:
            tasks.append(group.create_task(parts.registry.run(parts.live), name="registry"))
            await parts.registry.ready.wait()
            calm_collector()
            tasks.append(group.create_task(parts.pipeline.run(), name="pipeline"))
            tasks.append(group.create_task(parts.points.run(parts.live), name="points"))
        if ProcessRole.INGEST in roles:
            adapters = lead(parts.database, "ingest", lambda: _listen(parts))
            tasks.append(group.create_task(adapters, name="adapters"))
        if ProcessRole.ALERTS in roles:
            escalator = Escalator(parts.database, parts.jobs, utc_now, live=parts.live)
            quiet = QuietEnds(parts.database, parts.jobs, utc_now)
            tasks.append(group.create_task(parts.engine.run(), name="alerts"))
            tasks.append(group.create_task(escalator.run(), name="escalation"))
            tasks.append(group.create_task(quiet.run(), name="quiet"))
            deadlines = DeadlineKeeper(parts.database, utc_now, live=parts.live)
            silent = SilenceKeeper(database=parts.database, clock=utc_now)
            tasks.append(group.create_task(deadlines.run(), name="deadlines"))
            tasks.append(group.create_task(silent.run(), name="roll-calls"))
        if ProcessRole.WORK in roles:
            delivering = Delivering(parts)
            stack.push_async_callback(delivering.close)
            delivering.register()
            register_work(parts, delivering.send_note)
            tasks.append(group.create_task(parts.prober.run(parts.live), name="prober"))
            # Each shard of probes, slow looks and pictures takes a place for as long as it runs.
            places = CONCURRENCY + 3 * parts.settings.health.shards
            tasks.append(group.create_task(parts.jobs.run(concurrency=places), name="jobs"))
        async with _serving(group, parts, listening, address):
            yield
        await end_tasks(tasks)
        with contextlib.suppress(StoreUnavailable):
            await parts.prober.close()


async def _listen(parts: Parts) -> None:
    """Run the adapters, and say that they run."""
    async with asyncio.TaskGroup() as group:
        group.create_task(mark_listening(parts.database, utc_now), name="presence")
        group.create_task(parts.supervisor.run(parts.live), name="supervisor")
        group.create_task(parts.links.run(), name="links")


@contextlib.asynccontextmanager
async def _serving(
    group: asyncio.TaskGroup, parts: Parts, listening: socket.socket | None, address: str
) -> AsyncIterator[None]:
    """Serve HTTP during the block, and finish open requests after it."""
    if listening is None:
        yield
        return
    web = make_server(parts, address)
    serving = group.create_task(web.serve(sockets=[listening]), name="web")
    await web.serving.wait()
    yield
    web.end()
    await serving


def register_work(parts: Parts, send_note: SendNote) -> None:
    """Say who does which due work in this process."""
    register_patrols(parts.around, parts.jobs, parts.eyes, send_note)
    parts.prober.register(parts.jobs)
    parts.inspector.register(parts.jobs)
    if parts.settings.pictures.is_judged:
        parts.pictures.register(parts.jobs)
    WindowKeeper(database=parts.database, clock=utc_now).register(parts.jobs)
    FlappingEnds(database=parts.database, clock=utc_now).register(parts.jobs)
    ParentFinder(database=parts.database, clock=utc_now).register(parts.jobs)
    AreaDays(database=parts.database, clock=utc_now, zone=parts.zone).register(parts.jobs)
    build_discoverer(parts.around).register(parts.jobs)
    parts.jobs.every("store.retention", RETENTION_EVERY_S, lambda: _drop_old(parts))


async def _drop_old(parts: Parts) -> None:
    keep = parts.settings.history
    async with parts.database.transaction() as tx:
        await server.drop_old(tx, SCOPE, "readings", timedelta(days=keep.readings_days))
        await server.drop_old(tx, SCOPE, "events", timedelta(days=keep.events_days))
        await server.drop_old(tx, SCOPE, "probe_hours", timedelta(days=keep.health_days))
        await server.drop_old(tx, SCOPE, "camera_days", timedelta(days=keep.health_days))
        scores = timedelta(days=parts.settings.pictures.scores_days)
        await server.drop_old(tx, SCOPE, "picture_checks", scores)
        await drop_old_holds(tx, SCOPE, utc_now() - KEEP_HOLDS)
        contacts = timedelta(days=parts.settings.citizens.contact_days)
        await forget_contacts(tx, SCOPE, utc_now() - contacts)
        viewed = timedelta(days=parts.settings.live.viewings_days)
        await drop_old_viewings(tx, SCOPE, utc_now() - viewed)


def _broker(parts: Parts, link: int) -> bool | str:
    state = parts.supervisor.states().get(link, "not connected yet")
    return state == CONNECTED or f"the broker: {state}"


def _links(parts: Parts) -> bool | str:
    """One camera's fault is its own; only when all links are down the hub is not ready."""
    states = parts.supervisor.states()
    if not states or CONNECTED in states.values():
        return True
    return f"none of {len(states)} connections is up"
