"""A night of 300 villages and 1,800 stops in mixed mode, on simulated cameras and a fast clock.

Two processes of the hub walk the round and are killed with kill -9 five times; one camera in fifty
shows something that moves, one in two hundred each is black or blurred, one in a hundred is down;
one duty room in ten is empty; every tenth task is accepted by nobody. What is found is compared
with the script, the report with the database, the evidence is proved. Run it as

    python -m tests.benchmarks.patrol_night [--villages 300] [--factor 30] [--kills 5]
"""

import argparse
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.benchmarks.camera_farm import raise_file_limit
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.fresh_databases import recreate, with_database
from tests.night.night import Night, NightOptions, pass_night

DATABASE = "bench_patrol_night"


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show(night: Night, options: NightOptions) -> None:
    """Print what came of it."""
    found = night.accounts
    say(
        f"{found.stops} stops of {options.villages} villages in {night.took_s:.0f} s"
        f" ({night.took_s * options.factor / 3600:.1f} h of the night), processes killed"
        f" {night.kills} times"
    )
    say(f"results {dict(found.results)}; times {dict(found.timings)}")
    say(
        f"{found.by_person} stops were for a person, {night.judged} judgements;"
        f" looks a stop needed {dict(found.looks)}"
    )
    say(f"findings {dict(found.findings)}; missed {len(found.missed)}, false {len(found.false)}")
    say(f"duty rooms {dict(found.calls)}")
    say(
        f"tasks {dict(found.tasks)}, {found.tasks_of_stops} of stops; accepted by nobody"
        f" {found.idle_tasks}: {found.overdue_events} told overdue, {found.overdue_alerts} alerts"
    )
    proof = found.proof
    say(f"evidence: {proof.lines} lines, {proof.pictures} pictures, faults {proof.faults}")
    if found.report is not None:
        for one in found.report.walks:
            say(f"forecast {one.forecast_s} s, took {one.took_s} s, off by {one.off_s} s")
    for fault in found.faults:
        say(f"DOES NOT ADD UP: {fault}")
    say("everything adds up" if not found.faults else f"{len(found.faults)} things do not add up")


async def run(options: NightOptions) -> None:
    """Let the night pass on an empty TimescaleDB."""
    server = start_timescaledb()
    recreate(server, DATABASE)
    url = with_database(server, DATABASE)
    with tempfile.TemporaryDirectory(prefix="gengfu-night-") as folder:
        show(await pass_night(url, Path(folder), options), options)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    usual = NightOptions()
    parser.add_argument("--villages", type=int, default=usual.villages)
    parser.add_argument("--factor", type=float, default=usual.factor)
    parser.add_argument("--kills", type=int, default=usual.kills)
    parser.add_argument("--kills-within", type=float, default=usual.kills_within_s)
    given = parser.parse_args()
    raise_file_limit()
    options = NightOptions(
        villages=given.villages,
        factor=given.factor,
        kills=given.kills,
        kills_within_s=given.kills_within,
        say=say,
    )
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
