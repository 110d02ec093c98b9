"""Freeze, occlusion and scene change on simulated cameras over simulated days.

``python -m tests.benchmarks.quality.days [--cameras 120] [--days 10] [--half report]``

Each camera is looked at every hour, and again soon while a fault is suspected; what a look makes
of it is decided by the rounds' own pure parts (transitions, learning). Most cameras break once, in
one of the ways of day_faults.py. A fault counts as found when the index that must find it stood
before it ended; anything that begins to stand while nothing is broken is a false alarm.
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from hub.domain.quality import Index, PictureState
from tests.benchmarks.quality.catalogue import Half, Place
from tests.benchmarks.quality.day_cameras import Episode, Lens, Memory, is_found, visit
from tests.benchmarks.quality.day_faults import Fault
from tests.benchmarks.quality.day_world import Camera, Picture, make_camera
from tests.benchmarks.quality.photographs import find_photographs

LEARNING_DAYS: Final = 4
WORLD_WIDTH: Final = 1300  # pixels of a photograph
AFTER_H: Final = 4  # hours after a fault in which what is mending is not counted
CALM_SHARE: Final = 0.25  # of the cameras never break


@dataclass(kw_only=True)
class Tally:
    """What was counted."""

    faults: Counter[Fault] = field(default_factory=Counter)
    found: Counter[Fault] = field(default_factory=Counter)
    hours_to_find: dict[Fault, list[float]] = field(default_factory=dict)
    confused: Counter[tuple[Fault, Index]] = field(default_factory=Counter)
    unmended: Counter[Fault] = field(default_factory=Counter)
    false: list[tuple[int, float, Index, str]] = field(default_factory=list)
    finders: set[int] = field(default_factory=set)
    missed: list[str] = field(default_factory=list)
    looks: int = 0
    days: float = 0.0


def read_world(half: Half) -> list[Picture]:
    """Read the photographs of places by daylight, one size."""
    album = find_photographs(half)
    found = []
    for photograph in album.photographs:
        if photograph.kind or photograph.place is Place.NIGHT:
            continue
        picture = album.read(photograph)
        scale = WORLD_WIDTH / picture.shape[1]
        size = (WORLD_WIDTH, max(740, round(picture.shape[0] * scale)))
        way = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
        found.append(np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8))
    if not found:
        reason = f"no photographs here; missing packages: {', '.join(album.missing)}"
        raise SystemExit(reason)
    return found


def plan_episode(camera: Camera, days: int) -> Episode | None:
    """Choose what breaks, and when; spiders spin in the evening."""
    rng = np.random.default_rng([camera.seed, 12])
    if rng.random() < CALM_SHARE:
        return None
    fault = list(Fault)[int(rng.integers(len(Fault)))]
    if fault is Fault.WEB and (camera.is_indoor or not camera.has_infrared):
        fault = Fault.SPRAY  # strands are seen where the camera's own light shines on them
    start = int(rng.integers(LEARNING_DAYS * 24, (days - 1) * 24 - 8))
    if fault is Fault.WEB:
        start = start // 24 * 24 + 17
    return Episode(fault=fault, start=start, end=start + int(rng.integers(10, 24)))


def watch(camera: Camera, world: list[Picture], days: int, tally: Tally) -> None:
    """Look at one camera for some days."""
    episode = plan_episode(camera, days)
    lens = Lens(camera, world, episode)
    memory = Memory(state=PictureState(device_id=camera.seed), lessons={})
    rng = np.random.default_rng([camera.seed, 13])
    at_s = float(rng.uniform(0, 3600))
    best: list[str] = []
    if episode is not None:
        tally.faults[episode.fault] += 1
    while at_s < days * 86400.0:
        stepped = visit(lens, camera, memory, at_s)
        tally.looks += 1
        for finding in stepped.began:
            _count(tally, camera, episode, at_s / 3600.0, (finding.index, finding.why))
        if episode is not None and episode.start <= at_s / 3600.0 < episode.end:
            best += _describe(episode, memory)
        soon = stepped.recheck_in_s
        at_s += 3600.0 if soon is None else min(3600.0, max(soon, 30.0))
        if episode is not None and episode.end + AFTER_H <= at_s / 3600.0 < episode.end + 5.1:
            tally.unmended[episode.fault] += bool(memory.state.faults)
    tally.days += days
    if episode is not None and camera.seed not in tally.finders:
        tally.missed.append(f"camera {camera.seed}: {episode.fault}: {max(best, default='-')}")


def _describe(episode: Episode, memory: Memory) -> list[str]:
    """Say what the index that must find the fault makes of it."""
    return [
        f"{finding.score:05.1f} {finding.why}"
        for finding in memory.state.findings
        if is_found(episode, finding.index)
    ]


def _count(
    tally: Tally,
    camera: Camera,
    episode: Episode | None,
    hours: float,
    what: tuple[Index, str],
) -> None:
    index, why = what
    if episode is None or not episode.start <= hours < episode.end + AFTER_H:
        tally.false.append((camera.seed, hours, index, why))
    elif not is_found(episode, index):
        tally.confused[episode.fault, index] += 1
    elif hours < episode.end and camera.seed not in tally.finders:
        tally.finders.add(camera.seed)
        tally.hours_to_find.setdefault(episode.fault, []).append(hours - episode.start)
        tally.found[episode.fault] += 1


def show(tally: Tally, took_s: float) -> None:
    """Print what was counted."""
    lines = [f"{'fault':<12}{'broke':>7}{'found':>7}{'recall':>8}{'hours':>7}  also stood"]
    for fault in Fault:
        broke, found = tally.faults[fault], tally.found[fault]
        also = {index.value: n for (its, index), n in tally.confused.items() if its is fault}
        wait = float(np.median(tally.hours_to_find.get(fault, [np.nan])))
        share = found / broke if broke else float("nan")
        lines.append(f"{fault:<12}{broke:>7}{found:>7}{share:>8.3f}{wait:>7.1f}  {also or ''}")
    broke, found = tally.faults.total(), tally.found.total()
    lines.append(f"{'all':<12}{broke:>7}{found:>7}{found / max(1, broke):>8.3f}")
    rate = 1000.0 * len(tally.false) / max(1.0, tally.days)
    kinds = Counter(index.value for _, _, index, _ in tally.false)
    lines.append(
        f"false alarms: {len(tally.false)} in {tally.days:.0f} camera-days,"
        f" on {len({seed for seed, *_ in tally.false})} cameras:"
        f" {rate:.2f} per 1,000 {dict(kinds) or ''}"
    )
    left = {fault.value: count for fault, count in tally.unmended.items() if count}
    lines.append(f"not mended {AFTER_H} h after the end: {left or 0}")
    lines.append(
        f"{tally.looks} looks in {took_s:.0f} s, {1000.0 * took_s / max(1, tally.looks):.1f} ms"
        " each, drawing included"
    )
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=120)
    parser.add_argument("--days", type=int, default=10, help=f"more than {LEARNING_DAYS + 1}")
    parser.add_argument("--first", type=int, default=0, help="number of the first camera")
    parser.add_argument("--half", type=Half, choices=list(Half), default=Half.REPORT)
    parser.add_argument("--verbose", action="store_true", help="name every false alarm")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    world = read_world(options.half)
    tally = Tally()
    started = time.perf_counter()
    for seed in range(options.first, options.first + options.cameras):
        watch(make_camera(seed, world), world, options.days, tally)
    show(tally, time.perf_counter() - started)
    if options.verbose:
        lines = ["missed, each with its highest score:", *tally.missed, "false alarms:"]
        lines += [
            f"camera {seed}, day {hours // 24:.0f} {hours % 24:.1f} h: {index.value}: {why}"
            for seed, hours, index, why in tally.false
        ]
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
