"""What a process says of itself: how fast it stores, and how full its disk is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.schema import Settings
from hub.main.system_view import StoringPace, measure_disk

BEGAN = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_the_pace_is_that_of_the_last_marks_and_the_last_moment_is_kept() -> None:
    pace = StoringPace()
    pace.note(100, 0.0, BEGAN)
    assert pace.per_s == 0
    pace.note(150, 5.0, BEGAN + timedelta(seconds=5))
    assert (pace.per_s, pace.last_at) == (10, BEGAN + timedelta(seconds=5))
    pace.note(150, 10.0, BEGAN + timedelta(seconds=10))
    assert (pace.per_s, pace.last_at) == (0, BEGAN + timedelta(seconds=5))


def test_a_disk_that_does_not_answer_is_not_shown_as_full_or_empty(tmp_path: Path) -> None:
    found = measure_disk(Settings(data_dir=tmp_path))
    assert found["folder"] == str(tmp_path)
    assert 0 <= int(str(found["free_bytes"])) <= int(str(found["total_bytes"]))
    assert measure_disk(Settings(data_dir=tmp_path / "gone" / "away")) == {}
