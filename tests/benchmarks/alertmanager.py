"""The same storm to a real Alertmanager and to the hub.

Debian's prometheus-alertmanager (apt-get install prometheus-alertmanager) gets the verdicts as
alerts over its API at the moments at which the hub's pipeline gets them, grouped by uplink; an
uplink that is down inhibits its cameras, which is what the hub does. Once with the waits it is
shipped with, once with short ones. As Prometheus does, its client sends every alert again each
minute, those that are over too; a third way is a client that says each thing once, as the hub is
told each transition once. The end of alerts lies far off, so nothing resolves by time-out. Both
notify a server on loopback.

The storm lasts ten seconds, everything comes back a minute after it began. Printed are medians of
the runs, for one receiver: messages (HTTP requests) and the beginnings and ends they tell, cameras
told beside their uplinks, the delay from the first verdict of all to the first message, from the
verdict about an uplink to the first message that names it, and lost resolutions: alerts that were
told to begin and never by name to end. (Alertmanager says of the group as a whole that it is over;
who keeps a list of groups instead of alerts misses nothing by that.)

    python -m tests.benchmarks.alertmanager [--runs N] [--cameras N] [--only default|tuned|once|hub]
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop

from tests.benchmarks.alertmanager_server import PROGRAM, Waits, run_alertmanager
from tests.benchmarks.camera_farm import cpu_s
from tests.benchmarks.mqtt_ingest import start_timescaledb
from tests.fresh_databases import drop, recreate, with_database
from tests.system.alert_books import FIRED, RESOLVED
from tests.system.alert_storm import Outcome, Storm, play_storm
from tests.system.hook_station import Arrival, HookStation, run_hook_station
from tests.system.storm_county import RECEIVERS, Size
from tests.system.storm_script import (
    Layout,
    Moment,
    lay_out,
    plan_recovery,
    plan_storm,
)

DATABASE = "bench_alertmanager"
LASTS_S = 10.0
RECOVERS_AFTER_S = 60.0
HOOK = "alertmanager"


WAITS = (
    Waits(
        name="default",
        title="Alertmanager, default",
        group_wait="30s",
        group_interval="5m",
        rest_s=290.0,
    ),
    Waits(
        name="tuned",
        title="Alertmanager, 1 s and 5 s",
        group_wait="1s",
        group_interval="5s",
        rest_s=80.0,
    ),
    Waits(
        name="once",
        title="the same, told once",
        group_wait="1s",
        group_interval="5s",
        rest_s=30.0,
        is_repeating=False,
    ),
)
HUB_ITSELF = "hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one receiver got in one run. Delays in seconds, by uplink."""

    messages: int
    told: int
    cameras_told: int
    first_s: float
    fired_s: Sequence[float]
    resolved_s: Sequence[float]
    lost: int
    cpu_s: float


async def measure_alertmanager(size: Size, waits: Waits, seed: int) -> Figures:
    """One storm to a fresh Alertmanager."""
    layout = lay_out(size.uplinks, size.cameras)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            run_hook_station() as station,
            run_alertmanager(layout, waits, station.address(HOOK), Path(folder)) as other,
        ):
            repeating = asyncio.create_task(other.repeat() if waits.is_repeating else _nothing())
            used = cpu_s(other.pid)
            start = datetime.now(UTC)
            storm = plan_storm(layout, rng, lasts_s=LASTS_S)
            await other.play(storm, start)
            recovery = plan_recovery(layout, rng, lasts_s=LASTS_S)
            back = start + timedelta(seconds=RECOVERS_AFTER_S)
            await other.play(recovery, back)
            await asyncio.sleep(waits.rest_s)
            used = cpu_s(other.pid) - used
            repeating.cancel()
            await asyncio.gather(repeating, return_exceptions=True)
    return _count(station, layout, _times(storm, start), _times(recovery, back), used)


async def _nothing() -> None:
    """Say nothing again."""


def _times(moments: Sequence[Moment], start: datetime) -> dict[int, datetime]:
    return {
        verdict.device_id: start + timedelta(seconds=verdict.at_s)
        for moment in moments
        for verdict in moment.verdicts
    }


def _count(
    station: HookStation,
    layout: Layout,
    failed: Mapping[int, datetime],
    back: Mapping[int, datetime],
    used: float,
) -> Figures:
    fired: dict[int, datetime] = {}
    ended: dict[int, datetime] = {}
    told = 0
    for arrival in station.of(HOOK):
        for device, is_over in _named(arrival):
            told += 1
            (ended if is_over else fired).setdefault(device, arrival.at)
    uplinks = set(layout.uplinks)
    return Figures(
        messages=len(station.of(HOOK)),
        told=told,
        cameras_told=len(fired.keys() - uplinks),
        first_s=_seconds(min(failed.values()), station.of(HOOK)),
        fired_s=[(fired[n] - failed[n]).total_seconds() for n in uplinks & fired.keys()],
        resolved_s=[(ended[n] - back[n]).total_seconds() for n in uplinks & ended.keys()],
        lost=len(fired.keys() - ended.keys()),
        cpu_s=used,
    )


