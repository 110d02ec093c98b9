"""How long lists, searches and summaries take at 70,000 devices in 500 areas.

Through HTTP on loopback to the real application in a process of its own, with a session cookie,
for one who sees the county and for one who sees a township. Prints a table, judges nothing:

    python -m tests.benchmarks.console_lists [requests of each kind, 200]
"""

import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvloop

from hub.store.database import Database
from hub.store.device_order import OrderKey
from tests.benchmarks.console_county import (
    COUNTY_USER,
    TOWN_USER,
    County,
    build_county,
)
from tests.benchmarks.measured_hub import MeasuredHub, fresh_database
from tests.web.stage import PASSWORD

BUDGET_MS = 100
DATABASE = "bench_console"
WARM_UP = 5
DEVICES = "/api/v1/devices"
BAD = "status=offline&status=degraded"

Kinds = Mapping[str, Sequence[str]]
"""Name of a question → addresses that ask it, taken in turn."""


def devices(*queries: str) -> list[str]:
    """Addresses of the device list."""
    return [f"{DEVICES}?{query}" for query in queries]


def list_kinds(county: County, cursors: Mapping[str, str]) -> Kinds:
    """Every question, with the cursors of pages deep inside each order."""
    below = (
        f"/api/v1/areas/{county.root}/summary",
        f"/api/v1/areas/{county.town}/summary",
    )
    return {
        "first page": devices(""),
        "deep page": devices(f"cursor={cursors['number']}"),
        "what fails, longest": devices(f"{BAD}&sort=longest"),
        "what fails, by layer, count": devices(f"{BAD}&sort=layer&count=true"),
        "status=offline": devices("status=offline"),
        "status=online": devices("status=online"),
        "status=unknown": devices("status=unknown", "status=maintenance"),
        "layer": devices("layer=network", "layer=picture", "layer=stream"),
        "kind": devices("kind=camera", "kind=sensor", "kind=switch"),
        "class": devices("class=road", "class=school", "class=none"),
        "team": devices("team=甲队", "team=丙队"),
        "manufacturer, model": devices(
            "manufacturer=Dahua", "manufacturer=Uniview&model=IPC-B2A2-2"
        ),
        "registration": devices("registration=pending", "registration=retired"),
        "behind": devices(f"behind={county.town_uplink}", f"behind={county.town_uplink}&count=1"),
        "parent": devices(f"parent={county.town_uplink}"),
        "flapping": devices("flapping=true"),
        "area": devices(f"area={county.town}", f"area={county.village}"),
        "search Latin": devices("q=sn00001", "q=IPC", "q=Gate"),
        "search Latin, 2 letters": devices("q=sn", "q=zq"),
        "search Chinese, 2 characters": devices("q=祠堂", "q=枪机", "q=鬼怪"),
        "search Chinese, longer": devices("q=祠堂村", "q=南路口", "q=没有这个"),
        "search part of an address": devices("q=10.20.3.", "q=.21.77.", "q=20.9.1"),
        "search part of a code": devices("q=0132012", "q=320069"),
        "search and status": devices(f"q=路口&{BAD}", f"q=sn0000&{BAD}&sort=name"),
        **{f"sort={order}": devices(f"sort={order}") for order in cursors if order != "number"},
        **{
            f"sort={order}, deep page": devices(f"sort={order}&cursor={cursor}")
            for order, cursor in cursors.items()
            if order != "number"
        },
        "count of all": devices("count=true"),
        "count of a filter": devices(f"{BAD}&count=true", "team=甲队&count=true"),
        "count of a search": devices("q=祠堂&count=true", "q=sn00001&count=true"),
        "count of a search that fits all": devices("q=http&count=true"),
        **{
            f"all in order: {key.value}": [
                f"{DEVICES}/order?sort={key.value}&lines=40",
                f"{DEVICES}/order?sort={key.value}&desc=true&lines=40",
            ]
            for key in OrderKey
        },
        "all in order, searched": [
            f"{DEVICES}/order?sort=name&lines=40&q={text}"
            for text in ("祠堂", "sn00001", "路", "n")
        ],
        "40 lines": [f"{DEVICES}/lines?" + "&".join(f"id={n}" for n in range(3000, 3040))],
        "counts of a filter bar": [f"{DEVICES}/counts", f"{DEVICES}/counts?q=路口&{BAD}"],
        "values of a filter bar": [f"{DEVICES}/values", f"{DEVICES}/values?area={county.town}"],
        "400 days of one device": [f"{DEVICES}/{county.town_uplink}/availability"],
        "area summary": below,
        "summary of the uppermost": ["/api/v1/areas/summary"],
        "area tree": ["/api/v1/areas"],
        "firmware": ["/api/v1/devices/firmware"],
        "one device": [f"{DEVICES}/{county.town_uplink}"],
        "status report": ["/api/v1/reports/status"],
        "figures for Prometheus": ["/metrics"],
    }


@asynccontextmanager
async def open_session(address: str, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the cookie of a user."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        body = {"name": name, "password": PASSWORD}
        (await client.post("/api/v1/session/login", json=body)).raise_for_status()
        yield client


async def get(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """One answer, which must be good."""
    answer = await client.get(path)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def find_cursors(client: httpx.AsyncClient, pages: int) -> dict[str, str]:
    """For each order the cursor after so many pages of 500."""
    cursors = {}
    for order in ("number", "name", "newest", "longest", "status", "layer", "area"):
        path = f"{DEVICES}?sort={order}&limit=500"
        cursor = (await get(client, path))["next"]
        for _ in range(pages - 1):
            cursor = (await get(client, f"{path}&cursor={cursor}"))["next"]
        cursors[order] = str(cursor)
    return cursors


async def measure(client: httpx.AsyncClient, paths: Sequence[str], requests: int) -> list[float]:
    """Milliseconds of each request, sorted."""
    for number in range(WARM_UP):
        (await client.get(paths[number % len(paths)])).raise_for_status()
    times = []
    for number in range(requests):
        began = time.perf_counter()
        (await client.get(paths[number % len(paths)])).raise_for_status()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


async def run(requests: int) -> None:
    """Build the county, ask everything, print the table."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        county = await build_county(database)
        await database.close()
        slow = []
        async with MeasuredHub(url) as hub:
            # Half way into 70,000 devices, and half way into a township's 3,500.
            for user, pages in ((COUNTY_USER, 70), (TOWN_USER, 3)):
                async with open_session(hub.address, user) as client:
                    total = (await get(client, f"{DEVICES}?count=true&limit=1"))["total"]
                    sys.stdout.write(f"\n{user}: {total:,} devices; p50, p95 and longest in ms\n")
                    own = county if user == COUNTY_USER else county.inside_town()
                    for name, paths in list_kinds(own, await find_cursors(client, pages)).items():
                        times = await measure(client, paths, requests)
                        p95 = times[int(len(times) * 0.95)]
                        mark = "" if p95 <= BUDGET_MS else f"  > {BUDGET_MS}"
                        slow += [f"{user}: {name}"] * (p95 > BUDGET_MS)
                        sys.stdout.write(
                            f"{name:34} {statistics.median(times):7.1f} {p95:7.1f}"
                            f" {times[-1]:7.1f}{mark}\n"
                        )
    sys.stdout.write(f"\nbeyond {BUDGET_MS} ms: {', '.join(slow) or 'none'}\n")


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
