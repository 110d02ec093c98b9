"""Exercises over HTTP."""

import httpx

from hub.domain.alerts import Rule
from hub.domain.conditions import DeviceOffline
from hub.store import audit, rules
from hub.store.database import Database
from tests.web.stage import SYSTEM, World, sign_in

DRILLS = "/api/v1/drills"


async def test_an_exercise_is_started_looked_at_and_ended(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        wanted = Rule(name="off", area_id=world.town, condition=DeviceOffline())
        rule = await rules.add_rule(tx, SYSTEM, wanted)
    await sign_in(client, "root-admin")
    body = {
        "area_id": world.town,
        "name": "Autumn",
        "rule_id": rule.id,
        "device_ids": [world.east_camera, world.west_camera],
        "ends_in_s": 600,
    }
    changes: tuple[dict[str, object], ...] = (
        {"device_ids": []},
        {"device_ids": [1] * 1001},
        {"ends_in_s": 0},
        {"name": "\n"},
        {"author": "somebody"},
        {"area_id": world.east},
    )
    for change in changes:
        answer = await client.post(DRILLS, json={**body, **change})
        assert answer.status_code == 422, answer.text
    answer = await client.post(DRILLS, json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["author"], made["area_name"], made["ended_at"]) == ("root-admin", "Town", None)
    assert (await client.get(DRILLS)).json() == {"items": [made], "next": None}
    assert (await client.get(DRILLS, params={"area": world.east})).json()["items"] == []
    ended = await client.post(f"{DRILLS}/{made['id']}/end")
    assert ended.status_code == 200
    assert ended.json()["ended_at"] is not None
    assert (await client.post(f"{DRILLS}/{made['id']}/end")).status_code == 409
    async with database.transaction() as tx:
        entries = (await audit.list_entries(tx, SYSTEM)).items
        events = await tx.tuples("SELECT kind, data ->> 'drill' FROM events ORDER BY id")
    actions = [entry.action for entry in entries if entry.object_type == "drill"]
    assert actions == ["drill.ended", "drill.started"]
    assert events == [("drill.cause", str(made["id"]))] * 2 + [("drill.over", str(made["id"]))] * 2
