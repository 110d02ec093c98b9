"""How long one change to many devices takes, among 70,000: said beforehand, and done.

Through HTTP on loopback to the real application in a process of its own. Prints a table, judges
nothing:

    python -m tests.benchmarks.bulk_changes [requests of each kind, 20]
"""

import statistics
import sys
import time
from collections.abc import Mapping

import httpx
import uvloop

from hub.store.database import Database
from tests.benchmarks.console_county import COUNTY_USER, build_county
from tests.benchmarks.measured_hub import MeasuredHub, fresh_database
from tests.web.stage import PASSWORD

DATABASE = "bench_bulk"
BULK = "/api/v1/devices/bulk"
SIZES = (500, 5_000)

Body = Mapping[str, object]


async def sign_in(client: httpx.AsyncClient) -> None:
    """Sign in as one who maintains the county, for changes."""
    body = {"name": COUNTY_USER, "password": PASSWORD}
    answer = await client.post("/api/v1/session/login", json=body)
    client.headers["X-CSRF-Token"] = answer.raise_for_status().json()["csrf"]


def kinds(ids: list[int], number: int) -> Mapping[str, Body]:
    """Each kind of change, another one each time, so that every device changes."""
    tags = {"add_tags": [f"t{number}"], "remove_tags": [f"t{number - 1}"]}
    window = {"starts_at": "2199-01-01T00:00:00Z", "ends_at": "2199-01-02T00:00:00Z"}
    return {
        "checked only": {"ids": ids, "change": tags, "dry_run": True},
        "team": {"ids": ids, "change": {"team": f"队{number}"}},
        "tags": {"ids": ids, "change": tags},
        "interval": {"ids": ids, "change": {"intervals": {"answer_s": 30 + number}}},
        "window": {"ids": ids, "change": {"window": {**window, "reason": f"w{number}"}}},
    }


async def measure(client: httpx.AsyncClient, requests: int, size: int) -> None:
    """Print a line for each kind."""
    times: dict[str, list[float]] = {}
    # The first ones are uplinks, which others hang on.
    ids = list(range(1_000, 1_000 + size))
    for number in range(1, requests + 1):
        for name, body in kinds(ids, number).items():
            began = time.perf_counter()
            answer = await client.post(BULK, json=body)
            times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            changed = answer.raise_for_status().json()["changed"]
            if changed != size:
                msg = f"{name}: {changed} of {size} changed"
                raise RuntimeError(msg)
    for name, all_ms in times.items():
        ordered = sorted(all_ms)
        p95 = ordered[int(len(ordered) * 0.95)]
        sys.stdout.write(
            f"{size:6,} {name:14} {statistics.median(ordered):8.0f} {p95:8.0f} {ordered[-1]:8.0f}\n"
        )


async def run(requests: int) -> None:
    """Build the county, change it, print the table."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        await build_county(database)
        await database.close()
        sys.stdout.write("devices, change; p50, p95 and longest in ms\n")
        async with (
            MeasuredHub(url) as hub,
            httpx.AsyncClient(base_url=hub.address, timeout=120) as client,
        ):
            await sign_in(client)
            for size in SIZES:
                await measure(client, requests, size)


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
