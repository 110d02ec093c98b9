"""Deadlines, duties and policies over HTTP."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from hub.domain.notifications import Receiver, ReceiverKind
from hub.store import receivers
from hub.store.database import Database
from tests.web.stage import SYSTEM, World, sign_in

API = "/api/v1"
NIGHT = {"rrule": "FREQ=DAILY;BYHOUR=22", "duration_s": 28800, "time_zone": "Asia/Shanghai"}


@pytest.fixture
async def officer(database: Database, world: World) -> int:
    """A receiver of the eastern village."""
    async with database.transaction() as tx:
        receiver = Receiver(
            name="officer",
            area_id=world.east,
            kind=ReceiverKind.WEBHOOK,
            options={"address": "http://hook.test/x"},
        )
        return (await receivers.add_receiver(tx, SYSTEM, receiver)).id


async def ask(
    client: httpx.AsyncClient, method: str, path: str, body: object = None, status: int = 200
) -> Any:
    answer = await client.request(method, API + path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def test_where_nobody_is_on_duty_is_said(
    client: httpx.AsyncClient, world: World, officer: int
) -> None:
    await sign_in(client, "root-admin")
    assert (await ask(client, "GET", "/escalation/check"))["areas"] == 0  # nothing has a deadline
    deadlines = {"area_id": world.town, "severity": "critical", "acknowledge_s": 300}
    made = await ask(client, "POST", "/deadlines", deadlines, 201)
    assert made == {**deadlines, "id": made["id"], "resolve_s": None, "yellow_share": 0.25}
    await ask(client, "POST", "/deadlines", deadlines, 409)
    found = await ask(client, "GET", "/escalation/check")
    assert (found["areas"], found["uncovered"]) == (2, 2)
    assert [one["name"] for one in found["items"]] == ["East", "West"]
    # At 9 in the morning whoever watches by night is not there.
    duty = {"area_id": world.east, "receiver_id": officer, "hours": NIGHT}
    made = await ask(client, "POST", "/duties", duty, 201)
    assert made == {**duty, "id": made["id"], "hours": {**NIGHT, "days": "any"}}
    assert (await ask(client, "GET", "/escalation/check"))["uncovered"] == 2
    await ask(client, "PUT", f"/duties/{made['id']}", {**duty, "hours": None})
    found = await ask(client, "GET", "/escalation/check")
    assert [one["name"] for one in found["items"]] == ["West"]
    await ask(client, "PUT", f"/duties/{made['id']}", {**duty, "area_id": world.town})
    found = await ask(client, "GET", "/escalation/check")
    assert found["uncovered"] == 2
    await ask(
        client, "PUT", f"/duties/{made['id']}", {"area_id": world.town, "receiver_id": officer}
    )
    assert (await ask(client, "GET", "/escalation/check"))["items"] == []


async def test_a_policy_comes_back_as_it_went_in(
    client: httpx.AsyncClient, world: World, officer: int
) -> None:
    await sign_in(client, "east-admin")
    step = {
        "wait_s": 300, "climb": 1, "receivers": [officer], "repeats": 3, "every_s": 60,
        "hours": {**NIGHT, "days": "working"}, "waits_for_hours": True,
    }  # fmt: skip
    matcher: Mapping[str, object] = {
        "severities": ["critical"], "rule_ids": [], "device_ids": [], "classes": [],
        "tags": ["dam"],
    }  # fmt: skip
    policy = {
        "name": "值班", "area_id": world.east, "matcher": matcher, "steps": [step],
        "until": "resolved", "is_enabled": False,
    }  # fmt: skip
    made = await ask(client, "POST", "/policies", policy, 201)
    assert made == {**policy, "id": made["id"]}
    assert await ask(client, "GET", f"/policies/{made['id']}") == made
    assert (await ask(client, "GET", "/policies"))["items"] == [made]
    lone = {**policy, "steps": [{"wait_s": 0, "climb": 0}]}
    assert (await ask(client, "PUT", f"/policies/{made['id']}", lone))["steps"][0]["repeats"] == 0
    await ask(client, "DELETE", f"/policies/{made['id']}", status=204)
    await ask(client, "GET", f"/policies/{made['id']}", status=404)


async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, world: World, officer: int
) -> None:
    await sign_in(client, "east-admin")
    good = {"wait_s": 300, "climb": 1}
    for wrong, words in (
        ({"wait_s": 300}, "it climbs, or names receivers"),
        ({**good, "waits_for_hours": True}, "only hours can be waited for"),
        ({**good, "hours": {**NIGHT, "rrule": "FREQ=NEVER"}}, "FREQ must be one of"),
        ({**good, "hours": {**NIGHT, "duration_s": 90_000}}, "overlap"),
        ({**good, "hours": {**NIGHT, "time_zone": "Mars/Base"}}, "no such time zone"),
        ({**good, "hours": {**NIGHT, "color": "red"}}, "no such field"),
        ({**good, "every_s": 1}, "every_s"),
        ({**good, "climb": -1}, "climb"),
    ):
        body = {"name": "x", "area_id": world.east, "steps": [good, wrong]}
        answer = await client.post(f"{API}/policies", json=body)
        assert (answer.status_code, words in answer.text) == (422, True), answer.text
    for steps, status in (([], 422), ([good] * 21, 422), ([{**good, "receivers": [99]}], 404)):
        body = {"name": "x", "area_id": world.east, "steps": steps}
        await ask(client, "POST", "/policies", body, status)
    duty = {"area_id": world.east, "receiver_id": officer, "hours": {**NIGHT, "rrule": "FREQ=X"}}
    await ask(client, "POST", "/duties", duty, 422)
    for field, value in (("acknowledge_s", 0), ("resolve_s", 1e9), ("yellow_share", 2)):
        body = {"area_id": world.east, "severity": "info", field: value}
        await ask(client, "POST", "/deadlines", body, 422)
    assert (await ask(client, "GET", "/policies"))["items"] == []
