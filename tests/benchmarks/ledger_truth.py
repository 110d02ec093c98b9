"""The ledger against the truth, with the hub killed and started again five times.

Prints how many outages there were and every disagreement; judges nothing:

    python -m tests.benchmarks.ledger_truth [cameras] [seconds] [kills]
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.system.ledger_truth import INTERVAL_S, disagreements, play


async def main(cameras: int, length_s: float, kills: int) -> None:
    """Play the script and compare."""
    server = await asyncio.to_thread(start_timescaledb)
    with tempfile.TemporaryDirectory() as folder:
        truth, found = await play(
            server,
            Path(folder),
            cameras=cameras,
            length_s=length_s,
            kills=kills,
            database="bench_ledger_truth",
        )
    wrong = disagreements(truth, found)
    sys.stdout.write(
        f"{cameras} cameras, {length_s:g} s, {kills} kills, asked each {INTERVAL_S:g} s:"
        f" {sum(map(len, truth.silent.values()))} true outages,"
        f" {sum(map(len, found.outages.values()))} in the ledger,"
        f" {sum(map(len, found.absences.values())) // cameras} absences,"
        f" {len(wrong)} disagreements of more than an interval and a probe\n"
    )
    for line in wrong:
        sys.stdout.write(f"  {line}\n")


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    size, length, times = [*given, *(200.0, 240.0, 5.0)[len(given) :]]
    asyncio.run(main(int(size), length, int(times)))
