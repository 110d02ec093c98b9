"""When a fault of a picture is believed, and when it is over."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.quality import Finding, Index, Mode, PictureCheck, PictureState
from hub.maintenance.pictures.transitions import (
    ALL,
    CONFIRMATIONS,
    DEFAULT,
    Confirmation,
    Confirming,
    Step,
    step,
)

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BLANK = PictureState(device_id=7)
BAD, GOOD = 80.0, 10.0


def found(index: Index, score: float) -> Finding:
    return Finding(index=index, score=score, threshold=50.0, why=f"score {score:.0f}")


def check(*findings: Finding) -> PictureCheck:
    return PictureCheck(
        mode=Mode.INFRARED, width=1920, height=1080, findings=findings, fingerprint=b"seen"
    )


def after_s(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def walk(
    index: Index, looks: Sequence[tuple[float, float | None]], state: PictureState = BLANK
) -> list[Step]:
    """Look at these seconds with these scores; None: the index could not be judged."""
    steps = []
    for at, score in looks:
        findings = () if score is None else (found(index, score),)
        steps.append(step(state, check(*findings), after_s(at)))
        state = steps[-1].state
    return steps


def standing(index: Index = Index.BLUR) -> PictureState:
    """A camera with a confirmed fault, seen last at NOON."""
    spacing_s = DEFAULT.spacing_s(index)
    looks = DEFAULT.looks_of(index)
    steps = walk(index, [((n - looks + 1) * spacing_s, BAD) for n in range(looks)])
    assert [finding.index for finding in steps[-1].began] == [index]
    return steps[-1].state


def test_a_fault_is_believed_at_the_second_look_and_since_the_first() -> None:
    first, second = walk(Index.BLUR, [(0, BAD), (60, BAD + 5)])
    assert (first.began, first.recheck_in_s) == ((), 60.0)
    assert first.state.faults == {}
    assert second.began == (found(Index.BLUR, BAD + 5),)
    fault = second.state.faults[Index.BLUR]
    assert (fault.since, fault.looks, fault.score) == (NOON, 2, BAD + 5)
    assert fault.why == "score 85"
    assert second.state.suspects == {}
    assert second.recheck_in_s == 60.0, "once more soon: a crash may keep it from being told"


def test_what_was_seen_is_on_the_state() -> None:
    seen = walk(Index.BLUR, [(0, GOOD)], replace(BLANK, unseen="no route"))[0].state
    assert (seen.tried_at, seen.checked_at, seen.mode) == (NOON, NOON, Mode.INFRARED)
    assert (seen.width, seen.height, seen.fingerprint) == (1920, 1080, b"seen")
    assert (seen.findings, seen.unseen) == ((found(Index.BLUR, GOOD),), "")


@pytest.mark.parametrize("index", Index)
def test_every_index_has_its_number_of_looks_and_its_pause(index: Index) -> None:
    looks, spacing_s = DEFAULT.looks_of(index), DEFAULT.spacing_s(index)
    steps = walk(index, [(n * spacing_s, BAD) for n in range(looks)])
    assert [bool(one.began) for one in steps] == [False] * (looks - 1) + [True]
    assert all(one.recheck_in_s == spacing_s for one in steps[:-1])
    # In haste, looks are one look however many they are.
    hasty = walk(index, [(n * (spacing_s - 1) / 20, BAD) for n in range(20)])
    assert not any(one.began for one in hasty)


def test_what_compares_with_a_baseline_is_asked_three_times_over_ten_minutes() -> None:
    for index in (Index.OCCLUSION, Index.SCENE):
        assert DEFAULT.looks_of(index) == 3
        assert 2 * DEFAULT.spacing_s(index) >= 600
    assert DEFAULT.spacing_s(Index.FREEZE) >= 600
    assert all(one.looks >= 2 for one in CONFIRMATIONS.values()), "a single look alarms nobody"
    assert CONFIRMATIONS.keys() == ALL


SLIGHT, SEVERE = 60.0, 75.0


def test_a_slight_cover_must_have_lasted_for_hours() -> None:
    looks = [(0, SLIGHT), (300, SLIGHT), (600, SLIGHT), (7_200, SLIGHT), (10_800, SLIGHT)]
    steps = walk(Index.OCCLUSION, looks)
    assert [bool(one.began) for one in steps] == [False] * 4 + [True]
    assert [one.recheck_in_s for one in steps[:4]] == [300.0, 300.0, 10_200.0, 3_600.0]
    assert steps[-1].state.faults[Index.OCCLUSION].since == NOON
    moved_on = walk(Index.OCCLUSION, [*looks[:4], (9_000, GOOD), (10_800, SLIGHT)])[-1]
    assert not moved_on.began
    assert moved_on.state.suspects[Index.OCCLUSION].since == after_s(10_800)


def test_a_lorry_that_passes_a_parked_car_does_not_make_it_severe() -> None:
    parked = [(0.0, SLIGHT), (300.0, SLIGHT), (600.0, SLIGHT)]
    passing = walk(Index.OCCLUSION, [*parked, (3_600, SEVERE), (3_900, SLIGHT)])
    assert not any(one.began for one in passing)
    assert passing[3].recheck_in_s == 300.0, "three looks of its own are needed"
    stays = walk(Index.OCCLUSION, [*parked, (3_600, SEVERE), (3_900, SEVERE), (4_200, SEVERE)])
    assert [bool(one.began) for one in stays] == [False] * 5 + [True]


def test_headlights_alarm_nobody() -> None:
    steps = walk(Index.BRIGHT, [(0, BAD), (300, GOOD), (600, BAD), (900, GOOD)])
    assert not any(one.began or one.ended for one in steps)
    assert steps[-1].state.suspects == {}


def test_a_look_at_the_threshold_is_a_fault_and_just_below_it_neither() -> None:
    """Near the threshold neither begins nor ends anything: no flapping by noise."""
    assert walk(Index.BLUR, [(0, 50.0), (60, 50.0)])[-1].began
    steps = walk(Index.BLUR, [(60, 48.0), (120, 49.9), (180, 47.0)], standing())
    assert not any(one.ended or one.state.mending for one in steps)
    assert [one.ended for one in walk(Index.BLUR, [(60, 46.9), (120, 46.9)], standing())] == [
        (),
        (Index.BLUR,),
    ]


def test_a_low_threshold_can_be_undercut_too() -> None:
    confirm = Confirming()
    assert confirm.is_good(replace(found(Index.NOISE, 1.7), threshold=2.0))
    assert not confirm.is_good(replace(found(Index.NOISE, 1.9), threshold=2.0))


def test_a_fault_is_over_after_two_good_looks_a_pause_apart() -> None:
    first, hasty, second = walk(Index.BLUR, [(60, GOOD), (70, GOOD), (130, GOOD)], standing())
    assert (first.ended, first.state.mending) == ((), {Index.BLUR: 1})
    assert first.recheck_in_s == 60.0
    assert (hasty.ended, hasty.state.mending) == ((), {Index.BLUR: 1})
    assert (second.ended, second.state.mending) == ((Index.BLUR,), {})
    assert second.state.faults == {}


def test_a_bad_look_between_good_ones_begins_the_mending_anew() -> None:
    steps = walk(Index.BLUR, [(60, GOOD), (120, BAD), (180, GOOD), (240, GOOD)], standing())
    assert [one.ended for one in steps] == [(), (), (), (Index.BLUR,)]
    assert steps[1].state.faults[Index.BLUR].looks == 3


def test_a_fault_that_cannot_be_judged_stands_and_ends_unknown_after_three_days() -> None:
    day = 86_400.0
    steps = walk(Index.BLUR, [(day, None), (2.9 * day, None), (3 * day, None)], standing())
    assert [one.ended for one in steps] == [(), (), (Index.BLUR,)]
    assert steps[0].recheck_in_s is None, "nor is it looked for in haste"
    seen = walk(Index.BLUR, [(2 * day, BAD), (3 * day, None)], standing())
    assert seen[-1].ended == ()


def test_a_good_look_is_not_lost_by_one_that_could_not_judge() -> None:
    steps = walk(Index.BLUR, [(60, GOOD), (120, None), (180, GOOD)], standing())
    assert [one.ended for one in steps] == [(), (), (Index.BLUR,)]
    assert steps[1].recheck_in_s is None


def test_while_the_signal_is_lost_other_faults_stay_as_they_are() -> None:
    state = standing()
    for hour in range(3, 200, 3):
        lost = step(state, check(found(Index.SIGNAL, 100)), after_s(hour * 3_600))
        state = lost.state
        assert lost.ended == ()
    assert state.faults.keys() == {Index.SIGNAL, Index.BLUR}
    back = [found(Index.SIGNAL, 0), found(Index.BLUR, BAD)]
    for minute in range(2):
        state = step(state, check(*back), after_s(9 * 86_400 + 60 * minute)).state
    assert state.faults.keys() == {Index.BLUR}
    assert state.faults[Index.BLUR].since == after_s(-60), "it is the same fault still"


def test_an_index_nobody_wants_judged_any_more_is_over_at_once() -> None:
    taken = step(standing(), check(), after_s(60), judged=ALL - {Index.BLUR})
    assert (taken.ended, taken.state.faults) == ((Index.BLUR,), {})
    suspected = walk(Index.BLUR, [(0, BAD)])[0].state
    dropped = step(suspected, check(), after_s(60), judged=frozenset())
    assert (dropped.ended, dropped.state.suspects) == ((), {})


def test_an_old_suspicion_is_dropped_and_one_that_was_not_judged_waits() -> None:
    waiting, again = walk(Index.SCENE, [(0, BAD), (3_600, None)])
    assert again.state.suspects == waiting.state.suspects
    assert again.recheck_in_s is None
    late = walk(Index.BLUR, [(0, BAD), (7 * 3_600, BAD)])[-1]
    assert not late.began
    assert late.state.suspects[Index.BLUR].since == after_s(7 * 3_600)


def test_the_camera_s_own_opinion_is_a_look() -> None:
    said = {Index.BLUR: NOON}
    begun = step(BLANK, check(found(Index.BLUR, BAD)), after_s(60), said)
    assert begun.began
    assert begun.state.faults[Index.BLUR].since == NOON
    early = step(BLANK, check(found(Index.BLUR, BAD)), after_s(10), said)
    assert (early.began, early.recheck_in_s) == ((), 50.0)


@pytest.mark.parametrize("said_at", [NOON - timedelta(hours=2), NOON + timedelta(hours=1)])
def test_an_opinion_too_old_or_of_the_future_does_not_count(said_at: datetime) -> None:
    taken = step(BLANK, check(found(Index.BLUR, BAD)), NOON, {Index.BLUR: said_at})
    assert not taken.began
    assert taken.state.suspects[Index.BLUR].since == NOON


def test_an_opinion_counts_once_and_not_against_a_later_look() -> None:
    said = {Index.SCENE: NOON}
    first = step(BLANK, check(found(Index.SCENE, BAD)), after_s(5), said)
    second = step(first.state, check(found(Index.SCENE, BAD)), after_s(300), said)
    assert not second.began, "the opinion and one look, of three"
    third = step(second.state, check(found(Index.SCENE, BAD)), after_s(600), said)
    assert third.began
    refuted = step(BLANK, check(found(Index.BLUR, GOOD)), after_s(30), {Index.BLUR: NOON})
    later = step(refuted.state, check(found(Index.BLUR, BAD)), after_s(600), {Index.BLUR: NOON})
    assert not later.began


def test_an_opinion_alone_is_no_fault() -> None:
    taken = step(BLANK, check(found(Index.DARK, GOOD)), after_s(60), {Index.DARK: NOON})
    assert (taken.began, taken.state.suspects) == ((), {})


@pytest.mark.threat("K10")
def test_a_clock_set_back_neither_confirms_nor_ends_anything() -> None:
    back = -400 * 86_400.0
    suspect = walk(Index.BLUR, [(0, BAD), (back, BAD)])[-1]
    assert not suspect.began
    assert suspect.state.suspects[Index.BLUR].since == after_s(back)
    fault = walk(Index.BLUR, [(back, None), (back + 60, GOOD)], standing())
    assert not any(one.ended for one in fault)


LOOKS = st.lists(
    st.tuples(
        st.floats(min_value=0.0, max_value=4_000.0),
        st.dictionaries(
            st.sampled_from([Index.SIGNAL, Index.BLUR, Index.SCENE, Index.JITTER]),
            st.one_of(st.none(), st.floats(min_value=0, max_value=100)),
            max_size=4,
        ),
    ),
    max_size=40,
)


@settings(max_examples=50, deadline=None)
@given(LOOKS)
def test_books_balance_whatever_is_seen(
    looks: list[tuple[float, Mapping[Index, float | None]]],
) -> None:
    state, at, open_faults = BLANK, NOON, dict[Index, datetime]()
    ended_at: dict[Index, datetime] = {}
    for gap_s, scores in looks:
        at += timedelta(seconds=gap_s)
        seen = check(*[found(i, score) for i, score in scores.items() if score is not None])
        taken = step(state, seen, at)
        assert taken == step(state, seen, at), "the same gives the same"
        for finding in taken.began:
            assert finding.is_fault
            assert finding.index not in open_faults
            needed_s = DEFAULT.spacing_s(finding.index) * (DEFAULT.looks_of(finding.index) - 1)
            since = taken.state.faults[finding.index].since
            assert at - since >= timedelta(seconds=needed_s)
            assert since >= ended_at.get(finding.index, NOON), "no look is used twice"
            open_faults[finding.index] = at
        for index in taken.ended:
            begun = open_faults.pop(index)
            assert at - begun >= timedelta(seconds=DEFAULT.pause_s)
            ended_at[index] = at
        assert taken.state.faults.keys() == open_faults.keys()
        assert not taken.state.suspects.keys() & open_faults.keys()
        assert taken.state.mending.keys() <= open_faults.keys()
        state = taken.state


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(Index), st.lists(st.floats(1.0, 4_000.0), max_size=30), st.data())
def test_verdicts_that_alternate_never_begin_or_end_anything(
    index: Index, gaps_s: list[float], data: st.DataObject
) -> None:
    state, at = data.draw(st.sampled_from([standing(index), BLANK])), 0.0
    for number, gap_s in enumerate(gaps_s):
        at += gap_s
        (taken,) = walk(index, [(at, BAD if number % 2 else GOOD)], state)
        assert not taken.began
        assert not taken.ended
        state = taken.state


def test_other_numbers_can_be_asked_for() -> None:
    quick = Confirming(pause_s=0.0, confirmations={Index.BLUR: Confirmation(looks=1)}, good_looks=1)
    taken = step(BLANK, check(found(Index.BLUR, BAD)), NOON, confirm=quick)
    assert taken.began
    assert step(taken.state, check(found(Index.BLUR, GOOD)), NOON, confirm=quick).ended
