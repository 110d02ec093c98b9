"""Whether what a point reads is plausible: pure, with times given."""

import math
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from hub.maintenance.point_limits import (
    NO_FAULTS,
    Faults,
    Learnt,
    Limits,
    PointFault,
    is_contact,
    may_rest,
)
from hub.maintenance.points import (
    DAY_S,
    LATE_S,
    DeviceWatch,
    PointWatch,
    say_fault,
    take_readings,
)
from hub.store.events import ReadingRow

START = datetime(2026, 11, 22, tzinfo=UTC)
OUT, STUCK, SILENT = PointFault.OUT_OF_RANGE, PointFault.STUCK, PointFault.SILENT
HOUR_S = 3_600.0


class Site:
    """One device with its points; every ``pass_s`` a look at it, as the keeper does."""

    def __init__(self, *limits: Limits, learnt: Learnt | None = None) -> None:
        self.now = 1_000.0
        points = [
            PointWatch.resume(
                about=(number, f"p{number}", "°C"),
                limits=one,
                learnt=learnt or Learnt(),
                opened=NO_FAULTS,
                now=self.now,
            )
            for number, one in enumerate(limits)
        ]
        self.watches = {point.point_id: point for point in points}
        self.device = DeviceWatch(
            device_id=1, name="s", area_id=1, area_path="a", points=points, heard_at=self.now
        )

    def read(self, value: float, *, point: int = 0, after_s: float = 10.0) -> Faults:
        """A reading comes in time; return what is wrong with its point after a look."""
        self.now += after_s
        return self.read_at(value, START + timedelta(seconds=self.now), point=point)

    def read_at(self, value: float, at: datetime, *, point: int = 0) -> Faults:
        row = ReadingRow(device_id=1, point_id=point, at=at, value=value)
        assert take_readings(self.watches, [row], self.now) == {}
        return self.look(point)

    def look(self, point: int = 0) -> Faults:
        for one in self.device.sweep():
            one.opened = one.judge()
        return self.watches[point].opened

    def read_all(self, values: Iterable[float], *, after_s: float = 10.0) -> list[Faults]:
        return [self.read(value, after_s=after_s) for value in values]


# range ----------------------------------------------------------------------------------------


def test_one_reading_out_of_range_is_a_blip_and_two_are_a_fault() -> None:
    site = Site(Limits(low=0, high=50))
    assert site.read_all([20, 51, 20, 51]) == [NO_FAULTS] * 4
    assert site.read(52) == {OUT}
    assert say_fault(OUT, site.watches[0]) == "p0 reads 52 °C, above its limit of 50 °C"


def test_it_is_over_with_one_reading_that_is_clearly_inside() -> None:
    site = Site(Limits(low=0, high=50))
    site.read_all([60, 60])
    assert site.read(49.5) == {OUT}  # within 2 % of the range's width from the limit
    assert site.read(48.9) == NO_FAULTS


def test_below_the_range_says_which_limit() -> None:
    site = Site(Limits(low=-40))
    assert site.read_all([-127, -127])[-1] == {OUT}
    assert say_fault(OUT, site.watches[0]) == "p0 reads -127 °C, below its limit of -40 °C"
    assert site.read(-40) == {OUT}
    assert site.read(-39) == NO_FAULTS


def test_the_same_reading_twice_counts_once() -> None:
    site = Site(Limits(high=50))
    at = START + timedelta(hours=1)
    assert site.read_at(60, at) == NO_FAULTS
    assert site.read_at(60, at) == NO_FAULTS


def test_limits_that_contradict_each_other_judge_nothing() -> None:
    site = Site(Limits(low=50, high=10))
    assert site.read_all([20, 20, 0, 0, 99, 99])[-1] == NO_FAULTS


def test_new_limits_end_and_begin_faults() -> None:
    site = Site(Limits(high=50))
    site.read_all([60, 60])
    site.watches[0].set_limits(Limits(high=80))
    assert site.read(60) == NO_FAULTS
    site.watches[0].set_limits(Limits())
    assert site.read_all([1e9, 1e9])[-1] == NO_FAULTS
    site.watches[0].set_limits(Limits(high=50))
    assert site.read_all([60, 60])[-1] == {OUT}
    site.watches[0].set_limits(Limits())
    assert site.read(60) == NO_FAULTS


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_breaks_nothing(odd: float) -> None:
    site = Site(Limits(low=0, high=50), learnt=well_known(60))
    assert site.read_all([20, odd, odd, odd, 20]) == [NO_FAULTS] * 5
    assert site.watches[0].anchor == 20
    bare = Site(Limits())
    assert bare.read_all([odd, odd, 1]) == [NO_FAULTS] * 3
    assert bare.watches[0].learnt().anchor == 1


# stuck ----------------------------------------------------------------------------------------


def well_known(longest_s: float) -> Learnt:
    return Learnt(observed_s=DAY_S, changes=1_000, longest_s=longest_s, anchor=0.5, is_binary=False)


def rest(site: Site, value: float, seconds: float, *, after_s: float = 10.0) -> Faults:
    found = NO_FAULTS
    for _ in range(round(seconds / after_s)):
        found = site.read(value, after_s=after_s)
    return found


