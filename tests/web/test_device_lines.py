"""Random access into the device list over HTTP: order, lines, counts, values, file, days."""

from pathlib import Path

import httpx
import pytest

from hub.domain.health import Status
from hub.store.database import Database
from tests.statuses import Told, change_status
from tests.web.history import fill_west
from tests.web.stage import SYSTEM, Field, World, sign_in

DEVICES = "/api/v1/devices"


@pytest.mark.threat("T1", "T34")
async def test_the_list_as_a_console_shows_it(
    client: httpx.AsyncClient, world: World, database: Database, outside: Field
) -> None:
    east, west = world.east_camera, world.west_camera
    async with database.transaction() as tx:
        told = Told(device_id=east, status=Status.OFFLINE, since=outside.now, detail="no answer")
        await change_status(tx, SYSTEM, told)
        await tx.execute(
            "UPDATE devices SET name = '=cmd()', class = 'gate',"
            " created_at = %(at)s::timestamptz - interval '30 h' WHERE id = %(id)s",
            {"id": east, "at": outside.now},
        )
    await sign_in(client, "root-admin")
    order = (await client.get(f"{DEVICES}/order?sort=status&desc=true")).json()
    assert (order["total"], order["ids"], order["lines"]) == (2, [west, east], [])
    first = (await client.get(f"{DEVICES}/order?sort=status&desc=true&lines=1")).json()
    assert first["ids"] == [west, east]
    assert [(line["id"], line["class"]) for line in first["lines"]] == [(west, "")]
    all_lines = (await client.get(f"{DEVICES}/order?lines=200")).json()["lines"]
    assert [line["id"] for line in all_lines] == [east, west]
    assert (await client.get(f"{DEVICES}/order?q=nothing&lines=5")).json()["lines"] == []
    assert order["at"] == "2026-11-22T01:00:00Z"
    lines = (await client.get(f"{DEVICES}/lines?id={west}&id=999&id={east}")).json()["items"]
    assert [line["id"] for line in lines] == [west, east]
    assert lines[1]["class"] == "gate"
    counts = (await client.get(f"{DEVICES}/counts?status=offline")).json()
    assert (counts["total"], counts["by_status"]) == (1, {"offline": 1, "unknown": 1})
    assert counts["by_kind"] == {"camera": 1}
    values = (await client.get(f"{DEVICES}/values")).json()
    assert {one["value"]: one["count"] for one in values["classes"]} == {"gate": 1, "": 1}
    days = (await client.get(f"{DEVICES}/{east}/availability?days=2")).json()
    assert [(day["day"], day["online_s"] / 3600) for day in days["days"]] == [
        ("2026-11-21", 24),
        ("2026-11-22", 1),
    ]
    (west_days,) = [(await client.get(f"{DEVICES}/{west}/availability")).json()["days"]]
    assert west_days == []  # registered after now, says the hub's clock: nothing is made up

    # A formula that somebody typed as a name stays text, in the order and language asked for.
    file = await client.get(f"{DEVICES}/export?status=offline&format=csv&chinese=true")
    head, row = file.text.removeprefix("\ufeff").splitlines()
    assert head.startswith("编号,名称,编码,状态")
    assert row.startswith(f"{east},'=cmd(),,offline,2026-11-22T01:00:00Z,network,no answer")
    assert (await client.get(f"{DEVICES}/export?format=xlsx")).content[:2] == b"PK"

    # For the other village the west does not exist: in no order, line, count, value or file.
    await sign_in(client, "east-viewer")
    assert (await client.get(f"{DEVICES}/order")).json()["ids"] == [east]
    assert [
        line["id"]
        for line in (await client.get(f"{DEVICES}/lines?id={west}&id={east}")).json()["items"]
    ] == [east]
    assert (await client.get(f"{DEVICES}/counts")).json()["total"] == 1
    assert [one["count"] for one in (await client.get(f"{DEVICES}/values")).json()["classes"]] == [
        1
    ]
    assert "west" not in (await client.get(f"{DEVICES}/export")).text
    for question in ("order", "counts", "export"):
        assert (await client.get(f"{DEVICES}/{question}?behind={west}")).status_code == 404


@pytest.mark.threat("T11")
async def test_a_question_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    del world
    await sign_in(client, "root-admin")
    for question in (
        "order?sort=name;DROP TABLE devices",
        "order?limit=5",
        "order?picture=%27",
        "order?q=%00",
        "lines?id=0",
        "lines?" + "&".join(f"id={n}" for n in range(1, 202)),
        "export?format=exe",
        "1/availability?days=401",
    ):
        assert (await client.get(f"{DEVICES}/{question}")).status_code == 422, question


@pytest.mark.threat("T1")
async def test_what_was_done_about_a_device(
    client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    history = await fill_west(database, world, tmp_path)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE dispatches SET device_id = %(device)s WHERE id = %(id)s",
            {"device": world.west_camera, "id": history.dispatch},
        )
    await sign_in(client, "root-admin")
    work = (await client.get(f"{DEVICES}/{world.west_camera}/work")).json()
    assert [task["id"] for task in work["tasks"]] == [history.dispatch]
    assert {stop["round_id"] for stop in work["stops"]} == {history.walk}
    assert work["stops"][0]["plan_name"]
    await sign_in(client, "east-admin")
    assert (await client.get(f"{DEVICES}/{world.west_camera}/work")).status_code == 404
    nothing = (await client.get(f"{DEVICES}/{world.east_camera}/work")).json()
    assert nothing == {"tasks": [], "stops": []}
