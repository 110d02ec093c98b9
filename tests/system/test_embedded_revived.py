"""Embedded servers that end by themselves come back, and nothing acknowledged is lost."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.system.whole_hub import WholeHub, run_whole_hub


async def readiness(hub: WholeHub) -> dict[str, object]:
    async with httpx.AsyncClient(timeout=5) as client:
        answer = await client.get(f"{hub.address}/readyz")
        parts: dict[str, object] = answer.json()["parts"]
        return parts


def find_server(hub: WholeHub, name: str) -> int:
    """The process of this hub that has a name: its child, or its child's child."""
    assert hub.process is not None
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            if parent == hub.process.pid and stat.partition("(")[2].startswith(name):
                return int(entry.name)
    pytest.fail(f"no {name} below the hub")


@pytest.mark.threat("K3")
@pytest.mark.parametrize("name", ["postgres", "mosquitto"])
async def test_a_killed_server_comes_back(tmp_path: Path, name: str) -> None:
    async with run_whole_hub(tmp_path / "hub", {}) as hub, hub.api() as api:
        await _until_ready(hub)
        made = await api.post("areas", json={"code": "x1", "name": "东村", "parent_id": 1})
        assert made.status_code == 201
        os.kill(find_server(hub, name), signal.SIGKILL)
        await _until(lambda: "runs again" in hub.log_text)
        await _until_ready(hub)
        assert "ended by itself" in hub.log_text
        names = [area["name"] for area in (await api.get("areas")).json()["items"]]
        assert "东村" in names


async def _until_ready(hub: WholeHub) -> None:
    async with asyncio.timeout(40):
        while any(value is not True for value in (await readiness(hub)).values()):
            await asyncio.sleep(0.2)


async def _until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.1)
