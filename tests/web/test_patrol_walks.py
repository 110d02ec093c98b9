"""A round walked over the API: what is asked for, what is answered, what is refused."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from hub.domain.access import Role
from hub.domain.patrol_details import PlanDetails
from hub.patrols.files import PictureFolder
from hub.store import audit
from hub.store.database import Database
from tests.walked_rounds import HUB, Shown, begin_walk, show_stop
from tests.web.stage import JPEG, Field, World, add_person, sign_in

SHA = sha256(JPEG).hexdigest()
FILM = b"a film"
CHECKLIST = ("门关好", "灯亮着")


@pytest.fixture
async def walk(database: Database, world: World, outside: Field, tmp_path: Path) -> int:
    """A round over two cameras: one shows a picture and a film, one does not answer."""
    folder, now = PictureFolder(tmp_path), outside.now
    cameras: Sequence[int] = (world.east_camera, world.west_camera)
    async with database.transaction() as tx:
        await add_person(tx, "town-operator", Role.OPERATOR, world.town)
        details = PlanDetails(checklist=CHECKLIST, second_share=1.0)
        number = await begin_walk(tx, world.town, cameras, now, details=details, lasts_s=3600)
        remark = Shown(jpeg=JPEG, doubt=45, remarks=("something moves",), film=FILM)
        await show_stop(tx, folder, (number, 1), remark, now)
        await show_stop(tx, folder, (number, 2), Shown(reason="no answer within 3 s"), now)
    return number


async def test_a_round_is_walked_over_the_api(
    client: httpx.AsyncClient, walk: int, outside: Field, world: World
) -> None:
    at = f"/api/v1/patrol-rounds/{walk}"
    await sign_in(client, "town-operator")
    shown = (await client.get(at)).json()
    assert (shown["state"], shown["mode"], shown["order"]) == ("running", "walk", "fixed")
    assert (shown["checklist"], shown["walker_id"], shown["stops_open"]) == ([*CHECKLIST], None, 2)
    assert (await client.post(f"{at}/stops/1/judge", json={"result": "normal"})).status_code == 409
    taken = (await client.post(f"{at}/take", json={})).json()
    assert taken["walker_name"] == "town-operator"
    queue = (await client.get(f"{at}/queue")).json()
    first, second = queue["items"]
    assert (first["remarks"], first["doubt"], first["picture_sha256"]) == (
        ["something moves"],
        45,
        SHA,
    )
    assert (second["has_picture"], second["reason"], queue["coming"]) == (
        False,
        "no answer within 3 s",
        0,
    )

    outside.now += timedelta(seconds=5)
    good = {"result": "normal", "checked": [True, True], "picture_sha256": SHA}
    for wrong, code in (
        ({**good, "picture_sha256": "0" * 64}, 409),
        ({**good, "picture_sha256": "../../etc/passwd"}, 422),
        ({**good, "checked": [True]}, 422),
        ({**good, "checked": ["yes", "no"]}, 422),
        ({**good, "result": "not_judged"}, 422),
        ({**good, "kind": "DROP TABLE"}, 422),
        ({**good, "note": "\x00"}, 422),
        ({**good, "judged_by": "somebody"}, 422),
        ({**good, "task": {}}, 422),
    ):
        assert (await client.post(f"{at}/stops/1/judge", json=wrong)).status_code == code, wrong
    judged = await client.post(f"{at}/stops/1/judge", json=good)
    assert judged.json()["timing"] == "on_time"
    again = await client.post(f"{at}/stops/1/judge", json=good)
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "town-operator judged this stop already: normal",
    )
    down = {"result": "abnormal", "kind": "camera_down", "checked": [False, False], "task": {}}
    assert (await client.post(f"{at}/stops/2/judge", json=down)).status_code == 422  # no reason
    done = await client.post(f"{at}/stops/2/judge", json={**down, "note": "the mast is gone"})
    assert done.json()["dispatch_id"] is not None
    assert (await client.get(at)).json()["state"] == "finished"
    assert (await client.post(f"{at}/pause", json={})).status_code == 409

    await sign_in(client, "root-admin")
    wanted = (await client.get("/api/v1/patrol-second-looks")).json()["items"]
    assert [one["stop"]["position"] for one in wanted] == [1, 2]
    assert not (
        await client.get("/api/v1/patrol-second-looks", params={"area": world.east})
    ).json()["items"]
    look = {"agrees": False, "note": "the gate is open", "picture_sha256": SHA}
    disagreed = await client.post(f"{at}/stops/1/second-look", json=look)
    assert disagreed.json()["second_look"] == "disagreed"
    listed = await client.get(f"{at}/stops", params={"second_look": "wanted", "sort": "doubt"})
    assert [one["position"] for one in listed.json()["items"]] == [2]
    assert (await client.get(f"{at}/stops", params={"sort": "device_id"})).status_code == 422


@pytest.mark.threat("T26")
async def test_pictures_and_films_are_what_was_kept_or_nothing(
    client: httpx.AsyncClient, walk: int, database: Database, tmp_path: Path
) -> None:
    at = f"/api/v1/patrol-rounds/{walk}/stops/1"
    await sign_in(client, "town-operator")
    ranges = {"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(5000))}
    picture = await client.get(f"{at}/picture", params={"sha256": SHA}, headers=ranges)
    film = await client.get(f"{at}/clip", headers=ranges)
    assert (picture.status_code, picture.content) == (200, JPEG)
    assert (film.status_code, film.content, film.headers["content-type"]) == (
        200,
        FILM,
        "video/mp4",
    )
    other = await client.get(f"{at}/picture", params={"sha256": "0" * 64})
    assert other.status_code == 409
    assert (await client.get(f"/api/v1/patrol-rounds/{walk}/stops/2/clip")).status_code == 404
    assert (await client.get(f"/api/v1/patrol-rounds/{walk}/stops/2147483648")).status_code == 422
    async with database.transaction() as tx:
        log = [entry.action for entry in (await audit.list_entries(tx, HUB)).items]
    assert {"patrol_round.picture_looked_at", "patrol_round.clip_looked_at"} <= set(log)

    folder = PictureFolder(tmp_path)
    folder.picture_path(walk, 1).write_bytes(JPEG[:-1] + b"\x00")
    folder.clip_path(walk, 1).write_bytes(b"another film")
    for what in ("picture", "clip"):
        forged = await client.get(f"{at}/{what}")
        assert (forged.status_code, forged.content.startswith(b"{")) == (409, True)


async def test_colleagues_are_those_who_may_walk_there(
    client: httpx.AsyncClient, walk: int, database: Database, world: World
) -> None:
    at = f"/api/v1/patrol-rounds/{walk}"
    async with database.transaction() as tx:
        night = await add_person(tx, "night-operator", Role.DISPATCHER, world.town)
    await sign_in(client, "town-operator")
    names = [one["name"] for one in (await client.get(f"{at}/colleagues")).json()["items"]]
    assert names == ["night-operator", "root-admin", "town-operator"]
    await client.post(f"{at}/take", json={})
    paused = (await client.post(f"{at}/pause", json={"reason": "tea"})).json()
    assert (paused["state"], paused["paused_s"]) == ("paused", 0)
    given = await client.post(f"{at}/hand-over", json={"to_user_id": night, "note": "gate 3"})
    assert given.json()["walker_id"] == night
    assert (await client.post(f"{at}/resume")).status_code == 409
    await sign_in(client, "night-operator")
    assert (await client.post(f"{at}/resume")).json()["state"] == "running"
    again = await client.post(f"{at}/stops/2/look-again")
    assert (again.json()["verdict"], again.json()["is_for_person"]) == ("pending", True)
    skipped = await client.post(f"{at}/stops/2/skip", json={"reason": " "})
    assert skipped.status_code == 422
