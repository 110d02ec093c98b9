"""What `gengfu quality` prints of pictures that were judged, and of sets that were evaluated."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.quality import Finding, Index, Mode, PictureCheck, Thresholds
from hub.main.console import print_line, print_rows
from hub.main.report_options import percent
from hub.maintenance.pictures.evaluating import GOOD, Evaluation

CHECK_COLUMNS: Final = ("index", "score", "threshold", "verdict", "why")
AGREEMENT_COLUMNS: Final = (
    *("index", "faults", "found", "missed", "fine", "false", "not_judged", "precision", "recall"),
    "best_threshold",
)
_MODES: Final = {Mode.COLOUR: "colour", Mode.INFRARED: "infrared"}
# What an index needs that one picture alone does not give.
_NEEDS: Final = {
    Index.FREEZE: "a second frame",
    Index.JITTER: "a second frame",
    Index.OCCLUSION: "a baseline",
    Index.SCENE: "a baseline",
    Index.PTZ: "a preset to call",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One picture that somebody named, and what came of it: a check, or why there is none.

    ``profile`` says where ``thresholds`` come from.
    """

    name: str
    device_id: int | None = None
    profile: str = ""
    thresholds: Thresholds
    check: PictureCheck | None = None
    error: str = ""
    explained: str = ""  # the file of the annotated picture

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What is wrong with the picture, as far as it could be judged."""
        return self.check.faults if self.check else ()


class Printer:
    """Prints pictures one after the other; what it said of the one before it does not repeat."""

    def __init__(self, *, is_brief: bool) -> None:
        self._is_brief = is_brief
        self._unjudged = ""

    def __call__(self, one: Judged) -> None:
        """Print the block of one picture: what is wrong stands first, then what is close to it."""
        check = one.check
        if check is None:
            print_line(f"{one.name}: NOT JUDGED: {one.error}")
        elif self._is_brief:
            print_line(f"{one.name}: {_verdict(one)}")
        else:
            seen = f"{check.width} x {check.height}, {_MODES[check.mode]}"
            print_line(f"{one.name}: {_verdict(one)}   ({seen}, {one.profile})")
            rows = [_row(finding) for finding in sorted(check.findings, key=_urgency)]
            print_rows(rows, as_json=False, columns=CHECK_COLUMNS, empty="nothing could be judged")
            self._tell_unjudged(why_not_judged(one))
            if one.explained:
                print_line(f"annotated: {one.explained}")
            print_line("")

    def _tell_unjudged(self, reasons: Mapping[Index, str]) -> None:
        text = _told(reasons)
        if text and text != self._unjudged:
            print_line(f"not judged: {text}")
        self._unjudged = text


def judged_document(one: Judged) -> dict[str, object]:
    """The same for programs."""
    check = one.check
    return {
        "picture": one.name,
        "device_id": one.device_id,
        "profile": one.profile,
        "is_good": None if check is None else not one.faults,
        "faults": [finding.index.value for finding in one.faults],
        "error": one.error or None,
        "mode": check and check.mode.value,
        "width": check and check.width,
        "height": check and check.height,
        "findings": [_document(finding) for finding in check.findings] if check else [],
        "not_judged": {index.value: why for index, why in why_not_judged(one).items()},
        "annotated": one.explained or None,
    }


def summarize(judged: Sequence[Judged]) -> str:
    """All pictures in one line."""
    bad = [one for one in judged if one.faults]
    failed = sum(1 for one in judged if one.check is None)
    counts = Counter(finding.index.value for one in bad for finding in one.faults)
    what = ", ".join(f"{name} {number}" for name, number in counts.most_common())
    pictures = "1 picture" if len(judged) == 1 else f"{len(judged)} pictures"
    parts = [
        f"{len(judged) - len(bad) - failed} good",
        f"{len(bad)} at fault" + (f" ({what})" if what else ""),
        f"{failed} could not be judged",
    ]
    return f"{pictures}: {', '.join(parts)}"


def tell_score(score: float, threshold: float) -> str:
    """A score with one digit, never rounded up to a threshold that it does not reach."""
    shown = round(score, 1)
    if score < threshold <= shown:
        shown = math.floor(score * 10) / 10
    return f"{shown:.1f}"


def why_not_judged(one: Judged) -> dict[Index, str]:
    """The indices without a verdict, and why there is none."""
    if one.check is None:
        return {}
    found = {finding.index for finding in one.check.findings}
    is_lost = any(finding.index is Index.SIGNAL for finding in one.faults)
    reasons: dict[Index, str] = {}
    for index in Index:
        if index in found:
            continue
        if one.thresholds.get(index) is None:
            reasons[index] = "no threshold in the profile"
        elif is_lost:
            reasons[index] = "the signal is lost"
        else:
            reasons[index] = f"needs {_NEEDS[index]}" if index in _NEEDS else "nothing to measure"
    return reasons


def print_evaluation(found: Evaluation) -> None:
    """Print agreement by index, then what was taken for what."""
    rows = [
        {
            "index": one.index.value,
            "faults": one.hits + one.misses,
            "found": one.hits,
            "missed": one.misses,
            "fine": one.quiet + one.false_alarms,
            "false": one.false_alarms,
            "not_judged": one.unjudged,
            "precision": percent(one.precision, 1),
            "recall": percent(one.recall, 1),
            "best_threshold": "-"
            if one.best is None
            else f"{one.best.threshold:g} (precision {percent(one.best.precision, 1)},"
            f" recall {percent(one.best.recall, 1)})",
        }
        for one in found.agreements
    ]
    print_rows(rows, as_json=False, columns=AGREEMENT_COLUMNS, empty="no index is labelled")
    columns = _columns(found.confusion)
    if columns:
        print_line("")
        print_line("what people said (rows), what was found (columns):")
        lines = [
            {"said": said, **{name: row.get(name, 0) or "." for name in columns}}
            for said, row in found.confusion.items()
        ]
        print_rows(lines, as_json=False, columns=("said", *columns), empty="")


def evaluation_document(found: Evaluation) -> dict[str, object]:
    """The same for programs."""
    return {
        "pictures": found.pictures,
        "good": found.good,
        "good_with_false_alarm": found.confused_good,
        "indices": [
            {
                "index": one.index.value,
                "hits": one.hits,
                "misses": one.misses,
                "false_alarms": one.false_alarms,
                "quiet": one.quiet,
                "not_judged": one.unjudged,
                "precision": one.precision,
                "recall": one.recall,
                "best": one.best
                and {
                    "threshold": one.best.threshold,
                    "precision": one.best.precision,
                    "recall": one.best.recall,
                },
            }
            for one in found.agreements
        ],
        "confusion": found.confusion,
        "wrong": list(found.wrong),
    }


def _urgency(finding: Finding) -> tuple[bool, float]:
    if finding.is_fault:
        return False, list(Index).index(finding.index)
    return True, -finding.score / finding.threshold


def _verdict(one: Judged) -> str:
    if not one.faults:
        return "good"
    return f"FAULT {', '.join(finding.index.value for finding in one.faults)}"


def _row(finding: Finding) -> dict[str, object]:
    return {
        "index": finding.index.value,
        "score": tell_score(finding.score, finding.threshold),
        "threshold": f"{finding.threshold:g}",
        "verdict": "FAULT" if finding.is_fault else "good",
        "why": finding.why,
    }


def _document(finding: Finding) -> dict[str, object]:
    region = finding.region
    return {
        "index": finding.index.value,
        "score": finding.score,
        "threshold": finding.threshold,
        "is_fault": finding.is_fault,
        "why": finding.why,
        "region": region and [region.left, region.top, region.right, region.bottom],
    }


def _told(reasons: Mapping[Index, str]) -> str:
    together: dict[str, list[str]] = {}
    for index, why in reasons.items():
        together.setdefault(why, []).append(index.value)
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in together.items())


def _columns(confusion: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
    used = {name for row in confusion.values() for name in row}
    return [name for name in (*(index.value for index in Index), GOOD) if name in used]
