"""Device → event → alert → notification → API, and a patrol that falls due, through everything.

`gengfu run` in a process of its own on TimescaleDB and Mosquitto; simulated devices on the wire.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from hub.domain.secrets import Credentials, Secret
from hub.simulators.faults import Fault
from hub.simulators.pull_points import Property
from hub.simulators.village import Village, VillageOptions
from tests.protocol.mosquitto import run_mosquitto
from tests.system.whole_hub import WholeHub, run_whole_hub

CAMERAS, SENSORS = 3, 2
LOGIN = Credentials(username="admin", password=Secret("camera-secret-1"))


@dataclass(slots=True)
class Webhook:
    """Somebody's server that takes notifications."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.Response(status=204)

    def of(self, status: str) -> list[dict[str, Any]]:
        return [body for body in self.bodies if body["type"] == f"alert.{status}"]


@asynccontextmanager
async def run_webhook() -> AsyncIterator[Webhook]:
    hook = Webhook()
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield hook
    finally:
        await runner.cleanup()


@dataclass(slots=True, kw_only=True)
class Site:
    """Everything of one test."""

    hub: WholeHub
    village: Village
    hook: Webhook
    api: httpx.AsyncClient
    area_id: int

    async def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        answer = await self.api.get(path, params={"limit": "200", **query})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def post(self, path: str, body: object) -> dict[str, Any]:
        answer = await self.api.post(path, json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json() if answer.content else {}
        return made


@asynccontextmanager
async def run_site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    # Another network for each run, so that runs side by side do not meet.
    network = f"127.{random.randrange(8, 120)}.{random.randrange(1, 250)}"
    async with run_mosquitto(tmp_path) as broker, run_webhook() as hook:
        options = VillageOptions(
            cameras=CAMERAS,
            sensors=SENSORS,
            first_host=f"{network}.1",
            discovery_port=0,
            sensor_interval_s=1.0,
            motion_interval_s=None,
            credentials=LOGIN,
            broker_address=broker.address,
        )
        settings = {
            "GENGFU_DATABASE__URL": database_url,
            "GENGFU_MQTT__URL": broker.address,
            "GENGFU_NETWORK__DEVICES": f"{network}.0/24",
            "GENGFU_NETWORK__RECEIVERS": "127.0.0.1/32",
            "GENGFU_TIME_ZONE": "Asia/Shanghai",
        }
        village = Village(options, clock=lambda: datetime.now(UTC), rng=random.Random(1))
        async with village, run_whole_hub(tmp_path / "hub", settings) as hub, hub.api() as api:
            root = (await api.get("areas")).json()["items"][0]
            site = Site(hub=hub, village=village, hook=hook, api=api, area_id=root["id"])
            area = await site.post(
                "areas", {"code": "330402001", "name": "青龙村", "parent_id": root["id"]}
            )
            site.area_id = area["id"]
            for camera in village.cameras.values():
                await site.post(
                    "connections",
                    {
                        "protocol": "onvif",
                        "name": camera.name,
                        "address": camera.state.service_address(),
                        "area_id": area["id"],
                        "username": LOGIN.username,
                        "password": LOGIN.password.reveal(),
                    },
                )
            yield site


async def until(what: str, check: Callable[[], Awaitable[object]], *, within_s: float) -> float:
    """Wait until a check is true; return how long that took."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while not await check():
        if loop.time() - started > within_s:
            pytest.fail(f"not within {within_s:g} s: {what}")
        await asyncio.sleep(0.1)
    return loop.time() - started


@pytest.mark.timeout(280)
async def test_from_device_to_notification(timescaledb_database_url: str, tmp_path: Path) -> None:
    async with run_site(timescaledb_database_url, tmp_path) as site:
        await _everything_reports(site)
        await _tell_webhook(site)
        camera = site.village.cameras["camera-2"]
        name = camera.name

        await camera.set_fault(Fault.CABLE_CUT)
        took = await until("webhook", _holds(site, "fired", name), within_s=30)
        assert took <= 30
        (alert,) = [a for a in await site.items("alerts") if a["device_name"] == name]
        assert alert["status"] == "firing"
        await site.post(f"alerts/{alert['id']}/acknowledge", {"note": "电话已打"})
        (outage,) = await site.items("outages")
        assert outage["ended_at"] is None

        await camera.clear_fault()
        await until("resolved", _holds(site, "resolved", name), within_s=60)
        (alert,) = [a for a in await site.items("alerts") if a["device_name"] == name]
        assert alert["status"] == "resolved"
        sent = (await site.api.get(f"alerts/{alert['id']}/notifications")).json()["items"]
        assert [one["status"] for one in sent] == ["delivered"] * len(sent)
        ids = [body["id"] for body in site.hook.bodies]
        assert len(ids) == len(set(ids))

        await _motion_is_stored(site)
        await _sensors_wait_for_approval(site)
        await _patrol_falls_due(site)
        assert LOGIN.password.reveal() not in site.hub.log_text


async def _everything_reports(site: Site) -> None:
    async def check() -> bool:
        lines = await site.items("devices")
        online = [line for line in lines if line["status"] == "online"]
        return len(online) == CAMERAS + SENSORS

    await until("all devices online", check, within_s=60)


async def _tell_webhook(site: Site) -> None:
    root = (await site.items("areas"))[0]["id"]
    receiver = await site.post(
        "receivers",
        {
            "name": "duty phone",
            "area_id": root,
            "kind": "webhook",
            "options": {"address": site.hook.url},
            "secret": "webhook-signing-secret",
        },
    )
    (rule,) = [r for r in await site.items("rules") if r["name"].startswith("Camera offline")]
    rule_id = rule.pop("id")
    answer = await site.api.put(f"rules/{rule_id}", json={**rule, "receivers": [receiver["id"]]})
    assert answer.is_success, answer.text


def _holds(site: Site, status: str, device: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return any(body["alert"]["device"]["name"] == device for body in site.hook.of(status))

    return check


async def _motion_is_stored(site: Site) -> None:
    site.village.cameras["camera-1"].set_property(Property.MOTION, is_active=True)

    async def check() -> bool:
        found = await site.items("events", kind="motion.started")
        return any(not event["replayed"] for event in found)

    await until("motion", check, within_s=20)


async def _sensors_wait_for_approval(site: Site) -> None:
    pending = await site.items("devices", registration="pending")
    assert len(pending) == SENSORS
    for line in pending:
        detail = (await site.api.get(f"devices/{line['id']}")).json()
        assert {point["key"] for point in detail["points"]} >= {"temp", "door", "battery"}
        assert all(point["value"] is not None for point in detail["points"])
        await site.post(f"devices/{line['id']}/approve", {})
    assert await site.items("devices", registration="pending") == []


async def _patrol_falls_due(site: Site) -> None:
    await site.village.cameras["camera-3"].set_fault(Fault.POWER_CUT)
    now = datetime.now(UTC) + timedelta(hours=8)
    due = now + timedelta(minutes=1)
    await site.post(
        "patrol-plans",
        {
            "name": "零点夜查",
            "area_id": site.area_id,
            "rrule": f"FREQ=DAILY;BYHOUR={due.hour};BYMINUTE={due.minute}",
            "time_zone": "Asia/Shanghai",
            "starts_on": due.date().isoformat(),
            "seconds_per_stop": 0.5,
        },
    )

    async def check() -> bool:
        return any(r["state"] == "finished" for r in await site.items("patrol-rounds"))

    await until("round", check, within_s=110)
    (walk,) = await site.items("patrol-rounds")
    stops = await site.items(f"patrol-rounds/{walk['id']}/stops")
    verdicts = {stop["device_name"]: stop["verdict"] for stop in stops}
    dead = site.village.cameras["camera-3"].name
    assert verdicts.pop(dead) == "not_seen"
    assert set(verdicts.values()) == {"seen"}
    for stop in stops:
        if stop["verdict"] == "seen":
            path = f"patrol-rounds/{walk['id']}/stops/{stop['position']}/picture"
            picture = await site.api.get(path)
            assert picture.headers["content-type"] == "image/jpeg"
            assert picture.content.startswith(b"\xff\xd8")
    report = await site.api.get(f"patrol-rounds/{walk['id']}/report")
    assert dead in report.text
    assert report.text.count("data:image/jpeg;base64") == CAMERAS - 1
