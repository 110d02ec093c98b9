"""The arithmetic of a labelled set: precision, recall, confusion, the best threshold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.quality import Finding, Index
from hub.maintenance.pictures.evaluating import Example, evaluate, find_best_cut

FINE = dict.fromkeys(Index, False)


def example(name: str, said: dict[Index, bool], **scores: float) -> Example:
    findings = [
        Finding(index=Index(index), score=score, threshold=50, why="")
        for index, score in scores.items()
    ]
    return Example(name=name, said=said, findings=findings)


def test_precision_and_recall_are_of_what_is_known() -> None:
    found = evaluate(
        [
            example("a", {Index.BLUR: True}, blur=80, low_contrast=70),
            example("b", {Index.BLUR: True}, blur=40),
            example("c", {Index.BLUR: True}),  # not judged
            example("d", FINE, blur=60),
            example("e", FINE, blur=10),
            example("f", FINE, blur=20),
            example("g", {Index.NOISE: False}, blur=90, noise=1),  # of blur nobody said anything
        ]
    )
    blur = next(one for one in found.agreements if one.index is Index.BLUR)
    assert (blur.hits, blur.misses, blur.false_alarms, blur.quiet) == (1, 1, 1, 2)
    assert (blur.precision, blur.recall, blur.unjudged) == (0.5, 0.5, 1)
    assert blur.best is not None
    # 30 lies in the wide gap between those well below and the two faults with one false alarm.
    assert (blur.best.threshold, blur.best.recall) == (30, 1)
    freeze = next(one for one in found.agreements if one.index is Index.FREEZE)
    assert (freeze.precision, freeze.recall, freeze.best, freeze.unjudged) == (None, None, None, 3)
    assert (found.pictures, found.good, found.confused_good) == (7, 3, 1)
    assert found.wrong == ["b", "d"]
    assert found.confusion == {
        "blur": {"low_contrast": 1, "blur": 1, "good": 2},
        "good": {"blur": 1, "good": 2},
    }


def test_nothing_is_made_of_nothing() -> None:
    found = evaluate([])
    assert (found.pictures, found.agreements, found.confusion, found.wrong) == (0, [], {}, [])


@pytest.mark.parametrize(
    ("scored", "threshold"),
    [
        ([(10, False), (90, True)], 50),
        ([(10, False), (10, True)], 10),  # nothing parts them: everything is called a fault
        ([(10.01, False), (10.02, True)], 10.02),
        ([(99.9, False), (100, True)], 100),
        ([(10, True)], None),
        ([(10, False)], None),
    ],
)
def test_the_best_threshold_lies_in_its_gap(
    scored: list[tuple[float, bool]], threshold: float | None
) -> None:
    cut = find_best_cut(scored)
    assert (cut and cut.threshold) == threshold


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), min_size=2, max_size=20))
def test_no_other_threshold_is_better(scored: list[tuple[float, bool]]) -> None:
    faults = sum(1 for _, is_fault in scored if is_fault)
    cut = find_best_cut(scored)
    assert (cut is None) == (faults in {0, len(scored)})
    if cut is None:
        return

    def balance(threshold: float) -> tuple[float, float, float]:
        called = [is_fault for score, is_fault in scored if score >= threshold]
        hits = sum(called)
        return 2 * hits / (len(called) + faults), hits / len(called), hits / faults

    best, precision, recall = balance(cut.threshold)
    assert (precision, recall) == (cut.precision, cut.recall)
    assert all(balance(score)[0] <= best + 1e-12 for score, _ in scored)
