"""How long the dispatch desk waits: 10,000 open tasks among 200,000 closed ones.

Lists, searches and counts through HTTP on loopback to the real application in a process of its
own, for one who sees the county and for one who sees a township; then what the desk and the
clock do to a task, in the store. Prints tables, judges nothing:

    python -m tests.benchmarks.dispatch_desk [requests of each kind, 100]
"""

import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import uvloop

from hub.domain.access import Role, Scope, system_scope
from hub.domain.dispatches import DispatchState
from hub.patrols.dispatch.assigning import propose
from hub.patrols.dispatch.deadlines import BATCH, DeadlineKeeper
from hub.store.database import Database
from hub.store.dispatches import Advance, Given, advance, get_dispatch
from hub.store.users import add_grant
from tests.benchmarks.console_county import COUNTY_USER, TOWN_USER, County, build_county
from tests.benchmarks.console_lists import get, measure, open_session
from tests.benchmarks.measured_hub import MeasuredHub, fresh_database

BUDGET_MS = 100
DATABASE = "bench_dispatch"
TASKS = 210_000  # every 21st of them is open
LIST = "/api/v1/dispatches"
HUB = system_scope("benchmark")
DESK = Scope(paths=("330402",), actor="desk")

# A unit in every village and three in every township. Deadlines of open tasks lie from a day ago
# to two days ahead.
_TASKS = """
INSERT INTO field_units (area_id, name, kind, longitude, latitude, position_at)
SELECT id, name || (ARRAY['王','李','张','刘'])[id % 4 + 1] || '网格员', 'grid_officer',
    120.7 + (id % 97) / 300.0, 30.7 + (id % 89) / 300.0, now() FROM areas WHERE nlevel(path) = 3;
INSERT INTO field_units (area_id, name, kind, most_open)
SELECT id, name || n || '号巡逻车', 'patrol_unit', 1000 FROM areas, generate_series(1, 3) n
WHERE nlevel(path) = 2;
INSERT INTO dispatch_rules (area_id, name) SELECT id, '就近' FROM areas WHERE nlevel(path) = 1;
INSERT INTO dispatch_rules (area_id, name, kinds) SELECT id, '设备', '{camera_fault}' FROM areas
WHERE nlevel(path) = 2;
INSERT INTO dispatches (area_id, title, text, kind, priority, state, place, longitude, latitude,
    device_id, device_name, source, unit_id, unit_name, created_at, created_by, sent_at,
    closed_at, accept_by, arrive_by, done_by, deadline_at, is_overdue_told, overdue_at, verdict)
SELECT d.area_id, (ARRAY['占道经营','画面异常','渣土车停放','河道垃圾','井盖缺失','路灯不亮',
    '可疑人员徘徊'])[i % 7 + 1] || ' ' || d.name, repeat('请到现场查看并拍照回传。', 8),
    (ARRAY['street_trade','camera_fault','waste','river','manhole','light','person'])[i % 7 + 1],
    (ARRAY['low','normal','normal','high','urgent'])[i % 5 + 1],
    CASE WHEN o.is_open THEN (ARRAY['new','sent','accepted','on_the_way','on_site','done',
        'refused','returned'])[i / 21 % 8 + 1]
    ELSE (ARRAY['verified','verified','verified','cancelled','merged'])[i % 5 + 1] END,
    d.place, 120.7 + (i % 997) / 3000.0, 30.7 + (i % 887) / 3000.0, d.id, d.name,
    (ARRAY['hand','alert','patrol','report'])[i % 4 + 1],
    CASE WHEN o.has_unit THEN u.id END, CASE WHEN o.has_unit THEN u.name ELSE '' END, t.at,
    'chen', t.at, CASE WHEN NOT o.is_open THEN t.at + interval '1 h' END, t.at + interval '5 min',
    t.at + interval '15 min', t.at + interval '1 h',
    CASE WHEN o.is_open AND i / 21 % 8 <> 5
        THEN now() + (i::bigint * 7919 % 259200 - 86400) * interval '1 s' END,
    o.is_open AND i::bigint * 7919 % 259200 < 86400,
    CASE WHEN o.is_open AND i / 21 % 8 <> 5 AND i::bigint * 7919 % 259200 < 86400
        OR NOT o.is_open AND i % 11 = 0 THEN t.at + interval '5 min' END,
    CASE WHEN o.is_open THEN '' ELSE '处理完毕' END
FROM generate_series(1, %(tasks)s) i
JOIN LATERAL (SELECT now() - (%(tasks)s - i) * interval '150 s' AS at) t ON true
JOIN LATERAL (SELECT i % 21 = 0 AS is_open, i % 21 <> 0 OR i / 21 % 8 IN (1, 2, 3, 4, 5)
    AS has_unit) o ON true
JOIN devices d ON d.id = (SELECT min(id) FROM devices) + (i::bigint * 7919) % 69000
LEFT JOIN LATERAL (SELECT id, name FROM field_units WHERE area_id = d.area_id LIMIT 1) u ON true
ORDER BY i;
INSERT INTO dispatch_steps (dispatch_id, at, actor, what)
SELECT id, created_at, 'chen', w FROM dispatches, unnest(ARRAY['opened', 'sent', 'accepted']) w;
"""


