"""What a dispatch desk has in one village: a unit, a rule, deadlines, a task."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.dispatches import (
    DispatchRule,
    NewDispatch,
    Position,
    Priority,
    TaskDeadlines,
    Unit,
    UnitKind,
)
from hub.store import dispatch_rules, dispatches, field_units, task_deadlines
from hub.store.database import Transaction
from hub.store.dispatches import Due
from tests.web.stage import SYSTEM


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskScene:
    """Numbers of what is there."""

    unit: int
    dispatch_rule: int
    task_deadlines: int
    dispatch: int


async def fill_desk(tx: Transaction, area_id: int, name: str, now: datetime) -> DeskScene:
    """Put one of each into an area."""
    unit = await field_units.add_unit(
        tx, SYSTEM, Unit(area_id=area_id, name=f"{name}-officer", kind=UnitKind.GRID_OFFICER)
    )
    here = Position(longitude=120.7, latitude=30.7, at=now)
    await field_units.place_unit(tx, SYSTEM, unit.id, here, now)
    rule = await dispatch_rules.add_rule(
        tx, SYSTEM, DispatchRule(area_id=area_id, name=f"{name}-rule", is_automatic=False)
    )
    limits = await task_deadlines.add_deadlines(
        tx,
        SYSTEM,
        TaskDeadlines(
            area_id=area_id, priority=Priority.HIGH, accept_s=600, arrive_s=1800, done_s=7200
        ),
    )
    new = NewDispatch(area_id=area_id, title=f"{name} gate stands open", where=here)
    task = await dispatches.add_dispatch(tx, SYSTEM, new, Due(), now=now)
    return DeskScene(
        unit=unit.id, dispatch_rule=rule.id, task_deadlines=limits.id, dispatch=task.id
    )
