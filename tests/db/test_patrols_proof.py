"""The evidence of rounds in the database: it cannot be changed unseen, and not at all by us."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from hub.domain.access import Scope
from hub.patrols.evidence import Asked, verify
from hub.patrols.files import PictureFolder
from hub.runtime.jobs import Jobs
from hub.store.database import Database, Transaction
from tests.db.patrol_world import World, settle


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    made = World(
        database=database,
        jobs=Jobs(database, lambda: datetime.now(UTC)),
        folder=PictureFolder(tmp_path / "data"),
    )
    await settle(made)
    return made


CHAINS = ("patrol_evidence", "patrol_seals")
KEEP = (
    "CREATE TABLE kept_rounds AS TABLE patrol_rounds",
    "CREATE TABLE kept_stops AS TABLE patrol_stops",
    "CREATE TABLE kept_evidence AS TABLE patrol_evidence",
    "CREATE TABLE kept_seals AS TABLE patrol_seals",
)
MEND = (
    "DELETE FROM patrol_seals",
    "DELETE FROM patrol_evidence",
    "DELETE FROM patrol_stops",
    "DELETE FROM patrol_rounds",
    "INSERT INTO patrol_rounds OVERRIDING SYSTEM VALUE SELECT * FROM kept_rounds",
    "INSERT INTO patrol_stops SELECT * FROM kept_stops",
    "INSERT INTO patrol_evidence SELECT * FROM kept_evidence",
    "INSERT INTO patrol_seals SELECT * FROM kept_seals",
)


async def change(world: World, *statements: str) -> None:
    """What somebody does who owns the database and means harm."""
    async with world.database.transaction() as tx:
        for table in CHAINS:
            await run(tx, f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            await run(tx, statement)
        for table in CHAINS:
            await run(tx, f"ALTER TABLE {table} ENABLE TRIGGER USER")


async def mend(world: World) -> None:
    """Put everything back as it was copied."""
    await change(world, *MEND)


async def run(tx: Transaction, statement: str) -> None:
    await tx.connection.execute(statement.encode())


@pytest.mark.threat("K6")
async def test_whatever_is_changed_behind_the_hub_is_named(world: World) -> None:
    plan = await world.create()
    numbers = []
    for _ in range(2):
        world.now += timedelta(seconds=1)
        numbers.append(await world.run_now(plan))
        await world.walk_to_end(numbers[-1])
    assert numbers == [1, 2]
    async with world.database.transaction() as tx:
        for statement in KEEP:
            await run(tx, statement)
    assert not (await world.proof()).faults
    cases = {
        "line 4 is missing": "DELETE FROM patrol_evidence WHERE round_id = 1 AND seq = 4",
        "line 14 is missing: 14 were sealed": (
            "DELETE FROM patrol_evidence WHERE round_id = 1 AND seq = 14"
        ),
        "nothing of it was kept": (
            "DELETE FROM patrol_evidence WHERE round_id = 2;"
            " DELETE FROM patrol_seals WHERE round_id = 2"
        ),
        "the round is gone, its evidence is here": (
            "DELETE FROM patrol_stops WHERE round_id = 1; DELETE FROM patrol_rounds WHERE id = 1"
        ),
        "line 1 is missing: 14 were sealed": (
            "DELETE FROM patrol_evidence WHERE round_id = 1; DELETE FROM patrol_rounds WHERE id = 1"
        ),
        "it began with 6 stops and has 5": (
            "DELETE FROM patrol_stops WHERE round_id = 2 AND position = 6"
        ),
        "seal 1 (round 1) was changed": "UPDATE patrol_seals SET at = now() WHERE seq = 1",
        "seal 1 is missing": "DELETE FROM patrol_seals WHERE seq = 1",
    }
    found = {}
    for expected, statements in cases.items():
        await change(world, *statements.split(";"))
        found[expected] = [fault.what for fault in (await world.proof()).faults]
        await mend(world)
    assert {expected: whats[0] for expected, whats in found.items()} == {
        expected: expected for expected in cases
    }
    assert not (await world.proof()).faults
    for what in ("UPDATE patrol_evidence SET body = '{}'", "DELETE FROM patrol_seals"):
        async with world.database.transaction() as tx:
            with pytest.raises(psycopg.errors.RaiseException, match="only be appended to"):
                async with tx.savepoint():
                    await run(tx, what)
    # Whoever does not see everything proves nothing, and is told nothing.
    part = Scope(paths=("c.a",), actor="village")
    proof = await verify(world.database, part, world.folder, Asked())
    assert (proof.rounds, proof.last_seal) == (0, None)
