"""A village on the wire, a broker, a webhook and the whole hub: what system tests start from."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import httpx
import pytest
from aiohttp import web

from hub.domain.secrets import Credentials, Secret
from hub.simulators.village import Village, VillageOptions
from tests.protocol.mosquitto import run_mosquitto
from tests.system.whole_hub import WholeHub, run_whole_hub

NO_SETTINGS: Final[Mapping[str, str]] = MappingProxyType({})
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
        answer = await self.api.get(path, params=query)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def post(self, path: str, body: object) -> dict[str, Any]:
        answer = await self.api.post(path, json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json() if answer.content else {}
        return made


@asynccontextmanager
async def run_site(
    database_url: str,
    tmp_path: Path,
    *,
    cameras: int,
    sensors: int,
    settings: Mapping[str, str] = NO_SETTINGS,
) -> AsyncIterator[Site]:
    """Everything running, the cameras registered through the API."""
    # Another network for each run, so that runs side by side do not meet.
    network = f"127.{random.randrange(8, 120)}.{random.randrange(1, 250)}"
    async with run_mosquitto(tmp_path) as broker, run_webhook() as hook:
        options = VillageOptions(
            cameras=cameras,
            sensors=sensors,
            first_host=f"{network}.1",
            discovery_port=0,
            sensor_interval_s=1.0,
            motion_interval_s=None,
            credentials=LOGIN,
            broker_address=broker.address,
        )
        environment = {
            "GENGFU_DATABASE__URL": database_url,
            "GENGFU_MQTT__URL": broker.address,
            "GENGFU_NETWORK__DEVICES": f"{network}.0/24",
            "GENGFU_NETWORK__RECEIVERS": "127.0.0.1/32",
            "GENGFU_TIME_ZONE": "Asia/Shanghai",
            **settings,
        }
        village = Village(options, clock=lambda: datetime.now(UTC), rng=random.Random(1))
        async with village, run_whole_hub(tmp_path / "hub", environment) as hub, hub.api() as api:
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


async def everything_reports(site: Site) -> None:
    async def check() -> bool:
        lines = await site.items("devices")
        online = [line for line in lines if line["status"] == "online"]
        return len(online) == len(site.village.cameras) + len(site.village.stations)

    await until("all devices online", check, within_s=60)


async def tell_webhook(site: Site) -> None:
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


def holds(site: Site, status: str, device: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return any(body["alert"]["device"]["name"] == device for body in site.hook.of(status))

    return check
