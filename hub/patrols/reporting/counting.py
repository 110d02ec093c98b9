"""Counts stops, rounds and answers of duty rooms; pure.

The formulas are in :mod:`hub.patrols.reporting.figures`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from hub.domain.duty_rooms import CallState
from hub.domain.patrols import Result, RoundState, SecondLook, Timing, Verdict
from hub.patrols.reporting.figures import (
    CallFigures,
    RoundCounts,
    RoundFigures,
    SilentRoom,
    StopFigures,
    make_rate,
    make_times,
)
from hub.store.patrol_figures import CallFact, RoundFact, StopCount

NO_KIND: Final = "other"


def count_stops(counts: Iterable[StopCount]) -> StopFigures:
    """Add up stops; every stop stands once in each row of the figures."""
    seen: Counter[str] = Counter()
    results: Counter[Result] = Counter()
    timings: Counter[Timing] = Counter()
    second: Counter[SecondLook] = Counter()
    kinds: Counter[str] = Counter()
    person = dispatched = 0
    for one in counts:
        seen[_seen(one)] += one.number
        results[one.result] += one.number
        timings[one.timing] += one.number
        second[one.second_look] += one.number
        if one.result is Result.ABNORMAL:
            kinds[one.kind or NO_KIND] += one.number
            dispatched += one.number if one.is_dispatched else 0
        if one.is_by_person and one.result in {Result.NORMAL, Result.ABNORMAL}:
            person += one.number
    planned = seen.total()
    judged = results[Result.NORMAL] + results[Result.ABNORMAL]
    return StopFigures(
        planned=planned,
        **{name: seen[name] for name in ("seen", "not_kept", "not_seen", "not_looked")},
        normal=results[Result.NORMAL],
        abnormal=results[Result.ABNORMAL],
        not_judged=results[Result.NOT_JUDGED],
        open=results[Result.OPEN],
        on_time=timings[Timing.ON_TIME],
        early=timings[Timing.EARLY],
        late=timings[Timing.LATE],
        missed=timings[Timing.MISSED],
        out_of_order=timings[Timing.OUT_OF_ORDER],
        untimed=timings[Timing.NONE],
        by_person=person,
        second_wanted=second[SecondLook.WANTED],
        second_agreed=second[SecondLook.AGREED],
        second_disagreed=second[SecondLook.DISAGREED],
        dispatched=dispatched,
        kinds=dict(sorted(kinds.items(), key=_most_first)),
        completion=make_rate(seen["seen"], planned, unknown=seen["not_looked"]),
        judged=make_rate(judged, planned, unknown=results[Result.OPEN]),
        timely=make_rate(timings[Timing.ON_TIME], planned, unknown=timings[Timing.NONE]),
    )


def count_calls(calls: Sequence[CallFact], as_of: datetime) -> CallFigures:
    """Add up questions to duty rooms as they stood at ``as_of``."""
    asked = [one for one in calls if one.state is not CallState.CANCELLED]
    came = [(one, one.answered_at) for one in asked if _answered(one, as_of)]
    answered = [one for one, at in came if at is not None and at <= one.answer_by]
    late = len(came) - len(answered)
    silent = [one for one in asked if not _answered(one, as_of) and one.answer_by <= as_of]
    waiting = len(asked) - len(came) - len(silent)
    seconds = [(at - one.asked_at).total_seconds() for one, at in came if at is not None]
    by = Counter(one.answered_how.value for one, _ in came if one.answered_how is not None)
    return CallFigures(
        asked=len(asked),
        answered=len(answered),
        late=late,
        unanswered=len(silent),
        waiting=waiting,
        cancelled=len(calls) - len(asked),
        by=dict(sorted(by.items(), key=_most_first)),
        rate=make_rate(len(answered), len(asked), unknown=waiting),
        answer=make_times(seconds, of=len(asked)),
    )


def find_silent(calls: Sequence[CallFact], as_of: datetime) -> list[SilentRoom]:
    """Rooms that did not answer in time, the most silent first."""
    rooms: defaultdict[tuple[str, str, int | str], list[CallFact]] = defaultdict(list)
    for one in calls:
        if one.state is not CallState.CANCELLED:
            key = one.room_name if one.room_id is None else one.room_id
            rooms[one.area_path, one.room_name, key].append(one)
    found = []
    for (_, name, _), asked in rooms.items():
        late = sum(_answered(one, as_of) and not _in_time(one) for one in asked)
        silent = sum(not _answered(one, as_of) and one.answer_by <= as_of for one in asked)
        if late or silent:
            found.append(
                SilentRoom(
                    area_name=asked[0].area_name,
                    room_name=name,
                    asked=len(asked),
                    silent=silent,
                    late=late,
                )
            )
    return sorted(found, key=lambda one: (-one.silent, -one.late, one.area_name, one.room_name))


def count_rounds(facts: Sequence[RoundFact], with_stops: frozenset[int]) -> RoundCounts:
    """Add up rounds; ``with_stops`` are those that have any stop in the report's area."""
    states = Counter(one.state for one in facts)
    return RoundCounts(
        planned=len(facts),
        finished=states[RoundState.FINISHED],
        missed=states[RoundState.MISSED],
        cancelled=states[RoundState.CANCELLED],
        unfinished=sum(states[s] for s in (RoundState.DUE, RoundState.RUNNING, RoundState.PAUSED)),
        unknown=sum(is_unknown(one, with_stops) for one in facts),
    )


def is_unknown(one: RoundFact, with_stops: frozenset[int]) -> bool:
    """Tell whether a round has no stops and did not end by finding none: it tells nothing."""
    return one.id not in with_stops and one.state is not RoundState.FINISHED


def describe_round(one: RoundFact, stops: StopFigures) -> RoundFigures:
    """One round with its times and the stops of it that lie in the report's area."""
    took = None
    if one.started_at is not None and one.finished_at is not None:
        took = max(0.0, (one.finished_at - one.started_at).total_seconds())
    off = None
    if took is not None and one.forecast_s is not None and one.state is RoundState.FINISHED:
        off = round(took - one.paused_s - one.forecast_s, 3)
    return RoundFigures(
        id=one.id,
        plan_name=one.plan_name,
        area_name=one.area_name,
        mode=one.mode,
        state=one.state,
        planned_at=one.planned_at,
        started_at=one.started_at,
        finished_at=one.finished_at,
        ends_by=one.ends_by,
        walker_name=one.walker_name,
        reason=one.reason,
        took_s=took,
        paused_s=one.paused_s,
        forecast_s=one.forecast_s,
        off_s=off,
        planned=stops.planned,
        seen=stops.seen,
        abnormal=stops.abnormal,
        not_judged=stops.not_judged,
        open=stops.open,
    )


def _seen(one: StopCount) -> str:
    match one.verdict:
        case Verdict.SEEN:
            return "seen" if one.has_picture else "not_kept"
        case Verdict.NOT_SEEN:
            return "not_seen"
        case Verdict.PENDING:
            return "not_looked"


def _answered(one: CallFact, as_of: datetime) -> bool:
    return one.answered_at is not None and one.answered_at <= as_of


def _in_time(one: CallFact) -> bool:
    return one.answered_at is not None and one.answered_at <= one.answer_by


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
