"""Which unit gets a task: rules of the areas from the task's own upward. Pure but for propose.

A rule is asked only about tasks it is for; the nearest one by which anybody can go decides.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.calendars import NO_HOLIDAYS, Holidays
from hub.domain.dispatches import Dispatch, DispatchRule, Unit, UnitKind
from hub.domain.places import distance_km
from hub.runtime.calendars import is_active
from hub.store.database import Transaction
from hub.store.dispatch_rules import rules_for
from hub.store.field_units import units_before, units_for
from hub.store.holidays import all_holidays

# Who was somewhere an hour ago may be anywhere by now.
POSITION_LASTS: Final = timedelta(hours=1)
_KINDS: Final = {
    UnitKind.GRID_OFFICER: "grid officer",
    UnitKind.PATROL_UNIT: "patrol unit",
    UnitKind.REPAIR_TEAM: "repair team",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The unit that a rule gives a task to, and why in words; sent at once when automatic."""

    unit: Unit
    rule: DispatchRule
    is_automatic: bool
    reason: str
    km: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A unit and a task: ``hindrance`` says why no rule sends it there, empty: it could go."""

    unit: Unit
    km: float | None
    hindrance: str


async def propose(tx: Transaction, scope: Scope, task: Dispatch, now: datetime) -> Proposal | None:
    """Find who should go to a task of the scope; None when no rule finds anybody.

    Rules and units of the areas above are asked, too, whether or not the scope reaches there.
    Tasks that are opened at the same moment do not see each other: a unit may get one more
    than its most.
    """
    rules = await rules_for(tx, scope, task.area_path)
    if not rules:
        return None
    units = await units_for(tx, scope, task.area_path)
    if not units:
        return None
    holidays = await all_holidays(tx, scope)
    passed_over = await units_before(tx, scope, task.id)
    return choose(task, units, rules, now, holidays=holidays, passed_over=passed_over)


def choose(
    task: Dispatch,
    units: Sequence[Unit],
    rules: Sequence[DispatchRule],
    now: datetime,
    *,
    holidays: Holidays = NO_HOLIDAYS,
    passed_over: Collection[int] = (),
) -> Proposal | None:
    """Choose the unit for a task by the rules; ``passed_over`` had it before.

    Rules of the nearest area upward are asked first, and those of one area by number. Among the
    units a rule allows, the one in the nearest area upward is best, then the nearest by what is
    known of both places, then the one with the fewest open tasks.
    """
    weighed = weigh(task, units, now, holidays=holidays, passed_over=passed_over)
    free = [one for one in weighed if not one.hindrance]
    for rule in _rules_of(task, rules):
        allowed = [one for one in free if _is_allowed(rule, one)]
        if allowed:
            best = min(allowed, key=_order)
            return Proposal(
                unit=best.unit,
                rule=rule,
                is_automatic=rule.is_automatic,
                reason=_reason(task, rule, best),
                km=best.km,
            )
    return None


def weigh(
    task: Dispatch,
    units: Sequence[Unit],
    now: datetime,
    *,
    holidays: Holidays = NO_HOLIDAYS,
    passed_over: Collection[int] = (),
) -> list[Weighed]:
    """Say of each unit whether it could go to a task and how far it is; the best first."""
    weighed = [
        Weighed(
            unit=unit,
            km=_distance(task, unit, now),
            hindrance=_hindrance(task, unit, now, holidays, passed_over),
        )
        for unit in units
    ]
    return sorted(weighed, key=lambda one: (one.hindrance != "", *_order(one)))


def _rules_of(task: Dispatch, rules: Sequence[DispatchRule]) -> Iterator[DispatchRule]:
    """Those that are for the task, in the order in which they are asked."""
    ordered = sorted(rules, key=lambda one: (-one.area_path.count("."), one.id))
    for rule in ordered:
        if rule.is_enabled and _is_for(rule, task):
            yield rule


def _is_for(rule: DispatchRule, task: Dispatch) -> bool:
    return (
        _covers(rule.area_path, task.area_path)
        and (not rule.kinds or task.kind in rule.kinds)
        and (not rule.priorities or task.priority in rule.priorities)
        and (not rule.sources or task.cause.source in rule.sources)
    )


def _is_allowed(rule: DispatchRule, one: Weighed) -> bool:
    if rule.unit_kinds and one.unit.kind not in rule.unit_kinds:
        return False
    # Without a position of both the area decides.
    return rule.most_km is None or one.km is None or one.km <= rule.most_km


def _hindrance(
    task: Dispatch,
    unit: Unit,
    now: datetime,
    holidays: Holidays,
    passed_over: Collection[int],
) -> str:
    hindrances = {
        "it answers for another area": not _covers(unit.area_path, task.area_path),
        "it is switched off": not unit.is_enabled,
        "it has this task": unit.id == task.unit_id,
        "it had this task before": unit.id in passed_over,
        f"it has {unit.open_tasks} of {unit.most_open} tasks": unit.open_tasks >= unit.most_open,
        "it is not on duty": not is_active(unit.hours, now, holidays),
    }
    return next((why for why, holds in hindrances.items() if holds), "")


def _distance(task: Dispatch, unit: Unit, now: datetime) -> float | None:
    """Kilometres between them, None when it is not known where one of them is."""
    there, here = task.where, unit.position
    if there is None or here is None or here.at is None or now - here.at > POSITION_LASTS:
        return None
    return distance_km(here.longitude, here.latitude, there.longitude, there.latitude)


def _order(one: Weighed) -> tuple[int, bool, float, int, int]:
    unit = one.unit
    return (-unit.area_path.count("."), one.km is None, one.km or 0.0, unit.open_tasks, unit.id)


def _covers(above: str, path: str) -> bool:
    return path == above or path.startswith(above + ".")


def _reason(task: Dispatch, rule: DispatchRule, best: Weighed) -> str:
    unit = best.unit
    levels = task.area_path.count(".") - unit.area_path.count(".")
    where = {0: "of this area", 1: "of the area above"}.get(levels, f"of {levels} areas above")
    far = "" if best.km is None else f", {best.km:.1f} km away"
    load = f"{unit.open_tasks} of {unit.most_open} tasks"
    return f"rule {rule.name}: {_KINDS[unit.kind]} {where}{far}, {load}"
