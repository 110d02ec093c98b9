"""`kill -9` in a storm: what it comes to is what it would have come to, and nobody is forgotten."""

import asyncio
from pathlib import Path

import pytest

from tests.fresh_databases import drop, recreate, with_database
from tests.system.alert_kills import Killing, differences, play
from tests.system.kill_script import EXTRA, write_script
from tests.system.role_process import WORKER

SEED = 2026
WAVES = 6
KILLS = 6


@pytest.mark.threat("K1")
@pytest.mark.timeout(240)
async def test_kills_in_a_storm_change_nothing(timescaledb_url: str, tmp_path: Path) -> None:
    script = write_script(WAVES, SEED)
    names = {kills: f"test_alert_kills_{kills}" for kills in (0, KILLS)}
    plays = []
    for kills, name in names.items():
        recreate(timescaledb_url, name)
        url = with_database(timescaledb_url, name)
        folder = tmp_path / name
        folder.mkdir()
        plays.append(play(url, folder, script, Killing(module=WORKER, kills=kills, seed=SEED)))
    try:
        # Side by side: both wait most of the time.
        undisturbed, killed = await asyncio.gather(*plays)
    finally:
        for name in names.values():
            drop(timescaledb_url, name)
    assert differences(undisturbed, killed) == [], f"seed {SEED}"
    # Something was at stake: rules of every kind fired, and something was held back.
    assert {state.rule for state in undisturbed.certain} >= {rule.name for rule in EXTRA}
    assert undisturbed.held
    assert killed.requests >= killed.messages > 0