def test_unchanged_for_longer_than_set_is_stuck_and_a_change_ends_it() -> None:
    site = Site(Limits(stuck_after_s=600))
    assert rest(site, 21.5, 600) == NO_FAULTS
    assert site.read_all([21.5, 21.5])[-1] == {STUCK}
    assert say_fault(STUCK, site.watches[0]) == "p0 has read 21.5 °C without a change for 10 min"
    assert site.read(21.6) == NO_FAULTS


def test_a_change_within_the_spread_is_none_but_a_slow_drift_is() -> None:
    site = Site(Limits(stuck_after_s=600, spread=0.25))
    found = [site.read(21.5 + 0.1 * (n % 3 - 1)) for n in range(70)]
    assert found[-1] == {STUCK}
    drifting = Site(Limits(stuck_after_s=600, spread=0.25))
    assert {drifting.read(21.5 + 0.01 * n) for n in range(500)} == {NO_FAULTS}


def test_zero_never_judges() -> None:
    site = Site(Limits(stuck_after_s=0), learnt=well_known(60))
    assert rest(site, 1.0, 10 * HOUR_S) == NO_FAULTS


def test_without_a_setting_six_times_the_usual_rest_is_stuck() -> None:
    site = Site(Limits(), learnt=well_known(1_000))
    site.read(1.0)
    assert rest(site, 1.0, 6_000) == NO_FAULTS
    assert rest(site, 1.0, 20) == {STUCK}


def test_never_before_an_hour() -> None:
    site = Site(Limits(), learnt=well_known(10))
    site.read(1.0)
    assert rest(site, 1.0, HOUR_S) == NO_FAULTS
    assert rest(site, 1.0, 20) == {STUCK}


def test_it_is_learnt_within_a_day_what_is_usual() -> None:
    site, rng = Site(Limits()), random.Random(1)
    while site.now < DAY_S + 2_000:
        rest(site, rng.gauss(20, 5), rng.choice([10, 60, 900]))
    assert site.watches[0].longest_s == pytest.approx(900, abs=200)
    site.read(0.123)
    assert rest(site, 0.123, 5_300) == NO_FAULTS
    assert rest(site, 0.123, 1_000) == {STUCK}


def test_before_a_day_nothing_is_known() -> None:
    site, rng = Site(Limits()), random.Random(1)
    for _ in range(1_000):
        site.read(rng.random())
    assert rest(site, 5.0, DAY_S - 2 * 10_000) == NO_FAULTS


def test_a_point_that_never_changed_is_not_judged() -> None:
    site = Site(Limits())
    assert rest(site, 7.0, 40 * DAY_S, after_s=600) == NO_FAULTS


def test_what_is_only_ever_zero_or_one_is_a_contact() -> None:
    site, rng = Site(Limits()), random.Random(1)
    for _ in range(10_000):
        site.read(float(rng.random() < 0.5))
    assert rest(site, 0.0, 3 * DAY_S, after_s=60) == NO_FAULTS


def test_what_may_rest_is_not_judged_unless_it_was_set() -> None:
    resting = Site(Limits(may_rest=True), learnt=well_known(60))
    assert rest(resting, 3.0, DAY_S) == NO_FAULTS
    told = Site(Limits(may_rest=True, stuck_after_s=HOUR_S), learnt=well_known(60))
    assert rest(told, 3.0, DAY_S) == {STUCK}


def test_a_fault_teaches_little_and_an_ordinary_rest_all_of_it() -> None:
    site = Site(Limits(), learnt=well_known(1_000))
    site.read(1.0)
    assert rest(site, 1.0, 3 * DAY_S, after_s=60) == {STUCK}
    assert site.read(2.0) == NO_FAULTS
    assert site.watches[0].today_s == 2_000
    rest(site, 3.0, 4_000)
    site.read(4.0)
    assert site.watches[0].today_s == pytest.approx(4_000, abs=20)


def test_what_was_usual_is_forgotten_slowly() -> None:
    site = Site(Limits(), learnt=well_known(50_000))
    for _ in range(15):
        for _ in range(int(DAY_S / 60)):
            site.read(site.now, after_s=60)
    assert site.watches[0].longest_s == pytest.approx(50_000 * 0.9**15, rel=0.15)


def test_a_gap_in_the_readings_is_no_rest() -> None:
    site = Site(Limits(expected_interval_s=10), learnt=well_known(60))
    site.read_all([1.0, 1.0])
    assert site.read(1.0, after_s=20 * HOUR_S) == NO_FAULTS
    assert site.read_all([1.0, 1.0, 2.0])[-1] == NO_FAULTS
    assert site.watches[0].today_s < 100


def test_a_value_that_hangs_outside_its_range_is_one_fault() -> None:
    site = Site(Limits(high=50, stuck_after_s=600))
    assert rest(site, 85.0, HOUR_S) == {OUT}


# silence --------------------------------------------------------------------------------------


