"""Dry runs and checks over the API: who may ask, what is answered, what is refused."""

from datetime import timedelta

import httpx
from fastapi import FastAPI

from hub.domain.events import StoredEvent
from hub.store import events
from hub.store.database import Database
from hub.web.routes import dry_run
from tests.web.history import NOW
from tests.web.stage import SYSTEM, World, sign_in

RULES = "/api/v1/rules"


async def open_doors(database: Database, world: World) -> None:
    """Two doors, each in a village of its own, an hour ago and half an hour ago."""
    doors = (
        (world.west, "town.west", world.west_camera),
        (world.east, "town.east", world.east_camera),
    )
    async with database.transaction() as tx:
        for number, (area, path, device) in enumerate(doors):
            at = NOW - timedelta(minutes=60 - 30 * number)
            event = StoredEvent(
                id=0, kind="door.opened", area_id=area, area_path=path, at=at, received_at=at,
                device_id=device,
            )  # fmt: skip
            await events.add_events(tx, SYSTEM, [event])


def rule_of(area: int, **condition: object) -> dict[str, object]:
    asked = {"type": "event_of_kind", "kind": "door.opened", "auto_clear_s": 60, **condition}
    return {"name": "doors", "area_id": area, "condition": asked}


async def test_a_rule_that_is_not_stored_is_shown_the_past(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await open_doors(database, world)
    await sign_in(client, "root-admin")
    answer = await client.post(f"{RULES}/dry-run", json={"rule": rule_of(world.town)})
    run = answer.json()
    assert answer.status_code == 200, run
    assert (run["count"], run["still_open"], run["looked"]["events"]) == (2, 0, 2)
    assert [one["device_name"] for one in run["fired"]] == ["west-1", "east-1"]
    assert run["fired"][0]["fired_at"] == "2026-11-21T23:30:00Z"
    assert run["looked"]["from"] < run["looked"]["until"] == "2026-11-22T01:00:00Z"
    assert [one["code"] for one in run["findings"]] == ["tells_nobody"]
    assert (await client.get(RULES)).json()["items"] == []  # nothing was stored
    narrow = {"from": "2026-11-21T23:45:00Z", "until": "2027-01-01T00:00:00Z"}
    body = {"rule": rule_of(world.town), **narrow}
    later = (await client.post(f"{RULES}/dry-run", json=body)).json()
    assert [one["device_name"] for one in later["fired"]] == ["east-1"]
    assert later["looked"]["until"] == "2026-11-22T01:00:00Z"  # of the future nothing is known


async def test_a_planner_sees_his_own_area_only(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await open_doors(database, world)
    await sign_in(client, "east-admin")
    own = await client.post(f"{RULES}/dry-run", json={"rule": rule_of(world.east)})
    assert [one["device_name"] for one in own.json()["fired"]] == ["east-1"]
    for area in (world.west, world.town):
        foreign = await client.post(f"{RULES}/dry-run", json={"rule": rule_of(area)})
        assert foreign.status_code == 404
    assert (await client.post(f"{RULES}/999/dry-run", json={})).status_code == 404
    assert (await client.get(f"{RULES}/999/check")).status_code == 404


async def test_a_stored_rule_is_checked_and_tried(
    app: FastAPI, client: httpx.AsyncClient, world: World, database: Database
) -> None:
    del app
    await open_doors(database, world)
    await sign_in(client, "root-admin")
    slip = rule_of(world.east, kind="dor.opened")
    number = (await client.post(RULES, json=slip)).json()["id"]
    findings = (await client.get(f"{RULES}/{number}/check")).json()["findings"]
    assert [(one["severity"], one["code"]) for one in findings] == [
        ("warning", "unknown_kind"),
        ("warning", "tells_nobody"),
    ]
    assert "dor.opened" in findings[0]["message"]
    run = (await client.post(f"{RULES}/{number}/dry-run", json={})).json()
    assert (run["count"], run["findings"]) == (0, findings)
    for wrong in (
        {"from": "2026-09-01T00:00:00Z"},
        {"from": "2026-11-22T02:00:00Z"},
        {"from": "2026-11-22T00:00:00"},
        {"since": "2026-11-22T00:00:00Z"},
    ):
        refused = await client.post(f"{RULES}/{number}/dry-run", json=wrong)
        assert refused.status_code == 422, wrong
    async with dry_run.running, dry_run.running:
        busy = await client.post(f"{RULES}/{number}/dry-run", json={})
        assert (busy.status_code, "under way" in busy.text) == (409, True)
    nonsense = {"rule": rule_of(world.east, kind="")}
    assert (await client.post(f"{RULES}/dry-run", json=nonsense)).status_code == 422
