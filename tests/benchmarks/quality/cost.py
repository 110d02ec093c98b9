"""What judging a picture costs: ``python -m tests.benchmarks.quality.cost [rounds]``.

JPEG bytes in, verdict out, one thread, at 1920 x 1080, 704 x 576 and 3840 x 2160: frames a minute
and core with and without baselines, against decoding alone in the same run (whole, and reduced as
it is done here), and the share of each part; then the same through a ``JudgePool``, whose child
counts in, with the most memory the child took. Time is CPU time, so that neighbours on the machine
count little; figures are medians over rounds. Pictures are views of the report half's photographs
(see ``photographs``), good and faulty. Prints figures, judges nothing.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from hub.domain.quality import CheckOrder, Codec, EncodedFrame
from hub.domain.quality_profiles import DAY, NIGHT
from streams.quality import baseline
from streams.quality.decoding import decode
from streams.quality.judges import JudgePool
from streams.quality.judging import ALONE, COMPARED, Visit, judge
from streams.quality.sample import Sample, make_sample
from streams.quality.stillness import fingerprint
from tests.benchmarks.quality.camera import Treatment, take
from tests.benchmarks.quality.catalogue import Half, Place
from tests.benchmarks.quality.faults import Strength, fault
from tests.benchmarks.quality.negatives import NIGHT as LAMPLIGHT
from tests.benchmarks.quality.photographs import View, find_photographs, views

SIZES = ((1920, 1080), (704, 576), (3840, 2160))
PHOTOGRAPHS = 8
ROUNDS = 9
BAND = 2
TAKEN_AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """Pictures of one size, and the orders that ask about them."""

    size: tuple[int, int]
    pictures: Sequence[bytes]
    fresh: Sequence[CheckOrder]
    known: Sequence[CheckOrder]


def order_of(data: bytes) -> CheckOrder:
    """The order for one picture of a camera nothing is known of."""
    frame = EncodedFrame(codec=Codec.JPEG, data=data, taken_at=TAKEN_AT)
    return CheckOrder(
        frames=(frame,), thresholds=DAY, infrared=NIGHT, band=BAND, wants_learnt=False
    )


def learn(order: CheckOrder) -> CheckOrder:
    """The same order, once the camera was seen six times."""
    for _ in range(6):
        check = judge(replace(order, wants_learnt=True))
        order = replace(
            order,
            previous=check.fingerprint,
            baselines={**order.baselines, (BAND, check.mode): check.learnt},
        )
    return order


def build_deck(size: tuple[int, int]) -> Deck:
    """Render good, nightly and faulty views of some photographs in one size."""
    album = find_photographs(Half.REPORT)
    plain = [
        (one, album.read(one))
        for one in album.photographs
        if not one.kind and one.place is not Place.GREY
    ]
    plain.sort(key=lambda pair: -pair[1].shape[1])  # the least enlarged are the most like life
    treatments = (
        Treatment(),
        LAMPLIGHT,
        Treatment(),
        fault("defocus", Strength.CLEAR),
    )
    pictures = []
    for number, (photograph, picture) in enumerate(plain[:PHOTOGRAPHS]):
        view = next(views(photograph, picture, 1))
        image = np.asarray(cv2.resize(view.image, size), dtype=np.uint8)
        sized = View(photograph=photograph, number=0, image=image)
        treatment = treatments[number % len(treatments)]
        pictures.append(take(sized, treatment, np.random.default_rng(sized.seed)))
    fresh = [order_of(data) for data in pictures]
    return Deck(size=size, pictures=pictures, fresh=fresh, known=[learn(one) for one in fresh])


def cpu_of(work: Callable[[], object], count: int) -> float:
    """CPU seconds of this process for each of ``count`` pictures."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / count


