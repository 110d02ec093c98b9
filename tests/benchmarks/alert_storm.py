"""A county of 10,000 cameras behind 40 uplinks: all of them fail within 10 s, and come back.

The hub's roles alerts and work run in a process of their own, TimescaleDB beside them; verdicts
come in through a pipeline of this process, notifications leave to a server on loopback. About half
of the cameras are found silent before their uplink is. Prints figures, judges nothing:

    python -m tests.benchmarks.alert_storm [--cameras N] [--uplinks N] [--seed N]
    python -m tests.benchmarks.alert_storm --kills 50 [--seed N]

With ``--kills`` another, recorded stream (failures, doors, a person at the API) is played twice
side by side, once while the hub's process is killed so many times at random points, and what they
came to is compared: alerts, their steps, who was told.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.fresh_databases import drop, recreate, with_database
from tests.system.alert_books import disagreements
from tests.system.alert_kills import Killing, differences, play
from tests.system.alert_storm import Outcome, Storm, play_storm
from tests.system.kill_script import write_script
from tests.system.role_process import HUB
from tests.system.storm_county import RECEIVERS, Size

DATABASE = "bench_alert_storm"


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def load() -> str:
    """How busy the machine is with other things."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


async def storm(server: str, wanted: Storm) -> None:
    """One storm and its figures."""
    size = wanted.size
    say(
        f"{size.cameras:,} cameras behind {size.uplinks} uplinks in {size.villages} villages fail"
        f" within {wanted.lasts_s:g} s and come back (seed {wanted.seed}, {load()})"
    )
    recreate(server, DATABASE)
    url = with_database(server, DATABASE)
    try:
        with tempfile.TemporaryDirectory() as folder:
            outcome = await play_storm(url, Path(folder), wanted)
    finally:
        drop(server, DATABASE)
    show(outcome)


def show(outcome: Outcome) -> None:
    """Print what came of a storm."""
    books = outcome.books
    say(
        f"failed {len(books.failed):,} = alerts {len(books.standing)} + folded"
        f" {len(books.folded):,} + held back {len(books.held - books.folded):,};"
        f" alerts for many {books.storms}, still open {books.open_alerts}"
    )
    say(
        f"judged and told {outcome.judged_s:.1f} s after the last verdict;"
        f" {outcome.cpu_s:.1f} s CPU for storm and recovery"
    )
    first = min(arrival.at for arrival in outcome.station.arrivals)
    say(f"first message {(first - outcome.began).total_seconds():.1f} s after the first verdict")
    for name, spans in (("beginning", outcome.fired_s), ("end", outcome.resolved_s)):
        for receiver in RECEIVERS:
            took = [span for (who, _), span in spans.items() if who == receiver]
            say(f"{receiver:12} told of the {name:9} {quantiles(took)}")
    for receiver in RECEIVERS:
        messages, requests, most = outcome.messages_of(receiver)
        told = sum(1 for one in books.told if one.receiver == receiver)
        say(
            f"{receiver:12} {told} notifications in {messages} messages ({requests} requests),"
            f" at most {most} in a minute (limit {outcome.storm.size.most_a_minute})"
        )
    wrong = disagreements(books, outcome.county.layout.uplinks, outcome.station)
    say("\n".join(["the books do not balance:", *wrong]) if wrong else "the books balance")


async def killed(server: str, kills: int, seed: int) -> None:
    """The same stream with and without kills."""
    script = write_script(waves=2 * kills, seed=seed)
    say(
        f"{kills} kills at random points (seed {seed}) of the roles alerts and work, while"
        f" {len(script.layout.uplinks)} uplinks and {script.size.cameras:,} cameras fail"
        f" within {script.first[-1].at_s:.0f} s and return ({load()})"
    )
    names = [f"{DATABASE}_{number}" for number in (0, kills)]
    try:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            plays = []
            for name, folder, number in zip(names, (one, other), (0, kills), strict=True):
                recreate(server, name)
                killing = Killing(module=HUB, kills=number, seed=seed)
                plays.append(play(with_database(server, name), Path(folder), script, killing))
            undisturbed, disturbed = await asyncio.gather(*plays)
    finally:
        for name in names:
            drop(server, name)
    for what, played in (("undisturbed", undisturbed), ("killed", disturbed)):
        say(
            f"{what:12} {len(played.certain)} alerts and {len(played.held)} held back that are"
            f" certain, {played.uncertain} others told {played.told} times,"
            f" {played.messages} messages in {played.requests} requests,"
            f" {played.took_s:.0f} s"
        )
    wrong = differences(undisturbed, disturbed)
    say("\n".join(["they differ:", *wrong]) if wrong else "they came to the same; nothing is lost")


def quantiles(took: Sequence[float]) -> str:
    """How many, the first, the median and the last, in seconds after the verdict."""
    if not took:
        return "nothing"
    return (
        f"{len(took)} times: first {min(took):.1f} s, median {statistics.median(took):.1f} s,"
        f" last {max(took):.1f} s after the verdict"
    )


async def run(arguments: argparse.Namespace) -> None:
    """What was asked for."""
    server = os.environ.get("GENGFU_TEST_TIMESCALEDB", "")
    if not server:
        server = await asyncio.to_thread(start_timescaledb)
    if arguments.kills:
        await killed(server, arguments.kills, arguments.seed)
        return
    size = Size(uplinks=arguments.uplinks, cameras=arguments.cameras)
    await storm(server, Storm(size=size, seed=arguments.seed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=10_000)
    parser.add_argument("--uplinks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--kills", type=int, default=0)
    uvloop.run(run(parser.parse_args()))
