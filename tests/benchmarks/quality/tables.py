"""What the verdicts on labelled pictures come to, as tables of text.

Precision counts every picture of the run against every index: good ones, hard negatives, and those
with another fault at CLEAR strength, where what may rightly be said as well counts neither way.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.quality import Index
from tests.benchmarks.quality.faults import Strength

ALONE: Final = (
    Index.SIGNAL, Index.DARK, Index.BRIGHT, Index.CONTRAST,
    Index.BLUR, Index.CAST, Index.NOISE, Index.STRIPES,
)  # fmt: skip
MARGINS: Final = (-40, -30, -20, -15, -10, -5, 0, 5, 10, 15, 20, 30, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One labelled picture, and by how much each index exceeds its threshold."""

    name: str
    situation: str
    kind: str
    fault: str
    index: Index | None
    strength: Strength
    accepted: frozenset[Index]
    margins: Mapping[Index, float]

    def flags(self, index: Index, margin: float = 0) -> bool:
        """Tell whether the index is a fault, were its threshold so much higher."""
        return self.margins.get(index, -100.0) >= margin

    def is_wrong_to_flag(self, index: Index) -> bool:
        """Tell whether the index may not be a fault here; other strengths than CLEAR are open."""
        if self.index is None:
            return True
        return (
            self.index is not index
            and index not in self.accepted
            and self.strength is Strength.CLEAR
        )

    @property
    def false_alarms(self) -> Sequence[Index]:
        """What an acceptable picture is blamed for."""
        return [index for index in self.margins if self.index is None and self.flags(index)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How one index does at one threshold."""

    found: int
    present: int
    false: int
    absent: int

    @property
    def recall(self) -> float:
        """The share of faults that is found."""
        return self.found / self.present if self.present else float("nan")

    @property
    def precision(self) -> float:
        """The share of verdicts that is right, with as many pictures of each sort as there are."""
        said = self.found + self.false
        return self.found / said if said else float("nan")

    @property
    def false_rate(self) -> float:
        """The share of pictures without the fault that are blamed."""
        return self.false / self.absent if self.absent else float("nan")


def rate(judged: Sequence[Judged], index: Index, strength: Strength, margin: float = 0) -> Rates:
    """How an index does at faults of one strength."""
    present = [one for one in judged if one.index is index and one.strength is strength]
    absent = [one for one in judged if one.is_wrong_to_flag(index)]
    return Rates(
        found=sum(one.flags(index, margin) for one in present),
        present=len(present),
        false=sum(one.flags(index, margin) for one in absent),
        absent=len(absent),
    )


def tell_indices(judged: Sequence[Judged], indices: Sequence[Index] = ALONE) -> Iterator[str]:
    """Recall at each strength, precision, and false alarms of each index."""
    yield "index            precision     recall at " + "  ".join(f"{s.name:>14}" for s in Strength)
    for index in indices:
        clear = rate(judged, index, Strength.CLEAR)
        if not clear.present:
            continue
        recalls = (rate(judged, index, strength) for strength in Strength)
        cells = (
            f"{one.recall:7.3f} of {one.present:4}" if one.present else " " * 15 for one in recalls
        )
        yield (
            f"{index.value:14} {clear.precision:7.3f} ({clear.false:3} false of {clear.absent:4}) "
            + " ".join(cells)
        )


def tell_faults(judged: Sequence[Judged]) -> Iterator[str]:
    """Recall of each fault in each situation."""
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        if one.index is not None:
            groups[one.fault, one.situation].append(one)
    yield "fault                    situation    " + "  ".join(f"{s.name:>14}" for s in Strength)
    for (fault, situation), members in sorted(groups.items()):
        cells = []
        for strength in Strength:
            of_it = [one for one in members if one.strength is strength]
            found = sum(one.flags(one.index) for one in of_it if one.index is not None)
            cells.append(f"{found / len(of_it):7.3f} of {len(of_it):4}" if of_it else " " * 15)
        yield f"{fault:24} {situation:10} " + " ".join(cells)


def tell_negatives(judged: Sequence[Judged]) -> Iterator[str]:
    """False alarms on acceptable pictures by kind, and by which index."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        if one.index is None:
            groups[one.kind].append(one)
    hard = [one for kind, members in groups.items() if kind != "good" for one in members]
    yield "acceptable pictures     blamed            for"
    for kind, members in (*sorted(groups.items()), ("ALL HARD NEGATIVES", hard)):
        blamed = [one for one in members if one.false_alarms]
        reasons = Counter(index.value for one in blamed for index in one.false_alarms)
        share = len(blamed) / len(members) if members else float("nan")
        text = ", ".join(f"{name} {count}" for name, count in reasons.most_common())
        yield f"{kind:22} {len(blamed):4} of {len(members):4} {share:7.2%}  {text}"


def tell_trade(judged: Sequence[Judged], indices: Sequence[Index] = ALONE) -> Iterator[str]:
    """Precision and recall of each index over its thresholds."""
    yield "precision/recall at CLEAR, the threshold moved by"
    yield " " * 14 + "".join(f"{margin:+12}" for margin in MARGINS)
    for index in indices:
        if not rate(judged, index, Strength.CLEAR).present:
            continue
        cells = (rate(judged, index, Strength.CLEAR, margin) for margin in MARGINS)
        yield f"{index.value:14}" + "".join(
            f"  {one.precision:4.2f}/{one.recall:4.2f} " for one in cells
        )


def tell_confusion(judged: Sequence[Judged], indices: Sequence[Index] = ALONE) -> Iterator[str]:
    """Which indices speak up at which fault of CLEAR strength: percent of the pictures."""
    rows: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        if one.index is None:
            rows["good" if one.kind == "good" else "hard negatives"].append(one)
        elif one.strength is Strength.CLEAR:
            rows["lost signal" if one.index is Index.SIGNAL else one.fault].append(one)
    yield f"{'percent flagged as':20}" + "".join(f"{index.value[:11]:>13}" for index in indices)
    for name, members in sorted(rows.items()):
        cells = (100 * sum(one.flags(index) for one in members) / len(members) for index in indices)
        yield f"{name:20}" + "".join(f"{cell:13.1f}" for cell in cells)
