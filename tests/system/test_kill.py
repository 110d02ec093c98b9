"""`kill -9` in the middle of a flood of readings: every acknowledged one is stored exactly once."""

import asyncio
import json
import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.protocol.mosquitto import run_mosquitto
from tests.system.whole_hub import run_whole_hub

READINGS = 100_000
DEVICES = 250
KILLS = 4
START = datetime(2026, 11, 22, tzinfo=UTC)


class Flood(threading.Thread):
    """Publishes all readings at QoS 1, as fast as the broker acknowledges them."""

    def __init__(self, port: int) -> None:
        super().__init__(name="flood", daemon=True)
        self._port = port
        self.acknowledged = 0

    def run(self) -> None:
        client = Client(CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(500)
        client.on_publish = self._count
        client.connect("127.0.0.1", self._port)
        client.loop_start()
        for number in range(READINGS):
            at = START + timedelta(seconds=number // DEVICES)
            body = {"at": at.isoformat(), "values": {"n": number}}
            client.publish(f"gengfu/v1/s{number % DEVICES}/reading", json.dumps(body), qos=1)
            if number % 500 == 0:
                # Not faster than the broker: paho keeps what is not sent yet in memory.
                while number - self.acknowledged > 5_000:
                    threading.Event().wait(0.005)
        while self.acknowledged < READINGS:
            threading.Event().wait(0.01)
        client.disconnect()
        client.loop_stop()

    def _count(self, *_: object) -> None:
        self.acknowledged += 1


def count(url: str) -> tuple[int, int]:
    """Rows, and rows that differ."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT value) FROM readings").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


@pytest.mark.threat("K1")
@pytest.mark.timeout(240)
async def test_kill_loses_and_doubles_nothing(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    async with run_mosquitto(tmp_path) as broker:
        settings = {
            "GENGFU_DATABASE__URL": timescaledb_database_url,
            "GENGFU_MQTT__URL": broker.address,
        }
        async with run_whole_hub(tmp_path / "hub", settings) as hub:
            await broker.wait_for_log("SUBSCRIBE")
            flood = Flood(broker.port)
            flood.start()
            rng = random.Random(20261122)
            for kill in range(KILLS):
                while flood.acknowledged < READINGS * (kill + 0.5) / KILLS:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(rng.uniform(0, 0.3))
                await hub.kill()
                before, _ = await asyncio.to_thread(count, timescaledb_database_url)
                # In the middle: something is stored and something is not yet.
                assert before < READINGS
                await hub.start()
            await asyncio.to_thread(flood.join, 120)
            assert flood.acknowledged == READINGS
            deadline = asyncio.get_running_loop().time() + 90
            stored = distinct = 0
            while stored < READINGS and asyncio.get_running_loop().time() < deadline:
                stored, distinct = await asyncio.to_thread(count, timescaledb_database_url)
                await asyncio.sleep(0.2)
        assert (stored, distinct) == (READINGS, READINGS)
