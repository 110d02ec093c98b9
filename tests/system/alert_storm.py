"""Plays a storm to a hub that runs in a process of its own, and keeps what came of it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.store.database import Database
from hub.store.migrate import migrate
from hub.store.vault import Vault
from tests.benchmarks.camera_farm import cpu_s
from tests.system.alert_books import FIRED, RESOLVED, Books, read_books
from tests.system.hook_station import HookStation, most_within, run_hook_station
from tests.system.role_process import HUB, run_roles
from tests.system.storm_county import ExtraRule, Size, StormCounty, build_storm_county
from tests.system.storm_feed import run_feed
from tests.system.storm_script import found_online, plan_recovery, plan_storm

MINUTE = timedelta(minutes=1)
# Nothing waits any more: the engine has seen every event, nobody has still to be told.
WAITING = (
    "SELECT (SELECT coalesce(max(id), 0) FROM events)"
    " - coalesce((SELECT event_id FROM cursors WHERE name = 'alerts'), 0)"
    " + (SELECT count(*) FROM notifications WHERE status = 'waiting')"
    " + (SELECT count(*) FROM messages WHERE status = 'waiting')"
    " + (SELECT count(*) FROM rule_states WHERE phase = 'pending')"
)
OPEN = "SELECT count(*) FROM alerts WHERE status <> 'resolved'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """All uplinks fail within ``lasts_s`` and come back, once everybody is told, within as long.

    ``again_s`` is the interval of the probes. They do not come back before ``recovers_after_s``
    after the beginning.
    """

    size: Size = field(default_factory=Size)
    lasts_s: float = 10.0
    again_s: float = 15.0
    recovers_after_s: float = 0.0
    seed: int = 2026


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A storm that is over. Times in seconds; each span from the verdict to the arrival.

    ``began`` is the moment of the first verdict.
    """

    county: StormCounty
    books: Books
    station: HookStation
    began: datetime
    fired_s: Mapping[tuple[str, int], float]
    resolved_s: Mapping[tuple[str, int], float]
    judged_s: float
    cpu_s: float
    storm: Storm

    def messages_of(self, receiver: str) -> tuple[int, int, int]:
        """Messages, requests, and the most messages in any minute."""
        messages = self.station.messages(receiver)
        return len(messages), len(self.station.of(receiver)), most_within(messages, MINUTE)


async def play_storm(url: str, folder: Path, storm: Storm) -> Outcome:
    """Play one to a hub on an empty database; its process keeps its files in ``folder``."""
    rng = random.Random(storm.seed)
    async with storm_site(url, folder, storm.size) as site:
        settings = hub_settings(url, folder)
        async with (
            run_roles(HUB, settings, folder / "alerts.log") as hub,
            run_feed(site.database, site.county) as feed,
        ):
            await feed.play(found_online(site.county.layout), datetime.now(UTC))
            await site.until(is_zero(WAITING))
            used = cpu_s(hub.pid)
            began = datetime.now(UTC)
            layout, lasts_s = site.county.layout, storm.lasts_s
            failures = plan_storm(layout, rng, lasts_s=lasts_s, again_s=storm.again_s)
            await feed.play(failures, began)
            over = datetime.now(UTC)
            await site.until(is_zero(WAITING))
            judged_s = (datetime.now(UTC) - over).total_seconds()
            recovery = plan_recovery(layout, rng, lasts_s=lasts_s)
            start = max(datetime.now(UTC), began + timedelta(seconds=storm.recovers_after_s))
            await feed.play(recovery, start)
            await site.until(is_zero(OPEN))
            await site.until(is_zero(WAITING))
            used = cpu_s(hub.pid) - used
        books = await read_books(site.database)
    back = {
        verdict.device_id: start + timedelta(seconds=verdict.at_s)
        for moment in recovery
        for verdict in moment.verdicts
    }
    return Outcome(
        county=site.county,
        books=books,
        station=site.station,
        began=began + timedelta(seconds=failures[0].verdicts[0].at_s),
        fired_s=_spans(
            books, site.station, FIRED, {one.alert_id: one.started_at for one in books.standing}
        ),
        resolved_s=_spans(
            books,
            site.station,
            RESOLVED,
            {one.alert_id: back[one.device_id] for one in books.standing},
        ),
        judged_s=judged_s,
        cpu_s=used,
        storm=storm,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StormSite:
    """A county in a database of its own, and the server of its receivers."""

    database: Database
    county: StormCounty
    station: HookStation

    async def until(
        self, is_so: Callable[[Database], Awaitable[bool]], *, limit_s: float = 300.0
    ) -> None:
        """Ask the database until it is so, twice in a row: work comes of work."""
        async with asyncio.timeout(limit_s):
            times = 0
            while times < 2:
                times = times + 1 if await is_so(self.database) else 0
                await asyncio.sleep(0.1)


@asynccontextmanager
async def storm_site(
    url: str,
    folder: Path,
    size: Size,
    *,
    extra: Sequence[ExtraRule] = (),
    delay_s: float = 0.0,
) -> AsyncIterator[StormSite]:
    """The county, stored, and its receivers, listening, for as long as the block runs."""
    await migrate(url)
    database = await Database.open(url, vault=Vault.open(folder / "gengfu.key"))
    try:
        async with run_hook_station(delay_s=delay_s) as station:
            county = await build_storm_county(database, size, station.origin, extra)
            yield StormSite(database=database, county=county, station=station)
    finally:
        await database.close()


def hub_settings(url: str, folder: Path) -> dict[str, str]:
    """How a process of the hub finds the database; its receivers are on loopback."""
    return {
        "GENGFU_DATABASE__URL": url,
        "GENGFU_DATA_DIR": str(folder),
        "GENGFU_MQTT__URL": "mqtt://127.0.0.1:1",
        "GENGFU_NETWORK__RECEIVERS": "127.0.0.0/8",
        "GENGFU_HTTP__PORT": "0",
    }


def is_zero(query: str) -> Callable[[Database], Awaitable[bool]]:
    """A question for :meth:`StormSite.until`."""

    async def ask(database: Database) -> bool:
        async with database.pool.connection() as connection:
            row = await (await connection.execute(query.encode())).fetchone()
        return row == (0,)

    return ask


def _spans(
    books: Books, station: HookStation, step: str, since: Mapping[int, datetime]
) -> dict[tuple[str, int], float]:
    """Receiver and alert → how long after the verdict the first message about it came."""
    came: dict[tuple[str, str], datetime] = {}
    for arrival in station.arrivals:
        came.setdefault((arrival.path.removeprefix("/"), arrival.message_id), arrival.at)
    spans: dict[tuple[str, int], float] = {}
    for told in books.told:
        place = (told.receiver, told.message_id)
        if told.step != step or told.alert_id not in since or place not in came:
            continue
        span = (came[place] - since[told.alert_id]).total_seconds()
        key = (told.receiver, told.alert_id)
        spans[key] = min(span, spans.get(key, span))
    return spans
