"""How well the verdicts on pictures agree with what people said of the same pictures.

Pure arithmetic. An index of which nobody said anything, or which was not judged, counts neither
for nor against: precision and recall are of what is known.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hub.domain.quality import Finding, Index

GOOD: Final = "good"
"""What pictures are called of which people said that nothing is wrong with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One picture: what people said of its indices (True: it is a fault), and what was found."""

    name: str
    said: Mapping[Index, bool]
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A threshold, and how the verdicts would agree with people if it were set."""

    threshold: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Of one index: how often verdicts and people agree.

    ``hits`` and ``misses`` are faults that were and were not found, ``false_alarms`` and
    ``quiet`` what is no fault and was or was not taken for one, ``unjudged`` pictures without a
    verdict. ``best`` is the threshold with the best balance of precision and recall (F1), None
    while there are not both faults and others.
    """

    index: Index
    hits: int
    misses: int
    false_alarms: int
    quiet: int
    unjudged: int
    best: Cut | None

    @property
    def precision(self) -> float | None:
        """Of what was called a fault, the share that is one; None: nothing was."""
        return _share(self.hits, self.false_alarms)

    @property
    def recall(self) -> float | None:
        """Of the faults, the share that was found; None: there are none."""
        return _share(self.hits, self.misses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Of a labelled set: agreement by index, and what was taken for what.

    ``confusion``: what people said (an index, or GOOD) → what was found → pictures; a picture
    with two faults counts in both rows. ``confused_good`` is how many of the ``good`` pictures
    have any fault according to us; ``wrong`` names the pictures with any disagreement.
    """

    pictures: int
    good: int
    confused_good: int
    agreements: Sequence[Agreement]
    confusion: Mapping[str, Mapping[str, int]]
    wrong: Sequence[str]


def evaluate(examples: Iterable[Example]) -> Evaluation:
    """Compare verdicts with what people said."""
    known = list(examples)
    good = [one for one in known if _is_good(one)]
    indices = [i for i in Index if any(i in one.said for one in known)]
    return Evaluation(
        pictures=len(known),
        good=len(good),
        confused_good=sum(1 for one in good if _faults(one)),
        agreements=[_agreement(index, known) for index in indices],
        confusion=_confusion(known),
        wrong=[one.name for one in known if _is_wrong(one)],
    )


def find_best_cut(scored: Sequence[tuple[float, bool]]) -> Cut | None:
    """The threshold that parts faults (True) from others best; in the middle of its gap.

    Of several that are equally good it is the one with the widest gap round it.
    """
    faults = sum(1 for _, is_fault in scored if is_fault)
    if not 0 < faults < len(scored):
        return None
    levels: dict[float, list[int]] = {}
    for score, is_fault in scored:
        levels.setdefault(score, [0, 0])[is_fault] += 1
    below = [0, 0]  # others and faults with a score under the cut
    candidates: list[tuple[float, float, Cut]] = []
    lowest, *_ = steps = sorted(levels)
    for low, high in [(lowest, lowest), *pairwise(steps)]:
        if low < high:
            below = [n + m for n, m in zip(below, levels[low], strict=True)]
        hits, alarms = faults - below[1], len(scored) - faults - below[0]
        cut = Cut(
            threshold=_between(low, high), precision=hits / (hits + alarms), recall=hits / faults
        )
        candidates.append((2 * hits / (hits + alarms + faults), high - low, cut))
    return max(candidates, key=lambda one: one[:2])[2]


def _agreement(index: Index, examples: Sequence[Example]) -> Agreement:
    counts: Counter[tuple[bool, bool]] = Counter()
    scored: list[tuple[float, bool]] = []
    unjudged = 0
    for one in examples:
        if index not in one.said:
            continue
        found = next((f for f in one.findings if f.index is index), None)
        if found is None:
            unjudged += 1
            continue
        counts[one.said[index], found.is_fault] += 1
        scored.append((found.score, one.said[index]))
    return Agreement(
        index=index,
        hits=counts[True, True],
        misses=counts[True, False],
        false_alarms=counts[False, True],
        quiet=counts[False, False],
        unjudged=unjudged,
        best=find_best_cut(scored),
    )


def _confusion(examples: Sequence[Example]) -> dict[str, dict[str, int]]:
    rows: dict[str, Counter[str]] = {}
    for one in examples:
        said = [index.value for index in Index if one.said.get(index)]
        for name in said or ([GOOD] if _is_good(one) else []):
            rows.setdefault(name, Counter()).update(_faults(one) or [GOOD])
    order = [*(index.value for index in Index), GOOD]
    return {
        name: {found: rows[name][found] for found in order if rows[name][found]}
        for name in order
        if name in rows
    }


def _faults(one: Example) -> list[str]:
    return [finding.index.value for finding in one.findings if finding.is_fault]


def _is_good(one: Example) -> bool:
    """People said of every index that it is well."""
    return set(one.said) == set(Index) and not any(one.said.values())


def _is_wrong(one: Example) -> bool:
    return any(one.said.get(f.index, f.is_fault) != f.is_fault for f in one.findings)


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None


def _between(low: float, high: float) -> float:
    """A short number above ``low`` that is at most ``high``."""
    middle = (low + high) / 2
    for digits in (0, 1, 2):
        if low < round(middle, digits) <= high:
            return round(middle, digits)
    return high