def test_one_point_of_a_device_that_goes_on_reporting_is_silent() -> None:
    site = Site(Limits(expected_interval_s=10), Limits(expected_interval_s=10))
    for _ in range(5):
        site.read(1, point=0)
        site.read(2, point=1, after_s=0.001)
    for _ in range(3):
        site.read(3, point=0)
        assert site.look(1) == NO_FAULTS
    site.read(3, point=0)
    assert site.look(1) == {SILENT}
    text = "p1 is silent, expected every 10 s, while its device reports"
    assert say_fault(SILENT, site.watches[1]) == text
    assert site.read(4, point=1) == NO_FAULTS


def test_a_silent_device_has_no_silent_points() -> None:
    site = Site(Limits(expected_interval_s=10), Limits(expected_interval_s=10))
    site.read(1, point=0)
    site.read(1, point=1, after_s=0.001)
    site.now += DAY_S
    assert site.look(0) == site.look(1) == NO_FAULTS
    # It comes back; its points report one after the other.
    assert site.read(1, point=0) == NO_FAULTS
    assert site.look(1) == NO_FAULTS
    assert site.read(1, point=1, after_s=5) == NO_FAULTS


def test_a_point_without_an_interval_is_never_silent() -> None:
    site = Site(Limits(expected_interval_s=10), Limits())
    site.read(1, point=1)
    assert rest(site, 1.0, DAY_S) == NO_FAULTS
    assert site.look(1) == NO_FAULTS


# clocks ---------------------------------------------------------------------------------------


def test_what_comes_late_is_not_judged() -> None:
    site = Site(Limits(high=50))
    site.read(20)
    old = START - timedelta(hours=5)
    for second in range(100):
        assert site.read_at(99, old + timedelta(seconds=second)) == NO_FAULTS
        assert site.read(20) == NO_FAULTS


def test_a_clock_that_was_set_back_is_believed_after_a_while_and_makes_no_fault() -> None:
    both = Limits(expected_interval_s=10, stuck_after_s=60, high=50)
    site = Site(both, both)
    site.read(20, point=1)
    site.read_at(20, START + timedelta(days=400))
    faults = set[PointFault]()
    for turn in range(60):
        site.now += 10
        at = START + timedelta(seconds=site.now)
        faults |= site.read_at(20 + turn % 7, at) | site.read(turn % 7, point=1, after_s=0.001)
    assert faults == set()
    assert site.read_all([60, 60])[-1] == {OUT}
    assert LATE_S < 600


def test_a_reading_from_the_future_makes_no_fault() -> None:
    site = Site(Limits(high=50, stuck_after_s=60))
    assert site.read_at(20, START + timedelta(days=4_000)) == NO_FAULTS
    assert site.read_all([21, 22, 23]) == [NO_FAULTS] * 3


# going on -------------------------------------------------------------------------------------


def test_a_fault_outlives_a_restart_and_ends_as_usual() -> None:
    for fault, limits, well in (
        (OUT, Limits(high=50), 20.0),
        (STUCK, Limits(stuck_after_s=600), 20.0),
        (SILENT, Limits(expected_interval_s=10), 7.0),
    ):
        watch = PointWatch.resume(
            about=(0, "p0", ""),
            limits=limits,
            learnt=Learnt(still_s=100, anchor=7.0),
            opened=frozenset({fault}),
            now=5.0,
        )
        assert watch.judge() == {fault}
        site = Site(limits)
        site.watches[0] = watch
        site.device.points[:] = [watch]
        site.device.heard_at = None
        site.now = 6.0
        site.read(60.0 if fault is OUT else 7.0)
        assert site.look() == ({fault} if fault is not SILENT else NO_FAULTS)
        assert site.read(well) == NO_FAULTS


def test_what_was_learnt_goes_on_where_it_was() -> None:
    site = Site(Limits(), learnt=well_known(60))
    site.read(1.0)
    rest(site, 1.0, 3_000)
    again = Site(Limits(), learnt=site.watches[0].learnt())
    assert rest(again, 1.0, 500) == NO_FAULTS
    assert rest(again, 1.0, 200) == {STUCK}


def test_readings_of_unknown_points_are_named() -> None:
    rows = [ReadingRow(device_id=4, point_id=n, at=START, value=1) for n in (7, 8, 7)]
    assert take_readings({}, rows, 0.0) == {7: 4, 8: 4}


@pytest.mark.parametrize(
    ("key", "quantity", "rests"),
    [
        ("door", "", True),
        ("d1", "door contact", True),
        ("x", "门磁", True),
        ("pulse_count", "", True),
        ("energy-total", "", True),
        ("bat", "battery", True),
        ("temp", "temperature", False),
        ("outdoor", "temperature", False),
        ("level", "water level", False),
        ("gasket_temp", "", False),
        ("t", "温度", False),
    ],
)
def test_what_may_rest_is_known_by_its_words(key: str, quantity: str, *, rests: bool) -> None:
    assert may_rest(key, quantity) is rests


@pytest.mark.parametrize(
    ("key", "speaks"), [("door", False), ("水浸1", False), ("rain_total", True)]
)
def test_a_contact_may_speak_only_when_it_changes(key: str, *, speaks: bool) -> None:
    assert is_contact(key, "") is not speaks
