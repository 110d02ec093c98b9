"""Finds out which devices probably hang behind one parent, for a person to review.

Devices of one subnet that fail and return together, more than once and hardly ever apart, share
something that failed: a switch, an ONU, an uplink. Finding them is pure; once a day a pass over
the outage ledger keeps what it found. Nothing is set without a person.
"""

import asyncio
import logging
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from hub.domain.access import system_scope
from hub.domain.ports import Clock
from hub.runtime.jobs import Jobs
from hub.store import parent_suggestions, shared_failures
from hub.store.database import Database
from hub.store.parent_suggestions import Group
from hub.store.shared_failures import Absence, Failure

log = logging.getLogger(__name__)

SERIES = "maintenance.parents"
EVERY_S = 86_400.0

_HUB = system_scope("hub.maintenance")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingRules:
    """When devices count as failing together (practice).

    ``settle``: after an absence of the hub everything it missed seems to happen at once.
    ``most_episodes``: of a subnet only so many, the latest, are compared with each other.
    """

    looks_back: timedelta = timedelta(days=30)
    fail_within: timedelta = timedelta(seconds=60)
    return_within: timedelta = timedelta(seconds=120)
    settle: timedelta = timedelta(seconds=120)
    least_devices: int = 5
    least_times: int = 2
    least_presence: float = 0.8  # of the episodes, for each device
    least_share: float = 0.5  # of a device's own outages
    least_confidence: float = 0.5
    most_episodes: int = 50


