"""Receivers and routes over HTTP: shapes, refusals, a test message, what became of messages."""

from typing import Any

import httpx
import pytest

from alerts.telling.delivery import Delivery
from hub.domain.notifications import ReceiverKind
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database
from tests.db.alerts_site import Mailbox
from tests.web.stage import Field, World, sign_in

API = "/api/v1"


def receiver(world: World, **other: object) -> dict[str, object]:
    return {
        "name": "duty room",
        "area_id": world.west,
        "kind": "webhook",
        "options": {"address": "https://hook.example.org/x?token=hush"},
        "secret": "webhook-secret",
        **other,
    }


async def add(client: httpx.AsyncClient, path: str, body: object) -> Any:
    answer = await client.post(f"{API}/{path}", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_receiver_shows_everything_but_its_secret(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    made = await add(
        client, "receivers", receiver(world, template="{{ subject }}", most_a_minute=3)
    )
    assert made == {
        "id": made["id"],
        "name": "duty room",
        "area_id": world.west,
        "kind": "webhook",
        "options": made["options"],
        "has_secret": True,
        "template": "{{ subject }}",
        "most_a_minute": 3,
        "is_enabled": True,
        "failing_since": None,
        "is_template_failing": False,
    }
    assert made["options"]["address"] == "https://hook.example.org/x?***"
    for body, field in (
        (receiver(world, template="{% for x in %}"), "template"),
        (receiver(world, template="{{ no.such.thing }}"), "template"),
        (receiver(world, most_a_minute=0), "most_a_minute"),
        (receiver(world, most_a_minute=601), "most_a_minute"),
        (receiver(world, kind="pigeon"), "kind"),
        # The addresses of Apprise are its secret: without any nobody can be told.
        (receiver(world, kind="apprise", options={}, secret=""), "secret"),
        (receiver(world, kind="apprise", options={}, secret="file:///webhook-secret"), "secret"),
    ):
        answer = await client.post(f"{API}/receivers", json=body)
        assert answer.status_code == 422, answer.text
        assert field in answer.text
        assert "webhook-secret" not in answer.text


async def test_a_test_message_is_sent_by_the_queue_and_listed(
    client: httpx.AsyncClient, world: World, database: Database, outside: Field
) -> None:
    await sign_in(client, "root-admin")
    number = (await add(client, "receivers", receiver(world)))["id"]
    path = f"{API}/receivers/{number}"
    asked = await client.post(f"{path}/test")
    assert (asked.status_code, asked.json()) == (202, {"is_under_way": True})
    assert (await client.post(f"{path}/test")).status_code == 409
    async with database.transaction() as tx:
        jobs = await tx.tuples("SELECT task_name, args FROM procrastinate_jobs")
    assert jobs == [("alerts.post", {"receiver": number})]
    mailbox = Mailbox()
    delivery = Delivery(database, outside.clock, {ReceiverKind.WEBHOOK: mailbox})
    delivery.register(Jobs(database, outside.clock))
    await delivery.post(Job(id=1, args={"receiver": number}, attempt=1))
    sent = await mailbox.next()
    listed = (await client.get(f"{path}/messages")).json()
    (line,) = listed["items"]
    assert (line["message_id"], line["status"], line["count"]) == (sent.message_id, "delivered", 0)
    assert (line["test_by"], line["next_at"]) == ("root-admin", None)
    (attempt,) = line["attempts"]
    assert (attempt["outcome"], attempt["detail"]) == ("delivered", "kept")
    assert listed["next"] is None
    assert (await client.post(f"{path}/test")).status_code == 202


@pytest.mark.threat("T7")
async def test_a_route_is_what_was_put_in_and_nothing_odd_gets_in(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    number = (await add(client, "receivers", receiver(world)))["id"]
    hours = {
        "rrule": "FREQ=DAILY;BYHOUR=22;BYMINUTE=0",
        "duration_s": 28800.0,
        "time_zone": "Asia/Shanghai",
        "days": "working",
    }
    matcher = {
        "severities": ["critical"],
        "rule_ids": [],
        "device_ids": [world.west_camera],
        "classes": [],
        "tags": ["<b>school</b>"],
    }
    body = {
        "name": "night",
        "area_id": world.west,
        "matcher": matcher,
        "hours": hours,
        "receivers": [number, number],
    }
    made = await add(client, "routes", body)
    assert made == {**body, "id": made["id"], "receivers": [number], "is_enabled": True}
    path = f"{API}/routes/{made['id']}"
    assert (await client.get(path)).json() == made
    always = {**body, "hours": None, "matcher": {}, "is_enabled": False}
    changed = (await client.put(path, json=always)).json()
    assert (changed["hours"], changed["is_enabled"]) == (None, False)
    for wrong, status in (
        ({**body, "receivers": []}, 422),
        ({**body, "receivers": [number + 1]}, 404),
        ({**body, "area_id": 10**9}, 404),
        ({**body, "matcher": {"rule_ids": [10**9]}}, 404),
        ({**body, "matcher": {"device_ids": [world.east_camera]}}, 404),
        ({**body, "hours": {**hours, "rrule": "FREQ=SOMETIMES"}}, 422),
        ({**body, "hours": {**hours, "time_zone": "Mars/Base"}}, 422),
        ({**body, "hours": {**hours, "duration_s": 90000}}, 422),
        ({**body, "matcher": {"severities": ["awful"]}}, 422),
        ({**body, "matcher": {"colour": ["red"]}}, 422),
        ({**body, "name": "a\nb"}, 422),
    ):
        answer = await client.post(f"{API}/routes", json=wrong)
        assert answer.status_code == status, (wrong, answer.text)
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(f"{API}/routes")).json()["items"] == []
