"""Sorts out, in memory, the few readings that change what a rule thinks (design §2).

Ten thousand readings a second pass here; hardly any crosses a threshold. Each is judged on a
copy of what is remembered, and only those that would change it are kept for the engine, which
judges them again on what the database remembers. Nothing here waits or does I/O.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.rules.deciding import Transition, advance
from alerts.rules.index import RuleIndex
from alerts.rules.observations import ValueSeen, is_watching
from alerts.rules.values import is_beyond
from hub.domain.alerts import Phase, Rule, RuleState, subject_key
from hub.domain.calendars import NO_HOLIDAYS, Holidays
from hub.domain.conditions import Condition, PointBeyond
from hub.store.events import ReadingRow
from hub.store.present import PointPlace

# More than this waiting means the database is away: the sweep will look at the present instead.
LIMIT = 50_000
# A reading this much older than the last one of its point came late or again. One that is
# older still means that the device's clock was set back, and counts.
LATE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A reading that changes something. ``state`` names the subject."""

    rule: Rule
    state: RuleState
    value: float
    at: datetime


class ReadingInbox:
    """What waits for the engine, and copies of what is remembered about points."""

    def __init__(self) -> None:
        self._index = RuleIndex(())
        self._holidays: Holidays = NO_HOLIDAYS
        self._watchers: dict[int, tuple[tuple[Rule, RuleState], ...]] = {}
        self._points_of: dict[int, set[int]] = {}
        self._states: dict[tuple[int, str], RuleState] = {}
        self._last_at: dict[int, datetime] = {}
        self._crossings: deque[Crossing] = deque()
        self._unplaced: list[tuple[ReadingRow, datetime]] = []
        self._has_overflowed = False

    def reset(
        self,
        rules: Iterable[Rule],
        remembered: Iterable[RuleState],
        holidays: Holidays = NO_HOLIDAYS,
    ) -> None:
        """Start again from what the database holds; what waited is left to the sweep."""
        self._holidays = holidays
        self._index = RuleIndex(rules)
        self._watchers.clear()
        self._points_of.clear()
        self._crossings.clear()
        self._unplaced.clear()
        self._states = {(s.rule_id, s.subject): s for s in remembered}

    def offer(self, rows: Sequence[ReadingRow], now: datetime) -> bool:
        """Take stored readings; tell whether the engine has something to do."""
        if not self._index.has_points:
            return False
        for row in rows:
            watchers = self._watchers.get(row.point_id)
            if watchers is None:
                self._unplaced.append((row, now))
            elif watchers:
                self._judge(row, watchers, now)
        if len(self._crossings) + len(self._unplaced) > LIMIT:
            self._crossings.clear()
            self._unplaced.clear()
            self._states.clear()
            self._has_overflowed = True
        return bool(self._crossings or self._unplaced or self._has_overflowed)

    def unknown_points(self) -> list[int]:
        """Points that reported and whose place is not known yet."""
        return sorted({row.point_id for row, _ in self._unplaced})

    def place(self, places: Iterable[PointPlace]) -> None:
        """Learn where the unknown points are; whichever is still missing is watched by nobody."""
        known = {place.point_id: place for place in places}
        waiting, self._unplaced = self._unplaced, []
        for row, at in waiting:
            if row.point_id not in self._watchers:
                self._watchers[row.point_id] = self._watchers_of(known.get(row.point_id))
                self._points_of.setdefault(row.device_id, set()).add(row.point_id)
            self._judge(row, self._watchers[row.point_id], at)

    def forget_places(self, device_ids: Sequence[int]) -> None:
        """Devices changed (all, when none is named): ask again where their points are."""
        for device_id in device_ids or tuple(self._points_of):
            for point_id in self._points_of.pop(device_id, ()):
                self._watchers.pop(point_id, None)

    def take(self, limit: int) -> list[Crossing]:
        """The next readings to judge for good."""
        return [self._crossings.popleft() for _ in range(min(limit, len(self._crossings)))]

    def take_overflow(self) -> bool:
        """Tell once that readings were dropped: the present must be looked at."""
        has_overflowed, self._has_overflowed = self._has_overflowed, False
        return has_overflowed

    def remember(self, states: Iterable[RuleState]) -> None:
        """Keep the copies up to date with what the database remembers."""
        for state in states:
            if state.point_id is None:
                continue
            key = (state.rule_id, state.subject)
            if state.phase is Phase.CLEAR:
                self._states.pop(key, None)
            else:
                self._states[key] = state

    def _watchers_of(self, place: PointPlace | None) -> tuple[tuple[Rule, RuleState], ...]:
        if place is None:
            return ()
        return tuple(
            (rule, _blank(rule, place))
            for rule in self._index.watching_point((place.point, place.role), place.area_path)
            if is_watching(rule, place.area_path, place.device_kind, place.device_class, place.tags)
        )

    def _judge(
        self, row: ReadingRow, watchers: tuple[tuple[Rule, RuleState], ...], now: datetime
    ) -> None:
        last_at = self._last_at.get(row.point_id)
        if last_at is not None and last_at - LATE < row.at <= last_at:
            return
        if watchers:
            self._last_at[row.point_id] = row.at
        for rule, blank in watchers:
            key = (rule.id, blank.subject)
            state = self._states.get(key)
            if state is None:
                # Nothing is wrong: a good value says nothing new, and nobody misses the reading.
                if not _is_bad(rule.condition, row.value):
                    continue
                state = blank
            is_news = False
            seen = ValueSeen(value=row.value)
            for decision, _ in advance(rule, state, seen, now, holidays=self._holidays):
                is_news = is_news or decision.transition is not Transition.NONE
                state = decision.state
            if is_news:
                self._states[key] = state
                self._crossings.append(Crossing(rule=rule, state=blank, value=row.value, at=now))


def _is_bad(condition: Condition, value: float) -> bool:
    return isinstance(condition, PointBeyond) and is_beyond(condition, value)


def _blank(rule: Rule, place: PointPlace) -> RuleState:
    return RuleState(
        rule_id=rule.id,
        subject=subject_key(
            area_id=place.area_id, device_id=place.device_id, point_id=place.point_id
        ),
        area_id=place.area_id,
        device_id=place.device_id,
        point_id=place.point_id,
    )
