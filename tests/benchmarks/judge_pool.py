"""What it costs that pictures are judged in confined processes: time, memory, orders a minute.

    python -m tests.benchmarks.judge_pool [--orders 400]

The same orders are judged here without a process, for comparison. What the pool itself costs is
measured by a picture of few pixels that weighs as much as a large one. It judges nothing.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import uvloop

from hub.domain.quality import CheckOrder, Codec, Index, Mode
from streams.quality.judges import JudgePool
from streams.quality.judging import judge
from tests.encoded_frames import (
    as_frame,
    build_jpeg,
    build_key_frame,
    insert_segment,
    paint_scene,
)

TICKS_A_SECOND = 100
WEIGHT = 300_000  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Milliseconds for one order."""

    wall: float
    hub: float
    children: float


def main() -> None:
    """Run all cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=400)
    uvloop.run(run(parser.parse_args().orders))


async def run(orders: int) -> None:
    """Measure alone, then with one and with two processes."""
    cv2.setNumThreads(1)
    large = paint_scene(1920, 1080)
    heavy = build_jpeg(paint_scene(64, 48))
    while len(heavy) < WEIGHT:
        heavy = insert_segment(heavy, 0xFE, bytes(60_000))
    cases = {
        "few pixels in 300 kB": order(heavy, Codec.JPEG),
        "1920 x 1080 jpeg": order(build_jpeg(large), Codec.JPEG),
        "1920 x 1080 h264": order(build_key_frame(Codec.H264, large), Codec.H264),
        "704 x 576 jpeg": order(build_jpeg(paint_scene(704, 576)), Codec.JPEG),
        "3840 x 2160 jpeg": order(build_jpeg(paint_scene(3840, 2160)), Codec.JPEG),
    }
    say(f"{'':22}{'alone':>9}{'one process':>28}{'two processes':>22}")
    heads = ("wall", "hub", "child", "wall")
    columns = "".join(f"{head:>10}" for head in heads)
    say(f"{'ms an order':22}{'cpu':>9}{columns}{'a minute':>12}{'more than alone':>18}")
    for name, one in cases.items():
        alone = spend_alone(one, orders)
        single = await spend(one, orders, size=1)
        double = await spend(one, orders, size=2)
        more = single.hub + single.children - alone
        say(
            f"{name:22}{alone:9.2f}{single.wall:10.2f}{single.hub:10.2f}{single.children:10.2f}"
            f"{double.wall:10.2f}{60_000 / double.wall:12.0f}{more:+18.2f}"
        )


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def order(data: bytes, codec: Codec) -> CheckOrder:
    """An order as the rounds give it, with what is learnt of the camera."""
    thresholds = dict.fromkeys(Index, 50.0)
    first = CheckOrder(frames=(as_frame(data, codec),), thresholds=thresholds, infrared=thresholds)
    check = judge(first)
    return CheckOrder(
        frames=first.frames,
        thresholds=thresholds,
        infrared=thresholds,
        previous=check.fingerprint,
        baselines={(band, mode): check.learnt for band in range(6) for mode in Mode},
    )


def spend_alone(one: CheckOrder, orders: int) -> float:
    """Judge in this process; returns CPU milliseconds for one order."""
    began = time.process_time()
    for _ in range(orders):
        judge(one)
    return (time.process_time() - began) / orders * 1000


async def spend(one: CheckOrder, orders: int, *, size: int) -> Spent:
    """Judge in ``size`` processes, so many orders at once."""
    pool = JudgePool(size=size)
    await asyncio.gather(*(pool(one) for _ in range(size)))
    began, hub, children = time.perf_counter(), time.process_time(), children_cpu_s(pool)

    async def work() -> None:
        for _ in range(orders // size):
            await pool(one)

    await asyncio.gather(*(work() for _ in range(size)))
    spent = Spent(
        wall=(time.perf_counter() - began) / orders * 1000,
        hub=(time.process_time() - hub) / orders * 1000,
        children=(children_cpu_s(pool) - children) / orders * 1000,
    )
    if size == 2:
        say(f"memory of a process: {memory_mib(pool)}")
    await pool.close()
    return spent


def pids(pool: JudgePool) -> list[int]:
    """The processes that run."""
    return [one.process.pid for one in pool._judges if one.process]


def children_cpu_s(pool: JudgePool) -> float:
    """CPU time that the processes have used."""
    total = 0
    for pid in pids(pool):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_A_SECOND


def memory_mib(pool: JudgePool) -> str:
    """Resident memory now and at its highest, and reserved address space."""
    shown = []
    for pid in pids(pool):
        rows = dict(
            row.split(":", 1) for row in Path(f"/proc/{pid}/status").read_text().splitlines()
        )
        mib = [int(rows[key].split()[0]) // 1024 for key in ("VmRSS", "VmHWM", "VmPeak")]
        shown.append("{} MiB now, {} at its highest, {} reserved".format(*mib))
    return "; ".join(shown)


if __name__ == "__main__":
    main()
