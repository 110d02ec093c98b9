"""What people say of verdicts corrects the camera's thresholds, within bounds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.quality import Finding, Index
from hub.domain.quality_profiles import PROFILES
from hub.maintenance.pictures.corrections import HIGHEST, LOWEST, Said, apply, correct
from hub.maintenance.pictures.transitions import Confirming

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def said(
    score: float, *, is_fault: bool, minute: int = 0, index: Index = Index.BLUR, base: float = 50.0
) -> Said:
    return Said(
        index=index,
        is_fault=is_fault,
        score=score,
        threshold=base,
        said_at=NOON + timedelta(minutes=minute),
    )


def corrected(*remarks: Said, index: Index = Index.BLUR, base: float = 50.0) -> float | None:
    return apply({index: base}, correct(remarks))[index]


def test_fine_lifts_the_threshold_so_far_that_the_fault_mends() -> None:
    threshold = corrected(said(60, is_fault=False))
    assert threshold == 65
    same = Finding(index=Index.BLUR, score=60, threshold=threshold, why="")
    assert not same.is_fault
    assert Confirming().is_good(same)


def test_broken_lowers_the_threshold_to_the_score() -> None:
    threshold = corrected(said(42, is_fault=True))
    assert threshold == 42
    assert Finding(index=Index.BLUR, score=42, threshold=threshold, why="").is_fault


def test_who_agrees_with_the_machine_changes_nothing() -> None:
    assert correct([said(70, is_fault=True), said(20, is_fault=False, minute=1)]) == {}


def test_the_newest_wins_in_whatever_order_they_come() -> None:
    fine, broken = said(60, is_fault=False), said(60, is_fault=True, minute=5)
    assert corrected(fine, broken) == corrected(broken, fine) == 60
    fine_later = said(60, is_fault=False, minute=9)
    assert corrected(fine_later, broken, fine) == 65
    # What does not contradict stays.
    assert corrected(fine, said(80, is_fault=True, minute=5)) == 65


def test_saying_it_twice_is_saying_it_once() -> None:
    assert corrected(*[said(60, is_fault=False, minute=n) for n in range(9)]) == 65


def test_it_holds_for_the_index_and_the_profile_it_was_said_of() -> None:
    points = correct(
        [said(60, is_fault=False), said(80, is_fault=False, index=Index.DARK, base=75)]
    )
    assert points == {Index.BLUR: 15, Index.DARK: 10}
    thresholds = {Index.BLUR: 60.0, Index.DARK: None, Index.NOISE: 50.0}
    assert apply(thresholds, points) == {Index.BLUR: 75, Index.DARK: None, Index.NOISE: 50}


def test_a_black_picture_is_always_found() -> None:
    fine = [said(100, is_fault=False, index=Index.SIGNAL, minute=n) for n in range(5)]
    threshold = corrected(*fine, index=Index.SIGNAL)
    assert threshold is not None
    assert threshold <= 80


@pytest.mark.parametrize("base", [-5.0, 3.0, 99.0])
def test_an_odd_threshold_of_a_profile_stands_without_corrections(base: float) -> None:
    assert apply({Index.BLUR: base}, {}) == {Index.BLUR: base}


SAID = st.builds(
    said,
    st.floats(0, 100),
    is_fault=st.booleans(),
    minute=st.integers(0, 100),
    index=st.sampled_from(Index),
    base=st.floats(30, 90),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(SAID, max_size=12), st.sampled_from(sorted(PROFILES)))
def test_no_correction_makes_a_threshold_senseless(remarks: list[Said], name: str) -> None:
    profile = PROFILES[name]
    after = apply(profile, correct(remarks))
    assert after.keys() == profile.keys()
    for index, threshold in after.items():
        base = profile[index]
        if base is None:
            assert threshold is None
        else:
            assert threshold is not None
            assert min(LOWEST, base) <= threshold <= max(HIGHEST, base)
