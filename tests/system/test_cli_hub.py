"""`gengfu check` and `migrate`, with and without a hub that runs, on good and bad settings."""

import asyncio
import os
from pathlib import Path

import psycopg
import pytest

from tests.protocol.mosquitto import free_port, run_mosquitto
from tests.system.command_line import CommandLine, Done
from tests.system.whole_hub import run_whole_hub


def states(done: Done) -> dict[str, str]:
    """The worst state of each part that a check named."""
    found: dict[str, str] = {}
    for line in done.json():
        if found.get(line["part"]) != "BAD":
            found[line["part"]] = line["state"]
    return found


async def test_check_and_migrate_beside_a_running_hub(tmp_path: Path) -> None:
    gengfu = CommandLine(data_dir=tmp_path / "hub")
    before = await gengfu("check", "--json")
    assert before.status == 0
    parts = {"data folder", "disk", "key", "PDF", "broker", "database", "tables"}
    assert set(states(before)) == parts
    # A look changes nothing that must be kept: the key is the first start's.
    assert not (tmp_path / "hub" / "gengfu.key").exists()
    async with run_whole_hub(tmp_path / "hub", {}):
        beside, migrated, people, second = await asyncio.gather(
            gengfu("check", "--json"),
            gengfu("migrate", "--json"),
            gengfu("users", "list", "--json"),
            gengfu("run", HTTP__PORT="0"),
        )
    assert beside.status == 0
    assert states(beside)["hub"] == "good"
    assert migrated.json() == {"applied": []}
    assert [user["name"] for user in people.json()] == ["admin"]
    # A second hub on the same folder is refused, and says whose the folder is.
    assert "is in use by process" in second.complaint()


async def test_check_says_what_is_wrong(timescaledb_database_url: str, tmp_path: Path) -> None:
    nobody = f"postgresql://gengfu:hunter2@127.0.0.1:{free_port()}/gengfu"
    (tmp_path / "file").write_text("not a folder")
    async with run_mosquitto(tmp_path, passwords={"hub": "broker-password"}) as broker:
        gengfu = CommandLine(
            data_dir=tmp_path / "hub",
            settings={
                "GENGFU_DATABASE__URL": timescaledb_database_url,
                "GENGFU_MQTT__URL": broker.address,
                "GENGFU_MQTT__USERNAME": "hub",
                "GENGFU_MQTT__PASSWORD": "broker-password",
            },
        )
        good, wrong, away, nowhere, folder = await asyncio.gather(
            gengfu("check", "--json"),
            gengfu("check", "--json", MQTT__PASSWORD="hunter2"),
            gengfu("check", "--json", MQTT__URL=f"mqtt://127.0.0.1:{free_port()}"),
            gengfu("check", "--json", DATABASE__URL=nobody),
            gengfu("check", "--json", DATA_DIR=str(tmp_path / "file" / "below")),
        )
        table = await gengfu("check")
    assert good.status == 0
    assert set(states(good).values()) == {"good"}
    assert any("TimescaleDB" in line["found"] for line in good.json())
    assert table.status == 0
    assert len(table.out.splitlines()) == 1 + len(good.json())
    expected = {"broker": (wrong, away), "database": (nowhere,), "data folder": (folder,)}
    for part, all_done in expected.items():
        for done in all_done:
            assert done.status == 1
            assert states(done)[part] == "BAD"
            assert "hunter2" not in done.out + done.err


@pytest.mark.threat("K5")
async def test_check_and_run_tell_a_foreign_or_damaged_key(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    data_dir = tmp_path / "hub"
    async with run_mosquitto(tmp_path) as broker:
        settings = {
            "GENGFU_DATABASE__URL": timescaledb_database_url,
            "GENGFU_MQTT__URL": broker.address,
            "GENGFU_MQTT__USERNAME": "hub",
            "GENGFU_MQTT__PASSWORD": "broker-password",
        }
        async with run_whole_hub(data_dir, settings) as hub, hub.api() as api:
            (link,) = (await api.get("connections")).json()["items"]
            renamed = await api.patch(f"connections/{link['id']}", json={"name": "村里的"})
            assert renamed.is_success, renamed.text
        gengfu = CommandLine(data_dir=data_dir, settings={**settings, "GENGFU_HTTP__PORT": "0"})
        key = data_dir / "gengfu.key"
        own = key.read_text(encoding="ascii")
        for damaged, said in (
            (own[:30], "holds no key"),
            ("\0" + own[1:], "holds no key"),
            (os.urandom(32).hex() + "\n", "does not fit"),
        ):
            key.write_text(damaged, encoding="ascii")
            ran, checked = await asyncio.gather(gengfu("run"), gengfu("check", "--json"))
            line = ran.complaint()
            assert said in line
            assert "restore" in line
            assert own[:30] not in line
            assert checked.status == 1
            assert states(checked)["key"] == "BAD"
            # Nothing was overwritten: the right key can still be put back.
            assert key.read_text(encoding="ascii") == damaged
        key.unlink()
        lost = await gengfu("check", "--json")
        assert states(lost)["key"] == "BAD"
        key.write_text(own, encoding="ascii")
        async with run_whole_hub(data_dir, settings):
            with psycopg.connect(timescaledb_database_url) as connection:
                names = connection.execute("SELECT name FROM connections").fetchall()
    # The link to the hub's broker is one, and keeps the name that people gave it.
    assert names == [("村里的",)]


async def test_migrate_makes_the_tables_once(tmp_path: Path) -> None:
    gengfu = CommandLine(data_dir=tmp_path / "hub")
    first = await gengfu("migrate", "--json")
    assert first.status == 0
    assert "0001_core" in first.json()["applied"]
    again = await gengfu("migrate")
    assert (again.status, again.out) == (0, "")
    assert "up to date" in again.err
