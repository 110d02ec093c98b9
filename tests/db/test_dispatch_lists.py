"""The desk's lists: whatever is asked, they show what the tasks themselves say."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.access import Scope
from hub.domain.alerts import Colour
from hub.domain.dispatches import OVER, Dispatch, DispatchState, Priority
from hub.domain.errors import Invalid
from hub.store.database import Database
from hub.store.dispatch_lists import (
    NEWEST_SEARCHED,
    DispatchFilter,
    DispatchOrder,
    count_dispatches,
    list_dispatches,
)
from hub.store.dispatches import get_dispatches
from tests.db.conftest import SYSTEM, County

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
ROOT = Scope(paths=("330402",), actor="li")
STATES, PRIORITIES = list(DispatchState), list(Priority)
# Seconds to the deadline of tasks that were opened 1,000 s ago: passed, now, and on both sides
# of the last quarter of their time.
LEFT = (-60, 0, 1, 333, 334, 5000, None)
TASKS = 66
# The number that the search for short texts begins after.
LATER = NEWEST_SEARCHED + 100

_INSERT = (
    "INSERT INTO dispatches (id, area_id, title, kind, priority, state, place, device_name,"
    " source, unit_id, unit_name, created_at, created_by, deadline_at, overdue_at)"
    " OVERRIDING SYSTEM VALUE SELECT * FROM unnest(%(id)s::bigint[], %(area)s::bigint[],"
    " %(title)s::text[], %(kind)s::text[], %(priority)s::text[], %(state)s::text[],"
    " %(place)s::text[], %(device)s::text[], %(source)s::text[], %(unit)s::bigint[],"
    " %(unit_name)s::text[], %(created)s::timestamptz[], %(by)s::text[],"
    " %(deadline)s::timestamptz[], %(overdue)s::timestamptz[])"
)


async def fill(database: Database, county: County) -> list[Dispatch]:
    """Tasks of every state, deadline and priority, in both villages; one of long ago."""
    created = NOW - timedelta(seconds=1000)
    numbers = range(TASKS)
    left = [LEFT[n % len(LEFT)] for n in numbers]
    is_late = [n % 5 == 0 for n in numbers]
    async with database.transaction() as tx:
        unit = await tx.scalar(
            int,
            "INSERT INTO field_units (area_id, name, kind) VALUES (%(area)s, 'Wu', 'patrol_unit')"
            " RETURNING id",
            {"area": county.county.id},
        )
        states = [STATES[n % len(STATES)] for n in numbers]
        await tx.execute(
            _INSERT,
            {
                "id": [1, *(LATER + n for n in numbers[1:])],
                "area": [(county.east.id, county.west.id)[n % 2] for n in numbers],
                "title": [f"{('井盖缺失', 'Waste 100%')[n % 2]} {n}" for n in numbers],
                "kind": [("manhole", "waste", "light")[n % 3] for n in numbers],
                "priority": [PRIORITIES[n % 4] for n in numbers],
                "state": ["verified", *states[1:]],
                "place": [("祠堂路", "a_b", r"c:\d")[n % 3] for n in numbers],
                "device": ["Gate-Cam" if n % 6 == 0 else "" for n in numbers],
                "source": ["hand"] * TASKS,
                "unit": [unit if n % 3 == 0 else None for n in numbers],
                "unit_name": ["Wu" if n % 3 == 0 else "" for n in numbers],
                "created": [created] * TASKS,
                "by": ["li"] * TASKS,
                "deadline": [None if s is None else NOW + timedelta(seconds=s) for s in left],
                "overdue": [NOW - timedelta(minutes=9) if late else None for late in is_late],
            },
        )
        rows = await tx.tuples("SELECT id FROM dispatches")
        return await get_dispatches(tx, SYSTEM, [int(str(number)) for (number,) in rows])


def is_open(task: Dispatch) -> bool:
    """Tell whether somebody still has to do with it."""
    return task.state not in OVER


def text(task: Dispatch) -> str:
    """Where a text is looked for."""
    words = (task.title, task.place, task.device_name, task.unit_name)
    return " ".join(words).lower()


def everything(_task: Dispatch) -> bool:
    """What no filter leaves out."""
    return True


def nothing(_task: Dispatch) -> bool:
    """What is not there."""
    return False


def in_state(state: DispatchState) -> Callable[[Dispatch], bool]:
    """Tasks of a state."""
    return lambda task: task.state is state


def in_colour(colour: Colour) -> Callable[[Dispatch], bool]:
    """Open tasks of a colour."""
    return lambda task: is_open(task) and task.colour(NOW) is colour


Test = Callable[[Dispatch], bool]


def questions(tasks: Sequence[Dispatch], county: County) -> list[tuple[DispatchFilter, Test]]:
    """Filters, and what each of them must leave."""
    unit = next(task.unit_id for task in tasks if task.unit_id is not None)
    found: list[tuple[DispatchFilter, Test]] = [
        (DispatchFilter(), everything),
        (DispatchFilter(area_id=county.east.id), lambda task: task.area_id == county.east.id),
        (DispatchFilter(is_open=True), is_open),
        (DispatchFilter(is_open=False), lambda task: not is_open(task)),
        (DispatchFilter(is_open=False, colour=Colour.RED), nothing),
        (DispatchFilter(unit_id=unit), lambda task: task.unit_id == unit),
        (DispatchFilter(unit_id=unit + 1), nothing),
        (DispatchFilter(kind="waste"), lambda task: task.kind == "waste"),
        (
            DispatchFilter(priority=Priority.URGENT, kind="light", is_open=True),
            lambda task: (
                (task.priority, task.kind, is_open(task)) == (Priority.URGENT, "light", True)
            ),
        ),
        # Long texts are found by the index, whatever the case.
        (DispatchFilter(text="gate-CAM"), lambda task: "gate-cam" in text(task)),
        (DispatchFilter(text="井盖缺失"), lambda task: "井盖缺失" in text(task)),
        (DispatchFilter(text="100%"), lambda task: "100%" in text(task)),
        (DispatchFilter(text="a_b"), lambda task: "a_b" in text(task)),
        (DispatchFilter(text="acb"), nothing),
        (DispatchFilter(text=r"c:\d"), lambda task: r"c:\d" in text(task)),
        (DispatchFilter(text="' OR 1=1 --"), nothing),
        # Short ones in open and in new tasks: number 1 is over and old.
        (DispatchFilter(text="祠堂"), lambda task: "祠堂" in text(task) and task.id != 1),
        (DispatchFilter(text="井"), lambda task: "井" in text(task) and task.id != 1),
        (DispatchFilter(text="WU"), lambda task: "wu" in text(task) and task.id != 1),
        (DispatchFilter(text="0%"), lambda task: "0%" in text(task)),
        (DispatchFilter(text=str(LATER + 7)), lambda task: task.id == LATER + 7),
        (
            DispatchFilter(text="缺失", is_open=True, area_id=county.east.id),
            lambda task: "缺失" in text(task) and is_open(task) and task.area_id == county.east.id,
        ),
    ]
    found += [(DispatchFilter(state=state), in_state(state)) for state in DispatchState]
    found += [(DispatchFilter(colour=colour), in_colour(colour)) for colour in Colour]
    return found


async def pages(
    database: Database, scope: Scope, wanted: DispatchFilter, limit: int
) -> list[Dispatch]:
    """Every page of a list."""
    found: list[Dispatch] = []
    cursor = None
    async with database.transaction() as tx:
        while True:
            page = await list_dispatches(tx, scope, wanted, now=NOW, limit=limit, cursor=cursor)
            found += page.items
            cursor = page.next
            if cursor is None:
                return found


@pytest.mark.threat("T11")
async def test_lists_show_what_the_tasks_say(database: Database, county: County) -> None:
    tasks = await fill(database, county)
    newest = sorted(tasks, key=lambda task: -task.id)
    for wanted, is_meant in questions(tasks, county):
        expected = [task for task in newest if is_meant(task)]
        assert await pages(database, ROOT, wanted, 500) == expected, wanted
    assert {task.colour(NOW) for task in tasks if is_open(task)} == set(Colour)

    assert await pages(database, ROOT, DispatchFilter(), 7) == newest
    nearest = sorted(
        [task for task in newest if is_open(task)],
        key=lambda task: (task.deadline_at or datetime.max.replace(tzinfo=UTC), task.id),
    )
    by_deadline = DispatchFilter(order=DispatchOrder.DEADLINE)
    for limit in (1, 7, 500):
        assert await pages(database, ROOT, by_deadline, limit) == nearest
    async with database.transaction() as tx:
        first = await list_dispatches(tx, ROOT, DispatchFilter(), now=NOW, limit=1)
        with pytest.raises(Invalid):
            await list_dispatches(tx, ROOT, by_deadline, now=NOW, cursor=first.next)


@pytest.mark.threat("T1")
async def test_counts_and_lists_end_where_the_scope_does(
    database: Database, county: County
) -> None:
    tasks = await fill(database, county)
    own = [task for task in tasks if task.area_id == county.east.id]
    scopes: list[tuple[Scope, list[Dispatch]]] = [
        (ROOT, tasks),
        (county.east_scope, own),
        (Scope(paths=(), actor="nobody"), []),
    ]
    async with database.transaction() as tx:
        for scope, visible in scopes:
            standing = [task for task in visible if is_open(task)]
            counts = await count_dispatches(tx, scope, NOW)
            assert counts.total == len(standing)
            for state in DispatchState:
                number = sum(task.state is state for task in standing)
                assert counts.states.get(state, 0) == number
            for colour in Colour:
                number = sum(task.colour(NOW) is colour for task in standing)
                assert counts.colours.get(colour, 0) == number
            for priority in Priority:
                number = sum(task.priority is priority for task in standing)
                assert counts.priorities.get(priority, 0) == number
        west = await count_dispatches(tx, county.east_scope, NOW, area_id=county.west.id)
        assert west.total == 0
    for wanted in (DispatchFilter(), DispatchFilter(text="祠堂路"), DispatchFilter(text="祠")):
        found = await pages(database, county.east_scope, wanted, 500)
        assert found
        assert {task.area_id for task in found} == {county.east.id}
    assert await pages(database, Scope(paths=(), actor="nobody"), DispatchFilter(), 500) == []
