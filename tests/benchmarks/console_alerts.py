"""How soon open consoles know of an alert, and what a hundred of them cost the hub.

The county of 70,000 devices with its open alerts, the hub in a process of its own. Prints figures,
judges nothing:

    python -m tests.benchmarks.console_alerts [transitions, 50] [consoles, 100] [seconds, 30]

1. One console in Chromium: from the COMMIT of an alert's transaction until its line is painted.
2. Many consoles without browsers: as many live streams, each of a person of his own with a session
   of his own, who see the whole county. Ten alerts a second change (somebody comments on one): the
   hub's CPU, and the delay from COMMIT until each stream has the line.
"""

import asyncio
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import aiohttp
import uvloop
from playwright.async_api import Page

from alerts.handling.life import Action, Order, act_on_one
from hub.domain.access import Role
from hub.domain.alerts import Rule, RuleState, Step
from hub.domain.conditions import DeviceOffline
from hub.domain.events import Severity
from hub.runtime.jobs import Jobs
from hub.store.alert_openings import (
    NewAlert,
    NewStep,
    Opening,
    add_steps,
    insert_alerts,
    take_numbers,
)
from hub.store.database import Database
from hub.store.notices import notify
from hub.store.rules import add_rule
from tests.benchmarks.camera_farm import cpu_s
from tests.benchmarks.console_county import SCOPE, County, build_county
from tests.benchmarks.measured_hub import MeasuredHub, fresh_database
from tests.chromium import open_chromium
from tests.web.stage import PASSWORD, add_person

DATABASE: Final = "bench_console_alerts"
CHANGES_PER_S: Final = 10
CALM_S: Final = 10.0
FIRST_ID: Final = re.compile(rb'data: \{"items":\[\{"id":(\d+)')
# Tells when a line of the list was painted for the first time.
WATCH: Final = """() => {
  window.painted = {};
  const look = () => {
    for (const row of document.querySelectorAll('[data-alert]')) {
      const id = row.dataset.alert;
      if (id in window.painted) continue;
      window.painted[id] = null;
      requestAnimationFrame(() => setTimeout(() => { window.painted[id] = Date.now(); }));
    }
  };
  look();
  const what = {subtree: true, childList: true, attributeFilter: ['data-alert']};
  new MutationObserver(look).observe(document.body, what);
}"""


async def fire(database: Database, rule: Rule, device_id: int, area_id: int) -> tuple[int, float]:
    """Open an alert as the engine does; return its number and when COMMIT was sent."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        state = RuleState(
            rule_id=rule.id, subject=f"device:{device_id}", area_id=area_id, device_id=device_id
        )
        opening = Opening(rule=rule, state=state, at=now, reason="offline for 30 s")
        (number,), (step,) = await take_numbers(tx, SCOPE, alerts=1, steps=1)
        row = NewAlert(id=number, opening=opening, subject=state.subject, reason=opening.reason)
        await insert_alerts(tx, SCOPE, [row])
        fired = NewStep(id=step, alert_id=number, at=now, step=Step.FIRED, note=opening.reason)
        await add_steps(tx, SCOPE, [fired])
        await notify(tx, SCOPE, "alerts", [number])
        sent = time.time()
    return number, sent


async def open_desk(page: Page, address: str) -> None:
    """Sign in and wait for the list."""
    await page.goto(f"{address}/alerts")
    form = page.locator("form", has=page.locator("#sign-in-title"))
    await form.locator("input[name=name]").fill("console-0")
    await form.locator("input[name=password]").fill(PASSWORD)
    await form.locator("button[type=submit]").click()
    await page.locator("[data-alert]").first.wait_for()
    await page.wait_for_timeout(3000)
    await page.evaluate(WATCH)


async def painted_at(page: Page, alert_id: int) -> float:
    """When the line of an alert was painted, in ms as the browser tells the time."""
    async with asyncio.timeout(10):
        # Through the protocol: the page's own policy forbids what waits inside the page.
        while not (at := await page.evaluate("id => window.painted[id] ?? 0", str(alert_id))):
            await asyncio.sleep(0.1)
    return float(at)


async def measure_browser(
    database: Database, address: str, county: County, transitions: int
) -> list[float]:
    """Milliseconds from COMMIT to paint, of each transition."""
    async with database.transaction() as tx:
        new = Rule(
            name="measured", area_id=county.root, condition=DeviceOffline(for_s=30),
            severity=Severity.CRITICAL,
        )  # fmt: skip
        rule = await add_rule(tx, SCOPE, new)
        rows = await tx.tuples(
            "SELECT id, area_id FROM devices WHERE kind = 'camera' ORDER BY id LIMIT %(count)s",
            {"count": transitions},
        )
    cameras = [(int(str(device)), int(str(area))) for device, area in rows]
    delays = []
    async with open_chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await open_desk(page, address)
        for device_id, area_id in cameras:
            number, sent = await fire(database, rule, device_id, area_id)
            delays.append(await painted_at(page, number) - sent * 1000)
    return delays


class Console:
    """One open live stream and when it heard of which alert."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.heard: dict[int, float] = {}
        self.is_open = asyncio.Event()

    async def sign_in(self, address: str, name: str) -> None:
        body = {"name": name, "password": PASSWORD}
        async with self._session.post(f"{address}/api/v1/session/login", json=body) as answer:
            answer.raise_for_status()

    async def listen(self, address: str) -> None:
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(f"{address}/api/v1/live", timeout=timeout) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                self.is_open.set()
                found = FIRST_ID.match(line)
                if found:
                    self.heard.setdefault(int(found[1]), time.time())


