"""Reports of residents and officers: taken in without an account, moderated, never leaking."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.domain.access import Role
from hub.domain.assets import AssetRecord
from hub.patrols.citizens.receiving import MOST_PHOTOS, Intake
from hub.patrols.dispatch.photos import PhotoFolder
from hub.patrols.phone.links import issue
from hub.runtime.live import LiveFeed
from hub.store.asset_records import put_record
from hub.store.citizen_reports import forget_contacts
from hub.store.database import Database
from hub.store.photos import PhotoOf, list_photos
from hub.web.app import create_app
from hub.web.report_throttle import MOST_A_SOURCE
from hub.web.services import WebSettings
from streams.photos import PhotoCleaner
from tests.web.phone_photos import MARKS, make_burdened, make_photo
from tests.web.phone_scene import lay_scene
from tests.web.stage import SYSTEM, Field, World, add_person, open_client, sign_in

API = "/api/v1"
REPORTS, PHOTOS, MINE = (f"{API}/reporting/{name}" for name in ("reports", "photos", "report"))
KEY, OTHER_KEY = "ab" * 32, "cd" * 32
SAID = {"text": "路口积水 <img onerror=alert(1)> {{7*7}}", "kind": "water", "place": "石桥"}
HERE = {"longitude": 118.05, "latitude": 36.8}


def by(key: str) -> dict[str, str]:
    return {"X-Report-Key": key}


@pytest.fixture
async def app(database: Database, outside: Field, tmp_path: Path) -> AsyncIterator[FastAPI]:
    cleaner = PhotoCleaner()
    settings = WebSettings(
        data_dir=tmp_path, intake=Intake(is_open=True, most_waiting=30, gives_points=True)
    )
    services = outside.services(database, tmp_path, LiveFeed(database), settings)
    yield create_app(replace(services, clean_photo=cleaner))
    await cleaner.close()


@pytest.fixture
async def east(database: Database, world: World, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A dispatcher of the eastern village; the camera there has coordinates."""
    async with database.transaction() as tx:
        await add_person(tx, "east-dispatcher", Role.DISPATCHER, world.east)
        await put_record(
            tx, SYSTEM, world.east_camera, AssetRecord(longitude=118.05, latitude=36.8)
        )
    async with open_client(app) as client:
        await sign_in(client, "east-dispatcher")
        yield client


@pytest.mark.threat("T7")
async def test_a_report_comes_in_and_is_answered(
    client: httpx.AsyncClient, east: httpx.AsyncClient, database: Database, world: World
) -> None:
    sent = {**SAID, **HERE, "contact": "138 0000 0000"}
    first = await client.post(REPORTS, json=sent, headers=by(KEY))
    assert first.status_code == 201, first.text
    # Sent twice because the line broke: the same report.
    again = await client.post(REPORTS, json={"text": "other"}, headers=by(KEY))
    assert again.json() == first.json()
    (line,) = (await east.get(f"{API}/citizen-reports")).json()["items"]
    number = line["id"]
    assert (line["area_id"], line["state"], line["kind"]) == (world.east, "new", "water")
    assert line["text"] == SAID["text"]
    assert "138" not in str(line)
    contact = await east.get(f"{API}/citizen-reports/{number}/contact")
    assert contact.json() == {"contact": "138 0000 0000"}
    made = await east.post(f"{API}/citizen-reports/{number}/dispatch", json={"priority": "high"})
    assert made.json()["state"] == "dispatched", made.text
    task = (await east.get(f"{API}/dispatches/{made.json()['dispatch_id']}")).json()
    assert (task["kind"], task["place"], task["priority"]) == ("water", "石桥", "high")
    twice = await east.post(f"{API}/citizen-reports/{number}/dispatch", json={})
    assert twice.status_code == 409
    points = {"points": 5, "reason": "第一个发现"}
    assert (await east.post(f"{API}/citizen-reports/{number}/points", json=points)).json()[
        "points"
    ] == 5
    told = await east.post(f"{API}/citizen-reports/{number}/answer", json={"text": "已抽水"})
    assert told.status_code == 200, told.text
    seen = (await client.get(MINE, headers=by(KEY))).json()
    assert (seen["state"], seen["answer"], seen["points"]) == ("answered", "已抽水", 5)
    (best,) = (await east.get(f"{API}/citizen-reports/standings")).json()["items"]
    assert (best["reports"], best["points"]) == (1, 5)
    assert "138" not in best["reporter"]
    async with database.transaction() as tx:
        rows = await tx.tuples("SELECT contact FROM citizen_reports")
        assert b"138" not in bytes(rows[0][0])  # type: ignore[call-overload]  # bytea
        deeds = await tx.tuples("SELECT action FROM audit WHERE object_type = 'citizen_report'")
        assert {str(deed[0]).split(".")[1] for deed in deeds} == {
            "contact_read", "dispatched", "points_given", "answered",
        }  # fmt: skip
        assert await forget_contacts(tx, SYSTEM, Field().now + timedelta(days=1)) == 1
    assert (await east.get(f"{API}/citizen-reports/{number}/contact")).json() == {"contact": ""}


