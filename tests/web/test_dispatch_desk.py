"""The dispatch desk over HTTP: lists, counts, who should go, and what planners keep."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from hub.domain.access import Role
from hub.domain.dispatches import Dispatch, NewDispatch, Position, Priority, Unit, UnitKind
from hub.store import dispatches, field_units
from hub.store.database import Database
from hub.store.dispatches import Due
from tests.web.stage import SYSTEM, Field, World, add_person, sign_in

API = "/api/v1"
NIGHT = {"rrule": "FREQ=DAILY;BYHOUR=22", "duration_s": 28800, "time_zone": "Asia/Shanghai"}
NASTY = "<img src=x onerror=alert(1)>{{7*7}}"


async def ask(
    client: httpx.AsyncClient, method: str, path: str, body: object = None, status: int = 200
) -> Any:
    answer = await client.request(method, API + path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@pytest.mark.threat("T7")
async def test_what_planners_keep_comes_back_as_it_went_in(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    unit = {
        "area_id": world.east, "name": NASTY, "kind": "grid_officer", "phone": "+86 573 1",
        "receiver_id": None, "hours": {**NIGHT, "days": "any"}, "most_open": 3, "is_enabled": True,
    }  # fmt: skip
    made = await ask(client, "POST", "/field-units", unit, 201)
    # It is 8:30 in the morning in Shanghai.
    rest = {"id": made["id"], "is_on_duty": False, "open_tasks": 0, "position": None}
    assert made == {**unit, **rest}
    path = f"/field-units/{made['id']}"
    await ask(client, "PUT", path, {**unit, "hours": None})
    assert (await ask(client, "GET", path))["is_on_duty"]
    (found,) = (await ask(client, "GET", "/field-units?q=IMG&kind=grid_officer&enabled=true"))[
        "items"
    ]
    assert found["name"] == NASTY
    assert (await ask(client, "GET", "/field-units?enabled=false"))["items"] == []
    rule = {
        "name": "nearest", "area_id": world.town, "kinds": ["light"], "priorities": ["urgent"],
        "sources": ["patrol", "report"], "unit_kinds": ["grid_officer"], "most_km": 2.5,
        "is_automatic": False, "is_enabled": True,
    }  # fmt: skip
    kept = await ask(client, "POST", "/dispatch-rules", rule, 201)
    assert await ask(client, "GET", f"/dispatch-rules/{kept['id']}") == {**rule, "id": kept["id"]}
    times = {
        "area_id": world.town, "priority": "urgent", "accept_s": 300, "arrive_s": None,
        "done_s": 3600, "yellow_share": 0.5,
    }  # fmt: skip
    limits = await ask(client, "POST", "/task-deadlines", times, 201)
    assert limits == {**times, "id": limits["id"]}
    await ask(client, "POST", "/task-deadlines", times, 409)

    for where, body in (
        ("/field-units", {**unit, "hours": {**NIGHT, "rrule": "FREQ=SECONDLY"}}),
        ("/field-units", {**unit, "hours": {**NIGHT, "duration_s": 90_000}}),
        ("/field-units", {**unit, "phone": "=cmd"}),
        ("/field-units", {**unit, "name": "a\nb"}),
        ("/field-units", {**unit, "most_open": 0}),
        ("/dispatch-rules", {**rule, "kinds": ["Light!"]}),
        ("/dispatch-rules", {**rule, "most_km": 0}),
        ("/task-deadlines", {**times, "priority": "low", "accept_s": 7200}),
        ("/task-deadlines", {**times, "priority": "low", "done_s": 0}),
    ):
        await ask(client, "POST", where, body, 422)
    for gone in (path, f"/dispatch-rules/{kept['id']}", f"/task-deadlines/{limits['id']}"):
        await ask(client, "DELETE", gone, status=204)
        await ask(client, "GET", gone, status=404)


async def open_some(database: Database, world: World, now: datetime) -> list[Dispatch]:
    """Two tasks in the east and one in the west; an officer of the east and a car of the town."""
    async with database.transaction() as tx:
        await add_person(tx, "east-dispatcher", Role.DISPATCHER, world.east)
        for area, name in ((world.east, "officer"), (world.town, "car")):
            unit = await field_units.add_unit(
                tx, SYSTEM, Unit(area_id=area, name=name, kind=UnitKind.PATROL_UNIT)
            )
            here = Position(longitude=120.7, latitude=30.71, at=now)
            await field_units.place_unit(tx, SYSTEM, unit.id, here, now)
        return [
            await dispatches.add_dispatch(
                tx,
                SYSTEM,
                NewDispatch(
                    area_id=area,
                    title=title,
                    priority=priority,
                    where=Position(longitude=120.7, latitude=30.7),
                ),
                Due(accept_by=now + timedelta(seconds=seconds)),
                now=now - timedelta(hours=1),
            )
            for area, title, priority, seconds in (
                (world.east, "gate", Priority.LOW, 7200),
                (world.east, "lamp", Priority.URGENT, -1),
                (world.west, "bin", Priority.LOW, 60),
            )
        ]


@pytest.mark.threat("T1")
async def test_the_desk_lists_counts_and_asks_who_should_go(
    client: httpx.AsyncClient, world: World, database: Database, outside: Field
) -> None:
    tasks = await open_some(database, world, outside.now)
    await sign_in(client, "east-dispatcher")
    found = await ask(client, "GET", "/dispatches")
    assert [one["title"] for one in found["items"]] == ["lamp", "gate"]
    assert [one["colour"] for one in found["items"]] == ["red", "green"]
    for query, titles in (
        ("q=gat", ["gate"]),
        ("q=lamp&status=new&colour=red&priority=urgent&kind=other&open=true", ["lamp"]),
        ("status=done", []),
        ("unit=1", []),
        ("sort=deadline", ["lamp", "gate"]),
        (f"area={world.west}", []),
    ):
        items = (await ask(client, "GET", f"/dispatches?{query}"))["items"]
        assert [one["title"] for one in items] == titles, query
    page = await ask(client, "GET", "/dispatches?limit=1")
    rest = await ask(client, "GET", f"/dispatches?limit=1&cursor={page['next']}")
    assert [one["title"] for one in rest["items"]] == ["gate"]
    assert rest["next"] is None
    for wrong in ("state=new", "status=gone", "sort=title;drop", "kind=A", "cursor=x", "unit=0"):
        await ask(client, "GET", f"/dispatches?{wrong}", status=422)
    assert await ask(client, "GET", "/dispatches/counts") == {
        "total": 2,
        "states": {"new": 2},
        "colours": {"red": 1, "green": 1},
        "priorities": {"low": 1, "urgent": 1},
    }
    assert (await ask(client, "GET", f"/dispatches/counts?area={world.west}"))["total"] == 0

    await ask(client, "GET", f"/dispatches/{tasks[2].id}/proposal", status=404)
    path = f"/dispatches/{tasks[0].id}/proposal"
    none = await ask(client, "GET", path)
    assert none["proposal"] is None
    assert none["reason"] == "no rule is for this task: choose a unit by hand"
    # The town's car answers for the village, too; its dispatcher does not see it.
    assert [(one["unit_name"], one["hindrance"]) for one in none["units"]] == [("officer", "")]
    assert none["units"][0]["km"] == pytest.approx(1.11, abs=0.01)
    await sign_in(client, "root-admin")
    await ask(client, "POST", "/dispatch-rules", {"name": "near", "area_id": world.town}, 201)
    await sign_in(client, "east-dispatcher")
    proposed = (await ask(client, "GET", path))["proposal"]
    assert (proposed["unit_name"], proposed["rule_name"]) == ("officer", "near")
    assert proposed["reason"] == "rule near: patrol unit of this area, 1.1 km away, 0 of 5 tasks"
    body = {"version": 0, "note": "mended"}
    await ask(client, "POST", f"/dispatches/{tasks[0].id}/cancel", body)
    assert (await ask(client, "GET", path))["reason"] == "this task is over"
    for path in ("/dispatch-rules", "/task-deadlines"):
        await ask(client, "GET", path, status=403)
    await sign_in(client, "east-viewer")
    # Whoever only looks sees tasks, but nobody's telephone.
    await ask(client, "GET", "/dispatches")
    await ask(client, "GET", "/field-units", status=403)
