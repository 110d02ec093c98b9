"""`gengfu patrols`: what whoever is on duty reads, and the proof that nothing was changed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.patrols.files import PictureFolder
from hub.runtime.jobs import Jobs
from hub.store.database import Database
from hub.store.vault import Vault
from tests.db.patrol_world import World, settle
from tests.system.command_line import CommandLine


@pytest.fixture
async def world(timescaledb_database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    vault = Vault.open(tmp_path / "hub" / "gengfu.key")
    database = await Database.open(timescaledb_database_url, vault=vault)
    made = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder(tmp_path / "hub"),
    )
    await settle(made)
    yield made
    await database.close()


@pytest.fixture
def gengfu(world: World, timescaledb_database_url: str, tmp_path: Path) -> CommandLine:
    del world
    return CommandLine(
        data_dir=tmp_path / "hub", settings={"GENGFU_DATABASE__URL": timescaledb_database_url}
    )


@pytest.mark.threat("K5")
async def test_rounds_are_listed_and_proved_to_be_whole(gengfu: CommandLine, world: World) -> None:
    world.dead = {world.cameras[0]}
    plan = await world.create(name="零点\x1b[31m夜查")
    first = await world.run_now(plan)
    await world.walk_to_end(first)
    whole, as_json, listed, walked = await asyncio.gather(
        gengfu("patrols", "verify"),
        gengfu("patrols", "verify", "--json"),
        gengfu("patrols", "list", "--json"),
        gengfu("patrols", "rounds"),
    )
    assert whole.status == 0
    assert "checked 1 rounds, 14 lines, 5 pictures and films\nall is whole\n" in whole.out
    seal = whole.out.rpartition("noted elsewhere: ")[2].strip()
    assert seal.startswith("1:")
    assert f"1:{as_json.json()['last_seal']['hash']}" == seal
    assert listed.json()[0]["next_at"].startswith("2026-")
    assert "finished" in walked.out
    assert "\x1b" not in walked.out

    world.now = world.now.replace(second=59)
    second = await world.run_now(plan)
    await world.walk_to_end(second)
    world.folder.picture_path(first, 2).write_bytes(b"another night")
    async with world.database.transaction() as tx:
        await tx.execute(
            "UPDATE patrol_stops SET result = 'normal' WHERE round_id = %(id)s"
            " AND result = 'abnormal'",
            {"id": second},
        )
    broken, unread, one, noted, wrong, none = await asyncio.gather(
        gengfu("patrols", "verify", "--known", seal),
        gengfu("patrols", "verify", "--no-pictures", "--json"),
        gengfu("patrols", "verify", "--round", str(second)),
        gengfu("patrols", "verify", "--known", f"1:{'0' * 64}", "--no-pictures"),
        gengfu("patrols", "verify", "--known", "yesterday"),
        gengfu("patrols", "verify", "--round", "4711"),
    )
    assert (broken.status, unread.status, one.status, noted.status) == (1, 1, 1, 1)
    lines = broken.out.splitlines()
    assert lines[0].startswith(f"NOT WHOLE: round {first} (零点\ufffd[31m夜查, 2026-11-2")
    assert lines[0].endswith("): picture of stop 2 (村口 3) is not the one that was taken")
    assert "(村口 0): result is not what line" in lines[1]
    assert "all is whole" not in broken.out
    assert [fault["round_id"] for fault in unread.json()["faults"]] == [second]
    assert "checked 1 rounds, 14 lines" in one.out
    assert "the chain of all rounds: seal 1 (round 1) is not the one that was noted" in noted.out
    assert "64 hexadecimal digits" in wrong.complaint()
    assert "there is no round 4711" in none.complaint()
