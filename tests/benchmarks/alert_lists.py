"""How long lists of alerts take: 100,000 alerts at 70,000 devices, 5,000 of them open.

Through HTTP on loopback to the real application in a process of its own, for one who sees the
county and for one who sees a township. Prints a table,
judges nothing:

    python -m tests.benchmarks.alert_lists [requests of each kind, 100]
"""

import statistics
import sys
from collections.abc import Mapping, Sequence

import httpx
import uvloop

from hub.store.database import Database
from tests.benchmarks.console_county import COUNTY_USER, TOWN_USER, County, build_county
from tests.benchmarks.console_lists import get, measure, open_session
from tests.benchmarks.measured_hub import MeasuredHub, fresh_database

BUDGET_MS = 100
DATABASE = "bench_alerts"
ALERTS, OPEN, RULES = 100_000, 5_000, 200
ALERT_LIST = "/api/v1/alerts"

# The open ones are spread over all of the past; some are folded, assigned, quiet, of exercises.
_ALERTS = """
INSERT INTO drills (area_id, name, rule_id, device_ids, author, ends_at)
SELECT a.id, '演练', (SELECT min(id) FROM rules), '{}', 'chen', now() FROM areas a
WHERE nlevel(a.path) = 1;
INSERT INTO alerts (rule_id, subject, condition, severity, status, area_id, device_id, device_name,
    reason, started_at, fired_at, acknowledge_by, resolve_by, assigned_to, assigned_name,
    quiet_until, drill_id, resolved_at, resolved_by)
SELECT (SELECT min(id) FROM rules) + i % 200, 'device:' || d.id || '/mark:' || i,
    'device_offline', (ARRAY['critical', 'warning', 'warning', 'info'])[i % 4 + 1],
    CASE WHEN i % 20 <> 0 THEN 'resolved' WHEN i % 60 = 0 THEN 'acknowledged'
         WHEN i % 100 = 0 THEN 'assigned' ELSE 'firing' END,
    d.area_id, d.id, d.name, 'offline for 30 s', t.at - interval '30 s', t.at,
    t.at + i % 7200 * interval '1 s', t.at + i % 86400 * interval '1 s',
    CASE WHEN i % 100 = 0 THEN (SELECT id FROM users WHERE name = 'county-maintainer') END, '',
    CASE WHEN i % 140 = 0 THEN now() + interval '1 h' END,
    CASE WHEN i % 180 = 0 THEN (SELECT min(id) FROM drills) END,
    CASE WHEN i % 20 <> 0 THEN t.at + interval '1 h' END, ''
FROM generate_series(1, 100000) i
JOIN LATERAL (SELECT now() - (100000 - i) * interval '10 s' AS at) t ON true
JOIN devices d ON d.id = (SELECT min(id) FROM devices) + (i::bigint * 7919) % 69000;
UPDATE alerts SET folded_into = (SELECT max(id) FROM alerts WHERE status = 'firing')
WHERE id % 220 = 0;
INSERT INTO alert_steps (alert_id, at, actor, step, note)
SELECT id, fired_at, 'hub.alerts', 'fired', reason FROM alerts;
"""


async def raise_alerts(database: Database) -> None:
    """Make the rules and the alerts."""
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO rules (name, area_id, condition, severity) SELECT 'Rule ' || i, a.id,"
            ' \'{"type": "device_offline", "for_s": 30}\', \'warning\' FROM areas a,'
            " generate_series(1, %(rules)s) i WHERE nlevel(a.path) = 1",
            {"rules": RULES},
        )
        for statement in _ALERTS.split(";\n"):
            if statement.strip():
                await tx.connection.execute(statement.encode())
    async with database.pool.connection() as connection:
        await connection.set_autocommit(True)
        await connection.execute("ANALYZE alerts")
        await connection.execute("ANALYZE alert_steps")


def list_kinds(county: County, alert_id: int, cursors: Mapping[str, str]) -> dict[str, list[str]]:
    """Every question by its name."""

    def alerts(*queries: str) -> list[str]:
        return [f"{ALERT_LIST}?{query}" for query in queries]

    return {
        "first page": alerts(""),
        "deep page": alerts(f"cursor={cursors['newest']}"),
        "open": alerts("open=true"),
        "open, by deadline": alerts("open=true&sort=deadline"),
        "open, by severity": alerts("open=true&sort=severity"),
        "open, by deadline, deep": alerts(f"open=true&sort=deadline&cursor={cursors['deadline']}"),
        "all, by deadline": alerts("sort=deadline"),
        "all, by severity": alerts("sort=severity"),
        "resolved": alerts("open=false", "status=resolved"),
        "colour": alerts("colour=red", "colour=yellow", "colour=green"),
        "severity": alerts("severity=info&open=true", "severity=critical"),
        "assigned": alerts("assigned_to=me", "assigned_to=999"),
        "quiet": alerts("quiet=true&open=true", "quiet=false&open=true"),
        "with folded and exercises": alerts("folded=true&drill=true"),
        "rule": alerts("rule=1", "rule=77&open=true"),
        "parent": alerts(f"parent={county.town_uplink}", f"parent={county.town_uplink}&open=true"),
        "device": alerts(f"device_id={county.town_uplink}"),
        "area": alerts(f"area={county.town}", f"area={county.village}&open=true"),
        "search": alerts("q=Rule%2017", "q=祠堂", "q=南路口"),
        "search without any": alerts("q=没有这个", "q=nothing"),
        "search, open": alerts("q=没有这个&open=true", "q=祠堂&open=true"),
        "counts": [f"{ALERT_LIST}/counts", f"{ALERT_LIST}/counts?area={county.town}"],
        "groups by rule": [f"{ALERT_LIST}/groups?by=rule"],
        "groups by area": [f"{ALERT_LIST}/groups?by=area"],
        "groups by uplink": [f"{ALERT_LIST}/groups?by=parent"],
        "one alert": [f"{ALERT_LIST}/{alert_id}"],
        "history of one": [f"{ALERT_LIST}/{alert_id}/history"],
        "silences": ["/api/v1/silences"],
    }


async def ask_all(
    client: httpx.AsyncClient, county: County, requests: int
) -> Sequence[tuple[str, list[float]]]:
    """Milliseconds of every question."""
    first = (await get(client, f"{ALERT_LIST}?open=true"))["items"]
    cursors = {}
    for order in ("newest", "deadline"):
        path = f"{ALERT_LIST}?sort={order}&limit=500&open=true"
        cursors[order] = str((await get(client, path))["next"] or "")
    kinds = list_kinds(county, int(first[0]["id"]), cursors)
    return [(name, await measure(client, paths, requests)) for name, paths in kinds.items()]


async def run(requests: int) -> None:
    """Build everything, ask everything, print the table."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        county = await build_county(database)
        await raise_alerts(database)
        await database.close()
        slow = []
        async with MeasuredHub(url) as hub:
            for user in (COUNTY_USER, TOWN_USER):
                async with open_session(hub.address, user) as client:
                    sys.stdout.write(f"\n{user}; p50, p95 and longest in ms\n")
                    own = county if user == COUNTY_USER else county.inside_town()
                    for name, times in await ask_all(client, own, requests):
                        p95 = times[int(len(times) * 0.95)]
                        slow += [f"{user}: {name}"] * (p95 > BUDGET_MS)
                        sys.stdout.write(
                            f"{name:28} {statistics.median(times):7.1f} {p95:7.1f}"
                            f" {times[-1]:7.1f}\n"
                        )
    sys.stdout.write(f"\nbeyond {BUDGET_MS} ms: {', '.join(slow) or 'none'}\n")


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
