"""Devices, links and what is done to them: what changes, and what the audit log then says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from hub.store import audit, connections
from hub.store.database import Database
from tests.web.history import fill_west
from tests.web.stage import JPEG, SYSTEM, Field, World, sign_in


async def actions(database: Database) -> list[str]:
    """What the audit log holds, oldest first."""
    async with database.transaction() as tx:
        return [line.action for line in reversed((await audit.list_entries(tx, SYSTEM)).items)]


async def test_a_device_is_shown_whole(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "east-viewer")
    device = (await client.get(f"/api/v1/devices/{world.east_camera}")).json()
    assert device["status"] == "unknown"
    assert device["channels"][0]["streams"][0]["address"] == "rtsp://east-1.test/main"
    assert device["points"][0] == {
        "id": device["points"][0]["id"], "key": "temp", "unit": "°C", "quantity": "",
        "expected_interval_s": None, "at": None, "value": None,
    }  # fmt: skip


async def test_lists_are_cut_into_pages(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "root-admin")
    first = (await client.get("/api/v1/devices", params={"limit": 1})).json()
    query = {"limit": 1, "cursor": first["next"]}
    second = (await client.get("/api/v1/devices", params=query)).json()
    names = [page["items"][0]["name"] for page in (first, second)]
    assert names == ["east-1", "west-1"]
    assert second["next"] is None


async def test_retire_and_approve_are_on_record(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await sign_in(client, "root-admin")
    path = f"/api/v1/devices/{world.east_camera}"
    assert (await client.post(path + "/retire")).json()["registration"] == "retired"
    assert (await client.post(path + "/snapshot")).status_code == 405
    assert (await client.get(path + "/snapshot")).status_code == 409
    assert (await client.post(path + "/approve")).json()["registration"] == "approved"
    assert (await actions(database))[-2:] == ["device.retired", "device.approved"]


async def test_a_look_and_a_command_are_on_record(
    client: httpx.AsyncClient, world: World, database: Database, outside: Field
) -> None:
    await sign_in(client, "root-admin")
    path = f"/api/v1/devices/{world.east_camera}"
    picture = await client.get(path + "/snapshot")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content == JPEG
    assert (await client.post(path + "/probe")).json()["status"] == "online"
    assert outside.probed[0].credentials.password.reveal() == "camera-secret"
    body = {"do": "relay.set", "args": {"on": True}}
    assert (await client.post(path + "/command", json=body)).json() == {"reply": {"ok": True}}
    assert outside.commands == [("east-1", "relay.set", {"on": True})]
    done = ["device.looked_at", "device.probed", "device.commanded"]
    assert (await actions(database))[-3:] == done


@pytest.mark.threat("T33")
@pytest.mark.parametrize("do", ["relay.set; reboot", "$(reboot)", "relay set", "", "../x", "a\nb"])
async def test_a_command_is_a_plain_word(
    client: httpx.AsyncClient, world: World, outside: Field, do: str
) -> None:
    await sign_in(client, "root-admin")
    path = f"/api/v1/devices/{world.east_camera}/command"
    assert (await client.post(path, json={"do": do})).status_code == 422
    assert outside.commands == []


async def test_a_camera_that_does_not_answer_is_a_502_with_the_reason(
    client: httpx.AsyncClient, world: World, outside: Field
) -> None:
    await sign_in(client, "east-viewer")
    outside.is_camera_away = True
    answer = await client.get(f"/api/v1/devices/{world.east_camera}/snapshot")
    assert answer.status_code == 502
    assert answer.json()["detail"] == "no answer within 3 s"


@pytest.mark.threat("T31")
async def test_a_password_goes_in_and_never_comes_out(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await sign_in(client, "root-admin")
    body = {
        "protocol": "rtsp", "name": "gate", "area_id": world.east,
        "address": "rtsp://li:hush@gate.test:8554/main", "options": {"profile": "night"},
    }  # fmt: skip
    made = await client.post("/api/v1/connections", json=body)
    assert made.status_code == 201
    assert made.json()["address"] == "rtsp://gate.test:8554/main"
    assert "hush" not in made.text
    async with database.transaction() as tx:
        stored = await connections.get_connection(tx, SYSTEM, made.json()["id"])
    assert stored.credentials.username == "li"
    assert stored.credentials.password.reveal() == "hush"
    assert stored.options == {"profile": "night"}
    log = (await client.get("/api/v1/audit")).text
    assert "connection.added" in log
    assert "hush" not in log


@pytest.mark.threat("T31")
async def test_another_address_does_not_get_the_old_password(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await sign_in(client, "root-admin")
    path = f"/api/v1/connections/{world.west_connection}"
    thief = {"address": "http://thief.test/"}
    assert (await client.patch(path, json=thief)).status_code == 422
    kept = await client.patch(path, json={"name": "renamed", "is_enabled": False})
    assert kept.json()["name"] == "renamed"
    async with database.transaction() as tx:
        stored = await connections.get_connection(tx, SYSTEM, world.west_connection)
    assert stored.credentials.password.reveal() == "camera-secret"
    assert not stored.is_enabled
    moved = await client.patch(path, json={**thief, "password": "new-secret"})
    assert moved.status_code == 200


async def test_options_are_the_protocols_own(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "root-admin")
    body = {"protocol": "rtsp", "name": "g", "area_id": world.east, "address": "rtsp://g.test/"}
    refused = await client.post("/api/v1/connections", json={**body, "options": {"exec": "x"}})
    assert refused.status_code == 422
    assert (await client.post("/api/v1/connections", json=body)).status_code == 201
    assert (await client.post("/api/v1/connections", json=body)).status_code == 409


async def test_an_alert_is_taken_up_once(
    client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    history = await fill_west(database, world, tmp_path)
    await sign_in(client, "root-admin")
    path = f"/api/v1/alerts/{history.alert}"
    taken = (await client.post(path + "/acknowledge", json={"note": "on it"})).json()
    assert taken["status"] == "acknowledged"
    assert taken["acknowledged_by"] == "root-admin"
    assert (await client.post(path + "/acknowledge", json={})).status_code == 409
    assert (await client.post(path + "/resolve", json={"reason": ""})).status_code == 422
    over = (await client.post(path + "/resolve", json={"reason": "power is back"})).json()
    assert [step["step"] for step in over["steps"]] == ["fired", "acknowledged", "resolved"]
    assert (await client.get("/api/v1/alerts", params={"open": True})).json()["items"] == []


async def test_a_plan_that_never_fires_is_refused(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, "root-admin")
    plan = {
        "name": "night", "area_id": world.east, "time_zone": "Asia/Shanghai",
        "starts_on": "2026-11-01", "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    }  # fmt: skip
    refused = await client.post("/api/v1/patrol-plans", json=plan)
    assert refused.status_code == 422
    made = await client.post("/api/v1/patrol-plans", json={**plan, "rrule": "FREQ=DAILY"})
    assert made.status_code == 201
    walk = await client.post(f"/api/v1/patrol-plans/{made.json()['id']}/run")
    assert walk.status_code == 202
    assert walk.json()["state"] == "due"


async def test_the_online_rate_says_how_much_it_knows(
    client: httpx.AsyncClient, world: World, outside: Field
) -> None:
    outside.now = datetime.now(UTC) + timedelta(minutes=1)  # the database has its own clock
    await sign_in(client, "root-admin")
    query: dict[str, str | bool] = {
        "since": "2000-01-01T00:00:00Z",
        "until": "2100-01-01T00:00:00Z",
        "devices": True,
    }
    report = (await client.get("/api/v1/reports/uptime", params=query)).json()
    assert report["formula"]
    assert report["total"]["is_withheld"] is True  # nothing but "unknown" was ever said
    assert len(report["devices"]) == 2
    backwards = {"since": "2026-11-22T00:00:00Z", "until": "2026-11-21T00:00:00Z"}
    assert (await client.get("/api/v1/reports/uptime", params=backwards)).status_code == 422
