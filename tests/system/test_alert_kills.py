"""`kill -9` in a storm: what it comes to is what it would have come to, and nobody is forgotten."""

import asyncio
from pathlib import Path

import pytest

from tests.fresh_databases import drop, recreate, with_database
from tests.system.alert_kills import Killing, differences, play
from tests.system.kill_script import write_script
from tests.system.role_process import WORKER

SEED = 2026
WAVES = 6
KILLS = 6


@pytest.mark.threat("K1")
@pytest.mark.timeout(240)
async def test_kills_in_a_storm_change_nothing(timescaledb_url: str, tmp_path: Path) -> None:
    script = write_script(WAVES, SEED)
    plays = []
    for kills in (0, KILLS):
        name = f"test_alert_kills_{kills}"
        recreate(timescaledb_url, name)
        url = with_database(timescaledb_url, name)
        folder = tmp_path / name
        folder.mkdir()
        killing = Killing(module=WORKER, kills=kills, seed=SEED)
        plays.append(play(url, folder, script, killing))
    # Side by side: both wait most of the time.
    undisturbed, killed = await asyncio.gather(*plays)
    assert differences(undisturbed, killed) == [], f"seed {SEED}"
    # Something was at stake: rules of every kind fired, and something was held back.
    assert {state.rule for state in undisturbed.certain} >= {
        "uplink away for long",
        "forced three times",
        "opened and motion",
    }
    assert undisturbed.held
    assert killed.requests >= killed.messages > 0
    for kills in (0, KILLS):
        drop(timescaledb_url, f"test_alert_kills_{kills}")
