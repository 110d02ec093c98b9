"""The map desk: devices where they are, live; areas and their outlines; tiles; hostile names."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.async_api import Page, expect

from hub.domain.assets import AssetRecord
from hub.domain.health import Layer, Status
from hub.runtime.live import LiveFeed
from hub.store import areas, asset_records, devices
from hub.store.area_outlines import NewOutline, put_outlines
from hub.store.database import Database
from hub.store.notices import notify
from hub.web.app import create_app
from hub.web.map_tiles import MapOptions
from tests.browser.console import expect_accessible, sign_in
from tests.pmtiles_file import build_pmtiles
from tests.statuses import Told, change_status
from tests.web.stage import SYSTEM, Field, World, serve

HOSTILE = '<img src=x onerror="window.broken=1">{{7*7}}'
EAST, WEST = (120.75, 30.5), (120.25, 30.5)
# What a browser without WebGL answers.
NO_WEBGL = """const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : get.call(this, kind, ...rest);
};"""
CANVAS = ".maplibregl-canvas"
DRAWN = ".box[data-drawn=yes]"
AT_EAST = "/map?at=120.75,30.5,16"
WORDS = {
    "zh": {"online": "在线", "offline": "离线", "close": "关闭", "list": "视野内的设备"},
    "en": {"online": "online", "offline": "offline", "close": "Close", "list": "What is in view"},
}


def square(west: float) -> str:
    """An outline of half a degree."""
    east = west + 0.5
    return json.dumps([[[[west, 30.2], [east, 30.2], [east, 30.8], [west, 30.8], [west, 30.2]]]])


async def lay_out(database: Database, world: World, name: str = "east-1") -> None:
    """Both cameras online at their places, both villages with their outlines."""
    async with database.transaction() as tx:
        for number, (longitude, latitude) in ((world.east_camera, EAST), (world.west_camera, WEST)):
            record = AssetRecord(longitude=longitude, latitude=latitude)
            await asset_records.put_record(tx, SYSTEM, number, record)
            told = Told(device_id=number, status=Status.ONLINE, since=datetime.now(UTC))
            await change_status(tx, SYSTEM, told)
        await devices.edit_device(tx, SYSTEM, world.east_camera, name=name, area_id=world.east)
        outlines = [
            NewOutline(code=code, shape=square(west), simple=square(west), corners=5,
                       box=(west, 30.2, west + 0.5, 30.8))
            for code, west in (("east", 120.5), ("west", 120.0))
        ]  # fmt: skip
        await put_outlines(tx, SYSTEM, outlines)


async def open_map(page: Page, address: str, path: str, *, name: str, language: str = "zh") -> None:
    """Open the desk and wait until the map has drawn its devices."""
    await sign_in(page, address, path, name=name, language=language)
    await expect(page.locator(DRAWN)).to_be_visible(timeout=20_000)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_device_is_drawn_where_it_is_and_changes_live(
    page: Page, address: str, world: World, database: Database, language: str
) -> None:
    words = WORDS[language]
    await lay_out(database, world)
    await open_map(page, address, AT_EAST, name="root-admin", language=language)
    await expect(page.get_by_role("button", name=f"{words['online']} 2")).to_be_visible()
    in_view = page.get_by_role("region", name=words["list"])
    await expect(in_view.get_by_role("button")).to_have_count(1)
    # The sign itself is hit, not the list: it is drawn where the device is.
    await page.locator(CANVAS).click()
    card = page.get_by_role("region", name="east-1")
    await expect(card.get_by_text(words["online"])).to_be_visible()
    assert f"device={world.east_camera}" in page.url
    async with database.transaction() as tx:
        told = Told(
            device_id=world.east_camera, status=Status.OFFLINE, since=datetime.now(UTC),
            layer=Layer.NETWORK, detail="no answer within 3 s",
        )  # fmt: skip
        await change_status(tx, SYSTEM, told)
        await notify(tx, SYSTEM, "statuses", [world.east_camera])
    await expect(page.get_by_role("button", name=f"{words['offline']} 1")).to_be_visible()
    await expect(card.get_by_text("no answer within 3 s")).to_be_visible()
    await expect_accessible(page)
    # By keyboard: the card is closed, the list opens it again.
    await page.keyboard.press("Escape")
    await expect(card).to_be_hidden()
    await in_view.get_by_role("button").focus()
    await page.keyboard.press("Enter")
    await expect(card).to_be_visible()


@pytest.mark.threat("T1", "T7")
async def test_hostile_names_are_inert_and_foreign_places_empty(
    page: Page, address: str, world: World, database: Database
) -> None:
    await lay_out(database, world, name=HOSTILE)
    async with database.transaction() as tx:
        await areas.rename_area(tx, SYSTEM, world.east, HOSTILE)
    await open_map(page, address, AT_EAST, name="east-viewer")
    await expect(page.get_by_role("button", name="在线 1")).to_be_visible()
    await expect(page.get_by_role("button", name="区域边界…")).to_have_count(0)
    await page.locator(CANVAS).click()
    await expect(page.get_by_role("region", name=HOSTILE).get_by_text("在线")).to_be_visible()
    await page.get_by_role("textbox").or_(page.get_by_role("combobox")).first.fill("<img")
    await expect(page.get_by_role("option").first).to_contain_text("<img")
    # Beside the sign lies the area, whose name is as hostile.
    await page.locator(CANVAS).click(position={"x": 60, "y": 60})
    await expect(page.get_by_role("heading", name=f"区域\uff1a{HOSTILE}")).to_be_visible()
    assert await page.evaluate("window.broken") is None
    # Where the other village is, there is nothing: no device, no outline.
    await page.goto(f"{address}/map?at=120.25,30.5,16&device={world.west_camera}")
    await expect(page.locator(DRAWN)).to_be_visible(timeout=20_000)
    await expect(page.get_by_text("没有这台设备")).to_be_visible()
    await page.locator(CANVAS).click()
    await expect(page.get_by_text("视野内没有设备。").first).to_be_visible()
    assert "at-area" not in page.url
    assert "west" not in (await page.locator("main").inner_text()).lower()


async def test_outlines_are_imported_and_what_is_wrong_is_shown_in_place(
    page: Page, address: str, world: World, tmp_path: Path
) -> None:
    def write(*codes: str) -> Path:
        features = [
            {
                "type": "Feature", "properties": {"adcode": code, "name": f"<b>{code}"},
                "geometry": {"type": "MultiPolygon", "coordinates": json.loads(square(120.5))},
            }
            for code in codes
        ]  # fmt: skip
        path = tmp_path / f"{len(codes)}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        return path

    await sign_in(page, address, "/map?at=120.75,30.5,12", language="en")
    await page.get_by_role("button", name="Outlines…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("File").set_input_files(write("east", "elsewhere", "east"))
    await expect(dialog.get_by_label("Property")).to_have_value("adcode")
    await dialog.get_by_role("button", name="Check").click()
    await expect(dialog.get_by_role("row")).to_have_count(3)
    await expect(dialog.get_by_role("row").nth(1)).to_contain_text("<b>elsewhere")
    await expect(dialog.get_by_role("row").nth(1)).to_contain_text("No area of yours")
    await expect(dialog.get_by_role("row").nth(2)).to_contain_text("Another feature before it")
    await expect_accessible(page)
    await dialog.get_by_label("File").set_input_files(write("east"))
    await dialog.get_by_role("button", name="Import").click()
    await expect(dialog).to_be_hidden()
    # It comes over the live stream, as it does to everybody else's map.
    await expect(page.get_by_text("Online rate now").first).to_be_visible()
    await page.locator(CANVAS).click()
    await expect(page.get_by_role("heading", name="Area East")).to_be_visible()


async def test_tiles_of_the_hubs_file_or_a_list_where_nothing_can_be_drawn(
    page: Page, database: Database, world: World, outside: Field, tmp_path: Path
) -> None:
    path = tmp_path / "county.pmtiles"
    tile = cv2.imencode(".png", np.full((256, 256, 3), (200, 0, 200), np.uint8))[1].tobytes()
    path.write_bytes(build_pmtiles(tile))
    options = MapOptions(tiles=path, attribution="© a county")
    services = outside.services(database, tmp_path, LiveFeed(database))
    settings = replace(services.settings, map=options)
    async with serve(create_app(replace(services, settings=settings))) as address:
        await open_map(page, address, "/map?at=120.75,30.5,12", name="root-admin", language="en")
        await expect(page.get_by_text("© a county")).to_be_visible()
        drawn = np.frombuffer(await page.locator(CANVAS).screenshot(), np.uint8)
        shown = cv2.imdecode(drawn, cv2.IMREAD_COLOR)
        assert shown is not None
        blue, green, red = (int(one) for one in shown[shown.shape[0] // 2, shown.shape[1] // 2])
        assert min(blue, red) > green + 50, "the tile's purple"
        await page.add_init_script(NO_WEBGL)
        await page.reload()
        await expect(page.get_by_text("This browser cannot draw the map")).to_be_visible()
        await expect(page.get_by_role("link", name="To the list of devices")).to_be_visible()
        await expect(page.get_by_role("heading", name="What is in view")).to_be_hidden()
