"""`gengfu patrols report`: what a supervisor reads and takes along."""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.database import Database
from hub.store.vault import Vault
from tests.db.report_scene import MIDNIGHT, Scene
from tests.system.whole_hub import ROOT

COMMAND = "from hub.main.cli_patrol_reports import patrol_report_app as app; app()"
NASTY = "\x1b[31m零点夜查"


@pytest.fixture
async def scene(timescaledb_database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    vault = Vault.open(tmp_path / "hub" / "gengfu.key")
    database = await Database.open(timescaledb_database_url, vault=vault)
    yield await Scene(database=database, data_dir=tmp_path / "hub").build()
    await database.close()


@pytest.fixture
def environment(timescaledb_database_url: str, tmp_path: Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GENGFU_")}
    return clean | {
        "GENGFU_DATA_DIR": str(tmp_path / "hub"),
        "GENGFU_DATABASE__URL": timescaledb_database_url,
        "GENGFU_TIME_ZONE": "Asia/Shanghai",
    }


async def run(environment: dict[str, str], *arguments: str) -> tuple[int, bytes, str]:
    """One command to its end: exit status, output, what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COMMAND, *arguments),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out, err.decode()


async def test_a_report_is_made_listed_and_taken_along(
    scene: Scene, environment: dict[str, str], tmp_path: Path
) -> None:
    walk = await scene.walk(MIDNIGHT)
    await scene.add_stops(walk, MIDNIGHT, random.Random(3))
    await scene.call_rooms(walk, MIDNIGHT, random.Random(3))
    await scene.count("UPDATE areas SET name = %(name)s RETURNING id", name=NASTY)
    of_round, of_night, far = await asyncio.gather(
        run(environment, "make", "--round", str(walk)),
        run(environment, "make", "--night", "2026-11-20", "--area", "c", "--json"),
        run(environment, "make", "--night", "2026-11-20", "--area", "nowhere"),
    )
    assert of_round[0] == of_night[0] == 0
    assert "完成率 Completion" in of_round[1].decode()
    assert "\x1b" not in of_round[1].decode()
    assert far[0] == 1
    assert "no area has the code nowhere" in far[2]
    number = str(json.loads(of_night[1])["report"])
    files = {kind: tmp_path / f"night.{kind}" for kind in ("pdf", "xlsx")}
    listed, as_json, *made = await asyncio.gather(
        run(environment, "list", "--json", "--period", "night"),
        run(environment, "show", number, "--format", "json"),
        *(
            run(environment, "show", number, "--format", kind, "--output", str(path))
            for kind, path in files.items()
        ),
    )
    assert [one["id"] for one in json.loads(listed[1])] == [int(number)]
    assert json.loads(as_json[1])["figures"]["stops"]["planned"] == 12
    assert "formula version 1" in of_round[1].decode()
    assert [one[0] for one in made] == [0, 0]
    begins = {kind: path.read_bytes()[:5] for kind, path in files.items()}
    assert begins == {"pdf": b"%PDF-", "xlsx": b"PK\x03\x04\x14"}
