"""What a rule would have done: "this rule would have fired these 12 times last week".

Stored history is read in pages, each in a transaction of its own, and shown to the rule
(:mod:`alerts.dry_runs.replay`). Nothing is written. What was looked at is bounded in time and
number; where a bound cut it short, the answer says so, and speaks of no moment beyond.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.dry_runs.past_devices import FLAPPING_KINDS, PastDevices
from alerts.dry_runs.replay import Replay
from alerts.dry_runs.report import DryRun, Looked, Summary
from alerts.rules.observations import STATUS_KINDS
from hub.domain.access import Scope
from hub.domain.alerts import Rule, RuleState, subject_key
from hub.domain.calendars import NO_HOLIDAYS
from hub.domain.conditions import (
    Condition,
    DeviceDegraded,
    DeviceOffline,
    NothingSeen,
    PointBeyond,
    build_condition,
    kinds_of,
)
from hub.domain.errors import Invalid
from hub.store.database import Database
from hub.store.holidays import all_holidays
from hub.store.rule_history import (
    PastPoint,
    event_numbers,
    past_devices,
    past_events,
    past_places,
    past_points,
    past_readings,
    past_windows,
)

LONGEST: Final = timedelta(days=31)
# What began before the period may fire in it: so much earlier is looked at, at least and at most.
LEAST_LEAD: Final = timedelta(hours=1)
MOST_LEAD: Final = timedelta(days=7)
SHORTEST_SLICE: Final = timedelta(hours=1)
LONGEST_SLICE: Final = timedelta(days=1)
# Others have their turn after so many.
_TRACKS_A_TURN: Final = 1_000
_EVENTS_A_TURN: Final = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when until when, by our clock."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is looked at and shown. ``*_page`` is what is dealt with at one go."""

    most_rows: int = 3_000_000
    most_firings: int = 20_000
    most_s: float = 20.0
    shown: int = 500
    top: int = 20
    event_page: int = 1_000
    reading_page: int = 4_000
    steady: Callable[[], float] = time.monotonic


async def dry_run(
    database: Database, scope: Scope, rule: Rule, span: Span, limits: Limits | None = None
) -> DryRun:
    """Show a rule, stored or not, what happened; only devices of the scope.

    Raises:
        Invalid: the period is empty or longer than 31 days.
    """
    if not timedelta(0) < span.until - span.since <= LONGEST:
        msg = f"a dry run looks at a time of at most {LONGEST.days} days"
        raise Invalid(msg, field="from")
    run = _Run(database, scope, rule, span, limits or Limits())
    await run.begin()
    condition = rule.condition
    if isinstance(condition, NothingSeen) and condition.expects_all:
        await run.expect_all()
    if kinds := watched_kinds(condition):
        await run.show_events(kinds)
    if isinstance(condition, PointBeyond | NothingSeen) and condition.point:
        await run.show_readings(condition.point)
    return await run.answer()


def watched_kinds(condition: Condition) -> Sequence[str]:
    """The kinds of events a condition looks at, with those that speak against an alert."""
    own = kinds_of(condition)
    is_of_links = isinstance(condition, DeviceOffline | DeviceDegraded | NothingSeen)
    if is_of_links or not own.isdisjoint(STATUS_KINDS):
        own |= {*STATUS_KINDS, *FLAPPING_KINDS}
    return sorted(own)


def find_lead(condition: Condition) -> timedelta:
    """How long before the period something may have begun that fires in it."""
    waits = [
        float(value)
        for name, value in build_condition(condition).items()
        if name.endswith("_s") and isinstance(value, int | float)
    ]
    return min(max(LEAST_LEAD, timedelta(seconds=max(waits, default=0.0))), MOST_LEAD)


class _CutShort(Exception):
    """No further row is looked at."""


