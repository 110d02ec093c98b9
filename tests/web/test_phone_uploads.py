"""What phones send beside words: photos, cleaned or refused, and positions that can be true."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from hub.domain.assets import AssetRecord
from hub.runtime.live import LiveFeed
from hub.store.asset_records import put_record
from hub.store.database import Database
from hub.store.dispatch_positions import list_positions
from hub.store.photos import PhotoOf, list_photos
from hub.web.app import create_app
from hub.web.phone_access import LINK_HEADER
from streams.jpeg import parse_jpeg_size
from streams.photos import PhotoCleaner
from tests.web.phone_photos import MARKS, TROUBLE, make_burdened, make_burdened_png, make_photo
from tests.web.phone_scene import GIVEN, HERE, PHOTOS, PLACE, POSITIONS, Scene, holding
from tests.web.stage import SYSTEM, Field, World, open_client


def pictures_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jpg"))


@pytest.mark.threat("T6")
@pytest.mark.threat("T27")
async def test_photos_of_strangers_are_cleaned_or_refused_in_words(
    client: httpx.AsyncClient, database: Database, scene: Scene, tmp_path: Path
) -> None:
    client.headers.update(holding(scene.token))
    given = {"X-Given-Id": GIVEN}
    for name, data in TROUBLE.items():
        answer = await client.post(PHOTOS, content=data, headers=given)
        assert answer.status_code == 422, (name, answer.text)
        assert answer.json()["errors"][0]["loc"] == ["body", "photo"], name
        assert "photo was not taken" in answer.json()["detail"], name
    for names in ("../../etc/x.jpg", "a/b/c/d/e/f", "x" * 200):
        answer = await client.post(PHOTOS, content=make_photo(), headers={"X-Given-Id": names})
        assert answer.status_code == 422, names
    assert pictures_below(tmp_path) == []
    for count, data in enumerate((make_burdened(640, 480), make_burdened_png()), start=1):
        answer = await client.post(PHOTOS, content=data, headers=given)
        assert (answer.status_code, answer.json()) == (201, {"photos": count})
    kept = pictures_below(tmp_path)
    assert {path.parent.parent for path in kept} == {tmp_path / "photos"}
    for path in kept:
        assert [mark for mark in MARKS if mark in path.read_bytes()] == []
    assert parse_jpeg_size(kept[0].read_bytes()) == (480, 640)  # upright

    large = b"\xff\xd8\xff" + bytes(50 * 1024 * 1024)
    refused = await client.post(PHOTOS, content=large, headers=given)
    assert refused.status_code == 413
    assert "at most 12582912 bytes" in refused.json()["detail"]

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 1 << 20):
            yield large[start : start + (1 << 20)]

    unannounced = await client.post(PHOTOS, content=pieces(), headers=given)
    assert unannounced.status_code == 413
    stranger = await client.post(
        PHOTOS, content=large[: 1 << 20], headers={LINK_HEADER: "nobody's" * 5, **given}
    )
    assert stranger.status_code == 404


@pytest.mark.threat("K10")
async def test_a_full_disk_or_no_cleaner_is_said_and_the_phone_tries_again(
    database: Database, outside: Field, scene: Scene, tmp_path: Path
) -> None:
    services = outside.services(database, tmp_path, LiveFeed(database))
    headers = holding(scene.token) | {"X-Given-Id": GIVEN}
    async with open_client(create_app(services)) as client:
        answer = await client.post(PHOTOS, content=make_photo(), headers=headers)
        assert answer.status_code == 503
    (tmp_path / "photos").write_text("in the way")
    cleaner = PhotoCleaner()
    again = replace(services, clean_photo=cleaner, metrics=CollectorRegistry())
    async with open_client(create_app(again)) as client:
        answer = await client.post(PHOTOS, content=make_photo(), headers=headers)
        assert answer.status_code == 503
        assert "cannot keep photos now" in answer.json()["detail"]
    await cleaner.close()
    async with database.transaction() as tx:
        assert await list_photos(tx, SYSTEM, PhotoOf(dispatch_id=scene.task)) == []


async def test_a_position_outside_the_county_is_refused_in_words(
    client: httpx.AsyncClient, database: Database, world: World, outside: Field, scene: Scene
) -> None:
    async with database.transaction() as tx:
        place = AssetRecord(longitude=PLACE.longitude, latitude=PLACE.latitude)
        # Of the other village: the county is more than the task's own area.
        await put_record(tx, SYSTEM, world.west_camera, place)
    client.headers.update(holding(scene.token))
    far = await client.post(POSITIONS, json=HERE | {"longitude": 121.47, "latitude": 31.23})
    assert far.status_code == 422
    assert "outside of the county" in far.json()["detail"]
    for wrong in ({"longitude": 181}, {"latitude": "NaN"}, {"accuracy_m": -1}, {"age_s": -5}):
        answer = await client.post(POSITIONS, json=HERE | wrong)
        assert answer.status_code == 422, wrong
    assert (await client.post(POSITIONS, json=HERE | {"age_s": 40_000})).status_code == 204
    async with database.transaction() as tx:
        (line,) = await list_positions(tx, SYSTEM, scene.task)
    assert line.at == outside.now - timedelta(hours=1)
