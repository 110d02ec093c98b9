"""Whether what a point reads is plausible: in its range, moving, heard. Pure.

``now`` is a steady clock in seconds and says when a reading was taken in; a wall clock that is
set, ours or the device's, makes no fault. ``at`` is the reading's own time and only tells what
came late or twice. Time in which nothing came from a device is nobody's: it makes no value
stuck and no point silent (the silence of a whole device is its adapter's to tell).
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hub.maintenance.point_limits import NO_FAULTS, Faults, Learnt, Limits, PointFault
from hub.store.events import ReadingRow

DAY_S = 86_400.0
MISSED_INTERVALS = 3.0
OUTSIDE_IN_A_ROW = 2
HYSTERESIS = 0.02  # of the range; of the limit where there is only one
STUCK_FACTOR = 6.0
LEAST_STUCK_S = 3_600.0
# What rests so long when it is well is not judged: nobody would believe the alert.
MOST_STUCK_S = 7 * DAY_S
LEAST_CHANGES = 20  # before them nothing is usual
FORGETTING = 0.9  # what remains of the longest time without a change after a day
# Beyond this without a reading nothing is known; more for what reports seldom.
LEAST_GAP_S = 30.0
USUAL_GAP_S = 900.0
# Readings that are older than the last one came late, unless nothing newer comes for so long.
LATE_S = 300.0

NEVER = datetime.min.replace(tzinfo=UTC)
_LARGEST = sys.float_info.max


@dataclass(slots=True, kw_only=True, eq=False)
class PointWatch:
    """One point. ``opened`` are the faults that everybody knows of, set by the caller."""

    point_id: int
    key: str
    unit: str
    limits: Limits
    heard_at: float
    opened: Faults = NO_FAULTS
    at: datetime = NEVER
    # A value between these needs no second look.
    floor: float = -_LARGEST
    ceiling: float = _LARGEST
    is_out: bool = False
    outside: int = 0
    out_at: float = 0.0
    out_value: float = 0.0
    # A value between these is no change.
    still_low: float = math.inf
    still_high: float = -math.inf
    anchor: float | None = None
    spread: float = 0.0
    moved_at: float = 0.0
    stuck_limit_s: float = math.inf
    changes: int = 0
    is_binary: bool = True
    today_s: float = 0.0
    longest_s: float = 0.0
    observed_s: float = 0.0
    missing_s: float = 0.0
    late_mark: datetime | None = None
    late_since: float = 0.0

    @classmethod
    def resume(
        cls,
        *,
        about: tuple[int, str, str],
        limits: Limits,
        learnt: Learnt,
        opened: Faults,
        now: float,
    ) -> "PointWatch":
        """Go on with a point (number, key, unit) as it was when it was watched last."""
        number, key, unit = about
        watch = cls(
            point_id=number,
            key=key,
            unit=unit,
            limits=limits,
            heard_at=now,
            opened=opened,
            changes=learnt.changes,
            is_binary=learnt.is_binary,
            today_s=learnt.today_s,
            longest_s=learnt.longest_s,
            observed_s=learnt.observed_s,
            moved_at=now - learnt.still_s,
            anchor=learnt.anchor,
            is_out=PointFault.OUT_OF_RANGE in opened,
            out_at=now,
        )
        watch.set_limits(limits)
        if PointFault.STUCK in opened and math.isfinite(watch.stuck_limit_s):
            watch.moved_at = min(watch.moved_at, now - watch.stuck_limit_s - 1)
        if PointFault.SILENT in opened:
            watch.missing_s = math.inf
        return watch

    def set_limits(self, limits: Limits) -> None:
        """Judge by these from now on."""
        self.is_out = self.is_out and limits.has_range
        if limits.low != self.limits.low or limits.high != self.limits.high:
            self.outside = 0
        self.limits = limits
        self.spread = limits.spread
        if self.anchor is not None:
            self._rest_at(self.anchor)
        self._open_gate()
        self._set_stuck_limit()

    def look(self, value: float, at: datetime, now: float) -> None:
        """Take one reading, whatever it is. :func:`take_readings` comes here when in doubt."""
        if not math.isfinite(value) or at == self.at:
            return
        if at < self.at and not self._is_clock_set_back(now):
            self.moved_at += now - self.heard_at
            self.heard_at, self.missing_s = now, 0.0
            return
        self.at = at
        if not self.still_low <= value <= self.still_high:
            self.move(value, now)
        self.heard_at, self.missing_s = now, 0.0
        if self.limits.has_range:
            self._judge_range(value, now)

    def move(self, value: float, now: float) -> None:
        """The value changed."""
        if now - self.moved_at > self.today_s:
            self._learn_still(now)
        self.moved_at = now
        if self.anchor is not None:
            self.changes += 1
        if self.is_binary:
            self.is_binary = value in (0.0, 1.0)
        self._rest_at(value)

    def judge(self) -> Faults:
        """What is wrong with the point."""
        is_stuck = self.heard_at - self.moved_at > self.stuck_limit_s
        interval_s = self.limits.expected_interval_s
        is_silent = interval_s is not None and self.missing_s > MISSED_INTERVALS * interval_s
        if not (self.is_out or is_stuck or is_silent):
            return NO_FAULTS
        found = set[PointFault]()
        if self.is_out:
            found.add(PointFault.OUT_OF_RANGE)
        # A value that hangs outside its range is one fault, not two.
        if is_stuck and (not self.is_out or PointFault.STUCK in self.opened):
            found.add(PointFault.STUCK)
        if is_silent:
            found.add(PointFault.SILENT)
        return frozenset(found)

    def began(self, fault: PointFault) -> float:
        """Since when a fault lasts, on the steady clock."""
        if fault is PointFault.OUT_OF_RANGE:
            return self.out_at
        return self.moved_at if fault is PointFault.STUCK else self.heard_at

    def learnt(self) -> Learnt:
        """What is worth keeping."""
        return Learnt(
            observed_s=self.observed_s,
            changes=self.changes,
            longest_s=self.longest_s,
            today_s=self.today_s,
            still_s=max(0.0, self.heard_at - self.moved_at),
            anchor=self.anchor,
            is_binary=self.is_binary,
        )

    def observe(self, seconds: float) -> None:
        """The point was seen reporting for some more time; a stuck one teaches nothing."""
        if self.heard_at - self.moved_at > self.stuck_limit_s:
            return
        before = self.observed_s // DAY_S
        self.observed_s += seconds
        if self.observed_s // DAY_S > before:
            if not before:  # the first day also learns from what it does not see the end of
                self.today_s = max(self.today_s, self.heard_at - self.moved_at)
            self.longest_s = max(self.today_s, self.longest_s * FORGETTING)
            self.today_s = 0.0
            self._set_stuck_limit()

    def _rest_at(self, value: float) -> None:
        self.anchor = value
        self.still_low, self.still_high = value - self.spread, value + self.spread

    def _learn_still(self, now: float) -> None:
        """A time without a change is over; what was a fault teaches only a little."""
        # After a gap it is not known when the value changed.
        until = self.heard_at if now - self.heard_at > self._gap_s() else now
        still_s = until - self.moved_at
        if still_s > self.stuck_limit_s:
            still_s = min(still_s, 2 * self.longest_s)
        if self.anchor is not None and still_s > self.today_s:
            self.today_s = still_s
            self._set_stuck_limit()

    def _gap_s(self) -> float:
        interval_s = self.limits.expected_interval_s
        return max(USUAL_GAP_S, MISSED_INTERVALS * (interval_s or 0.0))

    def _set_stuck_limit(self) -> None:
        self.stuck_limit_s = math.inf
        if self.limits.stuck_after_s is not None:
            if self.limits.stuck_after_s:
                self.stuck_limit_s = self.limits.stuck_after_s
            return
        is_known = self.observed_s >= DAY_S and self.changes >= LEAST_CHANGES
        if not is_known or self.is_binary or self.limits.may_rest:
            return
        limit_s = max(LEAST_STUCK_S, STUCK_FACTOR * max(self.longest_s, self.today_s))
        if limit_s <= MOST_STUCK_S:
            self.stuck_limit_s = limit_s

    def _is_clock_set_back(self, now: float) -> bool:
        """Only what is older than the last reading comes, and for a while."""
        if self.late_mark is not self.at:
            self.late_mark, self.late_since = self.at, now
        return now - self.late_since >= LATE_S

    def _judge_range(self, value: float, now: float) -> None:
        low = -math.inf if self.limits.low is None else self.limits.low
        high = math.inf if self.limits.high is None else self.limits.high
        if low <= value <= high:
            self.outside = 0
            margin = HYSTERESIS * self.limits.width
            if self.is_out and low + margin <= value <= high - margin:
                self.is_out = False
        else:
            self.outside += 1
            self.out_value = value
            if not self.is_out:
                self.out_at = now if self.outside == 1 else self.out_at
                self.is_out = self.outside >= OUTSIDE_IN_A_ROW
        self._open_gate()

    def _open_gate(self) -> None:
        """Let values pass unseen when nothing but a value outside the range could be news."""
        if self.is_out or self.outside:
            self.floor, self.ceiling = math.inf, -math.inf
            return
        has_range, limits = self.limits.has_range, self.limits
        self.floor = limits.low if has_range and limits.low is not None else -_LARGEST
        self.ceiling = limits.high if has_range and limits.high is not None else _LARGEST


@dataclass(slots=True, kw_only=True, eq=False)
class DeviceWatch:
    """The points of one device, looked at together now and then."""

    device_id: int
    name: str
    area_id: int
    area_path: str
    points: list[PointWatch] = field(default_factory=list)
    heard_at: float | None = None

    def sweep(self) -> list[PointWatch]:
        """Look at what came since the last sweep; return the points of which there is news."""
        newest = max((point.heard_at for point in self.points), default=None)
        before = self.heard_at
        if newest is None or newest == before:
            return []
        self.heard_at = newest
        if before is not None and newest > before:
            self._count(before, newest - before)
        return self.news()

    def news(self) -> list[PointWatch]:
        """The points whose faults are not the ones that everybody knows of."""
        return [point for point in self.points if point.judge() != point.opened]

    def _count(self, before: float, passed_s: float) -> None:
        if passed_s > self._gap_s():
            for point in self.points:
                point.moved_at = min(point.heard_at, point.moved_at + passed_s)
            return
        for point in self.points:
            if point.heard_at > before:
                point.observe(passed_s)
            else:
                point.missing_s += passed_s

    def _gap_s(self) -> float:
        """Beyond this the device was away, not one of its points."""
        stated = [i for p in self.points if (i := p.limits.expected_interval_s) is not None]
        if not stated:
            return USUAL_GAP_S
        return max(LEAST_GAP_S, MISSED_INTERVALS * min(stated))


def take_readings(
    watches: Mapping[int, PointWatch], rows: Sequence[ReadingRow], now: float
) -> dict[int, int]:
    """Take stored readings; return the points that nobody watches, each with its device.

    Thousands a second pass here: what changes no verdict costs a lookup and some comparisons.
    """
    unknown: dict[int, int] = {}
    find = watches.get
    for row in rows:
        watch = find(row.point_id)
        if watch is None:
            unknown[row.point_id] = row.device_id
            continue
        value, at = row.value, row.at
        if at > watch.at and watch.floor <= value <= watch.ceiling:
            watch.at = at
            if not watch.still_low <= value <= watch.still_high:
                watch.move(value, now)
            watch.heard_at = now
            watch.missing_s = 0.0
        else:
            watch.look(value, at, now)
    return unknown


def say_fault(fault: PointFault, watch: PointWatch) -> str:
    """The sentence people read."""
    limits, unit = watch.limits, f" {watch.unit}" if watch.unit else ""
    match fault:
        case PointFault.OUT_OF_RANGE:
            value = watch.out_value
            is_above = limits.high is not None and value > limits.high
            side, limit = ("above", limits.high) if is_above else ("below", limits.low)
            return f"{watch.key} reads {value:g}{unit}, {side} its limit of {limit or 0.0:g}{unit}"
        case PointFault.STUCK:
            value = watch.anchor or 0.0
            since = _say_time(watch.heard_at - watch.moved_at)
            return f"{watch.key} has read {value:g}{unit} without a change for {since}"
        case PointFault.SILENT:
            interval = _say_time(limits.expected_interval_s or 0.0)
            return f"{watch.key} is silent, expected every {interval}, while its device reports"


def _say_time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:g} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.0f} h"
