"""What holds of every climb, whoever is on duty and whenever somebody looks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.escalation.climbing import Told
from alerts.escalation.on_duty import Roster
from hub.domain.alerts import AlertStatus
from hub.domain.escalations import PolicyStep, build_steps, parse_steps
from tests.unit.climbing_story import (
    BOSS,
    COUNTY,
    DAY,
    FIRING,
    NIGHT,
    OFFICER,
    ROSTER,
    T0,
    TOWN,
    VILLAGE,
    WORK,
    Story,
    at,
    duty,
    policy,
)

HOURS = st.sampled_from([None, WORK, NIGHT, DAY])
STEPS = st.lists(
    st.builds(
        PolicyStep,
        wait_s=st.integers(0, 40).map(lambda n: n * 60.0),
        climb=st.none() | st.integers(0, 4),
        receivers=st.sampled_from([(), (BOSS,), (BOSS, OFFICER)]),
        repeats=st.integers(0, 6),
        every_s=st.integers(1, 30).map(lambda n: n * 60.0),
        hours=HOURS,
        waits_for_hours=st.booleans(),
    ),
    min_size=1,
    max_size=5,
)
ROSTERS = st.builds(
    lambda village, town, county: replace(
        ROSTER,
        duties={
            VILLAGE: tuple(duty(11, one) for one in village),
            "city.county.town": tuple(duty(TOWN, one) for one in town),
            "city.county": tuple(duty(COUNTY, one) for one in county),
        },
    ),
    *[st.lists(HOURS, max_size=2)] * 3,
)
LOOKS = st.lists(st.integers(0, 3 * 1440), max_size=30).map(sorted)
HORIZON = 8 * 1440


def counted(told: Sequence[Told]) -> tuple[list[tuple[int, datetime, tuple[int, ...]]], int]:
    """The steps with whom they reach at their moment, and how many repeats there were."""
    firsts = [
        (one.step, one.planned_at, tuple(r for r in one.receivers if r not in one.late))
        for one in told
        if one.repeat == 0
    ]
    return firsts, sum(one.missed + (one.repeat > 0) for one in told)


@settings(max_examples=50, deadline=None)
@given(STEPS, ROSTERS, LOOKS, st.none() | st.integers(1, 200), st.none() | st.integers(1, 2000))
def test_what_is_told_does_not_depend_on_when_somebody_looks(
    steps: list[PolicyStep],
    roster: Roster,
    looks: list[int],
    acknowledge_min: int | None,
    resolve_min: int | None,
) -> None:
    standing = replace(
        FIRING,
        acknowledge_by=None if acknowledge_min is None else at(acknowledge_min),
        resolve_by=None if resolve_min is None else at(resolve_min),
    )
    watched = Story(policy(*steps), standing, roster)
    now = T0
    while watched.climb is not None and watched.climb.due_at <= at(HORIZON):
        now = max(now, watched.climb.due_at)
        watched.look(now)
    visited = Story(policy(*steps), standing, roster)
    for minute in [*looks, HORIZON]:
        visited.look(at(minute))
    assert counted(visited.told) == counted(watched.told)
    moments = [one.planned_at for one in visited.told]
    assert moments == sorted(moments)


@settings(max_examples=50, deadline=None)
@given(STEPS, ROSTERS, LOOKS, st.integers(0, 1440))
def test_nothing_is_told_once_it_is_taken(
    steps: list[PolicyStep], roster: Roster, looks: list[int], taken_min: int
) -> None:
    untaken = Story(policy(*steps), roster=roster)
    story = Story(policy(*steps), roster=roster)
    for minute in [one for one in looks if one < taken_min]:
        assert story.look(at(minute)) == untaken.look(at(minute))
    story.standing = replace(FIRING, status=AlertStatus.ACKNOWLEDGED)
    assert [story.look(at(taken_min + n)) for n in (0, 1, HORIZON)] == [[], [], []]
    assert story.climb is None


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_steps_survive_the_way_to_the_database(steps: list[PolicyStep]) -> None:
    raw = build_steps(steps)
    assert parse_steps([one for one in raw if isinstance(one, dict)]) == tuple(steps)


def test_a_deadline_that_passes_between_repeats_is_told_after_the_last_of_them() -> None:
    step = PolicyStep(wait_s=0.0, receivers=(BOSS,), repeats=1, every_s=120.0)
    visited = Story(policy(step), replace(FIRING, resolve_by=at(1)), ROSTER)
    for minute in (0, HORIZON):
        visited.look(at(minute))
    assert [one.planned_at for one in visited.told] == [at(0), at(2), at(2)]
