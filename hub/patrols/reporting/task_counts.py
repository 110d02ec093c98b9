"""Counts dispatches and what units did with them; pure.

The formulas are in :mod:`hub.patrols.reporting.figures`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.dispatches import DispatchState, UnitKind
from hub.patrols.reporting.figures import TaskFigures, Times, UnitFigures, make_rate, make_times
from hub.store.patrol_figures import Span, TaskFact

_ENDED_OTHERWISE = frozenset({DispatchState.CANCELLED, DispatchState.MERGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that is counted; ``is_round``: all of the tasks, whenever something happened."""

    since: datetime
    until: datetime
    is_round: bool = False

    @classmethod
    def of(cls, span: Span) -> "Window":
        """The time of a span: nothing after ``as_of``, of a round nothing before it either."""
        until = span.as_of if span.round_id is not None else min(span.until, span.as_of)
        return cls(since=span.since, until=until, is_round=span.round_id is not None)

    def holds(self, at: datetime | None) -> bool:
        """Tell whether something happened in it."""
        return at is not None and at < self.until and (self.is_round or at >= self.since)

    def is_past(self, at: datetime | None) -> bool:
        """Tell whether something had happened by its end."""
        return at is not None and at < self.until


def count_tasks(tasks: Sequence[TaskFact], window: Window, *, is_unit: bool = False) -> TaskFigures:
    """Add up tasks; response times of a unit begin when it was sent, else with the opening."""

    def begin(one: TaskFact) -> datetime | None:
        return one.sent_at if is_unit else one.created_at

    ends = Counter(one.state for one in tasks if window.holds(one.closed_at))
    opened = [one for one in tasks if window.holds(begin(one))]
    still_open = [one for one in tasks if not window.is_past(one.closed_at)]
    done = [one for one in tasks if window.holds(one.done_at)]
    due = [one for one in tasks if window.holds(_decided_at(one))]
    on_time = sum(_is_on_time(one) for one in due)
    return TaskFigures(
        opened=len(opened),
        done=len(done),
        verified=ends[DispatchState.VERIFIED],
        cancelled=ends[DispatchState.CANCELLED],
        merged=ends[DispatchState.MERGED],
        still_open=len(still_open),
        overdue=sum(_is_overdue(one, window) for one in still_open),
        without_deadline=sum(one.done_by is None for one in done),
        kinds=dict(
            sorted(
                Counter(one.kind for one in opened).items(), key=lambda item: (-item[1], item[0])
            )
        ),
        timely=make_rate(on_time, len(due)),
        accept=_times(tasks, window, begin, lambda one: one.accepted_at),
        arrive=_times(tasks, window, begin, lambda one: one.on_site_at),
        finish=_times(tasks, window, begin, lambda one: one.done_at),
    )


def count_units(tasks: Sequence[TaskFact], window: Window) -> list[UnitFigures]:
    """Every unit that has a task, by name."""
    by_unit: defaultdict[int, list[TaskFact]] = defaultdict(list)
    for one in tasks:
        if one.unit_id is not None:
            by_unit[one.unit_id].append(one)
    units = [
        UnitFigures(
            unit_id=number,
            name=its[-1].unit_name,
            kind=its[-1].unit_kind or UnitKind.PATROL_UNIT,
            area_name=its[-1].unit_area_name,
            tasks=count_tasks(its, window, is_unit=True),
        )
        for number, its in by_unit.items()
    ]
    return sorted(units, key=lambda unit: (unit.name, unit.unit_id))


def _decided_at(one: TaskFact) -> datetime | None:
    """When it was settled whether a task is in time: done, or its deadline passed; None: never."""
    if one.done_by is None:
        return None
    if one.done_at is not None:
        return min(one.done_at, one.done_by)
    is_off = one.state in _ENDED_OTHERWISE and one.closed_at is not None
    if is_off and one.closed_at is not None and one.closed_at <= one.done_by:
        return None
    return one.done_by


def _is_on_time(one: TaskFact) -> bool:
    return one.done_at is not None and one.done_by is not None and one.done_at <= one.done_by


def _is_overdue(one: TaskFact, window: Window) -> bool:
    """Whether a deadline had passed by the end: one kept on record, or that of being done."""
    is_late = one.done_by is not None and one.done_by < window.until
    is_done_in_time = _is_on_time(one) and window.is_past(one.done_at)
    return window.is_past(one.overdue_at) or (is_late and not is_done_in_time)


def _times(
    tasks: Sequence[TaskFact],
    window: Window,
    begin: Callable[[TaskFact], datetime | None],
    step: Callable[[TaskFact], datetime | None],
) -> Times:
    """Seconds to a step that fell into the window; of as many as came or still are waited for."""
    came: list[float] = []
    waiting = 0
    for one in tasks:
        since, at = begin(one), step(one)
        if since is None or not window.is_past(since):
            continue
        if window.holds(at) and at is not None:
            came.append(max(0.0, (at - since).total_seconds()))
        elif not window.is_past(at) and not window.is_past(one.closed_at):
            waiting += 1
    return make_times(came, of=len(came) + waiting)
