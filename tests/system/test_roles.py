"""Two processes of one hub: people on one, devices and due work on the other."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.protocol.mosquitto import run_mosquitto
from tests.system.test_bad_circumstances import publish, until
from tests.system.whole_hub import ROOT, run_whole_hub

WORK_ROLES = ("--role", "ingest", "--role", "alerts", "--role", "work")


@asynccontextmanager
async def run_worker(
    data_dir: Path, settings: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process without a console, from when it says that it runs; killed at the end."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GENGFU_")}
    environment |= {"GENGFU_DATA_DIR": str(data_dir), **settings}
    await asyncio.to_thread(data_dir.mkdir, exist_ok=True)
    with (data_dir / "worker.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub.main.cli", "run", *WORK_ROLES,
            cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while b"Gengfu is running" not in (line := await process.stdout.readline()):
                assert line, (data_dir / "worker.log").read_text(encoding="utf-8")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def next_of(lines: AsyncIterator[str], topic: str, holds: Callable[[Any], bool]) -> Any:
    """The next server-sent item of a topic that fits."""
    name = ""
    async with asyncio.timeout(30):
        async for line in lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: ") and name == topic:
                for item in json.loads(line.removeprefix("data: "))["items"]:
                    if holds(item):
                        return item
    pytest.fail(f"the stream ended without {topic}")


def status(device: str, *, is_online: bool, session: int) -> dict[str, list[bytes]]:
    body = {"online": is_online, "session": session, "name": f"水泵 {device}"}
    return {f"gengfu/v1/{device}/status": [json.dumps(body).encode()]}


def leave_undone(url: str) -> int:
    """Leave every waiting round as a worker does that was killed just after it took it."""
    with psycopg.connect(url) as connection:
        done = connection.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id ="
            " (SELECT max(id) FROM procrastinate_workers)"
            " WHERE status = 'todo' AND task_name LIKE 'patrol%round%'"
        )
        return done.rowcount


def is_finished(api: httpx.AsyncClient) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        rounds = (await api.get("patrol-rounds")).json()["items"]
        return [one["state"] for one in rounds if one["started_at"]] == ["finished"]

    return check


@pytest.mark.threat("K2")
@pytest.mark.timeout(150)
async def test_two_processes_are_one_hub(timescaledb_database_url: str, tmp_path: Path) -> None:
    url = timescaledb_database_url
    (tmp_path / "second").mkdir()
    async with run_mosquitto(tmp_path) as broker, run_mosquitto(tmp_path / "second") as second:
        settings = {
            "GENGFU_DATABASE__URL": url,
            "GENGFU_MQTT__URL": broker.address,
            "GENGFU_NETWORK__DEVICES": "127.0.0.0/8",
        }
        arguments = ("run", "--role", "web")
        async with (
            run_whole_hub(tmp_path / "hub", settings, *arguments) as hub,
            hub.api() as api,
            api.stream("GET", "live", timeout=60) as stream,
        ):
            lines = stream.aiter_lines()
            root = (await api.get("areas")).json()["items"][0]["id"]
            async with run_worker(tmp_path / "hub", settings) as worker:
                # A link that is added in one process starts in the other.
                link = {"protocol": "mqtt", "name": "second", "address": second.address}
                answer = await api.post("connections", json={**link, "area_id": root})
                assert answer.status_code == 201, answer.text
                await second.wait_for_log("SUBSCRIBE")
                await asyncio.to_thread(
                    publish, second.port, status("p1", is_online=True, session=1)
                )
                # What the other process stored is shown here at once.
                shown = await next_of(lines, "devices", lambda item: item["status"] == "online")
                assert shown["name"] == "水泵 p1"
                worker.kill()
                await worker.wait()
            plan = {
                "name": "零点夜查", "area_id": root, "rrule": "FREQ=YEARLY", "time_zone": "UTC",
                "starts_on": datetime.now(UTC).date().isoformat(), "seconds_per_stop": 0.5,
            }  # fmt: skip
            created = await api.post("patrol-plans", json=plan)
            assert created.is_success, created.text
            number = created.json()["id"]
            assert (await api.post(f"patrol-plans/{number}/run")).is_success
            assert await asyncio.to_thread(leave_undone, url) == 1
            async with run_worker(tmp_path / "hub", settings):
                await asyncio.to_thread(
                    publish, second.port, status("p1", is_online=False, session=1)
                )
                gone = await next_of(lines, "devices", lambda item: item["status"] == "offline")
                assert gone["id"] == shown["id"]
                await until("the round is walked", is_finished(api))
        log = (tmp_path / "hub" / "worker.log").read_text(encoding="utf-8")
    assert "lost its worker: it runs again" in log
    assert "Traceback" not in log
    assert "Traceback" not in hub.log_text


@pytest.mark.timeout(90)
async def test_processes_that_start_together_on_an_empty_database(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    url = timescaledb_database_url
    async with run_mosquitto(tmp_path) as broker:
        settings = {"GENGFU_DATABASE__URL": url, "GENGFU_MQTT__URL": broker.address}
        async with asyncio.timeout(60):
            # One data folder, as on one machine; both make what a first start makes.
            hub = run_whole_hub(tmp_path / "hub", settings, "run", "--role", "web")
            worker = run_worker(tmp_path / "hub", settings)
            started, _ = await asyncio.gather(hub.__aenter__(), worker.__aenter__())
        try:
            with psycopg.connect(url) as connection:
                row = connection.execute(
                    "SELECT (SELECT count(*) FROM connections), (SELECT count(*) FROM users),"
                    " (SELECT count(*) FROM areas)"
                ).fetchone()
            assert row == (1, 1, 1)
            assert started.address
        finally:
            await asyncio.gather(
                hub.__aexit__(None, None, None), worker.__aexit__(None, None, None)
            )
