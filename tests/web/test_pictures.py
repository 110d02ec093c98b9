"""Pictures over the API: what is shown of them, what people say of them, who may."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from hub.domain.quality import Finding, Index, Mode, PictureCheck
from hub.maintenance.pictures.evidence import EvidenceFolder, Kind
from hub.runtime.files import write_whole
from hub.store import audit, devices
from hub.store.database import Database
from hub.store.picture_states import get_state
from tests.web.history import NOW, blur_picture
from tests.web.stage import JPEG, SYSTEM, WELL, Field, World, sign_in

AT = "2026-11-22T00:30:00Z"
BLUR = {
    "index": "blur", "since": AT, "looks": 2, "score": 80, "threshold": 50,
    "why": "east-1 is out of focus",
}  # fmt: skip


@pytest.fixture
async def profile(database: Database, world: World, tmp_path: Path) -> int:
    """East-1 is out of focus; the profile of eastern gates has this number."""
    async with database.transaction() as tx:
        number, _ = await blur_picture(tx, world.east, world.east_camera, "east", tmp_path)
    return number


def of(world: World, rest: str = "") -> str:
    return f"/api/v1/devices/{world.east_camera}/picture{rest}"


async def last_deeds(database: Database, count: int) -> list[tuple[str, str, Mapping[str, object]]]:
    async with database.transaction() as tx:
        entries = (await audit.list_entries(tx, SYSTEM, limit=count)).items
    return [(one.action, one.object_id, one.detail) for one in entries]


async def test_a_picture_is_shown_whole(
    client: httpx.AsyncClient, world: World, profile: int, outside: Field
) -> None:
    await sign_in(client, "east-admin")
    shown = (await client.get(of(world))).json()
    assert (shown["verdict"], shown["checked_at"], shown["unseen"]) == ("bad", AT, "")
    assert shown["profiles"] == {"day": "day", "night": "night", "source": "built-in"}
    assert shown["findings"] == [
        {
            "index": "blur", "score": 80, "threshold": 50, "correction": 0, "is_fault": True,
            "why": "east-1 is out of focus", "region": None,
        }
    ]  # fmt: skip
    assert shown["not_judged"] == [index for index in Index if index != Index.BLUR]
    assert shown["faults"] == [{**BLUR, "mending": 0}]
    (band,) = shown["baseline"]
    assert (band["from_hour"], band["to_hour"], band["pictures"]) == (8, 12, 9)
    assert (band["is_ripe"], band["is_confirmed"]) == (True, False)
    assert shown["bad"] == {"at": AT, "href": of(world, "/bad.jpg")}

    body = {"device_id": world.east_camera, "day_id": profile, "night_id": profile}
    assert (await client.post("/api/v1/picture-assignments", json=body)).status_code == 201
    named = (await client.get(of(world))).json()["profiles"]
    assert named == {"day": "east gates", "night": "east gates", "source": "camera"}
    # What was seen so long ago says nothing of now: neither good nor bad.
    outside.now = NOW + timedelta(hours=25)
    await sign_in(client, "root-admin")
    assert (await client.get(of(world))).json()["verdict"] == "unknown"
    never = (await client.get(f"/api/v1/devices/{world.west_camera}/picture")).json()
    assert (never["verdict"], never["checked_at"], never["good"]) == ("unknown", None, None)
    assert never["not_judged"] == []


@pytest.mark.threat("T6")
async def test_who_looks_at_a_kept_picture_is_recorded(
    client: httpx.AsyncClient, world: World, profile: int, database: Database, tmp_path: Path
) -> None:
    await sign_in(client, "east-viewer")
    for which in ("good", "bad"):
        answer = await client.get(of(world, f"/{which}.jpg"))
        assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
        looked = ("picture.looked_at", str(world.east_camera), {"which": which})
        assert await last_deeds(database, 1) == [looked]
    for which in ("..%2fgood", "labelled", "%2e%2e", "bad%00"):
        assert (await client.get(of(world, f"/{which}.jpg"))).status_code in {404, 422}
    EvidenceFolder(tmp_path).path(world.east_camera, Kind.BAD).unlink()
    assert (await client.get(of(world, "/bad.jpg"))).status_code == 404
    assert (await client.get(of(world))).json()["bad"] is None
    assert len([d for d in await last_deeds(database, 50) if d[0] == "picture.looked_at"]) == 2


async def test_past_checks_are_listed_one_by_one_and_by_the_hour(
    client: httpx.AsyncClient, world: World, profile: int
) -> None:
    await sign_in(client, "east-viewer")
    checks = (await client.get(of(world, "/checks"))).json()["items"]
    assert checks == [
        {"at": AT, "mode": "colour", "is_night": False, "faults": ["blur"], "scores": {"blur": 80}}
    ]
    (hour,) = (await client.get(of(world, "/hours"))).json()["items"]
    assert (hour["hour"], hour["checks"]) == ("2026-11-22T00:00:00Z", 1)
    assert (hour["faults"], hour["scores"]) == ({"blur": 1}, {"blur": 80})
    earlier = {"until": AT}
    assert (await client.get(of(world, "/checks"), params=earlier)).json()["items"] == []


async def test_a_look_is_asked_for(
    client: httpx.AsyncClient, world: World, profile: int, database: Database, outside: Field
) -> None:
    await sign_in(client, "east-operator")
    assert (await client.post(of(world, "/check"))).status_code == 403
    await sign_in(client, "root-admin")
    assert (await client.post(of(world, "/check"))).json() == {"next_at": "2026-11-22T01:00:00Z"}
    assert (await last_deeds(database, 1))[0][:2] == (
        "picture.check_asked",
        str(world.east_camera),
    )
    async with database.transaction() as tx:
        assert (await get_state(tx, SYSTEM, world.east_camera)).next_at == outside.now
    nothing = await client.post(f"/api/v1/devices/{world.west_camera}/picture/check")
    assert nothing.status_code == 409


async def test_what_people_say_corrects_the_threshold_and_is_kept_with_its_picture(
    client: httpx.AsyncClient, world: World, profile: int, database: Database, tmp_path: Path
) -> None:
    await sign_in(client, "east-operator")
    said = {"index": "blur", "is_fault": False, "note": "<b>fog</b>", "checked_at": AT}
    answer = await client.post(of(world, "/feedback"), json=said)
    assert answer.status_code == 201, answer.text
    kept = answer.json()["feedback"]
    assert (kept["score"], kept["threshold"], kept["author"]) == (80, 50, "east-operator")
    assert (kept["note"], kept["taken_at"], kept["has_picture"]) == ("<b>fog</b>", AT, True)
    assert await EvidenceFolder(tmp_path).read_labelled(kept["id"]) == JPEG
    # 5 points above what is fine.
    done = answer.json()
    assert (done["corrections"], done["threshold"], done["is_settled"]) == ({"blur": 35}, 85, True)
    actions = [deed[0] for deed in await last_deeds(database, 2)]
    assert actions == ["picture.corrected", "picture.judged_by_hand"]
    shown = (await client.get(of(world))).json()
    assert shown["findings"][0]["correction"] == 35
    assert shown["next_at"] == "2026-11-22T01:00:00Z"

    # The newest word wins; of what was not judged it is kept, and corrects nothing.
    contrary = {"index": "blur", "is_fault": True}
    assert (await client.post(of(world, "/feedback"), json=contrary)).json()["corrections"] == {
        "blur": 30
    }
    unjudged = (
        await client.post(of(world, "/feedback"), json={**contrary, "index": "freeze"})
    ).json()
    assert (unjudged["feedback"]["score"], unjudged["corrections"]) == (None, {"blur": 30})
    late = {**said, "checked_at": "2026-11-21T23:30:00Z"}
    assert (await client.post(of(world, "/feedback"), json=late)).status_code == 409
    listed = (await client.get(of(world, "/feedback"), params={"limit": 2})).json()
    assert [one["index"] for one in listed["items"]] == ["freeze", "blur"]
    rest = await client.get(of(world, "/feedback"), params={"cursor": listed["next"]})
    assert len(rest.json()["items"]) == 2  # with the one of the fixture


async def test_of_what_was_taken_for_good_a_picture_is_taken(
    client: httpx.AsyncClient, world: World, outside: Field, database: Database, tmp_path: Path
) -> None:
    path = f"/api/v1/devices/{world.west_camera}/picture/feedback"
    grain = Finding(index=Index.NOISE, score=45, threshold=50, why="")
    outside.found = replace(WELL, findings=(grain,), evidence=JPEG)
    await sign_in(client, "root-admin")
    done = (await client.post(path, json={"index": "noise", "is_fault": True})).json()
    kept = done["feedback"]
    assert (kept["score"], kept["taken_at"], kept["has_picture"]) == (
        45,
        "2026-11-22T01:00:00Z",
        True,
    )
    assert (done["corrections"], done["threshold"], done["is_settled"]) == ({"noise": -5}, 45, True)
    assert await EvidenceFolder(tmp_path).read_labelled(kept["id"]) == JPEG
    # What is as good as can be cannot be talked bad.
    outside.found = replace(WELL, findings=(replace(grain, score=10),), evidence=JPEG)
    hardly = (await client.post(path, json={"index": "noise", "is_fault": True})).json()
    assert (hardly["threshold"], hardly["is_settled"]) == (25, False)
    outside.is_camera_away = True
    blind = (await client.post(path, json={"index": "blur", "is_fault": True})).json()["feedback"]
    assert (blind["score"], blind["taken_at"], blind["has_picture"]) == (None, None, False)

    # Two people speak at once: both are heard.
    outside.is_camera_away = False
    two = [replace(grain, index=index) for index in (Index.CAST, Index.STRIPES)]
    outside.found = replace(WELL, findings=tuple(two))
    said = [{"index": one.index.value, "is_fault": True} for one in two]
    await asyncio.gather(*(client.post(path, json=body) for body in said))
    async with database.transaction() as tx:
        corrections = (await get_state(tx, SYSTEM, world.west_camera)).corrections
    assert corrections == {Index.CAST: -5, Index.NOISE: -25, Index.STRIPES: -5}


async def test_a_picture_is_accepted_as_good_and_forgotten(
    client: httpx.AsyncClient, world: World, profile: int, database: Database, outside: Field
) -> None:
    await sign_in(client, "east-admin")
    bands = (await client.post(of(world, "/baseline"), json={"accept": True})).json()["bands"]
    # It is 1 o'clock: what was learnt of other hours stands.
    assert [(b["from_hour"], b["is_confirmed"], b["is_ripe"]) for b in bands] == [
        (0, True, True),
        (8, False, True),
    ]
    assert outside.ordered[0].band == 0
    assert outside.ordered[0].baselines == {(2, Mode.COLOUR): b"before"}
    assert (await last_deeds(database, 1))[0][0] == "picture.confirmed_good"
    why = "The picture is black."
    lost = Finding(index=Index.SIGNAL, score=100, threshold=50, why=why)
    outside.found = PictureCheck(mode=Mode.COLOUR, width=4, height=3, findings=(lost,))
    refused = await client.post(of(world, "/baseline"), json={"accept": True})
    assert (refused.status_code, why in refused.text) == (409, True)
    outside.found, outside.is_camera_away = WELL, True
    away = await client.post(of(world, "/baseline"), json={"accept": True})
    assert (away.is_success, "no answer within 3 s" in away.text) == (False, True)
    assert (await client.delete(of(world, "/baseline"))).status_code == 204
    assert (await client.get(of(world))).json()["baseline"] == []
    assert (await last_deeds(database, 1))[0][0] == "picture.forgotten"


async def test_masks_take_away_what_was_kept_without_them(
    client: httpx.AsyncClient, world: World, profile: int, tmp_path: Path
) -> None:
    await sign_in(client, "east-admin")
    said = {"index": "blur", "is_fault": True}
    number = (await client.post(of(world, "/feedback"), json=said)).json()["feedback"]["id"]
    files = EvidenceFolder(tmp_path)
    assert await files.read_labelled(number)
    assert (await client.get(of(world, "/masks"))).json() == {"polygons": []}
    window = {"polygons": [[[0, 0], [0.5, 0], [0.5, 1]]]}
    assert (await client.put(of(world, "/masks"), json=window)).json() == window
    assert (await client.get(of(world, "/masks"))).json() == window
    assert await files.read(world.east_camera, Kind.BAD) == b""
    assert await files.read_labelled(number) == b""
    shown = (await client.get(of(world))).json()
    assert (shown["masks"], shown["baseline"], shown["bad"]) == (1, [], None)
    (said_of, _) = (await client.get(of(world, "/feedback"))).json()["items"]
    assert not said_of["has_picture"]
    (line,) = (await client.get("/api/v1/pictures/faults")).json()["items"]
    assert line["bad"] is None  # the next look that is worth it keeps one again
    # The same again takes nothing away.
    write_whole(files.path(world.east_camera, Kind.BAD), JPEG)
    await client.put(of(world, "/masks"), json=window)
    assert await files.read(world.east_camera, Kind.BAD) == JPEG


@pytest.mark.threat("T11")
async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, world: World, profile: int
) -> None:
    await sign_in(client, "east-admin")
    line, area = [[0, 0], [1, 1]], world.east
    triangle = [[0, 0], [0.5, 0], [0.5, 1]]
    good: dict[str, object] = {"area_id": area, "name": "x", "thresholds": {}}
    trial: dict[str, object] = {"area_id": area, "thresholds": {"blur": 60}}
    bodies: list[tuple[str, str, object]] = [
        ("POST", of(world, "/feedback"), {"index": "ugly", "is_fault": True}),
        ("POST", of(world, "/feedback"), {"index": "blur"}),
        ("POST", of(world, "/feedback"), {"index": "blur", "is_fault": True, "score": 1}),
        ("POST", of(world, "/feedback"), {"index": "blur", "is_fault": True, "note": "x" * 501}),
        ("POST", of(world, "/feedback"), {"index": "blur", "is_fault": True, "note": "\0"}),
        ("POST", of(world, "/baseline"), {"accept": False}),
        ("POST", of(world, "/baseline"), {"accept": True, "band": 1}),
        ("PUT", of(world, "/masks"), {"polygons": [line]}),
        ("PUT", of(world, "/masks"), {"polygons": [[*line, [1.1, 0]]]}),
        ("PUT", of(world, "/masks"), {"polygons": [[*line, [0, -0.1]]]}),
        ("PUT", of(world, "/masks"), {"polygons": [[*line, [0, 0, 0]]]}),
        ("PUT", of(world, "/masks"), {"polygons": [triangle] * 17}),
        ("PUT", of(world, "/masks"), {"polygons": [triangle * 22]}),
        ("POST", "/api/v1/picture-profiles", {**good, "thresholds": {"ugly": 50}}),
        ("POST", "/api/v1/picture-profiles", {**good, "thresholds": {"blur": 0}}),
        ("POST", "/api/v1/picture-profiles", {**good, "thresholds": {"blur": 100.1}}),
        ("POST", "/api/v1/picture-profiles", {**good, "name": " "}),
        ("POST", "/api/v1/picture-profiles", {**good, "name": "x" * 65}),
        ("POST", "/api/v1/picture-profiles", {**good, "night": True}),
        ("PUT", f"/api/v1/picture-profiles/{profile}", good),
        ("POST", "/api/v1/picture-assignments", {"day_id": profile, "night_id": profile}),
        ("POST", "/api/v1/picture-profiles/dry-run", {**trial, "hours": 0}),
        ("POST", "/api/v1/picture-profiles/dry-run", {**trial, "hours": 24 * 14 + 1}),
        ("POST", "/api/v1/picture-profiles/dry-run", {**trial, "thresholds": {}}),
        ("GET", "/api/v1/pictures/faults?index=ugly", None),
        ("GET", "/api/v1/pictures/faults?fault=blur", None),
        ("GET", of(world, f"/checks?since={AT}&until={AT}"), None),
    ]
    answered = [
        (body, (await client.request(method, path, json=body)).status_code)
        for method, path, body in bodies
    ]
    assert [one for one in answered if one[1] != 422] == []
    nan = json.dumps({**good, "thresholds": {"blur": float("nan")}})
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/api/v1/picture-profiles", content=nan, headers=headers)
    assert answer.status_code == 422


@pytest.mark.threat("T1")
async def test_faults_are_listed_and_counted_of_ones_own_areas(
    client: httpx.AsyncClient, world: World, profile: int, database: Database, tmp_path: Path
) -> None:
    async with database.transaction() as tx:
        await blur_picture(tx, world.west, world.west_camera, "west", tmp_path)
        await devices.edit_device(
            tx, SYSTEM, world.east_camera, name="<b>east</b>", area_id=world.east
        )

    async def ask(**query: str | int) -> list[str]:
        answer = await client.get("/api/v1/pictures/faults", params=query)
        assert answer.status_code == 200, answer.text
        return [line["device_name"] for line in answer.json()["items"]]

    await sign_in(client, "root-admin")
    assert await ask() == ["west-1", "<b>east</b>"]
    assert await ask(area=world.east) == ["<b>east</b>"]
    assert await ask(index="blur", area=world.west) == ["west-1"]
    assert await ask(index="noise") == await ask(team="B") == await ask(**{"class": "gate"}) == []
    first = (await client.get("/api/v1/pictures/faults", params={"limit": 1})).json()
    assert await ask(cursor=first["next"]) == ["<b>east</b>"]
    whole = (await client.get("/api/v1/pictures/summary")).json()
    assert (whole["managed"], whole["checked"], whole["faulty"]) == (2, 2, 2)
    assert (whole["faults"], whole["hours"], whole["reasons"]) == ({"blur": 2}, 24, {})

    await sign_in(client, "east-viewer")
    (line,) = (await client.get("/api/v1/pictures/faults")).json()["items"]
    assert line["faults"] == [BLUR]
    assert line["good"] == {"at": AT, "href": of(world, "/good.jpg")}
    assert await ask(area=world.west) == []
    own = (await client.get("/api/v1/pictures/summary")).json()
    assert (own["managed"], own["faults"]) == (1, {"blur": 1})
    assert (await client.get("/api/v1/pictures/summary", params={"area": world.west})).json()[
        "managed"
    ] == 0