@pytest.mark.threat("T1")
async def test_reports_of_another_area_do_not_exist(
    client: httpx.AsyncClient, east: httpx.AsyncClient, database: Database, world: World
) -> None:
    """What has no position comes in at the root, and a dispatcher of a village sees none of it."""
    assert (await client.post(REPORTS, json=SAID, headers=by(KEY))).status_code == 201
    assert (await east.get(f"{API}/citizen-reports")).json()["items"] == []
    async with database.transaction() as tx:
        number = await tx.scalar(int, "SELECT id FROM citizen_reports")
    for method, path, body in (
        ("GET", "", None), ("GET", "/contact", None), ("POST", "/dispatch", {}),
        ("POST", "/answer", {"text": "x"}), ("POST", "/reject", {"text": "x"}),
        ("POST", "/move", {"area_id": world.east}), ("POST", "/points", {"points": 1}),
    ):  # fmt: skip
        answer = await east.request(method, f"{API}/citizen-reports/{number}{path}", json=body)
        assert answer.status_code == 404, (path, answer.text)
    # Nor with another key: not what it says, and no photo goes to it.
    assert (await client.get(MINE, headers=by(OTHER_KEY))).status_code == 404
    assert (await client.get(MINE, headers=by("nonsense" * 8))).status_code == 404
    photo = await client.post(PHOTOS, content=make_photo(), headers=by(OTHER_KEY))
    assert photo.status_code == 404


@pytest.mark.threat("T6")
@pytest.mark.threat("T27")
async def test_photos_lose_all_but_their_picture(
    client: httpx.AsyncClient, east: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    assert (await client.post(REPORTS, json={**SAID, **HERE}, headers=by(KEY))).status_code == 201
    burdened = make_burdened()
    for _ in range(2):  # the second time because the answer got lost
        answer = await client.post(PHOTOS, content=burdened, headers=by(KEY))
        assert (answer.status_code, answer.json()) == (201, {"photos": 1}), answer.text
    large = await client.post(PHOTOS, content=bytes(50_000_000), headers=by(KEY))
    assert large.status_code == 413
    assert (await client.post(PHOTOS, content=b"<svg/>", headers=by(KEY))).status_code == 422
    for seed in range(1, MOST_PHOTOS):
        more = await client.post(PHOTOS, content=make_photo(seed=seed), headers=by(KEY))
        assert more.status_code == 201
    one_more = await client.post(PHOTOS, content=make_photo(seed=9), headers=by(KEY))
    assert one_more.status_code == 409
    async with database.transaction() as tx:
        number = await tx.scalar(int, "SELECT id FROM citizen_reports")
        kept = await list_photos(tx, SYSTEM, PhotoOf(report_id=number))
    assert len(kept) == MOST_PHOTOS
    for photo in kept:
        data = await PhotoFolder(tmp_path).read(photo.id)
        assert sha256(data).hexdigest() == photo.sha256
        assert not any(mark in data for mark in MARKS)
    shown = await east.get(f"{API}/citizen-reports/{number}/photos/{kept[0].id}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.headers["x-content-type-options"] == "nosniff"
    other = await east.get(f"{API}/citizen-reports/{number + 1}/photos/{kept[0].id}")  # type: ignore[operator]  # it is a number
    assert other.status_code == 404


async def test_strangers_are_bounded_and_officers_are_heard(
    client: httpx.AsyncClient, database: Database, world: World, outside: Field, east: object
) -> None:
    outside_county = {**SAID, "longitude": 100.0, "latitude": 30.0}
    refused = await client.post(REPORTS, json=outside_county, headers=by(KEY))
    assert refused.status_code == 422
    assert "outside of the county" in refused.text
    for wrong in ({"text": " "}, {**SAID, "kind": "Robert'); DROP"}, {**SAID, "contact": "a\nb"}):
        assert (await client.post(REPORTS, json=wrong, headers=by(KEY))).status_code == 422
    statuses = []
    for number in range(MOST_A_SOURCE):
        key = f"{number:064x}"
        statuses.append((await client.post(REPORTS, json=SAID, headers=by(key))).status_code)
    assert statuses[-1] == 429
    outside.now += timedelta(minutes=10)
    assert (await client.post(REPORTS, json=SAID, headers=by(OTHER_KEY))).status_code == 201
    scene = await lay_scene(database, world, outside.now)
    async with database.transaction() as tx:
        token = await issue(tx, SYSTEM, now=outside.now, unit_id=scene.unit)
    officer = {**by("ef" * 32), "X-Phone-Token": token.reveal()}
    taken = await client.post(f"{API}/phone/reports", json={**SAID, **HERE}, headers=officer)
    assert taken.status_code == 201, taken.text
    # The link of a task is no link for reports.
    wrong = {**by("01" * 32), "X-Phone-Token": scene.token.reveal()}
    assert (await client.post(f"{API}/phone/reports", json=SAID, headers=wrong)).status_code == 404
    async with database.transaction() as tx:
        row = await tx.tuples("SELECT reporter FROM citizen_reports WHERE unit_id IS NOT NULL")
    assert row == [("东村网格员 王强",)]


async def test_where_residents_may_not_report_nobody_is_told_more(
    database: Database, world: World, outside: Field, tmp_path: Path
) -> None:
    closed = create_app(outside.services(database, tmp_path, LiveFeed(database)))
    async with open_client(closed) as client:
        form = (await client.get(f"{API}/reporting")).json()
        assert form["is_open"] is False
        answer = await client.post(REPORTS, json=SAID, headers=by(KEY))
        assert answer.status_code == 404
        assert "not taken in here" in answer.text