class _Run:
    """One dry run: reads, counts, stops in time."""

    def __init__(
        self, database: Database, scope: Scope, rule: Rule, span: Span, limits: Limits
    ) -> None:
        self._database = database
        self._scope = scope
        self._rule = rule
        self._span = span
        self._limits = limits
        self._lead_in = span.since - find_lead(rule.condition)
        self._began = limits.steady()
        self._replay = Replay(rule, PastDevices())
        self._events = self._readings = self._points = 0
        self._until = span.until
        self._cut_short = ""

    async def begin(self) -> None:
        """Look up what speaks against alerts."""
        async with self._database.transaction() as tx:
            windows = await past_windows(
                tx, self._scope, self._rule, since=self._lead_in, until=self._span.until
            )
            declared = await all_holidays(tx, self._scope) if self._rule.hours else NO_HOLIDAYS
        self._replay = Replay(self._rule, PastDevices(windows), declared)

    async def show_events(self, kinds: Sequence[str]) -> None:
        """Show the events of the period in the order in which they were stored."""
        async with self._database.transaction() as tx:
            after, last = await event_numbers(
                tx, self._scope, since=self._lead_in, until=self._span.until
            )
        reached = self._lead_in
        try:
            while after < last:
                async with self._database.transaction() as tx:
                    events, after = await past_events(
                        tx,
                        self._scope,
                        self._rule,
                        kinds=kinds,
                        numbers=(after, last),
                        limit=self._limits.event_page,
                    )
                for number, event in enumerate(events):
                    if self._lead_in <= event.received_at < self._span.until:
                        reached = max(reached, event.received_at)
                        self._events += 1
                        self._replay.see_event(event)
                    if number % _EVENTS_A_TURN == 0:
                        await asyncio.sleep(0)
                if after < last:
                    self._stop_in_time()
        except _CutShort as cut:
            self._cut(reached, str(cut))

    async def expect_all(self) -> None:
        """Let the rule come to know every device it expects to send its event."""
        after = 0
        while True:
            async with self._database.transaction() as tx:
                some = await past_devices(
                    tx, self._scope, self._rule, after=after, limit=self._limits.reading_page
                )
            for device in some:
                blank = RuleState(
                    rule_id=self._rule.id,
                    subject=subject_key(area_id=device.area_id, device_id=device.device_id),
                    area_id=device.area_id,
                    device_id=device.device_id,
                )
                known_at = max(device.created_at, self._lead_in)
                if known_at < self._span.until:
                    self._replay.expect(blank, device.area_path, known_at)
            if len(some) < self._limits.reading_page:
                return
            after = some[-1].device_id

    async def show_readings(self, point: str) -> None:
        """Show the readings of all points of that name, a slice of time after the other."""
        points = await self._find_points(point)
        blanks = {one.point_id: (_blank(self._rule, one), one.area_path) for one in points}
        begin, width = self._lead_in, SHORTEST_SLICE
        try:
            while points and begin < self._until:
                end = min(begin + width, self._until)
                before = self._readings
                await self._show_slice(points, blanks, begin, end)
                begin = end
                if self._readings - before < 10 * self._limits.reading_page:
                    width = min(2 * width, LONGEST_SLICE)
        except _CutShort as cut:
            self._cut(begin, str(cut))

    async def answer(self) -> DryRun:
        """Let time pass until the end, then say what was concluded."""
        for number, _ in enumerate(self._replay.finish(self._until)):
            if number % _TRACKS_A_TURN == 0:
                await asyncio.sleep(0)
        looked = Looked(
            since=self._span.since,
            until=self._until,
            asked_until=self._span.until,
            lead_in=self._lead_in,
            events=self._events,
            readings=self._readings,
            points=self._points,
            cut_short=self._cut_short,
        )
        shown, top = self._limits.shown, self._limits.top
        # Thousands of firings are counted beside the loop.
        summary = await asyncio.to_thread(Summary, self._rule, self._replay.firings, looked)
        async with self._database.transaction() as tx:
            places = await past_places(tx, self._scope, summary.places(shown=shown, top=top))
        return await asyncio.to_thread(
            summary.build, places, self._replay.held_back, shown=shown, top=top
        )

    async def _find_points(self, point: str) -> list[PastPoint]:
        points: list[PastPoint] = []
        while True:
            async with self._database.transaction() as tx:
                some = await past_points(
                    tx,
                    self._scope,
                    self._rule,
                    point,
                    after=points[-1].point_id if points else 0,
                    limit=self._limits.reading_page,
                )
            points.extend(some)
            self._points = len(points)
            if len(some) < self._limits.reading_page:
                return points

    async def _show_slice(
        self,
        points: Sequence[PastPoint],
        blanks: Mapping[int, tuple[RuleState, str]],
        begin: datetime,
        end: datetime,
    ) -> None:
        see = self._replay.see_value
        async with self._database.transaction() as tx:
            pages = past_readings(
                tx, self._scope, points, since=begin, until=end, page=self._limits.reading_page
            )
            async with aclosing(pages):
                async for page in pages:
                    for _, at, point_id, value in page:
                        blank, path = blanks[point_id]
                        see(blank, path, value, at)
                    self._readings += len(page)
                    await asyncio.sleep(0)
                    if end < self._until or len(page) == self._limits.reading_page:
                        self._stop_in_time()

    def _stop_in_time(self) -> None:
        limits = self._limits
        if len(self._replay.firings) >= limits.most_firings:
            reason = f"it fired {len(self._replay.firings)} times by then: nobody reads more"
        elif self._events + self._readings >= limits.most_rows:
            reason = f"{self._events + self._readings} events and readings were looked at by then"
        elif limits.steady() - self._began >= limits.most_s:
            reason = f"it took longer than {limits.most_s:g} s"
        else:
            return
        raise _CutShort(reason)

    def _cut(self, until: datetime, reason: str) -> None:
        self._until = max(until, self._lead_in)
        self._cut_short = reason


def _blank(rule: Rule, point: PastPoint) -> RuleState:
    return RuleState(
        rule_id=rule.id,
        subject=subject_key(
            area_id=point.area_id, device_id=point.device_id, point_id=point.point_id
        ),
        area_id=point.area_id,
        device_id=point.device_id,
        point_id=point.point_id,
    )
