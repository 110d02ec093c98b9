"""What becomes of a stop that the machine looked at: every mode, every doubt."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import (
    PatrolMode,
    PatrolRound,
    PatrolStop,
    Result,
    RoundState,
    SecondLook,
    Timing,
    Verdict,
)
from hub.patrols.walking.orders import DOUBTFUL
from hub.patrols.walking.ruling import rule, time_look
from hub.store.stops import StopResult

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
WALK = PatrolRound(
    id=1,
    plan_id=1,
    plan_name="零点夜查",
    area_id=1,
    area_path="c",
    area_name="某县",
    time_zone="Asia/Shanghai",
    window_s=600,
    seconds_per_stop=5.0,
    planned_at=NOW,
    state=RoundState.RUNNING,
)
STOP = PatrolStop(round_id=1, position=1, device_id=1, device_name="村口", area_name="安平村")
SEEN = StopResult(round_id=1, position=1, verdict=Verdict.SEEN, reason="", at=NOW, has_picture=True)
DOUBTED = replace(SEEN, doubt=DOUBTFUL, kind="something_moving")
DOWN = replace(SEEN, verdict=Verdict.NOT_SEEN, reason="cannot be reached", kind="camera_down")
DRAWN = replace(STOP, is_drawn=True)
AGAIN = replace(STOP, is_for_person=True)


@pytest.mark.parametrize(
    ("mode", "stop", "found", "expected"),
    [
        (PatrolMode.MACHINE, STOP, SEEN, (Result.NORMAL, "")),
        (PatrolMode.MACHINE, DRAWN, SEEN, (Result.NORMAL, "")),
        (PatrolMode.MACHINE, STOP, DOUBTED, (Result.ABNORMAL, "something_moving")),
        (PatrolMode.MACHINE, STOP, replace(DOUBTED, kind=""), (Result.NOT_JUDGED, "")),
        (PatrolMode.MACHINE, STOP, DOWN, (Result.ABNORMAL, "camera_down")),
        (PatrolMode.MACHINE, AGAIN, SEEN, None),
        (PatrolMode.WALK, STOP, SEEN, None),
        (PatrolMode.WALK, STOP, DOWN, None),
        (PatrolMode.MIXED, STOP, replace(SEEN, doubt=DOUBTFUL - 0.1), (Result.NORMAL, "")),
        (PatrolMode.MIXED, STOP, DOUBTED, None),
        (PatrolMode.MIXED, DRAWN, SEEN, None),
        (PatrolMode.MIXED, AGAIN, SEEN, None),
        (PatrolMode.SAMPLED, STOP, DOWN, (Result.ABNORMAL, "camera_down")),
        (PatrolMode.SAMPLED, DRAWN, DOWN, None),
    ],
)
def test_who_judges_a_stop_and_what_the_machine_says(
    mode: PatrolMode,
    stop: PatrolStop,
    found: StopResult,
    expected: tuple[Result, str] | None,
) -> None:
    ruling = rule(replace(WALK, mode=mode), stop, found, rng=random.Random(1))
    if expected is None:
        assert ruling.is_for_person
        assert (ruling.result, ruling.timing) == (Result.OPEN, Timing.NONE)
    else:
        assert not ruling.is_for_person
        assert (ruling.result, ruling.kind) == expected


def test_the_machine_is_late_never_early() -> None:
    walk = replace(WALK, details=PlanDetails(tolerance_s=60), ends_by=NOW + timedelta(hours=1))
    stop = replace(STOP, due_at=NOW)

    def at(seconds: float) -> Timing:
        return time_look(walk, stop, NOW + timedelta(seconds=seconds))

    assert [at(s) for s in (-3000, 60, 61, 3600, 3601)] == [
        Timing.ON_TIME,
        Timing.ON_TIME,
        Timing.LATE,
        Timing.LATE,
        Timing.MISSED,
    ]
    assert time_look(replace(walk, ends_by=None), STOP, NOW + timedelta(days=1)) is Timing.ON_TIME


def test_a_share_of_what_the_machine_judges_is_looked_at_again() -> None:
    walk, rng = replace(WALK, details=PlanDetails(second_share=0.25)), random.Random(7)
    looks = [rule(walk, STOP, SEEN, rng=rng).second_look for _ in range(400)]
    assert 70 <= looks.count(SecondLook.WANTED) <= 130
