"""The whole program when something around it fails: it says what, goes on, and loses nothing."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.protocol.mosquitto import free_port, run_mosquitto
from tests.proxy import open_proxy
from tests.system.command_line import CommandLine
from tests.system.whole_hub import WholeHub, run_whole_hub

SENSOR = "s1"


async def until(what: str, check: Callable[[], Awaitable[object]], *, within_s: float = 30) -> None:
    """Wait until a check holds."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not await check():
        if asyncio.get_running_loop().time() > deadline:
            pytest.fail(f"not within {within_s:g} s: {what}")
        await asyncio.sleep(0.1)


async def readiness(hub: WholeHub) -> tuple[int, str]:
    """What /readyz answers now."""
    async with httpx.AsyncClient(timeout=20) as client:
        answer = await client.get(hub.address + "/readyz")
    return answer.status_code, answer.text


async def is_ready(hub: WholeHub) -> bool:
    return (await readiness(hub))[0] == 200


def publish(port: int, messages: Mapping[str, list[bytes]]) -> None:
    """Publish at QoS 1 and wait for the broker's acknowledgement of each."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for topic, payloads in messages.items():
        for payload in payloads:
            client.publish(topic, payload, qos=1).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


def readings(*numbers: int) -> dict[str, list[bytes]]:
    at = datetime.now(UTC).isoformat()
    return {
        f"gengfu/v1/{SENSOR}/reading": [
            json.dumps({"at": at, "values": {f"n{number}": number}}).encode() for number in numbers
        ]
    }


def stored(url: str) -> list[float]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT value FROM readings ORDER BY value").fetchall()
    return [float(row[0]) for row in rows]


def has_stored(url: str, *numbers: int) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        # Exactly these: nothing lost, nothing doubled.
        return await asyncio.to_thread(stored, url) == [float(number) for number in numbers]

    return check


def through(url: str, port: int) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()


@pytest.mark.threat("T31")
async def test_what_prevents_the_start_is_said_in_a_line(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        gengfu = CommandLine(
            data_dir=tmp_path / "hub",
            settings={
                "GENGFU_DATABASE__URL": timescaledb_database_url,
                "GENGFU_MQTT__URL": "mqtt://127.0.0.1:1",
                "GENGFU_HTTP__PORT": "0",
            },
        )
        (tmp_path / "file").write_text("no folder")
        typo = tmp_path / "gengfu.toml"
        typo.write_text('[database]\nulr = "postgresql://gengfu:hunter2@db/gengfu"\n')
        nobody = f"postgresql://gengfu:hunter2@127.0.0.1:{free_port()}/gengfu"
        done = await asyncio.gather(
            gengfu("run", "--settings", str(typo)),
            gengfu("run", HTTP__PRT="8080"),
            gengfu("run", DATABASE__URL=nobody),
            gengfu("run", DATABASE__URL="postgresql://gengfu:hun/ter2@db/gengfu"),
            gengfu("run", HTTP__PORT=str(port)),
            gengfu("run", DATA_DIR=str(tmp_path / "file" / "below")),
        )
    said = [one.complaint() for one in done]
    expected = (
        "did you mean 'url'",
        "did you mean 'port'",
        "database",
        "%2F",
        str(port),
        "data_dir",
    )
    for line, part in zip(said, expected, strict=True):
        assert part in line
        assert "hunter2" not in line
        assert "ter2" not in line
    assert str(typo) in said[0]


@pytest.mark.threat("K4")
@pytest.mark.timeout(120)
async def test_a_broker_away_at_the_start_and_killed_later(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    url = timescaledb_database_url
    async with run_mosquitto(tmp_path) as broker:
        await broker.stop()
        settings = {"GENGFU_DATABASE__URL": url, "GENGFU_MQTT__URL": broker.address}
        async with run_whole_hub(tmp_path / "hub", settings) as hub:

            async def misses_broker() -> bool:
                status, text = await readiness(hub)
                return status == 503 and "broker" in text

            async def says_so() -> bool:
                return "is down" in hub.log_text

            # People see their devices while the broker is away; the hub waits for it.
            await until("/readyz names the broker", misses_broker)
            await until("it was tried", says_so)
            await broker.start()
            await until("the broker is found", lambda: is_ready(hub))
            await asyncio.to_thread(publish, broker.port, readings(1))
            await until("stored", has_stored(url, 1))

            await broker.kill()
            await until("the loss is seen", misses_broker)
            await broker.start()
            await until("the broker is found again", lambda: is_ready(hub))
            await asyncio.to_thread(publish, broker.port, readings(2))
            await until("stored", has_stored(url, 1, 2))
            text = hub.log_text
    assert text.count("is down") == 2
    assert "Traceback" not in text


@pytest.mark.threat("K3")
@pytest.mark.timeout(120)
async def test_a_database_that_goes_away_and_comes_back(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    url = timescaledb_database_url
    port = urlsplit(url).port
    assert port is not None
    async with run_mosquitto(tmp_path) as broker, open_proxy(port) as proxy:
        settings = {
            "GENGFU_DATABASE__URL": through(url, proxy.port),
            "GENGFU_MQTT__URL": broker.address,
        }
        async with run_whole_hub(tmp_path / "hub", settings) as hub:
            await until("ready", lambda: is_ready(hub))
            await asyncio.to_thread(publish, broker.port, readings(1))
            await until("stored", has_stored(url, 1))

            await proxy.cut()

            async def misses_database() -> bool:
                status, text = await readiness(hub)
                return status == 503 and "database" in text

            await until("/readyz names the database", misses_database)
            await asyncio.to_thread(publish, broker.port, readings(2, 3, 4))
            async with httpx.AsyncClient(timeout=20) as client:
                assert (await client.get(hub.address + "/healthz")).status_code == 200
                login = {"name": "admin", "password": hub.password}
                answer = await client.post(hub.address + "/api/v1/session/login", json=login)
            assert answer.status_code == 503
            assert "json" in answer.headers["content-type"]
            await proxy.mend()
            await until("it recovers", lambda: is_ready(hub))
            await until("stored", has_stored(url, 1, 2, 3, 4))

            with psycopg.connect(url, autocommit=True) as connection:
                ended = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ).fetchall()
            assert len(ended) > 2
            await asyncio.to_thread(publish, broker.port, readings(5))
            await until("stored", has_stored(url, 1, 2, 3, 4, 5))
            await until("ready", lambda: is_ready(hub))
            async with hub.api() as api:
                assert (await api.get("devices")).json()["items"][0]["name"] == SENSOR
            text = hub.log_text
            assert hub.process is not None
            assert hub.process.returncode is None
    assert "Traceback" not in text
    password = urlsplit(url).password
    assert password is not None
    assert password not in text


@pytest.mark.threat("T30")
@pytest.mark.timeout(120)
async def test_payloads_nobody_can_read_are_kept_and_nothing_falls_over(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    url = timescaledb_database_url
    topic = f"gengfu/v1/{SENSOR}/reading"
    bad = [
        b'{"at": "2100-01-01T00:00:00Z", "values": {"n": 7}}',
        b"x" * 10_000_000,
        bytes(range(256)),
        b'{"values": {"n": 1e999}}',
        b"[" * 100_000,
        b'{"values": {"n\\u0000": 1}}',
    ]
    async with run_mosquitto(tmp_path) as broker:
        settings = {"GENGFU_DATABASE__URL": url, "GENGFU_MQTT__URL": broker.address}
        async with run_whole_hub(tmp_path / "hub", settings) as hub:
            await until("ready", lambda: is_ready(hub))
            await asyncio.to_thread(publish, broker.port, {topic: bad})
            await asyncio.to_thread(publish, broker.port, readings(1))
            await until("what can be read is stored", has_stored(url, 1))
            async with hub.api() as api:
                answer = await api.get("events", params={"kind": "unrecognised", "limit": "50"})
                found = answer.json()["items"]
            assert len(found) == len(bad), [one["data"] for one in found]
            reasons = [str(one["data"]["reason"]) for one in found]
            assert all(reasons)
            assert any("2100" in reason or "future" in reason for reason in reasons), reasons
            # Enough to see what it was, never all of ten million bytes.
            assert max(len(json.dumps(one["data"])) for one in found) < 20_000
            assert await is_ready(hub)
            assert "Traceback" not in hub.log_text
