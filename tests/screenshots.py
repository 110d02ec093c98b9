"""Pictures of every page of the console: ``python -m tests.screenshots [FOLDER]``.

Runs the demonstration with a history of two weeks and a night in which something happens, opens
each page as an administrator, and keeps what Chromium shows: in Chinese by day, some in English
by night. `make screenshots` writes them to deploy/screenshots.
"""

import asyncio
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
from playwright.async_api import Browser, Page

from hub.domain.access import system_scope
from hub.maintenance.area_days import make_day
from hub.runtime.embedded_postgres import EmbeddedPostgres
from hub.store.database import Database
from hub.store.vault import Vault
from tests.chromium import open_chromium

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "deploy" / "screenshots"
VIEW: Final = {"width": 1280, "height": 800}
STARTED: Final = "all devices report"
START_S: Final = 180.0
SETTLE_MS: Final = 3_500
DAYS: Final = 14
MIDDLE: Final = (120.752, 30.716)  # of the village, degrees
SCOPE: Final = system_scope("screenshots")
WEBGL: Final = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")

# Name, address ({} are numbers found in the demonstration), and whether the night shows it, too.
PAGES: Final[Sequence[tuple[str, str, bool]]] = (
    ("overview", "/", True),
    ("wall", "/wall?layout=4_{cameras}", True),
    ("alerts", "/alerts/{alert}", True),
    ("patrol", "/patrol", False),
    ("walk", "/patrol/rounds/{walk}/walk", True),
    ("plan", "/patrol/plans/{plan}", False),
    ("calendar", "/patrol/calendar", False),
    ("patrol-reports", "/patrol/reports", False),
    ("dispatch", "/dispatch/{task}", True),
    ("devices", "/devices", True),
    ("device", "/devices/{camera}", False),
    ("adding", "/devices/add", False),
    ("reports", "/reports?period=week", False),
    ("map", "/map", True),
    ("people", "/admin/people", False),
    ("rules", "/admin/rules", False),
    ("system", "/admin/system", False),
    ("attention", "/admin/attention", False),
    ("account", "/account", False),
)


@dataclass(slots=True)
class Demo:
    """The demonstration that runs, and a client that is signed in."""

    process: subprocess.Popen[str]
    address: str
    password: str
    control: str
    client: httpx.AsyncClient

    async def get(self, path: str, **query: str | int) -> list[dict[str, object]]:
        """The items of a list."""
        answer = await self.client.get(path, params=query)
        answer.raise_for_status()
        return list(answer.json()["items"])

    async def post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        """Do something; returns what it made."""
        answer = await self.client.post(path, json=body)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}


def start_demo(data_dir: Path) -> Demo:
    """Start the demonstration on a port of its own and wait until everything reports."""
    environment = {
        **os.environ,
        "GENGFU_DATA_DIR": str(data_dir),
        "GENGFU_HTTP__PORT": "0",
        "GENGFU_TIME_ZONE": "Asia/Shanghai",
    }
    process = subprocess.Popen(
        [Path(sys.executable).parent / "gengfu", "demo"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if "curl http" in line:  # the last thing it says of the village
            break
    address = re.search(r"console\s+控制台\s+(\S+)", said)
    password = re.search(r"password 密码\s+(\S+)", said)
    control = re.search(r"curl (http://\S+)", said)
    if not (address and password and control and STARTED in said):
        process.terminate()
        msg = f"the demonstration did not start:\n{said}"
        raise RuntimeError(msg)
    base = address.group(1).rstrip("/")
    client = httpx.AsyncClient(base_url=f"{base}/api/v1", timeout=30)
    return Demo(process, base, password.group(1), control.group(1).rstrip("/"), client)


async def sign_in(demo: Demo) -> None:
    """Let the client act as the administrator."""
    me = await demo.post("/session/login", {"name": "admin", "password": demo.password})
    demo.client.headers["X-CSRF-Token"] = str(me["csrf"])


async def write_history(data_dir: Path) -> None:
    """Two weeks in which cameras were away now and then, and where they stand."""
    url = EmbeddedPostgres.find_running(data_dir)
    assert url is not None
    rng = random.Random(7)  # the same pictures each time
    database = await Database.open(url.reveal(), vault=Vault.open(data_dir / "gengfu.key"))
    now = datetime.now(UTC)
    today = now.replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=1)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET created_at = %(at)s", {"at": now - timedelta(days=DAYS + 1)}
        )
        cameras = await tx.tuples("SELECT id FROM devices WHERE kind = 'camera' ORDER BY id")
        for (camera,) in cameras:
            for day in range(1, DAYS + 1):
                if rng.random() < 0.3:  # an outage on three days of ten
                    begin = today - timedelta(days=day) + timedelta(hours=rng.uniform(0, 20))
                    lasts = timedelta(minutes=rng.choice((4, 12, 45, 190)))
                    await tx.execute(
                        "INSERT INTO outages (device_id, started_at, ended_at, layer, cause)"
                        " VALUES (%(device)s, %(begin)s, %(end)s, 'network', 'no answer')",
                        {"device": camera, "begin": begin, "end": begin + lasts},
                    )
        await tx.execute(
            "INSERT INTO asset_records (device_id, longitude, latitude)"
            " SELECT id, %(lon)s + sin(id * 7) / 100, %(lat)s + cos(id * 3) / 160 FROM devices"
            " ON CONFLICT (device_id) DO UPDATE"
            " SET longitude = EXCLUDED.longitude, latitude = EXCLUDED.latitude",
            {"lon": MIDDLE[0], "lat": MIDDLE[1]},
        )
        await tx.execute("DELETE FROM made_days")
        await tx.execute("DELETE FROM area_days")
        for back in range(1, DAYS + 1):
            await make_day(tx, SCOPE, (now - timedelta(days=back)).date(), UTC, now)
    await database.close()


