"""When a patrol plan falls due, and which plans are refused. Pure."""

from datetime import UTC, datetime, timedelta
from typing import NoReturn

from hub.domain.errors import Invalid
from hub.domain.patrols import PatrolPlan
from hub.runtime.recurrence import (
    FIRST_YEAR,
    Recurrence,
    next_time,
    parse_recurrence,
    shortest_gap,
    times_between,
)

SHORTEST_GAP = timedelta(minutes=5)
# Rules with at most so many rounds altogether may follow each other faster, for a trial.
TRIAL_COUNT = 12


def check_plan(plan: PatrolPlan, *, now: datetime) -> datetime:
    """Return the plan's next due time.

    Raises:
        Invalid: the rule, the zone or a number cannot be used, or the rule never fires (again).
    """
    if not plan.name.strip() or len(plan.name) > 128:
        _refuse("a plan needs a name of 1 to 128 characters", "name")
    if not 10 <= plan.window_s <= 86_400:
        _refuse("a round may begin 10 to 86400 seconds late", "window_s")
    if not 0 <= plan.seconds_per_stop <= 600:
        _refuse("a stop takes 0 to 600 seconds", "seconds_per_stop")
    if plan.device_ids is not None and not plan.device_ids:
        _refuse("the list of cameras is empty: leave it out to walk them all", "device_ids")
    rule = _rule(plan)
    _check_pace(rule)
    due = next_time(rule, now)
    if due is None:
        if next_time(rule, datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)) is None:
            _refuse("this rule never fires: no day fits all its parts", "rrule")
        _refuse("this rule never fires again: all its times are past", "rrule")
    return due


def next_due(plan: PatrolPlan, after: datetime) -> datetime | None:
    """Return the first due time later than ``after`` (aware), in UTC; None when there is none.

    Raises:
        Invalid: the rule or the zone cannot be used.
    """
    return next_time(_rule(plan), after)


def due_between(plan: PatrolPlan, after: datetime, until: datetime) -> list[datetime]:
    """Return the due times later than ``after`` and not later than ``until``, in order.

    Raises:
        Invalid: the rule or the zone cannot be used.
    """
    return times_between(_rule(plan), after, until)


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
