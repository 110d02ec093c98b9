"""How long a round of a plan takes, and whether it fits."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.domain.patrol_details import PlanDetails, RollCall
from hub.domain.patrols import PatrolMode, PatrolPlan
from hub.patrols.planning.forecast import describe_s, forecast
from hub.store.patrol_candidates import Medians

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
NIGHTLY = PatrolPlan(
    name="夜查",
    area_id=1,
    rrule="FREQ=DAILY",
    time_zone="Asia/Shanghai",
    starts_on=date(2026, 11, 1),
    lasts_s=10_800,
)


def test_a_walk_takes_what_a_person_is_given_for_each_stop() -> None:
    thought = forecast(replace(NIGHTLY, mode=PatrolMode.WALK), 1800, Medians(), NOW)
    assert (thought.stops_for_people, thought.person_s, thought.takes_s) == (1800, 9000, 9000)
    assert thought.fits
    assert thought.given_s == 10_800
    assert thought.warnings == ()


def test_a_walk_that_does_not_fit_says_by_how_much() -> None:
    """The round must be done within three hours: 2,400 stops of 5 s take 20 minutes more."""
    thought = forecast(replace(NIGHTLY, mode=PatrolMode.WALK), 2400, Medians(), NOW)
    assert not thought.fits
    assert thought.over_s == 1200
    (said,) = thought.warnings
    assert "takes 3 h 20 min" in said
    assert "within 3 h 00 min" in said
    assert "20 min too long" in said


def test_a_round_that_runs_into_the_next_says_that_it_would_be_missed() -> None:
    hourly = replace(NIGHTLY, rrule="FREQ=DAILY;BYHOUR=0,1", lasts_s=None, mode=PatrolMode.WALK)
    thought = forecast(hourly, 1000, Medians(), NOW)
    assert thought.given_s == 3600
    assert thought.over_s == 1400
    assert "the next would be missed" in thought.warnings[0]


def test_a_round_that_fits_only_when_begun_in_time_says_so() -> None:
    thought = forecast(replace(NIGHTLY, mode=PatrolMode.WALK, window_s=3600), 1800, Medians(), NOW)
    assert thought.fits
    assert "begun late" in thought.warnings[0]


def test_machine_and_people_work_at_the_same_time() -> None:
    mixed = replace(
        NIGHTLY, mode=PatrolMode.MIXED, details=PlanDetails(random_share=0.1), seconds_per_stop=20
    )
    assumed = forecast(mixed, 1000, Medians(), NOW)
    # A tenth is shown anyway; of the others a tenth raises a doubt.
    assert assumed.stops_for_people == 190
    assert assumed.person_s == 3800
    assert assumed.takes_s == max(assumed.machine_s, assumed.person_s)
    by_machine = forecast(replace(mixed, mode=PatrolMode.MACHINE), 1000, Medians(), NOW)
    assert (by_machine.stops_for_people, by_machine.person_s) == (0, 0)
    assert by_machine.takes_s == by_machine.machine_s > 0


def test_what_was_measured_counts_for_more_than_what_was_assumed() -> None:
    mixed = replace(NIGHTLY, mode=PatrolMode.MIXED)
    past = Medians(rounds=4, machine_s=2.0, person_s=30.0, person_share=0.25)
    thought = forecast(mixed, 400, past, NOW)
    assert thought.measured_rounds == 4
    assert (thought.machine_s, thought.stops_for_people, thought.person_s) == (800, 100, 3000)
    assert thought.takes_s == 3000


def test_a_plan_without_a_bound_always_fits() -> None:
    once = replace(NIGHTLY, rrule="FREQ=DAILY;COUNT=1", starts_on=date(2026, 12, 1), lasts_s=None)
    thought = forecast(once, 100_000, Medians(), NOW)
    assert thought.given_s is None
    assert thought.fits


def test_a_plan_without_stops_says_so() -> None:
    assert "no stops" in forecast(NIGHTLY, 0, Medians(), NOW).warnings[0]


def test_a_roll_call_that_outlasts_the_round_is_told() -> None:
    call = RollCall(answer_s=900, spread_s=10_500)
    plan = replace(NIGHTLY, details=PlanDetails(roll_call=call))
    (said,) = forecast(plan, 10, Medians(), NOW).warnings
    assert "10 min after the round must be done" in said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (3599, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_times_read_as_people_say_them(seconds: float, said: str) -> None:
    assert describe_s(seconds) == said