def _seconds(since: datetime, arrivals: Sequence[Arrival]) -> float:
    """How long until the first came."""
    return (arrivals[0].at - since).total_seconds() if arrivals else float("nan")


def _named(arrival: Arrival) -> Iterator[tuple[int, bool]]:
    """Which devices a message of Alertmanager names, and whether they are well again."""
    for alert in json.loads(arrival.body)["alerts"]:
        labels = alert["labels"]
        yield int(labels.get("camera", labels["uplink"])), alert["status"] == "resolved"


async def measure_hub(server: str, size: Size, seed: int) -> Figures:
    """One storm to the hub."""
    recreate(server, DATABASE)
    url = with_database(server, DATABASE)
    try:
        with tempfile.TemporaryDirectory() as folder:
            storm = Storm(size=size, seed=seed, recovers_after_s=RECOVERS_AFTER_S)
            outcome = await play_storm(url, Path(folder), storm)
    finally:
        drop(server, DATABASE)
    return _count_hub(outcome)


def _count_hub(outcome: Outcome) -> Figures:
    receiver = RECEIVERS[0]
    uplinks = set(outcome.county.layout.uplinks)
    devices = {one.alert_id: one.device_id for one in outcome.books.standing}
    fired = {alert for who, alert in outcome.books.told_steps(FIRED) if who == receiver}
    ended = {alert for who, alert in outcome.books.told_steps(RESOLVED) if who == receiver}
    return Figures(
        messages=len(outcome.station.of(receiver)),
        told=sum(1 for one in outcome.books.told if one.receiver == receiver),
        cameras_told=sum(1 for alert in fired if devices.get(alert) not in uplinks),
        first_s=_seconds(outcome.began, outcome.station.of(receiver)),
        fired_s=[span for (who, _), span in outcome.fired_s.items() if who == receiver],
        resolved_s=[span for (who, _), span in outcome.resolved_s.items() if who == receiver],
        lost=len(fired - ended),
        cpu_s=outcome.cpu_s,
    )


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show(name: str, runs: Sequence[Figures]) -> None:
    """The medians of some runs."""

    def median(values: Sequence[float]) -> float:
        return statistics.median(values) if values else float("nan")

    say(
        f"{name:24} {median([r.messages for r in runs]):.0f} messages with"
        f" {median([r.told for r in runs]):.0f} beginnings and ends, the first after"
        f" {median([r.first_s for r in runs]):.1f} s;"
        f" {median([r.cameras_told for r in runs]):.0f} cameras told beside their uplinks,"
        f" lost resolutions {median([r.lost for r in runs]):.0f}"
        f" ({', '.join(str(r.lost) for r in runs)})"
    )
    for what, spans in (
        ("beginning", [r.fired_s for r in runs]),
        ("end", [r.resolved_s for r in runs]),
    ):
        good = [one for one in spans if one]
        say(
            f"{'':24} {what} of {median([len(one) for one in spans]):.0f} uplinks told:"
            f" first {median([min(one) for one in good]):.1f} s,"
            f" median {median([statistics.median(one) for one in good]):.1f} s,"
            f" last {median([max(one) for one in good]):.1f} s after the verdict"
        )
    say(f"{'':24} {median([r.cpu_s for r in runs]):.1f} s CPU")


async def run(arguments: argparse.Namespace) -> None:
    """The runs that were asked for."""
    size = Size(cameras=arguments.cameras)
    seeds = [arguments.seed + number for number in range(arguments.runs)]
    wanted = [arguments.only] if arguments.only else [*(w.name for w in WAITS), HUB_ITSELF]
    if wanted != [HUB_ITSELF] and shutil.which(PROGRAM) is None:
        sys.exit(f"{PROGRAM} is not installed; as root: apt-get install {PROGRAM}")
    say(
        f"{size.cameras:,} cameras behind {size.uplinks} uplinks, {len(seeds)} runs, load"
        f" {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    for waits in WAITS:
        if waits.name in wanted:
            # They mostly wait, so they may do it side by side.
            runs = [measure_alertmanager(size, waits, seed) for seed in seeds]
            show(waits.title, await asyncio.gather(*runs))
    if HUB_ITSELF in wanted:
        server = os.environ.get("GENGFU_TEST_TIMESCALEDB", "")
        if not server:
            server = await asyncio.to_thread(start_timescaledb)
        show("Gengfu", [await measure_hub(server, size, seed) for seed in seeds])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cameras", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", choices=[*(w.name for w in WAITS), HUB_ITSELF], default="")
    uvloop.run(run(parser.parse_args()))