async def open_tasks(database: Database, county: County) -> None:
    """Make units, rules and tasks; let the users see units, too."""
    async with database.transaction() as tx:
        for name, area in ((COUNTY_USER, county.root), (TOWN_USER, county.town)):
            user = await tx.scalar(int, "SELECT id FROM users WHERE name = %(n)s", {"n": name})
            await add_grant(tx, HUB, user or 0, role=Role.DISPATCHER, area_id=area)
        for statement in _TASKS.replace("%(tasks)s", str(TASKS)).split(";\n"):
            if statement.strip():
                await tx.connection.execute(statement.encode())
    async with database.pool.connection() as connection:
        await connection.set_autocommit(True)
        await connection.execute("VACUUM ANALYZE")
        await connection.set_autocommit(False)


def list_kinds(county: County, task: int, cursors: Mapping[str, str]) -> dict[str, list[str]]:
    """Every question by its name."""

    def tasks(*queries: str) -> list[str]:
        return [f"{LIST}?{query}" for query in queries]

    return {
        "first page": tasks(""),
        "deep page": tasks(f"cursor={cursors['newest']}"),
        "open": tasks("open=true"),
        "open, by deadline": tasks("open=true&sort=deadline"),
        "open, by deadline, deep": tasks(f"sort=deadline&cursor={cursors['deadline']}"),
        "closed": tasks("open=false"),
        "state, open": tasks("status=new", "status=on_site", "status=done", "status=refused"),
        "state, closed": tasks("status=verified", "status=cancelled", "status=merged"),
        "colour": tasks("colour=red", "colour=yellow", "colour=green"),
        "colour, by deadline": tasks("colour=red&sort=deadline", "colour=yellow&sort=deadline"),
        "unit": tasks("unit=7", "unit=120", "unit=120&open=true", "unit=99999"),
        "kind": tasks("kind=river", "kind=camera_fault&open=true", "kind=nothing"),
        "priority": tasks("priority=urgent", "priority=low&open=true&sort=deadline"),
        "area": tasks(f"area={county.town}", f"area={county.village}&open=true"),
        "area and state": tasks(f"area={county.village}&status=cancelled"),
        "search": tasks("q=占道经营", "q=祠堂村北路口", "q=巡逻车"),
        "search, 2 characters": tasks("q=祠堂", "q=井盖", "q=鬼怪"),
        "search without any": tasks("q=没有这个", "q=nothing"),
        "search, open": tasks("q=没有这个&open=true", "q=祠堂&open=true", "q=井&open=true"),
        "search, number": tasks(f"q={task}"),
        "counts": [f"{LIST}/counts", f"{LIST}/counts?area={county.town}"],
        "one task": [f"{LIST}/{task}"],
        "units": ["/api/v1/field-units", "/api/v1/field-units?limit=500"],
    }


