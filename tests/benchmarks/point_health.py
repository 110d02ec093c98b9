"""What it costs to watch points: ``python -m tests.benchmarks.point_health [points]``.

Prints CPU per reading while values move, rest and lie out of range, CPU per point of a look at
all of them, and memory per point. Pure: no database; 16,000 readings a second are to pass.
"""

import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hub.maintenance.point_limits import NO_FAULTS, Learnt, Limits
from hub.maintenance.points import DeviceWatch, PointWatch, take_readings
from hub.store.events import ReadingRow

POINTS = 100_000
POINTS_OF_A_DEVICE = 5
ROUNDS = 10
INTERVAL_S = 10.0
ASKED_PER_S = 16_000
START = datetime(2026, 11, 22, tzinfo=UTC)


def build(count: int) -> dict[int, PointWatch]:
    """Points with a range and an interval, each with a limits object of its own."""
    return {
        number: PointWatch.resume(
            about=(number, "temp", "°C"),
            limits=Limits(low=-40.0, high=60.0, expected_interval_s=INTERVAL_S),
            learnt=Learnt(),
            opened=NO_FAULTS,
            now=0.0,
        )
        for number in range(count)
    }


def feed(watches: dict[int, PointWatch], value: Callable[[], float], first_round: int) -> float:
    """Have every point report some rounds; return CPU seconds per reading."""
    used = 0.0
    for turn in range(first_round, first_round + ROUNDS):
        at = START + timedelta(seconds=INTERVAL_S * turn)
        rows = [
            ReadingRow(
                device_id=number // POINTS_OF_A_DEVICE, point_id=number, at=at, value=value()
            )
            for number in watches
        ]
        began = time.process_time()
        take_readings(watches, rows, INTERVAL_S * turn)
        used += time.process_time() - began
    return used / (ROUNDS * len(watches))


def sweep(devices: list[DeviceWatch]) -> float:
    """Look at every device; return CPU seconds per point."""
    began = time.process_time()
    for device in devices:
        device.sweep()
    used = time.process_time() - began
    return used / sum(len(device.points) for device in devices)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else POINTS
    rng = random.Random(1)
    tracemalloc.start()
    watches = build(count)
    points = list(watches.values())
    devices = [
        DeviceWatch(
            device_id=number,
            name=f"station {number}",
            area_id=1,
            area_path="county",
            points=points[start : start + POINTS_OF_A_DEVICE],
            heard_at=0.0,
        )
        for number, start in enumerate(range(0, count, POINTS_OF_A_DEVICE))
    ]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    lines = [f"{count} points of {len(devices)} devices, {held / count:.0f} bytes a point"]
    kinds: tuple[tuple[str, Callable[[], float]], ...] = (
        ("moves", lambda: rng.gauss(20, 3)),
        ("rests", lambda: 20.0),
        ("is out of range", lambda: 99.0 + rng.random()),
    )
    for turn, (name, value) in enumerate(kinds):
        cost = feed(watches, value, 1 + turn * ROUNDS)
        share = cost * ASKED_PER_S * 100
        lines.append(
            f"value {name}: {cost * 1e6:.2f} µs a reading,"
            f" {share:.1f} % of a core at {ASKED_PER_S} readings/s"
        )
        lines.append(f"  a look: {sweep(devices) * 1e6:.2f} µs a point")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