@asynccontextmanager
async def open_consoles(address: str, count: int) -> AsyncIterator[Sequence[Console]]:
    """As many signed-in streams."""
    jars = [
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), read_bufsize=2**20)
        for _ in range(count)
    ]
    consoles = [Console(jar) for jar in jars]
    tasks = []
    try:
        for number, console in enumerate(consoles):
            await console.sign_in(address, f"console-{number}")
            tasks.append(asyncio.create_task(console.listen(address)))
        await asyncio.gather(*(console.is_open.wait() for console in consoles))
        yield consoles
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for jar in jars:
            await jar.close()


async def comment(database: Database, jobs: Jobs, alert_id: int) -> float:
    """Change an alert as a person does; return when COMMIT was sent."""
    order = Order(action=Action.COMMENT, note="measured")
    async with database.transaction() as tx:
        await act_on_one(tx, SCOPE, jobs, alert_id, order, datetime.now(UTC))
        return time.time()


async def change_for(database: Database, ids: Sequence[int], seconds: float) -> dict[int, float]:
    """Change ten alerts a second; when COMMIT was sent for which."""
    jobs = Jobs(database, lambda: datetime.now(UTC))
    sent: dict[int, float] = {}
    loop = asyncio.get_running_loop()
    began = loop.time()
    for turn, alert_id in enumerate(ids[: int(seconds * CHANGES_PER_S)]):
        await asyncio.sleep(max(0.0, began + turn / CHANGES_PER_S - loop.time()))
        sent[alert_id] = await comment(database, jobs, alert_id)
    return sent


def say(what: str, delays: Sequence[float]) -> None:
    """One line of figures."""
    times = sorted(delays)
    sys.stdout.write(
        f"{what}: {len(times):,} · p50 {statistics.median(times):.1f} ms"
        f" · p95 {times[int(len(times) * 0.95)]:.1f} ms · max {times[-1]:.1f} ms\n"
    )
    sys.stdout.flush()


async def measure_streams(
    database: Database, address: str, hub: int, count: int, seconds: float
) -> None:
    """Print what as many consoles cost, calm and busy, and when they hear of changes."""
    async with database.transaction() as tx:
        rows = await tx.tuples(
            "SELECT id FROM alerts WHERE status <> 'resolved' ORDER BY id LIMIT %(count)s",
            {"count": int(seconds * CHANGES_PER_S)},
        )
    ids = [int(str(number)) for (number,) in rows]
    async with open_consoles(address, count) as consoles:
        await asyncio.sleep(2)
        before, began = cpu_s(hub), time.perf_counter()
        await asyncio.sleep(CALM_S)
        calm = (cpu_s(hub) - before) / (time.perf_counter() - began)
        before, began = cpu_s(hub), time.perf_counter()
        sent = await change_for(database, ids, seconds)
        busy = (cpu_s(hub) - before) / (time.perf_counter() - began)
        await asyncio.sleep(2)
        delays = [
            (console.heard[number] - at) * 1000
            for console in consoles
            for number, at in sent.items()
            if number in console.heard
        ]
    lost = len(sent) * count - len(delays)
    sys.stdout.write(
        f"{count} consoles: hub's CPU {calm:.1%} of a core calm, {busy:.1%} at"
        f" {CHANGES_PER_S} changes/s ({busy / count / CHANGES_PER_S * 1e6:.0f} µs a line and"
        f" console), lines not heard: {lost}\n"
    )
    say("COMMIT to stream", delays)


async def run(transitions: int, count: int, seconds: float) -> None:
    """Build the county, measure, print."""
    async with fresh_database(DATABASE) as url:
        database = await Database.open(url)
        county = await build_county(database)
        async with database.transaction() as tx:
            for number in range(count):
                await add_person(tx, f"console-{number}", Role.OPERATOR, county.root)
            standing = await tx.scalar(
                int, "SELECT count(*) FROM alerts WHERE status <> 'resolved'"
            )
        sys.stdout.write(f"70,000 devices, {standing:,} open alerts\n")
        async with MeasuredHub(url, is_live=True) as hub:
            delays = await measure_browser(database, hub.address, county, transitions)
            say("COMMIT to paint", delays)
            await measure_streams(database, hub.address, hub.pid, count, seconds)
        await database.close()


if __name__ == "__main__":
    wanted = [int(argument) for argument in sys.argv[1:]]
    transitions, count, seconds = wanted + [50, 100, 30][len(wanted) :]
    uvloop.run(run(transitions, count, seconds))