async def ask_all(
    client: httpx.AsyncClient, county: County, requests: int
) -> Sequence[tuple[str, list[float]]]:
    """Milliseconds of every question."""
    first = (await get(client, f"{LIST}?open=true"))["items"]
    cursors = {}
    for order in ("newest", "deadline"):
        found = await get(client, f"{LIST}?sort={order}&limit=500&open=true")
        cursors[order] = str(found["next"] or "")
    kinds = list_kinds(county, int(first[0]["id"]), cursors)
    return [(name, await measure(client, paths, requests)) for name, paths in kinds.items()]


async def measure_work(database: Database, requests: int) -> Sequence[tuple[str, list[float]]]:
    """Milliseconds of what is done to single tasks, and of the clock's work."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        rows = await tx.tuples(
            "SELECT id FROM dispatches WHERE state = 'new' ORDER BY id DESC LIMIT %(limit)s",
            {"limit": requests},
        )
        ((unit,),) = await tx.tuples("SELECT min(id) FROM field_units")
    numbers = [int(str(number)) for (number,) in rows]
    given = Given(unit_id=int(str(unit)), unit_name="x")

    async def find(number: int) -> None:
        async with database.transaction() as tx:
            await propose(tx, DESK, await get_dispatch(tx, DESK, number), now)

    async def send(number: int) -> None:
        async with database.transaction() as tx:
            task = await get_dispatch(tx, DESK, number)
            step = Advance(state=DispatchState.SENT, what="sent", given=given)
            await advance(tx, DESK, task, step, now=now)

    keeper = DeadlineKeeper(database, lambda: now)
    await keeper.step()  # what passed while the tables were filled

    async def look(_number: int) -> None:
        await keeper.step()

    return [
        ("propose a unit", await _time(find, numbers)),
        ("send a task", await _time(send, numbers)),
        ("deadlines, none passed", await _time(look, numbers)),
        (f"deadlines, {BATCH} passed", await _pass_many(database, now)),
    ]


async def _pass_many(database: Database, now: datetime) -> list[float]:
    """Let many deadlines pass at once, a few times."""
    times = []
    for turn in range(1, 6):
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE dispatches SET is_overdue_told = false, overdue_at = NULL,"
                " deadline_at = %(at)s - id %% 60 * interval '1 s' WHERE id IN (SELECT id"
                " FROM dispatches WHERE deadline_at IS NOT NULL LIMIT %(batch)s)",
                {"at": now + timedelta(seconds=turn * 0.01), "batch": BATCH},
            )
        keeper = DeadlineKeeper(database, lambda: now + timedelta(seconds=1))
        began = time.perf_counter()
        await keeper.step()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


async def _time(work: Callable[[int], Awaitable[None]], numbers: Sequence[int]) -> list[float]:
    times = []
    for number in numbers:
        began = time.perf_counter()
        await work(number)
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


def show(title: str, rows: Sequence[tuple[str, list[float]]]) -> list[str]:
    """Print a table; return what is beyond the budget."""
    load, _, _ = os.getloadavg()
    sys.stdout.write(f"\n{title}; p50, p95 and longest in ms (load of the machine {load:.1f})\n")
    slow = []
    for name, times in rows:
        p95 = times[int(len(times) * 0.95)]
        slow += [f"{title}: {name}"] * (p95 > BUDGET_MS)
        sys.stdout.write(f"{name:28} {statistics.median(times):7.1f} {p95:7.1f} {times[-1]:7.1f}\n")
    sys.stdout.flush()
    return slow


async def run(requests: int) -> None:
    """Build everything, ask everything, print the tables."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        county = await build_county(database)
        await open_tasks(database, county)
        slow = []
        async with MeasuredHub(url) as hub:
            for user in (COUNTY_USER, TOWN_USER):
                async with open_session(hub.address, user) as client:
                    own = county if user == COUNTY_USER else county.inside_town()
                    slow += show(user, await ask_all(client, own, requests))
        show("in the store", await measure_work(database, requests))
        await database.close()
    sys.stdout.write(f"\nbeyond {BUDGET_MS} ms: {', '.join(slow) or 'none'}\n")


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
