"""How right the picture indices are: ``python -m tests.benchmarks.quality.accuracy``.

Renders every fault at graded strengths, and hard negatives, onto photographs of Debian packages,
has each picture judged by ``judge`` at the thresholds every installation starts with, and prints
precision and recall of each index, false alarms by kind of picture, precision and recall over the
thresholds, and which indices speak up at which faults. The same pictures in every run. Thresholds
are set on ``--split train``; figures are reported of ``--split report``, the default.

The packages it uses are listed when they are missing; see ``photographs``. ``--save-wrong DIR``
keeps what was judged wrongly; ``--keep DIR`` keeps all pictures, so that the next run is quick
(below a name that changes with the code that makes them).
Prints figures, judges nothing.
"""

import argparse
import sys
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2

from hub.domain.quality import CheckOrder, Codec, EncodedFrame, Index, PictureCheck
from hub.domain.quality_profiles import NIGHT
from streams.quality.judging import judge
from tests.benchmarks.quality.cases import Case, list_cases
from tests.benchmarks.quality.catalogue import Half
from tests.benchmarks.quality.photographs import Album, find_photographs
from tests.benchmarks.quality.tables import (
    ALONE,
    Judged,
    tell_confusion,
    tell_faults,
    tell_indices,
    tell_negatives,
    tell_trade,
)

TAKEN_AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def order_of(case: Case, data: bytes) -> CheckOrder:
    """The order that asks for a verdict on one picture without any history."""
    frame = EncodedFrame(codec=Codec.JPEG, data=data, taken_at=TAKEN_AT)
    return CheckOrder(frames=(frame,), thresholds=case.thresholds, infrared=NIGHT)


def label(case: Case, check: PictureCheck) -> Judged:
    """Put label and verdict together."""
    return Judged(
        name=case.name,
        situation=case.situation,
        kind=case.kind,
        fault=case.fault,
        index=case.index,
        strength=case.strength,
        accepted=case.accepted,
        margins={one.index: one.score - one.threshold for one in check.findings},
    )


def identify_generator() -> str:
    """Tell the code that makes the pictures from its earlier states."""
    here = Path(__file__).parent
    made_by = ("camera", "cases", "catalogue", "faults", "negatives", "photographs")
    texts = (here.joinpath(f"{name}.py").read_bytes() for name in made_by)
    return f"{zlib.crc32(b''.join(texts)):08x}"


def fetch_picture(case: Case, folder: Path | None) -> bytes:
    """Render the picture, or take what an earlier run rendered."""
    if folder is None:
        return case.render()
    path = folder / f"{case.name}.jpg"
    if not path.exists():
        path.write_bytes(case.render())
    return path.read_bytes()


def save_wrong(folder: Path, case: Case, data: bytes, check: PictureCheck) -> None:
    """Keep a picture whose verdict is wrong below the name of the index."""
    for finding in check.findings:
        is_missed = case.index is finding.index and case.strength >= case.strength.CLEAR
        if finding.is_fault and case.index not in (None, finding.index):
            continue
        if finding.is_fault == (case.index is finding.index):
            continue
        if not finding.is_fault and not is_missed:
            continue
        below = folder / finding.index.value / ("missed" if is_missed else "false")
        below.mkdir(parents=True, exist_ok=True)
        (below / f"{finding.score:03.0f}-{case.name}.jpg").write_bytes(data)


def run(album: Album, arguments: argparse.Namespace) -> Iterator[Judged]:
    """Judge every case."""
    wanted = set(arguments.index or ALONE)
    for case in list_cases(album, arguments.pictures):
        if case.index is not None and case.index not in wanted:
            continue
        data = fetch_picture(case, arguments.keep)
        check = judge(order_of(case, data))
        if arguments.save_wrong is not None:
            save_wrong(arguments.save_wrong, case, data, check)
        yield label(case, check)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--split", type=Half, choices=list(Half), default=Half.REPORT)
    parser.add_argument("--index", type=Index, action="append", choices=list(ALONE))
    parser.add_argument("--pictures", type=int, default=3, help="views of each photograph")
    parser.add_argument("--photographs", type=Path, help="root of the unpacked packages")
    parser.add_argument("--save-wrong", type=Path)
    parser.add_argument("--keep", type=Path, help="folder for all pictures, reused if there")
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    arguments = parse_arguments()
    cv2.setNumThreads(1)
    album = find_photographs(arguments.split, arguments.photographs)
    say = sys.stdout.write
    if album.missing:
        say("not here, and left out: " + " ".join(album.missing) + "\n")
    if not album.photographs:
        say("there are no photographs: install the packages, or set GENGFU_PHOTOGRAPHS\n")
        return 2
    if arguments.keep is not None:
        arguments.keep /= identify_generator()
        arguments.keep.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    judged = list(run(album, arguments))
    say(
        f"{len(judged)} pictures of {len(album.photographs)} photographs, "
        f"{arguments.split.value} half, {time.perf_counter() - began:.0f} s\n"
    )
    for tell in (tell_indices, tell_faults, tell_negatives, tell_trade, tell_confusion):
        say("\n" + "\n".join(tell(judged)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
