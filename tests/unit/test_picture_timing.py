"""When a camera is looked at again, and by how many frames."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry

from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    UnsupportedByDevice,
)
from hub.domain.quality import Index, PictureFault, PictureState
from hub.domain.quality_profiles import DAY, DOME_ON_TOUR
from hub.maintenance.pictures.figures import PictureFigures
from hub.maintenance.pictures.timing import (
    BURST,
    ONE,
    STILL,
    frames_of,
    wait_after_check_s,
    wait_after_failure_s,
)
from hub.maintenance.pictures.transitions import Step

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 3_600.0
WELL = PictureState(device_id=7)
GONE = DeviceUnreachable("no route")


def suspected(index: Index) -> PictureState:
    fault = PictureFault(since=NOON, looks=1, score=80, threshold=50, why="")
    return replace(WELL, suspects={index: fault})


def test_looks_never_come_later_than_the_interval_and_drift_apart() -> None:
    rng = random.Random(1)
    waits = {wait_after_check_s(Step(state=WELL), HOUR, rng) for _ in range(100)}
    assert 0.95 * HOUR < min(waits) < max(waits) <= HOUR
    assert len(waits) > 90
    assert wait_after_check_s(Step(state=WELL, recheck_in_s=60), HOUR, rng) == 60
    assert wait_after_check_s(Step(state=WELL, recheck_in_s=600), 300, rng) <= 300


def test_a_camera_that_cannot_be_seen_is_tried_less_and_less_often_within_the_interval() -> None:
    state, at, waits = WELL, NOON, []
    for _ in range(6):
        wait_s = wait_after_failure_s(state, GONE, at, HOUR)
        waits.append(wait_s)
        state = replace(state, unseen="no route", tried_at=at)
        at += timedelta(seconds=wait_s)
    assert waits == [300, 600, 1_200, 2_400, 3_600, 3_600]
    assert wait_after_failure_s(WELL, GONE, NOON, 60) == 60
    assert wait_after_failure_s(WELL, DeviceBusy("later"), NOON, HOUR) == 900


@pytest.mark.threat("T28")
@pytest.mark.parametrize(
    "error", [AuthRejected("no"), AddressRefused("no"), UnsupportedByDevice("no"), None]
)
def test_what_trying_does_not_mend_waits_for_the_whole_interval(error: DeviceError | None) -> None:
    assert wait_after_failure_s(WELL, error, NOON, HOUR) == HOUR


@pytest.mark.threat("K10")
def test_a_clock_set_back_makes_no_wait_negative() -> None:
    state = replace(WELL, unseen="no route", tried_at=NOON + timedelta(days=400))
    assert wait_after_failure_s(state, GONE, NOON, HOUR) == 300


def test_one_frame_is_enough_but_for_what_only_several_show() -> None:
    assert frames_of(WELL, DAY, NOON, UTC) == ONE
    assert frames_of(suspected(Index.BLUR), DAY, NOON, UTC) == ONE
    assert frames_of(suspected(Index.FREEZE), DAY, NOON, UTC) == STILL
    assert frames_of(suspected(Index.JITTER), DAY, NOON, UTC) == BURST
    assert STILL.spacing_s >= 1
    assert BURST.count >= 3


def test_jitter_is_looked_for_once_a_day_each_camera_in_its_own_hour() -> None:
    day = [NOON + timedelta(hours=hour) for hour in range(24)]
    for number in range(48):
        camera = replace(WELL, device_id=number)
        bursts = [at for at in day if frames_of(camera, DAY, at, SHANGHAI) == BURST]
        assert [at.astimezone(SHANGHAI).hour for at in bursts] == [number % 24]
    assert not any(frames_of(WELL, DOME_ON_TOUR, at, UTC) == BURST for at in day)


def test_the_latest_shard_is_told_until_another_process_has_it() -> None:
    metrics = CollectorRegistry()
    figures = PictureFigures(metrics)

    def told() -> float | None:
        return metrics.get_sample_value("gengfu_picture_late_seconds")

    assert told() == 0
    figures.note_late(1, NOON, 1_900.0)
    figures.note_late(2, NOON, 3.0)
    assert told() == 1_900
    figures.note_late(1, NOON + timedelta(minutes=1), 0.0)
    assert told() == 3
    figures.note_late(1, NOON + timedelta(minutes=11), 1.0)
    assert told() == 1
