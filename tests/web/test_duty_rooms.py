"""Duty over the API: rooms that answer from where they are, loudspeakers, shifts, hand-overs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.domain.access import Role
from hub.store.database import Database
from tests.web.duty_scene import CODE, fill_duty
from tests.web.patrol_scene import walk_round
from tests.web.stage import Field, World, add_person, open_client, sign_in

CALLS, ROOMS = "/api/v1/room-calls", "/api/v1/duty-rooms"
NIGHT = {"rrule": "FREQ=DAILY;BYHOUR=6", "duration_s": 57_600, "time_zone": "Asia/Shanghai"}


@pytest.fixture
async def call_id(database: Database, world: World, outside: Field, tmp_path: Path) -> int:
    """The western room was asked just now; a camera there speaks for it."""
    _, walk = await walk_round(database, world.west, "night", tmp_path)
    async with database.transaction() as tx:
        await add_person(tx, "west-operator", Role.OPERATOR, world.west)
        await add_person(tx, "west-viewer", Role.VIEWER, world.west)
        return (await fill_duty(tx, world, walk, outside.now)).call


@asynccontextmanager
async def signed_in(app: FastAPI, name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(app) as client:
        await sign_in(client, name)
        yield client


async def test_a_room_answers_itself_and_from_above_one_rings_it(
    app: FastAPI, call_id: int
) -> None:
    path = f"{CALLS}/{call_id}"
    async with signed_in(app, "root-admin") as county:
        assert (await county.get(path)).json()["code"] == ""  # nobody above can read it off
        by_code = {"how": "console", "code": CODE}
        refused = await county.post(f"{path}/answer", json=by_code)
        assert refused.status_code == 403
    async with signed_in(app, "west-viewer") as viewer:
        assert (await viewer.get(path)).json()["code"] == ""
        assert (await viewer.post(f"{path}/answer", json=by_code)).status_code == 403
    async with signed_in(app, "east-operator") as other:
        assert (await other.post(f"{path}/answer", json=by_code)).status_code == 404
        assert (await other.get(CALLS)).json()["items"] == []
    async with signed_in(app, "west-operator") as room:
        (shown,) = (await room.get(CALLS, params={"status": "asked"})).json()["items"]
        assert shown["code"] == CODE
        for number in range(1, 3):  # counted, although refused
            wrong = await room.post(f"{path}/answer", json={"how": "console", "code": "0000"})
            assert wrong.status_code == 422
            assert wrong.json()["errors"][0]["loc"] == ["body", "code"]
            assert (await room.get(path)).json()["wrong_codes"] == number
        heard = await room.post(f"{path}/answer", json={**by_code, "by": "李四"})
        assert heard.status_code == 200
        assert heard.json()["state"] == "answered"
        assert heard.json()["answered_by"] == "李四 (west-operator)"
        assert heard.json()["code"] == ""
        again = await room.post(f"{path}/answer", json=by_code)
        assert again.status_code == 409


async def test_who_took_the_telephone_is_written_down_and_the_phone_page_is_not_spoofed(
    app: FastAPI, call_id: int
) -> None:
    async with signed_in(app, "root-admin") as county:
        answer = f"{CALLS}/{call_id}/answer"
        for bad in ({"how": "phone", "code": CODE}, {"how": "telephone"}, {"how": "console"}):
            assert (await county.post(answer, json=bad)).status_code in {403, 422}
        heard = await county.post(answer, json={"how": "telephone", "by": "王五"})
        assert heard.json()["answered_how"] == "telephone"
        assert heard.json()["answered_by"] == "王五"


async def test_a_loudspeaker_speaks_and_it_is_on_record_who_spoke(
    app: FastAPI, world: World, outside: Field, call_id: int
) -> None:
    async with signed_in(app, "west-operator") as room:
        (shown,) = (await room.get(ROOMS)).json()["items"]
        path = f"{ROOMS}/{shown['id']}/announce"
        assert (await room.post(path, json={"text": "有人吗?"})).json() == {"reply": {"ok": True}}
        assert (await room.post(path, json={"text": " \n"})).status_code == 422
    assert outside.commands == [("west-1", "speaker.say", {"text": "有人吗?"})]
    async with signed_in(app, "root-admin") as county:
        log = (await county.get("/api/v1/audit")).json()["items"]
        assert ("west-operator", "duty_room.announced") in {(e["actor"], e["action"]) for e in log}
        # Without a loudspeaker nothing is said; a room of another's camera is refused.
        plain = {"area_id": world.east, "name": "east"}
        made = (await county.post(ROOMS, json=plain)).json()
        silent = await county.post(f"{ROOMS}/{made['id']}/announce", json={"text": "x"})
        assert silent.status_code == 409
        assert (await county.post(ROOMS, json=plain)).status_code == 409
    async with signed_in(app, "east-admin") as east:
        for stolen in ({"speaker_id": world.west_camera}, {"receiver_id": 99}, {"speaker_id": 99}):
            changed = await east.put(f"{ROOMS}/{made['id']}", json=plain | stolen)
            assert changed.status_code == 404, stolen


async def test_who_is_on_duty_is_shown_and_a_shift_is_handed_over_once(
    app: FastAPI, world: World, outside: Field, database: Database
) -> None:
    async with database.transaction() as tx:
        person = await add_person(tx, "li", Role.OPERATOR, world.town)
        await add_person(tx, "zhao", Role.OPERATOR, world.east)
    shift = {"area_id": world.town, "name": "day", "hours": NIGHT, "user_ids": [person]}
    async with signed_in(app, "east-admin") as east:
        # He may neither plan for the town nor put its people on his own duty.
        assert (await east.post("/api/v1/shifts", json=shift)).status_code == 404
        own = await east.post("/api/v1/shifts", json=shift | {"area_id": world.east})
        assert own.status_code == 404
    async with signed_in(app, "root-admin") as county:
        made = await county.post("/api/v1/shifts", json=shift)
        assert made.status_code == 201, made.text
        broken = shift | {"hours": NIGHT | {"rrule": "FREQ=DAILY;COUNT=3"}}
        assert (await county.post("/api/v1/shifts", json=broken)).status_code == 422
        on = (await county.get(f"/api/v1/areas/{world.west}/on-duty")).json()
        assert [one["name"] for one in on["items"]] == ["li"]
        left = await county.post(
            "/api/v1/handovers",
            json={"area_id": world.east, "note": "The gate\nstands open", "to_user_id": None},
        )
        assert left.status_code == 201
    async with signed_in(app, "east-operator") as east:
        on = (await east.get(f"/api/v1/areas/{world.east}/on-duty")).json()
        assert (on["is_anybody"], on["items"], on["others"]) == (True, [], 1)  # of the town
        (note,) = (await east.get("/api/v1/handovers", params={"open": True})).json()["items"]
        assert note["note"] == "The gate\nstands open"
        path = f"/api/v1/handovers/{note['id']}/take"
        assert (await east.post(path)).json()["taken_by"] == "east-operator"
        assert (await east.post(path)).status_code == 409
        assert (await east.get("/api/v1/handovers", params={"open": True})).json()["items"] == []
        to_li = {"area_id": world.east, "note": "x", "to_user_id": person}
        assert (await east.post("/api/v1/handovers", json=to_li)).status_code == 404
    async with signed_in(app, "root-admin") as county:
        mine = await county.post("/api/v1/handovers", json=to_li)
        path = f"/api/v1/handovers/{mine.json()['id']}/take"
        assert (await county.post(path)).status_code == 403  # it was left to somebody else
    outside.now += timedelta(hours=20)  # past the end of the shift
    async with signed_in(app, "root-admin") as county:
        on = (await county.get(f"/api/v1/areas/{world.west}/on-duty")).json()
        assert (on["is_anybody"], on["items"]) == (False, [])
    async with signed_in(app, "east-viewer") as viewer:
        assert (await viewer.get("/api/v1/handovers")).status_code == 403
