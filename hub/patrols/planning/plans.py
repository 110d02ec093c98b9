"""When a patrol plan falls due, and which plans are refused. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Final, NoReturn

from hub.domain.errors import Invalid
from hub.domain.patrols import PatrolPlan
from hub.patrols.planning.details import check_details
from hub.runtime.recurrence import (
    FIRST_YEAR,
    Recurrence,
    parse_recurrence,
    shortest_gap,
    times_after,
)

SHORTEST_GAP: Final = timedelta(minutes=5)
# Rules with at most so many rounds altogether may follow each other faster, for a trial.
TRIAL_COUNT: Final = 12
MOST_EXCEPTIONS: Final = 366
SHORTEST_S, LONGEST_S = 60, 86_400
# So many of the next rounds are looked at for the shortest time between two.
ROUNDS_AHEAD: Final = 50
BEGINNING: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)


def check_plan(plan: PatrolPlan, *, now: datetime) -> datetime:
    """Return the plan's next due time.

    Raises:
        Invalid: the rule, the zone or a number cannot be used, or the rule never fires (again).
    """
    check_form(plan)
    _check_pace(_rule(plan))
    due = next_due(plan, now)
    if due is None:
        if next_due(plan, BEGINNING) is not None:
            _refuse("this rule never fires again: all its times are past", "rrule")
        if plan.ends_on is None and not plan.exceptions:
            _refuse("this rule never fires: no day fits all its parts", "rrule")
        _refuse("no round is left between the first and the last day: all are exceptions", "rrule")
    return due


def check_form(plan: PatrolPlan) -> None:
    """Refuse a plan that makes no sense whenever it is asked.

    Raises:
        Invalid: names the field.
    """
    if not plan.name.strip() or len(plan.name) > 128:
        _refuse("a plan needs a name of 1 to 128 characters", "name")
    if not 10 <= plan.window_s <= 86_400:
        _refuse("a round may begin 10 to 86400 seconds late", "window_s")
    if plan.lasts_s is not None and not SHORTEST_S <= plan.lasts_s <= LONGEST_S:
        _refuse(f"a round lasts {SHORTEST_S} to {LONGEST_S} seconds", "lasts_s")
    if not 0 <= plan.seconds_per_stop <= 600:
        _refuse("a stop takes 0 to 600 seconds", "seconds_per_stop")
    if plan.device_ids is not None and not plan.device_ids:
        _refuse("the list of cameras is empty: leave it out to walk them all", "device_ids")
    if plan.ends_on is not None and plan.ends_on < plan.starts_on:
        _refuse("the last day lies before the first", "ends_on")
    if len(plan.exceptions) > MOST_EXCEPTIONS:
        _refuse(f"a plan has at most {MOST_EXCEPTIONS} exceptions", "exceptions")
    check_details(plan)
    _rule(plan)


def times(plan: PatrolPlan, after: datetime) -> Iterator[datetime]:
    """Yield the due times later than ``after`` (aware), in UTC and in order; most never end.

    A round belongs to the day on which it begins by the plan's own clock, however far it goes
    beyond midnight: that day must not lie after ``ends_on`` nor be an exception.

    Raises:
        Invalid: the rule or the zone cannot be used.
    """
    rule = _rule(plan)
    left_out = frozenset(plan.exceptions)
    for moment in times_after(rule, after):
        day = moment.astimezone(rule.zone).date()
        if plan.ends_on is not None and day > plan.ends_on:
            return
        if day not in left_out:
            yield moment


def next_due(plan: PatrolPlan, after: datetime) -> datetime | None:
    """Return the first due time later than ``after`` (aware), in UTC; None when there is none.

    Raises:
        Invalid: the rule or the zone cannot be used.
    """
    return next(times(plan, after), None)


def due_between(plan: PatrolPlan, after: datetime, until: datetime) -> list[datetime]:
    """Return the due times later than ``after`` and not later than ``until``, in order.

    Raises:
        Invalid: the rule or the zone cannot be used.
    """
    return list(takewhile(lambda moment: moment <= until, times(plan, after)))


def shortest_time_between(plan: PatrolPlan, now: datetime) -> timedelta | None:
    """Return the shortest time between two of the next rounds; None where at most one comes.

    Raises:
        Invalid: the rule or the zone cannot be used.
    """
    coming = islice(times(plan, now), ROUNDS_AHEAD)
    return min((later - earlier for earlier, later in pairwise(coming)), default=None)


def _rule(plan: PatrolPlan) -> Recurrence:
    return parse_recurrence(plan.rrule, plan.time_zone, plan.starts_on)


def _check_pace(rule: Recurrence) -> None:
    """Refuse rounds that would follow each other too fast."""
    if rule.count is not None and rule.count <= TRIAL_COUNT:
        return
    gap = shortest_gap(rule)
    if gap is not None and gap < SHORTEST_GAP:
        _refuse(
            f"rounds must be at least 5 minutes apart (or at most {TRIAL_COUNT}, by COUNT)", "rrule"
        )


def _refuse(message: str, field: str) -> NoReturn:
    raise Invalid(message, field=field)
