"""How a stop kept its time: pure, and nobody is late for a pause."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolMode, PatrolRound, PatrolStop, RoundState, Timing
from hub.patrols.walking.timing import paused_until, time_stop, working_time

DUE = datetime(2026, 11, 22, 16, 10, tzinfo=UTC)
WALK = PatrolRound(
    id=1,
    plan_id=1,
    plan_name="零点夜查",
    area_id=1,
    area_path="c",
    area_name="某县",
    time_zone="Asia/Shanghai",
    window_s=600,
    seconds_per_stop=5,
    planned_at=DUE - timedelta(minutes=10),
    state=RoundState.RUNNING,
    mode=PatrolMode.WALK,
    details=PlanDetails(tolerance_s=60),
    ends_by=DUE + timedelta(hours=1),
)
STOP = PatrolStop(
    round_id=1, position=7, device_id=1, device_name="村口", area_name="安平村", due_at=DUE
)


def timed(off_s: float, walk: PatrolRound = WALK, *, has_open_before: bool = False) -> Timing:
    return time_stop(walk, STOP, at=DUE + timedelta(seconds=off_s), has_open_before=has_open_before)


@pytest.mark.parametrize(
    ("off_s", "timing"),
    [
        (-60.001, Timing.EARLY),
        (-60, Timing.ON_TIME),
        (0, Timing.ON_TIME),
        (60, Timing.ON_TIME),
        (60.001, Timing.LATE),
        (3600, Timing.LATE),
        (3600.001, Timing.MISSED),
    ],
)
def test_a_stop_is_on_time_within_its_tolerance(off_s: float, timing: Timing) -> None:
    assert timed(off_s) is timing


@pytest.mark.parametrize(
    ("off_s", "timing"),
    [(-500, Timing.OUT_OF_ORDER), (0, Timing.OUT_OF_ORDER), (61, Timing.LATE)],
)
def test_whoever_jumps_ahead_is_out_of_order_but_lateness_says_more(
    off_s: float, timing: Timing
) -> None:
    assert timed(off_s, has_open_before=True) is timing


@pytest.mark.parametrize("mode", [PatrolMode.MIXED, PatrolMode.SAMPLED])
def test_where_the_machine_sorts_by_doubt_nothing_is_out_of_order(mode: PatrolMode) -> None:
    assert timed(0, replace(WALK, mode=mode), has_open_before=True) is Timing.ON_TIME


def test_a_pause_makes_nobody_late_and_does_not_move_the_window() -> None:
    paused = replace(WALK, paused_s=1200.0)
    assert timed(1260, paused) is Timing.ON_TIME
    assert timed(1261, paused) is Timing.LATE
    assert timed(0, paused) is Timing.EARLY
    assert timed(3601, paused) is Timing.MISSED


def test_a_pause_that_lasts_counts_and_a_clock_set_back_takes_nothing_off() -> None:
    walk = replace(WALK, paused_s=10.0, paused_at=DUE)
    assert paused_until(walk, DUE + timedelta(seconds=30)) == 40.0
    assert paused_until(walk, DUE - timedelta(hours=1)) == 10.0


def test_without_a_time_or_a_window_a_stop_is_on_time() -> None:
    stop, walk = replace(STOP, due_at=None), replace(WALK, ends_by=None)
    at = DUE + timedelta(days=1)
    assert time_stop(walk, stop, at=at, has_open_before=False) is Timing.ON_TIME


@settings(max_examples=50, deadline=None)
@given(off_s=st.integers(-7200, 3000), pauses=st.lists(st.integers(0, 900), max_size=4))
def test_whoever_pauses_is_timed_as_if_he_had_not(off_s: int, pauses: list[int]) -> None:
    endless = replace(WALK, ends_by=None)
    at = DUE + timedelta(seconds=off_s)
    paused = replace(endless, paused_s=float(sum(pauses)))
    later = at + timedelta(seconds=sum(pauses))
    assert working_time(paused, later) == at
    assert time_stop(paused, STOP, at=later, has_open_before=False) is time_stop(
        endless, STOP, at=at, has_open_before=False
    )
