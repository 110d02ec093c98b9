"""Which pictures a baseline is learnt from, and when verdicts by it count."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.quality import (
    CheckOrder,
    Finding,
    Index,
    Mode,
    PictureCheck,
    PictureFault,
    PictureState,
)
from hub.maintenance.pictures.learning import (
    DEFAULT,
    Lesson,
    baselines_of,
    confirm,
    learn,
    lessons_of,
    may_learn,
    pack,
    ripen,
    trusted,
    unpack,
)

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
WELL = PictureState(device_id=7)
GOOD = PictureCheck(mode=Mode.COLOUR, width=1920, height=1080, learnt=b"+1")
FAULT = {Index.BLUR: PictureFault(since=NOON, looks=1, score=80, threshold=50, why="")}


def found(index: Index, score: float) -> Finding:
    return Finding(index=index, score=score, threshold=50, why="")


def lesson(*, pictures: int = 3, days: float = 3, is_confirmed: bool = False) -> Lesson:
    since = NOON - timedelta(days=days)
    return Lesson(
        baseline=b"known", pictures=pictures, since=since, last_at=NOON, is_confirmed=is_confirmed
    )


def test_a_baseline_ripens_over_days() -> None:
    """Four hours of a band at a look an hour, on three days."""
    held: Lesson | None = None
    ripe_at = None
    for day in range(4):
        for hour in range(4):
            at = NOON + timedelta(days=day, hours=hour)
            learnt = learn(WELL, replace(GOOD, learnt=f"{day}{hour}".encode()), held, at)
            if learnt is not None:
                held = learnt
            if ripe_at is None and held is not None and held.is_ripe():
                ripe_at = at
    assert held is not None
    assert ripe_at == NOON + timedelta(days=2)
    assert held.pictures == 4 + 4 + 1 + 1, "once ripe, one a day"
    assert held.baseline == b"30"


def test_looks_in_haste_are_learnt_once() -> None:
    held = lesson()
    at = NOON + DEFAULT.spacing
    assert learn(WELL, GOOD, held, at - timedelta(seconds=1)) is None
    learnt = learn(WELL, GOOD, held, at)
    assert learnt is not None
    assert (learnt.pictures, learnt.baseline, learnt.last_at) == (4, b"+1", at)


@pytest.mark.parametrize(
    ("state", "check"),
    [
        (replace(WELL, faults=FAULT), GOOD),
        (replace(WELL, suspects=FAULT), GOOD),
        (WELL, replace(GOOD, findings=(found(Index.NOISE, 50),))),
        (WELL, replace(GOOD, learnt=b"")),
    ],
)
def test_nothing_is_learnt_from_a_doubtful_picture(
    state: PictureState, check: PictureCheck
) -> None:
    assert learn(state, check, None, NOON) is None
    assert learn(state, check, lesson(), NOON + timedelta(days=1)) is None


def test_one_click_is_enough_and_what_is_learnt_later_adds_to_it() -> None:
    first = confirm(GOOD, None, NOON)
    assert first is not None
    assert first.is_ripe()
    later = learn(WELL, replace(GOOD, learnt=b"+2"), first, NOON + timedelta(days=1))
    assert later is not None
    assert (later.is_confirmed, later.baseline, later.pictures) == (True, b"+2", 2)
    # What is confirmed during a fault counts as well: somebody has looked.
    added = confirm(replace(GOOD, findings=(found(Index.SCENE, 90),)), lesson(), NOON)
    assert added is not None
    assert (added.baseline, added.is_confirmed) == (b"+1", True)
    assert confirm(replace(GOOD, learnt=b""), None, NOON) is None


async def test_a_confirmed_picture_is_learnt_as_often_as_whoever_judges_needs() -> None:
    async def judge(order: CheckOrder) -> PictureCheck:
        return replace(GOOD, learnt=order.baselines[2, Mode.COLOUR] + b"+1")

    known = {(2, Mode.INFRARED): b"other"}
    order = CheckOrder(frames=(), thresholds={}, infrared={}, band=2, baselines=known)
    ripe = await ripen(judge, order, GOOD)
    assert ripe.learnt == b"+1" * DEFAULT.ripe_pictures


def test_it_is_known_beforehand_which_pictures_are_not_learnt_from() -> None:
    known = {(2, Mode.COLOUR): lesson()}
    soon, later = NOON + timedelta(minutes=5), NOON + timedelta(days=2)
    for band, at, expected in ((2, soon, False), (2, later, True), (3, soon, True)):
        assert may_learn(WELL, known, band, at) is expected
        learnt = learn(WELL, GOOD, known.get((band, Mode.COLOUR)), at)
        assert (learnt is not None) is expected
    assert may_learn(replace(WELL, mode=Mode.INFRARED), known, 2, soon)
    assert not may_learn(replace(WELL, suspects=FAULT), known, 3, later)


def test_verdicts_by_baselines_count_once_one_of_them_is_ripe() -> None:
    findings = (found(Index.SCENE, 90), found(Index.OCCLUSION, 90), found(Index.BLUR, 90))
    check = replace(GOOD, findings=findings)
    young, ripe = lesson(pictures=9, days=1), lesson(pictures=9)
    assert trusted(check, {}).findings == findings[2:]
    assert trusted(check, {(1, Mode.COLOUR): young}).findings == findings[2:]
    assert trusted(check, {(1, Mode.INFRARED): ripe}) == check, "a grey cloth looks like infrared"
    both = {(1, Mode.COLOUR): young, (2, Mode.COLOUR): ripe}
    assert trusted(check, both) == check


@pytest.mark.threat("K10")
def test_a_clock_set_back_costs_neither_what_is_learnt_nor_its_ripeness() -> None:
    held = lesson(pictures=9)
    at = NOON - timedelta(days=400)
    learnt = learn(WELL, GOOD, held, at)
    assert learnt is not None
    assert learnt.is_ripe()
    assert (learnt.pictures, learnt.last_at) == (10, at)


def test_what_is_stored_is_read_back() -> None:
    for held in (lesson(), lesson(pictures=10**9, is_confirmed=True)):
        back = unpack(pack(held))
        assert back == replace(held, pictures=min(held.pictures, 10**6))
    stored = {(1, Mode.COLOUR): pack(lesson()), (2, Mode.COLOUR): b"foreign"}
    assert lessons_of(stored) == {(1, Mode.COLOUR): lesson()}
    assert baselines_of(lessons_of(stored)) == {(1, Mode.COLOUR): b"known"}


@pytest.mark.threat("K5")
@settings(max_examples=50, deadline=None)
@given(st.data())
def test_spoiled_bytes_are_learnt_anew_or_are_a_lesson_still(data: st.DataObject) -> None:
    stored = bytearray(pack(lesson()))
    for _ in range(data.draw(st.integers(1, 4))):
        stored[data.draw(st.integers(0, len(stored) - 1))] = data.draw(st.integers(0, 255))
    held = unpack(bytes(stored[: data.draw(st.integers(0, len(stored)))]))
    if held is not None:
        pack(held)
        held.is_ripe()
        learn(WELL, GOOD, held, NOON)
