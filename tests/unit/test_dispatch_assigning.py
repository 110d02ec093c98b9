"""Who is sent: rules, areas, distance, load, hours, in that order, and why in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.calendars import Calendar, Days, Holiday
from hub.domain.dispatches import (
    Cause,
    Dispatch,
    DispatchRule,
    DispatchState,
    Position,
    Priority,
    Source,
    Unit,
    UnitKind,
)
from hub.patrols.dispatch.assigning import POSITION_LASTS, choose, weigh

# A Sunday, 23:00 in Shanghai.
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
NIGHT = Calendar(rrule="FREQ=DAILY;BYHOUR=22", duration_s=8 * 3600, time_zone="Asia/Shanghai")
DAY = replace(NIGHT, rrule="FREQ=DAILY;BYHOUR=8")
GATE = Position(longitude=120.700, latitude=30.700)

TASK = Dispatch(
    id=7,
    area_id=3,
    area_path="county.north.mill",
    area_name="Mill",
    title="gate",
    text="",
    kind="light",
    priority=Priority.NORMAL,
    state=DispatchState.NEW,
    cause=Cause(source=Source.PATROL),
    where=GATE,
    created_at=NOW,
    created_by="chen",
)
RULE = DispatchRule(id=1, name="nearest", area_id=1, area_path="county")


def at(north_km: float, *, age: timedelta = timedelta(0)) -> Position:
    """So many kilometres north of the gate."""
    latitude = GATE.latitude + north_km / 111.195
    return Position(longitude=GATE.longitude, latitude=latitude, at=NOW - age)


OFFICER = Unit(
    id=1, area_id=3, area_path="county.north.mill", name="Wang", kind=UnitKind.GRID_OFFICER
)
CAR = Unit(id=2, area_id=2, area_path="county.north", name="Car 2", kind=UnitKind.PATROL_UNIT)
TEAM = Unit(id=3, area_id=1, area_path="county", name="Team A", kind=UnitKind.REPAIR_TEAM)


def chosen(*units: Unit, task: Dispatch = TASK, rules: tuple[DispatchRule, ...] = (RULE,)) -> str:
    """Who goes; nobody is ''."""
    found = choose(task, units, rules, NOW)
    return "" if found is None else found.unit.name


def test_the_nearest_area_counts_first_then_the_way_then_the_load() -> None:
    assert chosen(TEAM, CAR, OFFICER) == "Wang"
    assert chosen(TEAM, CAR) == "Car 2"
    far = replace(CAR, id=4, name="far", position=at(4), open_tasks=0)
    near = replace(CAR, id=5, name="near", position=at(1), open_tasks=3)
    lost = replace(CAR, id=6, name="lost", position=at(0, age=POSITION_LASTS * 2))
    assert chosen(lost, far, near) == "near"
    assert chosen(lost, far) == "far"
    # However near somebody of the area above may be.
    assert chosen(replace(TEAM, position=at(0)), far) == "far"
    busy = replace(CAR, id=7, name="busy", open_tasks=2)
    assert chosen(busy, replace(CAR, id=8, name="free", open_tasks=1)) == "free"
    assert chosen(replace(busy, open_tasks=1), replace(CAR, id=6, open_tasks=1)) == "Car 2"


@pytest.mark.parametrize(
    ("unit", "hindrance"),
    [
        (OFFICER, ""),
        (replace(OFFICER, hours=NIGHT), ""),
        (replace(OFFICER, area_path="county.north.ferry"), "it answers for another area"),
        (replace(OFFICER, area_path="county.north.mi"), "it answers for another area"),
        (replace(OFFICER, is_enabled=False), "it is switched off"),
        (replace(OFFICER, hours=DAY), "it is not on duty"),
        (replace(OFFICER, hours=replace(NIGHT, days=Days.WORKING)), "it is not on duty"),
        (replace(OFFICER, open_tasks=5), "it has 5 of 5 tasks"),
        (replace(OFFICER, id=9), "it had this task before"),
    ],
)
def test_whom_no_rule_sends(unit: Unit, hindrance: str) -> None:
    (weighed,) = weigh(TASK, [unit], NOW, had_it={9})
    assert weighed.hindrance == hindrance
    found = choose(TASK, [unit], [RULE], NOW, had_it={9})
    assert (found is None) == bool(hindrance)


def test_a_day_that_is_declared_worked_is_one() -> None:
    unit = replace(OFFICER, hours=replace(NIGHT, days=Days.WORKING))
    sunday = NOW.date()
    holidays = {sunday: Holiday(day=sunday, name="worked instead", is_working=True)}
    assert choose(TASK, [unit], [RULE], NOW, holidays=holidays) is not None


@pytest.mark.parametrize(
    ("rule", "is_asked"),
    [
        (RULE, True),
        (replace(RULE, kinds=("waste", "light")), True),
        (replace(RULE, kinds=("waste",)), False),
        (replace(RULE, priorities=(Priority.NORMAL,)), True),
        (replace(RULE, priorities=(Priority.URGENT,)), False),
        (replace(RULE, sources=(Source.PATROL,)), True),
        (replace(RULE, sources=(Source.REPORT,)), False),
        (replace(RULE, area_path="county.south"), False),
        (replace(RULE, is_enabled=False), False),
        (replace(RULE, unit_kinds=(UnitKind.REPAIR_TEAM,)), False),
        (replace(RULE, unit_kinds=(UnitKind.GRID_OFFICER,)), True),
    ],
)
def test_which_rules_are_for_a_task(rule: DispatchRule, *, is_asked: bool) -> None:
    assert chosen(OFFICER, rules=(rule,)) == ("Wang" if is_asked else "")


def test_the_nearest_rule_by_which_anybody_can_go_decides() -> None:
    near = replace(RULE, id=9, area_path="county.north", unit_kinds=(UnitKind.PATROL_UNIT,))
    proposed = replace(RULE, id=2, is_automatic=False)
    assert chosen(OFFICER, CAR, rules=(RULE, near)) == "Car 2"
    # Nobody can by that one: the next is asked.
    assert chosen(OFFICER, replace(CAR, open_tasks=9), rules=(RULE, near)) == "Wang"
    found = choose(TASK, [OFFICER], [proposed, near], NOW)
    assert found is not None
    assert (found.rule.id, found.is_automatic) == (2, False)
    found = choose(TASK, [OFFICER], [proposed, RULE], NOW)
    assert found is not None
    assert (found.rule.id, found.is_automatic) == (1, True)


def test_how_far_somebody_may_be() -> None:
    rule = replace(RULE, most_km=2)
    assert chosen(replace(OFFICER, position=at(1.9)), rules=(rule,)) == "Wang"
    assert chosen(replace(OFFICER, position=at(2.1)), rules=(rule,)) == ""
    # Where one of the two is not known the area decides.
    assert chosen(OFFICER, rules=(rule,)) == "Wang"
    here = replace(OFFICER, position=at(50))
    assert chosen(here, task=replace(TASK, where=None), rules=(rule,)) == "Wang"
    old = replace(OFFICER, position=at(50, age=POSITION_LASTS + timedelta(seconds=1)))
    assert chosen(old, rules=(rule,)) == "Wang"


def test_who_has_a_task_does_not_get_it_again() -> None:
    task = replace(TASK, unit_id=OFFICER.id, state=DispatchState.SENT)
    assert chosen(OFFICER, CAR, task=task) == "Car 2"


def test_the_reason_says_it_in_words() -> None:
    found = choose(TASK, [replace(CAR, position=at(1.24), open_tasks=2)], [RULE], NOW)
    assert found is not None
    assert found.reason == (
        "rule nearest: patrol unit of the area above, 1.2 km away, 2 of 5 tasks"
    )
    found = choose(TASK, [TEAM], [RULE], NOW)
    assert found is not None
    assert found.reason == "rule nearest: repair team 2 areas up, 0 of 5 tasks"
    assert choose(TASK, [], [RULE], NOW) is None
    assert choose(TASK, [OFFICER], [], NOW) is None


def test_those_who_can_go_come_first() -> None:
    units = [replace(OFFICER, is_enabled=False), TEAM, CAR]
    assert [one.unit.name for one in weigh(TASK, units, NOW)] == ["Car 2", "Team A", "Wang"]