async def let_things_happen(demo: Demo) -> dict[str, object]:
    """A camera dies, tasks are opened; returns the numbers that addresses need."""
    await demo.client.post(f"{demo.control}/camera-2/fault/cable-cut")
    village = max(await demo.get("/areas"), key=lambda area: len(str(area["path"])))
    cameras = await demo.get("/devices", kind="camera", limit=10)
    for title, kind, priority in (
        ("桥头积水没过路面", "water", "urgent"),
        ("学校西侧垃圾堆放", "waste", "low"),
        ("路灯杆倾斜", "facility", "high"),
    ):
        await demo.post(
            "/dispatches",
            {
                "area_id": village["id"],
                "title": title,
                "kind": kind,
                "priority": priority,
                "place": "村口",
                "longitude": MIDDLE[0],
                "latitude": MIDDLE[1],
                "checklist": ["拍照", "设置警示标志"],
            },
        )
    alert, walk = None, None
    for _ in range(100):
        alerts = await demo.get("/alerts", limit=50)
        alert = next((one for one in alerts if one["severity"] == "critical"), None)
        rounds = await demo.get("/patrol-rounds", limit=20)
        walk = next((one for one in rounds if one["mode"] == "mixed" and one["stops_open"]), None)
        if alert and walk:
            break
        await asyncio.sleep(3)
    alert = alert or (await demo.get("/alerts", limit=1))[0]
    walk = walk or (await demo.get("/patrol-rounds", limit=1))[0]
    await demo.client.post(f"/patrol-rounds/{walk['id']}/take", json={})
    return {
        "alert": alert["id"],
        "walk": walk["id"],
        "plan": (await demo.get("/patrol-plans"))[-1]["id"],
        "task": (await demo.get("/dispatches", sort="deadline", open="true"))[0]["id"],
        "camera": cameras[0]["id"],
        "cameras": ".".join(str(camera["id"]) for camera in cameras[:4]),
    }


async def open_console(browser: Browser, demo: Demo, language: str, theme: str) -> Page:
    """A console of the administrator."""
    context = await browser.new_context(
        viewport={"width": VIEW["width"], "height": VIEW["height"]}, locale="zh-CN"
    )
    page = await context.new_page()
    await page.add_init_script(
        f"localStorage.setItem('gengfu.language', '{language}');"
        f"localStorage.setItem('gengfu.theme', '{theme}')"
    )
    await page.goto(demo.address)
    await page.locator("input[name=name]").fill("admin")
    await page.locator("input[name=password]").fill(demo.password)
    await page.locator("button[type=submit]").click()
    await page.locator("main#content").wait_for()
    return page


async def take(demo: Demo, numbers: Mapping[str, object], folder: Path) -> None:
    """Open every page and keep what it shows."""
    async with open_chromium(*WEBGL) as browser:
        for language, theme in (("zh", "light"), ("en", "dark")):
            page = await open_console(browser, demo, language, theme)
            for name, address, is_twice in PAGES:
                if language == "en" and not is_twice:
                    continue
                await page.goto(demo.address + address.format(**numbers))
                await page.wait_for_timeout(SETTLE_MS)
                await page.screenshot(path=folder / f"{name}-{language}.png")
                sys.stdout.write(f"{name}-{language}.png\n")


async def main(folder: Path) -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = Path(scratch) / "var"
        demo = start_demo(data_dir)
        try:
            await sign_in(demo)
            await write_history(data_dir)
            await take(demo, await let_things_happen(demo), folder)
        finally:
            await demo.client.aclose()
            demo.process.terminate()
            demo.process.wait(60)


if __name__ == "__main__":
    wanted = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    wanted.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(wanted))
