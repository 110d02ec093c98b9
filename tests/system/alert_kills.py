"""Plays a script to a hub whose process is killed meanwhile, and reads what it came to."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from hub.domain.access import Role, system_scope
from hub.runtime.live import LiveFeed
from hub.store.areas import list_areas
from hub.store.database import Database
from hub.web.app import create_app
from tests.system.alert_books import (
    Books,
    end_faults,
    message_faults,
    read_books,
)
from tests.system.alert_storm import (
    OPEN,
    WAITING,
    StormSite,
    hub_settings,
    is_zero,
    storm_site,
)
from tests.system.kill_script import EXTRA, KillScript
from tests.system.role_process import RoleProcess, run_roles
from tests.system.storm_feed import Feed, run_feed
from tests.system.storm_script import found_online
from tests.web.stage import Field, add_person, open_client, sign_in

# Receivers are slow enough for a kill to hit in the middle of a message.
DELAY_S = 0.3
LONGEST_LIFE_S = 2.0
# Some are killed before they say that they run: while they read what they missed.
EARLY = 0.25
PERSON = "duty-officer"
_BY_HAND = "uplink away for long"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """An alert as it ended, without numbers and times that nobody promises."""

    rule: str
    subject: str
    severity: str
    status: str
    started_s: float
    steps: tuple[tuple[str, str], ...]
    told: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a play came to. ``certain`` leaves out what depends on when somebody looked.

    ``uncertain`` says how many alerts there were of that, and ``told`` how many notifications.
    """

    certain: Sequence[AlertState]
    uncertain: int
    told: int
    held: frozenset[tuple[str, str]]
    wrong: Sequence[str]
    kills: int
    messages: int
    requests: int
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Killing:
    """What is killed, how often, and at which points."""

    module: tuple[str, ...]
    kills: int
    seed: int


async def play(url: str, folder: Path, script: KillScript, killing: Killing) -> Played:
    """Play both acts while the process is killed so many times."""
    rng = random.Random(killing.seed)
    began = datetime.now(UTC)
    async with (
        storm_site(url, folder, script.size, extra=EXTRA, delay_s=DELAY_S) as site,
        run_roles(killing.module, hub_settings(url, folder), folder / "alerts.log") as hub,
        _api(site.database, folder) as api,
        run_feed(site.database, site.county) as feed,
    ):
        await feed.play(found_online(script.layout), datetime.now(UTC))
        await site.until(is_zero(WAITING))
        start = datetime.now(UTC)
        async with asyncio.TaskGroup() as group:
            group.create_task(_kill_often(hub, killing.kills, rng))
            group.create_task(_act(feed, api, script, start))
        await site.until(is_zero(OPEN))
        await site.until(is_zero(WAITING))
        books = await read_books(site.database)
        states = await _read_states(site.database, start)
        held = await _read_held(site.database, script)
    mixed = {f"device:{camera}" for camera in script.mixed}
    return Played(
        certain=[state for state in states if state.subject not in mixed],
        uncertain=sum(state.subject in mixed for state in states),
        told=sum(len(state.told) for state in states if state.subject in mixed),
        held=held,
        wrong=[*_faults(books, script, site), *_left_open(states)],
        kills=killing.kills,
        messages=len(books.messages),
        requests=len(site.station.arrivals),
        took_s=(datetime.now(UTC) - began).total_seconds(),
    )


def differences(undisturbed: Played, killed: Played) -> list[str]:
    """In which ways a play with kills came to something else than one without."""
    wrong = [
        *(f"undisturbed: {line}" for line in undisturbed.wrong),
        *(f"killed: {line}" for line in killed.wrong),
    ]
    one = {(state.rule, state.subject, state.started_s): state for state in undisturbed.certain}
    other = {(state.rule, state.subject, state.started_s): state for state in killed.certain}
    wrong += [f"lost by kills: {one[key]}" for key in sorted(one.keys() - other.keys())]
    wrong += [f"made by kills: {other[key]}" for key in sorted(other.keys() - one.keys())]
    wrong += [
        f"changed by kills: {one[key]} became {other[key]}"
        for key in sorted(one.keys() & other.keys())
        if one[key] != other[key]
    ]
    if undisturbed.held != killed.held:
        wrong.append(f"held back otherwise: {sorted(undisturbed.held ^ killed.held)[:5]}")
    return wrong


