"""The dispatch desk over HTTP: the life of a task, two who act at once, photos, hostile words."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.patrols.dispatch.life import FieldWord, field_step
from hub.patrols.dispatch.photos import PhotoFolder
from hub.patrols.dispatch.states import FieldStep
from hub.store.database import Database
from hub.web.loaders import LOADERS
from tests.web.history import NOW, History, fill_west
from tests.web.stage import JPEG, SYSTEM, World, sign_in

API = "/api/v1"
HOSTILE = "=1+1<img src=x onerror=alert(1)>{{7*7}}"


@pytest.fixture
async def history(database: Database, world: World, tmp_path: Path) -> History:
    return await fill_west(database, world, tmp_path)


async def post(client: httpx.AsyncClient, path: str, body: object, status: int = 200) -> Any:
    answer = await client.post(f"{API}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def get(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    answer = await client.get(f"{API}/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def in_field(database: Database, history: History, *steps: FieldStep) -> None:
    """Let the officer of the west take steps."""
    async with database.transaction() as tx:
        for what in steps:
            word = FieldWord(what=what, unit_id=history.unit)
            await field_step(tx, SYSTEM, history.dispatch, word, now=NOW)


@pytest.mark.threat("T7")
async def test_the_life_of_a_task_over_http(
    client: httpx.AsyncClient, database: Database, world: World, history: History
) -> None:
    await sign_in(client, "root-admin")
    body = {
        "area_id": world.west, "title": HOSTILE, "text": HOSTILE, "alert_id": history.alert,
        "checklist": [HOSTILE], "priority": "high", "place": "东门", "is_call": True,
    }  # fmt: skip
    opened = await post(client, "dispatches", body, 201)
    assert (opened["title"], opened["state"], opened["source"]) == (HOSTILE, "new", "alert")
    assert (opened["device_id"], opened["colour"]) == (world.west_camera, "green")
    assert "is open for this already" in (await post(client, "dispatches", body, 409))["detail"]
    path = f"dispatches/{history.dispatch}"
    before = await get(client, path)
    assert before["steps"] == ["send", "cancel", "merge"]
    seen = {"version": before["version"]}
    sent = await post(client, f"{path}/send", {**seen, "unit_id": history.unit, "note": "北门"})
    assert [(one["text"], one["is_field"]) for one in sent["messages"]] == [("北门", False)]
    assert (sent["state"], sent["unit_name"], sent["version"]) == ("sent", "west-officer", 1)
    late = await post(client, f"{path}/cancel", {**seen, "note": "no"}, 409)
    assert late["detail"].startswith("root-admin was faster: by now the task is sent")
    await post(client, f"{path}/messages", {"text": HOSTILE, "given_id": "m-1"}, 201)
    talk = await post(client, f"{path}/messages", {"text": HOSTILE, "given_id": "m-1"}, 201)
    said = [(one["author"], one["text"]) for one in talk["messages"]]
    assert said == [("root-admin", "北门"), ("root-admin", HOSTILE)]
    await post(client, f"{path}/comment", {"note": "rang him"})
    await in_field(
        database, history, FieldStep.ACCEPT, FieldStep.ON_THE_WAY, FieldStep.ON_SITE, FieldStep.DONE
    )
    done = await get(client, path)
    assert (done["state"], done["standing"], done["took_in"]) == ("done", [], [])
    await post(client, f"dispatches/{opened['id']}/merge", {"version": 0, "into_id": done["id"]})
    done = await get(client, path)
    assert (done["took_in"], done["priority"]) == ([opened["id"]], "high")
    assert done["standing"] == [f"alert {history.alert}, west-offline (west-1), is not resolved"]
    seen = {"version": done["version"]}
    assert "not clear yet" in (await post(client, f"{path}/verify", seen, 409))["detail"]
    over = await post(client, f"{path}/verify", {**seen, "note": "a drill"})
    assert (over["state"], over["verdict"], over["verified_by"]) == (
        "verified", "a drill", "root-admin",
    )  # fmt: skip
    assert [line["what"] for line in over["history"]] == [
        "opened", "photo", "sent", "commented", "accepted", "on_the_way", "on_site", "done",
        "took_in", "changed", "verified",
    ]  # fmt: skip
    async with database.transaction() as tx:
        ((area_path, live),) = await LOADERS["dispatches"](tx, SYSTEM, [history.dispatch])
    assert (area_path, json.loads(live.model_dump_json())["state"]) == ("town.west", "verified")
    answer = await client.get(f"{API}/{path}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


NONSENSE: tuple[tuple[str, object], ...] = (
    ("dispatches", {"title": "x"}),
    ("dispatches", {"title": "\n"}),
    ("dispatches", {"title": "a\u202eb"}),
    ("dispatches", {"title": "x", "kind": "Water!"}),
    ("dispatches", {"title": "x", "longitude": 120.0}),
    ("dispatches", {"title": "x", "longitude": 181, "latitude": 0}),
    ("dispatches", {"title": "x", "checklist": ["a"] * 21}),
    ("dispatches", {"title": "x", "priority": "now"}),
    ("dispatches", {"title": "x", "state": "done"}),
    ("dispatches", {"title": "x", "alert_id": 1, "roll_call_id": 1}),
    ("dispatches/{id}/send", {"unit_id": 1}),
    ("dispatches/{id}/send", {"unit_id": "1; DROP TABLE users", "version": 0}),
    ("dispatches/{id}/cancel", {"version": 0}),
    ("dispatches/{id}/take-back", {"version": 0, "note": " "}),
    ("dispatches/{id}/merge", {"version": 0, "into_id": "{id}"}),
    ("dispatches/{id}/comment", {"note": " "}),
    ("dispatches/{id}/messages", {"text": ""}),
    ("dispatches/{id}/messages", {"text": "x", "given_id": "../x"}),
)


async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, world: World, history: History
) -> None:
    await sign_in(client, "root-admin")
    wrong = []
    for path, body in NONSENSE:
        raw = json.dumps(body).replace('"{id}"', str(history.dispatch))
        sent = json.loads(raw)
        if path == "dispatches" and len(sent) > 1:
            sent["area_id"] = world.west
        where = f"{API}/{path.format(id=history.dispatch)}"
        answer = await client.post(where, json=sent)
        if answer.status_code != 422:
            wrong.append((path, sent, answer.status_code, answer.text))
    assert wrong == []
    assert (await get(client, f"dispatches/{history.dispatch}"))["state"] == "new"


@pytest.mark.threat("T2")
async def test_an_operator_opens_and_writes_but_does_not_send(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "east-operator")
    new = {"area_id": world.east, "title": "fallen tree", "kind": "obstruction"}
    task = await post(client, "dispatches", new, 201)
    path = f"dispatches/{task['id']}"
    await post(client, f"{path}/comment", {"note": "across the lane"})
    found = await get(client, "dispatches/duplicates?kind=obstruction")
    assert found["items"] == [], "without a device and a place nothing is the same"
    seen = {"version": 0, "note": "why"}
    for deed in ("take-back", "cancel", "verify"):
        await post(client, f"{path}/{deed}", seen, 403)
    await post(client, f"{path}/send", {**seen, "unit_id": 1}, 403)
    await post(client, f"{path}/merge", {**seen, "into_id": 1}, 403)


@pytest.mark.threat("T1")
@pytest.mark.threat("T6")
@pytest.mark.threat("T26")
async def test_photos_are_served_whole_to_those_who_may(
    client: httpx.AsyncClient,
    database: Database,
    world: World,
    history: History,
    tmp_path: Path,
) -> None:
    await sign_in(client, "root-admin")
    path = f"{API}/dispatches/{history.dispatch}/photos/{history.photo}"
    ranges = "bytes=" + ",".join(f"{n}-" for n in range(2000))
    answer = await client.get(path, headers={"Range": ranges})
    assert (answer.status_code, answer.content) == (200, JPEG)
    said = {name: answer.headers[name] for name in ("content-type", "x-content-type-options")}
    assert said == {"content-type": "image/jpeg", "x-content-type-options": "nosniff"}
    assert "private" in answer.headers["cache-control"]
    picture = await client.get(f"{API}/dispatches/{history.dispatch}/picture")
    assert (picture.status_code, picture.content) == (200, JPEG)
    async with database.transaction() as tx:
        looked = await tx.tuples(
            "SELECT action, actor FROM audit WHERE object_type = 'dispatch'"
            " AND action LIKE '%%looked_at' ORDER BY id"
        )
    assert looked == [
        ("dispatch.photo_looked_at", "root-admin"), ("dispatch.picture_looked_at", "root-admin"),
    ]  # fmt: skip
    # A photo is found under its own task only, and under no other name.
    other = await post(client, "dispatches", {"area_id": world.east, "title": "x"}, 201)
    for wrong in (
        f"{API}/dispatches/{other['id']}/photos/{history.photo}",
        f"{API}/dispatches/{other['id']}/picture",
        f"{API}/dispatches/{history.dispatch}/photos/{history.photo + 1}",
    ):
        assert (await client.get(wrong)).status_code == 404
    for name in ("..%2f..%2fgengfu.key", "%2e%2e", "1.jpg", "-1", "1%00"):
        answer = await client.get(f"{API}/dispatches/{history.dispatch}/photos/{name}")
        assert answer.status_code in {404, 422}, name
    PhotoFolder(tmp_path).path(history.photo).unlink()
    assert (await client.get(path)).status_code == 404
    await client.post(f"{API}/session/logout")
    await sign_in(client, "east-admin")
    assert (await client.get(path)).status_code == 404
