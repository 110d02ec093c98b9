"""A small night from its plan to its report: scripted faults, killed processes, people at work."""

from pathlib import Path

import pytest

from tests.night.night import NightOptions, pass_night

# The clock runs so fast that nearly every stop is late: what counts here is that all adds up.
SMALL = NightOptions(
    villages=12,
    factor=240.0,
    lasts_s=10 * 3600,
    kills=2,
    kills_within_s=6.0,
    say=lambda _line: None,
)


@pytest.mark.threat("K2")
@pytest.mark.timeout(240)
async def test_a_night_adds_up_to_the_last_stop(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    night = await pass_night(timescaledb_database_url, tmp_path, SMALL)
    found = night.accounts
    assert found.faults == []
    assert found.stops == 72
    assert sum(found.results.values()) == sum(found.timings.values()) == found.stops
    assert found.proof.pictures == found.stops - found.findings["camera_down"]
    assert found.calls == {"answered": 11, "unanswered": 1}
    assert found.tasks_of_stops > 0
    assert found.report is not None
    assert found.report.stops.planned == found.stops