@asynccontextmanager
async def _api(database: Database, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The API in this process, for an operator; it is not what is killed."""
    async with database.transaction() as tx:
        county = (await list_areas(tx, system_scope("kills")))[0]
        await add_person(tx, PERSON, Role.OPERATOR, county.id)
    outside = Field(now=datetime.now(UTC))
    app = create_app(outside.services(database, folder, LiveFeed(database)))
    async with open_client(app) as client:
        await sign_in(client, PERSON)
        yield client


async def _kill_often(hub: RoleProcess, kills: int, rng: random.Random) -> None:
    """Kill it at random points of its life, and start it again at once."""
    for number in range(kills):
        if number == 0 or rng.random() >= EARLY:
            if number:
                await hub.running()
            await asyncio.sleep(rng.uniform(0, LONGEST_LIFE_S))
        else:
            await asyncio.sleep(rng.uniform(0, LONGEST_LIFE_S))
        await hub.end(signal.SIGKILL)
        await hub.spawn()
    if kills:
        await hub.running()


async def _act(feed: Feed, api: httpx.AsyncClient, script: KillScript, start: datetime) -> None:
    """The first act, what people do about it, and the second act."""
    await feed.play(script.first, start)
    for uplink in script.taken:
        note = {"note": "on our way"}
        await _post(api, f"/api/v1/alerts/{await _alert_of(api, uplink)}/acknowledge", note)
    for uplink in script.closed:
        reason = {"reason": "known works"}
        await _post(api, f"/api/v1/alerts/{await _alert_of(api, uplink)}/resolve", reason)
    await feed.play(script.second, datetime.now(UTC))


async def _post(api: httpx.AsyncClient, path: str, body: Mapping[str, str]) -> None:
    answer = await api.post(path, json=body)
    assert answer.status_code == 200, answer.text


async def _alert_of(api: httpx.AsyncClient, device_id: int) -> int:
    """The open alert of a device, once there is one."""
    async with asyncio.timeout(60):
        while True:
            wanted: dict[str, str | int] = {"device_id": device_id, "open": "true"}
            answer = await api.get("/api/v1/alerts", params=wanted)
            assert answer.status_code == 200, answer.text
            for item in answer.json()["items"]:
                if item["rule_name"] != _BY_HAND:
                    return int(item["id"])
            await asyncio.sleep(0.1)


def _faults(books: Books, script: KillScript, site: StormSite) -> list[str]:
    """What holds of every play by itself."""
    wrong = [*message_faults(books, site.station), *end_faults(books)]
    alerted = {alert.device_id for alert in books.standing} | books.folded
    forgotten = script.mixed - alerted - books.held
    if forgotten:
        wrong.append(f"{len(forgotten)} failures are nowhere: {sorted(forgotten)[:5]}")
    return wrong


def _left_open(states: Sequence[AlertState]) -> list[str]:
    return [f"still open: {state}" for state in states if state.status != "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    rule: str
    subject: str
    severity: str
    status: str
    started_at: datetime


async def _read_states(database: Database, start: datetime) -> list[AlertState]:
    async with database.transaction() as tx:
        rows = await tx.fetch(
            _Row,
            "SELECT x.id, r.name AS rule, x.subject, x.severity, x.status, x.started_at"
            " FROM alerts x JOIN rules r ON r.id = x.rule_id WHERE NOT x.is_storm ORDER BY x.id",
        )
        steps = _grouped(
            await tx.tuples("SELECT alert_id, step, actor FROM alert_steps ORDER BY alert_id, id")
        )
        told = _grouped(
            await tx.tuples(
                "SELECT n.alert_id, r.name, s.step FROM notifications n"
                " JOIN receivers r ON r.id = n.receiver_id JOIN alert_steps s ON s.id = n.step_id"
                " ORDER BY n.alert_id, r.name, s.id"
            )
        )
    return [
        AlertState(
            rule=row.rule,
            subject=row.subject,
            severity=row.severity,
            status=row.status,
            started_s=round((row.started_at - start).total_seconds(), 2),
            steps=steps.get(row.id, ()),
            told=told.get(row.id, ()),
        )
        for row in rows
    ]


def _grouped(rows: Sequence[tuple[object, ...]]) -> Mapping[int, tuple[tuple[str, str], ...]]:
    found: dict[int, list[tuple[str, str]]] = {}
    for alert, one, other in rows:
        found.setdefault(int(str(alert)), []).append((str(one), str(other)))
    return {alert: tuple(pairs) for alert, pairs in found.items()}


async def _read_held(database: Database, script: KillScript) -> frozenset[tuple[str, str]]:
    """Which rules held back about which subjects, where that is certain."""
    async with database.transaction() as tx:
        rows = await tx.tuples(
            "SELECT r.name, h.subject FROM alert_holds h JOIN rules r ON r.id = h.rule_id"
            " WHERE NOT coalesce(h.device_id, 0) = ANY (%(mixed)s)",
            {"mixed": sorted(script.mixed)},
        )
    return frozenset((str(rule), str(subject)) for rule, subject in rows)
