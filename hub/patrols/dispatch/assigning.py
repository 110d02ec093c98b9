"""Which unit gets a task: rules of the areas from the task's own upward. Pure but for propose.

A rule is asked only about tasks it is for; the nearest one by which anybody can go decides.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """Who should go by the rules, and what speaks against each unit that answers for the area.

    Units are in their order, the best first. ``has_rule``: a rule is for the task at all.
    """

    proposal: Proposal | None
    units: Sequence[Weighed]
    has_rule: bool


async def propose(tx: Transaction, scope: Scope, task: Dispatch, now: datetime) -> Proposal | None:
    """Find who should go to a task of the scope; None when no rule finds anybody."""
    return (await consider(tx, scope, task, now)).proposal


async def consider(tx: Transaction, scope: Scope, task: Dispatch, now: datetime) -> Considered:
    """Find who should go to a task of the scope, and why not the others.

    Rules and units of the areas above are asked, too, whether or not the scope reaches there.
    """
    rules = list(_rules_of(task, await rules_for(tx, scope, task.area_path)))
    units = await units_for(tx, scope, task.area_path)
    holidays = await all_holidays(tx, scope) if units else NO_HOLIDAYS
    before = await units_before(tx, scope, task.id) if units else ()
    weighed = weigh(task, units, now, holidays=holidays, had_it=before)
    return Considered(proposal=_pick(task, rules, weighed), units=weighed, has_rule=bool(rules))


def choose(
    task: Dispatch,
    units: Sequence[Unit],
    rules: Sequence[DispatchRule],
    now: datetime,
    *,
    holidays: Holidays = NO_HOLIDAYS,
    had_it: Collection[int] = (),
) -> Proposal | None:
    """Choose the unit for a task by the rules; no unit in ``had_it`` gets it once more.

    Rules of the nearest area upward are asked first, and those of one area by number. Among the
    units a rule allows, the one in the nearest area upward is best, then the nearest by what is
    known of both places, then the one with the fewest open tasks.
    """
    weighed = weigh(task, units, now, holidays=holidays, had_it=had_it)
    return _pick(task, _rules_of(task, rules), weighed)


def weigh(
    task: Dispatch,
    units: Sequence[Unit],
    now: datetime,
    *,
    holidays: Holidays = NO_HOLIDAYS,
    had_it: Collection[int] = (),
) -> list[Weighed]:
    """Say of each unit whether it could go to a task and how far it is; the best first."""
    weighed = [
        Weighed(
            unit=unit,
            km=_distance(task, unit, now),
            hindrance=_hindrance(task, unit, now, holidays, had_it),
        )
        for unit in units
    ]
    return sorted(weighed, key=lambda one: (one.hindrance != "", *_order(one)))


def _pick(
    task: Dispatch, rules: Iterable[DispatchRule], weighed: Sequence[Weighed]
) -> Proposal | None:
    free = [one for one in weighed if not one.hindrance]
    for rule in rules:
        best = next((one for one in free if _is_allowed(rule, one)), None)
        if best is not None:
            return Proposal(
                unit=best.unit,
                rule=rule,
                is_automatic=rule.is_automatic,
                reason=_reason(task, rule, best),
                km=best.km,
            )
    return None


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
    had_it: Collection[int],
) -> str:
    hindrances = {
        "it answers for another area": not _covers(unit.area_path, task.area_path),
        "it is switched off": not unit.is_enabled,
        "it has this task": unit.id == task.unit_id,
        "it had this task before": unit.id in had_it,
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
    where = {0: "of this area", 1: "of the area above"}.get(levels, f"{levels} areas up")
    far = "" if best.km is None else f", {best.km:.1f} km away"
    load = f"{unit.open_tasks} of {unit.most_open} tasks"
    return f"rule {rule.name}: {_KINDS[unit.kind]} {where}{far}, {load}"
