"""The outage ledger of a real hub that is killed meanwhile, against the script of the failures."""

from pathlib import Path

import pytest

from tests.system.ledger_truth import disagreements, play


@pytest.mark.threat("K1")
@pytest.mark.timeout(240)
async def test_the_ledger_tells_what_happened_through_two_kills(
    timescaledb_url: str, tmp_path: Path
) -> None:
    truth, found = await play(
        timescaledb_url,
        tmp_path,
        cameras=24,
        length_s=80,
        kills=2,
        database="test_ledger_truth",
    )
    assert sum(len(spans) for spans in truth.silent.values()) > 20
    assert sum(len(spans) for spans in found.absences.values()) >= 24
    assert disagreements(truth, found) == []