DEFAULT_RULES: Final = GroupingRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentFinder:
    """Looks once a day for devices that fail and return together."""

    database: Database
    clock: Clock
    rules: GroupingRules = DEFAULT_RULES

    def register(self, jobs: Jobs) -> None:
        """Have :meth:`run_once` called by one worker of all. Call before the queue runs."""
        jobs.every(SERIES, EVERY_S, self.run_once)

    async def run_once(self) -> None:
        """Read the ledger, find groups, keep them as suggestions."""
        now, rules = self.clock(), self.rules
        since = now - rules.looks_back
        async with self.database.transaction() as tx:
            failures = await shared_failures.shared_failures(
                tx,
                _HUB,
                since=since,
                until=now,
                within=rules.fail_within,
                least=rules.least_devices,
            )
            absences = await shared_failures.list_absences(tx, _HUB, since=since)
            subnets = await shared_failures.count_subnets(tx, _HUB, least=rules.least_devices)
        # A bad month is some seconds of work: nobody else shall wait for it.
        groups = await asyncio.to_thread(
            infer_groups, failures, absences, subnets=subnets, rules=rules
        )
        async with self.database.transaction() as tx:
            await parent_suggestions.drop_settled(tx, _HUB, least=rules.least_devices)
            kept = await parent_suggestions.keep_groups(tx, _HUB, groups, now=now)
        if kept:
            log.info("%s groups of devices seem to share a parent: please review", len(kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Episode:
    """Devices of one subnet that failed and returned together, once."""

    subnet: str
    at: datetime
    devices: frozenset[int]


def infer_groups(
    failures: Sequence[Failure],
    absences: Sequence[Absence],
    *,
    subnets: int,
    rules: GroupingRules = DEFAULT_RULES,
) -> list[Group]:
    """Return the likeliest group of each subnet.

    What happened in maintenance or around an absence of the hub proves nothing, and neither
    does what took most of the ``subnets`` at once: that was the hub's own link.

    Args:
        failures: Outages, in any order.
        absences: When the hub did not look.
        subnets: How many subnets there are that are large enough for a group.
        rules: What counts as together.
    """
    away = _Absences(absences, rules.settle)
    usable = [one for one in failures if not one.in_maintenance and not away.touch(one)]
    usable.sort(key=lambda one: (one.subnet, one.started_at, one.device_id))
    episodes: dict[str, list[_Episode]] = {}
    members: dict[str, dict[int, Failure]] = {}
    for subnet, rows in groupby(usable, key=attrgetter("subnet")):
        of_subnet = list(rows)
        episodes[subnet] = list(_find_episodes(of_subnet, rules))
        members[subnet] = {one.device_id: one for one in of_subnet}
    general = _general_times(episodes, subnets, rules)
    groups = []
    for subnet, found in episodes.items():
        own = [one for one in found if not general.holds(one.at)]
        group = _best_group(own[-rules.most_episodes :], members[subnet], rules)
        if group is not None:
            groups.append(group)
    return groups


class _Absences:
    """Tells whether an outage began or ended when the hub did not look."""

    def __init__(self, absences: Sequence[Absence], settle: timedelta) -> None:
        by_shard: dict[tuple[int, int], list[tuple[datetime, datetime]]] = defaultdict(list)
        for one in absences:
            by_shard[one.shards, one.shard].append((one.started_at - settle, one.ended_at + settle))
        self._by_shard = {shard: _merge(times) for shard, times in by_shard.items()}
        self._divisions = sorted({shards for shards, _ in by_shard})

    def touch(self, failure: Failure) -> bool:
        for shards in self._divisions:
            times = self._by_shard.get((shards, failure.device_id % shards))
            if times and (times.holds(failure.started_at) or times.holds(failure.ended_at)):
                return True
        return False


@dataclass(frozen=True, slots=True)
class _Times:
    """Intervals that do not overlap, in order."""

    starts: Sequence[datetime]
    ends: Sequence[datetime]

    def holds(self, at: datetime) -> bool:
        before = bisect_right(self.starts, at) - 1
        return before >= 0 and at <= self.ends[before]


def _merge(times: Sequence[tuple[datetime, datetime]]) -> _Times:
    starts: list[datetime] = []
    ends: list[datetime] = []
    for start, end in sorted(times):
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return _Times(starts, ends)


def _find_episodes(rows: Sequence[Failure], rules: GroupingRules) -> Iterator[_Episode]:
    """Cut a subnet's outages, in order of their beginning, into episodes."""
    left = list(rows)
    while len(left) >= rules.least_devices:
        together, tried = _largest_near_first(left, rules)
        if len(together) < rules.least_devices:
            # None of these begins an episode.
            del left[:tried]
            continue
        yield _Episode(
            subnet=together[0].subnet,
            at=min(one.started_at for one in together),
            devices=frozenset(one.device_id for one in together),
        )
        gone = {id(one) for one in together}
        left = [one for one in left if id(one) not in gone]


def _largest_near_first(
    left: Sequence[Failure], rules: GroupingRules
) -> tuple[Sequence[Failure], int]:
    """The most devices that failed and returned together soon after the first outage.

    Returns their outages, and of how many outages it was tried whether they begin an episode.
    """
    best: Sequence[Failure] = ()
    latest = left[0].started_at + rules.fail_within
    tried = 0
    while tried < len(left) and left[tried].started_at <= latest:
        last = left[tried].started_at + rules.fail_within
        until = bisect_right(left, last, lo=tried, key=attrgetter("started_at"))
        if until - tried > max(len(best), rules.least_devices - 1):
            found = _returned_together(left[tried:until], rules.return_within)
            if len(found) > len(best):
                # What began before them may have hidden that there are more.
                best, latest = found, last
        tried += 1
    return best, tried


def _returned_together(rows: Sequence[Failure], within: timedelta) -> Sequence[Failure]:
    """The most of them that ended together; of a device that failed twice, the longer outage."""
    longest = {
        one.device_id: one for one in sorted(rows, key=lambda one: one.ended_at - one.started_at)
    }
    by_end = sorted(longest.values(), key=attrgetter("ended_at"))
    ends = [one.ended_at for one in by_end]
    sizes = [bisect_right(ends, end + within) - begin for begin, end in enumerate(ends)]
    begin = sizes.index(max(sizes))
    return by_end[begin : begin + sizes[begin]]


def _general_times(
    episodes: Mapping[str, Sequence[_Episode]], subnets: int, rules: GroupingRules
) -> _Times:
    """When most subnets, and at least three, lost devices at once."""
    every = sorted((one.at, one.subnet) for found in episodes.values() for one in found)
    starts = [at for at, _ in every]
    times = []
    for begin, (at, _) in enumerate(every):
        until = bisect_left(starts, at + rules.fail_within, lo=begin)
        struck = {subnet for _, subnet in every[begin:until]}
        if len(struck) >= 3 and 2 * len(struck) > subnets:
            times.append((at, starts[until - 1]))
    return _merge(times)


def _best_group(
    episodes: Sequence[_Episode], members: Mapping[int, Failure], rules: GroupingRules
) -> Group | None:
    """Take each episode as a pattern, with those like it, and keep what explains most devices."""
    found: list[Group] = []
    for pattern in episodes:
        alike = [
            one
            for one in episodes
            if 2 * len(one.devices & pattern.devices) >= len(one.devices | pattern.devices)
        ]
        if len(alike) >= rules.least_times:
            found += _describe(alike, members, rules)
    return max(found, key=lambda one: len(one.device_ids) * one.confidence, default=None)


def _describe(
    alike: Sequence[_Episode], members: Mapping[int, Failure], rules: GroupingRules
) -> list[Group]:
    """The devices that were in nearly all of the episodes, and seldom failed without the others.

    Confidence is how much of what befell them befell them together, and how often that was seen:
    (times together ÷ (times together + missed + alone)) x (1 - ½^episodes).
    """
    kept: list[int] = []
    together = befell = 0
    present = Counter(device for one in alike for device in one.devices)
    for device, count in present.items():
        outages, registered_at = members[device].outages, members[device].registered_at
        # A camera that was added last week could not fail with the others before.
        chances = sum(registered_at is None or one.at >= registered_at for one in alike)
        is_there = count >= max(rules.least_times, rules.least_presence * chances)
        if is_there and count >= rules.least_share * outages:
            kept.append(device)
            together += count
            befell += max(count, chances) + max(0, outages - count)
    if len(kept) < rules.least_devices:
        return []
    confidence = together / befell * (1 - 0.5 ** len(alike))
    if confidence < rules.least_confidence:
        return []
    return [
        Group(
            subnet=alike[0].subnet,
            device_ids=tuple(sorted(kept)),
            times_seen=len(alike),
            first_at=alike[0].at,
            last_at=alike[-1].at,
            confidence=confidence,
        )
    ]