def measure_deck(deck: Deck, rounds: int) -> dict[str, float]:
    """Median CPU seconds a picture of each way, the ways in turn in each round."""
    arrays = [np.frombuffer(data, np.uint8) for data in deck.pictures]
    frames = [order.frames[0] for order in deck.fresh]
    ways: dict[str, Callable[[], object]] = {
        "decoded whole": lambda: [cv2.imdecode(one, cv2.IMREAD_COLOR) for one in arrays],
        "decoded reduced": lambda: [decode(one) for one in frames],
        "judged": lambda: [judge(one) for one in deck.fresh],
        "judged, baselines known": lambda: [judge(one) for one in deck.known],
        "judged and learnt from": lambda: [
            judge(replace(one, wants_learnt=True)) for one in deck.known
        ],
        "judged, with evidence 640 wide": lambda: [
            judge(replace(one, evidence_width=640)) for one in deck.known
        ],
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            taken[name].append(cpu_of(work, len(arrays)))
    return {name: statistics.median(values) for name, values in taken.items()}


def measure_parts(deck: Deck, rounds: int) -> dict[str, float]:
    """Median CPU seconds of each part of judging one picture; what is shared falls to the first."""
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        sums: dict[str, float] = {}
        for order in deck.known:
            for name, seconds in _take_apart(order):
                sums[name] = sums.get(name, 0.0) + seconds
        for name, total in sums.items():
            taken.setdefault(name, []).append(total / len(deck.known))
    return {name: statistics.median(values) for name, values in taken.items()}


def _take_apart(order: CheckOrder) -> list[tuple[str, float]]:
    marks = [("", time.process_time())]

    def mark(name: str) -> None:
        marks.append((name, time.process_time()))

    picture = decode(order.frames[0])
    mark("decode")
    sample: Sample = make_sample(picture.bgr, picture.width, picture.height)
    _ = sample.mode
    mark("sample and mode")
    for index, measure in ALONE.items():
        measure(sample)
        mark(index.value)
    visit = Visit(samples=[sample], covered=[sample], elsewhere=None, order=order)
    for index, compare in COMPARED.items():
        compare(visit)
        mark(index.value)
    fingerprint(sample)
    mark("fingerprint")
    baseline.learn(order.baselines.get((BAND, sample.mode), b""), sample, order.previous)
    mark("learn")
    return [(name, at - earlier[1]) for earlier, (name, at) in pairwise(marks)]


def children() -> set[int]:
    """The processes this one started."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def cpu_of_child(pid: int) -> float:
    """CPU seconds a process took so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def most_memory(pid: int) -> float:
    """The most memory a process held, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


async def measure_pool(deck: Deck, rounds: int) -> tuple[float, float, float]:
    """CPU seconds a picture here and in the child, and the most memory of the child in MiB."""
    before = children()
    pool = JudgePool(size=1)
    try:
        await pool(deck.known[0])
        (pid,) = children() - before
        here, there = time.process_time(), cpu_of_child(pid)
        for _ in range(rounds):
            for order in deck.known:
                await pool(order)
        count = rounds * len(deck.known)
        return (
            (time.process_time() - here) / count,
            (cpu_of_child(pid) - there) / count,
            most_memory(pid),
        )
    finally:
        await pool.close()


def tell(deck: Deck, rounds: int) -> None:
    """Measure one size and print."""
    say = sys.stdout.write
    width, height = deck.size
    kilobytes = statistics.mean(len(data) for data in deck.pictures) / 1000
    say(f"\n{width} x {height}, {len(deck.pictures)} pictures of {kilobytes:.0f} kB on average\n")
    ways = measure_deck(deck, rounds)
    whole = ways["decoded whole"]
    for name, seconds in ways.items():
        say(
            f"  {name:32} {seconds * 1000:7.2f} ms {60 / seconds:9,.0f} a minute and core"
            f"   {seconds / whole:5.2f} of decoding whole\n"
        )
    parts = measure_parts(deck, rounds)
    total = sum(parts.values())
    for name, seconds in parts.items():
        say(f"    {name:30} {seconds * 1000:7.2f} ms {seconds / total:9.1%}\n")
    here, there, memory = asyncio.run(measure_pool(deck, rounds))
    say(
        f"  through the pool: {here * 1000:.2f} ms here and {there * 1000:.2f} ms in the child, "
        f"{60 / (here + there):,.0f} a minute and core; the child took {memory:.0f} MiB at most\n"
    )


def main() -> int:
    """Measure every size."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    cv2.setNumThreads(1)
    for size in SIZES:
        deck = build_deck(size)
        if not deck.pictures:
            sys.stdout.write("there are no photographs: see tests.benchmarks.quality.photographs\n")
            return 2
        tell(deck, rounds)
        found = sum(bool(judge(order).findings) for order in deck.known)
        sys.stdout.write(f"  {found} of {len(deck.known)} pictures got findings\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
