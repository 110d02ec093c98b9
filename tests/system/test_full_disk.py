"""A full disk under the embedded database: said, nothing acknowledged lost, and over by itself."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from hub.runtime.embedded_postgres import EmbeddedPostgres
from tests.conftest import missing
from tests.protocol.mosquitto import run_mosquitto
from tests.system.whole_hub import run_whole_hub

READINGS = 40_000
START = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 420 MB; making one needs root."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=420m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing(f"no small file system can be mounted: {done.stderr}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: Path) -> None:
    """Take all the space there is."""
    try:
        with file.open("wb", buffering=0) as stream:
            while True:
                stream.write(bytes(65536))
    except OSError:
        return


def publish(port: int, first: int, count: int) -> None:
    """Publish readings, each with a time of its own."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in range(first, first + count):
        at = (START + timedelta(milliseconds=20 * number)).isoformat()
        body = json.dumps({"at": at, "values": {"n": number}})
        info = client.publish(f"gengfu/v1/s{number % 50}/reading", body, qos=1)
    info.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def count_rows(data_dir: Path) -> tuple[int, int]:
    """Rows, and rows that differ."""
    address = EmbeddedPostgres.find_running(data_dir)
    assert address is not None
    with psycopg.connect(address.reveal()) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT value) FROM readings").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


@pytest.mark.threat("K10")
@pytest.mark.timeout(200)
async def test_a_full_disk_is_said_and_costs_nothing(small_disk: Path, tmp_path: Path) -> None:
    data_dir = small_disk / "hub"
    async with run_mosquitto(tmp_path) as broker:
        settings = {"GENGFU_MQTT__URL": broker.address}
        async with run_whole_hub(data_dir, settings) as hub, httpx.AsyncClient() as client:
            await broker.wait_for_log("SUBSCRIBE")
            await asyncio.to_thread(publish, broker.port, 0, 1000)
            await asyncio.to_thread(fill, small_disk / "fill")
            sending = asyncio.create_task(
                asyncio.to_thread(publish, broker.port, 1000, READINGS - 1000)
            )
            said: set[str] = set()
            async with asyncio.timeout(60):
                while "storing" not in said and "database" not in said:
                    answer = await client.get(f"{hub.address}/readyz")
                    parts = answer.json()["parts"]
                    said = {part for part, state in parts.items() if state is not True}
                    await asyncio.sleep(0.1)
            assert answer.status_code == 503
            await sending
            (small_disk / "fill").unlink()
            async with asyncio.timeout(90):
                while await asyncio.to_thread(count_rows, data_dir) != (READINGS, READINGS):
                    await asyncio.sleep(0.5)
            assert (await client.get(f"{hub.address}/readyz")).status_code == 200
            assert "full" in hub.log_text
