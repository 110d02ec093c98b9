"""`gengfu alerts` and `gengfu silences`: what people and programs get, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.database import Database
from hub.store.vault import Vault
from tests.system.command_line import CommandLine
from tests.web.history import raise_alert
from tests.web.stage import World, build_world

HOSTILE = "\x1b[2Jpole\u202e{{7*7}}"


@pytest.fixture
async def database(timescaledb_database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    vault = Vault.open(tmp_path / "hub" / "gengfu.key")
    opened = await Database.open(timescaledb_database_url, vault=vault)
    yield opened
    await opened.close()


@pytest.fixture
async def world(database: Database) -> World:
    """An alert in each of two villages, one about a device whose name would steer a terminal."""
    built = await build_world(database)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE devices SET name = %(name)s WHERE id = %(id)s",
            {"name": HOSTILE, "id": built.west_camera},
        )
        await raise_alert(tx, built.east, built.east_camera, "east")
        await raise_alert(tx, built.west, built.west_camera, "west")
    return built


@pytest.fixture
def gengfu(world: World, timescaledb_database_url: str, tmp_path: Path) -> CommandLine:
    del world  # it must be there first
    return CommandLine(
        data_dir=tmp_path / "hub", settings={"GENGFU_DATABASE__URL": timescaledb_database_url}
    )


@pytest.mark.threat("T7")
async def test_alerts_are_listed_shown_taken_and_resolved(
    gengfu: CommandLine, database: Database
) -> None:
    table, document, one = await asyncio.gather(
        gengfu("alerts", "list"),
        gengfu("alerts", "list", "--area", "east", "--sort", "deadline", "--json"),
        gengfu("alerts", "show", "2"),
    )
    assert "\x1b" not in table.out + one.out
    assert "pole\ufffd{{7*7}}" in table.out
    (east,) = document.json()
    assert (east["severity"], east["status"], east["colour"]) == ("critical", "firing", "green")
    assert "west-1 offline for 30 s" in one.out
    assert "names a receiver" in one.out, "why nobody was told"
    taken, over = await asyncio.gather(
        gengfu("alerts", "acknowledge", "1", "--note", "on it"),
        gengfu("alerts", "resolve", "2", "--reason", "new pole"),
    )
    assert (taken.status, taken.out, over.status) == (0, "", 0)
    again, left = await asyncio.gather(
        gengfu("alerts", "acknowledge", "1"), gengfu("alerts", "list", "--json")
    )
    assert "acknowledged already, by command line" in again.complaint()
    assert [row["status"] for row in left.json()] == ["acknowledged"]
    async with database.transaction() as tx:
        deeds = await tx.tuples("SELECT action FROM audit WHERE actor LIKE 'command line: %%'")
    assert sorted(str(deed) for (deed,) in deeds) == ["alert.acknowledged", "alert.resolved"]


async def test_silences_are_made_listed_and_ended(gengfu: CommandLine, database: Database) -> None:
    made, all_of_it, endless = await asyncio.gather(
        gengfu(
            *("silences", "add", "--area", "east", "--reason", "new cables", "--hours", "0.5"),
            *("--severity", "critical", "--severity", "info", "--device", "1", "--json"),
        ),
        gengfu("silences", "add", "--area", "west", "--reason", "power cut", "--hours", "2"),
        gengfu("silences", "add", "--area", "east", "--reason", "x"),
    )
    assert made.json()["warning"] == ""
    assert "everything in West" in all_of_it.err
    assert "--until or --hours" in endless.complaint()
    listed = (await gengfu("silences", "list", "--json")).json()
    assert {(row["about"], row["state"], row["quiets"]) for row in listed} == {
        ("severity critical or info, device 1", "expiring", 1),
        ("everything", "active", 1),
    }
    assert (await gengfu("silences", "end", str(made.json()["silence"]))).status == 0
    async with database.transaction() as tx:
        quiet = await tx.tuples("SELECT quiet_reason FROM alerts WHERE quiet_until > now()")
    assert ["power cut" in str(reason) for (reason,) in quiet] == [True]
