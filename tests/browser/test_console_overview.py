"""The overview and the reports: from the county to a village, every figure with its coverage."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, Route, expect

from hub.domain.health import Layer, Status
from hub.maintenance.area_days import make_day
from hub.store.database import Database
from hub.store.notices import notify
from tests.browser.console import expect_accessible, shoot, sign_in
from tests.statuses import Told, change_status
from tests.web.stage import SYSTEM, Field, World

DAYS = 3


async def live_through(database: Database, world: World, now: datetime) -> None:
    """Both cameras were there for days; the eastern one was away for six hours yesterday."""
    long_ago = now - timedelta(days=300)
    yesterday = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    told = [
        (world.east_camera, Status.ONLINE, long_ago),
        (world.west_camera, Status.ONLINE, long_ago),
        (world.east_camera, Status.OFFLINE, yesterday + timedelta(hours=1)),
        (world.east_camera, Status.ONLINE, yesterday + timedelta(hours=7)),
    ]
    async with database.transaction() as tx:
        await tx.execute("UPDATE devices SET created_at = %(at)s", {"at": long_ago})
        for camera, status, since in told:
            await change_status(tx, SYSTEM, Told(device_id=camera, status=status, since=since))
        for back in range(1, DAYS + 1):
            day = (now - timedelta(days=back)).date()
            await make_day(tx, SYSTEM, day, UTC, now)


WENT_DOWN = {"zh": "离线", "en": "went down"}


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_what_goes_down_is_seen_from_the_county_to_the_village(
    page: Page, address: str, database: Database, world: World, outside: Field, language: str
) -> None:
    await live_through(database, world, outside.now)
    await sign_in(page, address, "/", language=language)
    await expect(page.locator("table a", has_text="East")).to_be_visible()
    await expect(page.locator(".figures .big").first).to_have_text("100.00 %")
    async with database.transaction() as tx:
        down = Told(
            device_id=world.east_camera,
            status=Status.OFFLINE,
            since=outside.now,
            layer=Layer.NETWORK,
            detail="no route",
        )
        await change_status(tx, SYSTEM, down)
        await notify(tx, SYSTEM, "statuses", [world.east_camera])
    # By itself: half of the two cameras answer, and it says what happened and where.
    await expect(page.locator(".figures .big").first).to_have_text("50.00 %")
    changes = page.get_by_role("listitem").filter(has_text=WENT_DOWN[language])
    await expect(changes.filter(has_text="east-1")).to_have_count(1)
    await shoot(page, f"console-overview-{language}")
    await expect_accessible(page)
    await page.locator("table a", has_text="East").first.click()
    await expect(page).to_have_url(f"{address}/?area={world.east}")
    await expect(page.locator("tr", has_text="no route")).to_contain_text("east-1")


async def test_nobody_sees_figures_of_a_foreign_area(
    page: Page, address: str, world: World
) -> None:
    await sign_in(page, address, f"/?area={world.west}", name="east-viewer", language="en")
    await expect(page.get_by_role("alert").filter(has_text="no such")).to_be_visible()
    await page.goto(address + "/")
    await expect(page.locator("h1")).to_have_text("East")
    await expect(page.locator("main")).not_to_contain_text("West")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_reports_say_their_coverage_and_their_formula(
    page: Page, address: str, database: Database, world: World, outside: Field, language: str
) -> None:
    await live_through(database, world, outside.now)
    await sign_in(page, address, "/reports?period=week", language=language)
    heat = page.locator("section", has=page.locator("td.cell")).first
    await expect(heat.locator("tr", has_text="West").locator("td.cell.good")).to_have_count(DAYS)
    # Six of 24 hours.
    await expect(heat.locator("tr", has_text="East").locator("td.cell.poor")).to_have_text("75.0")
    await expect(page.locator("code", has_text="online-rate-time-weighted/2")).to_be_visible()
    await shoot(page, f"console-reports-{language}")
    await expect_accessible(page)
    await page.goto(f"{address}/reports?tab=figures&period=week")
    await expect(page.locator("code", has_text="mttr/1")).to_be_visible()
    await expect(page.locator("tr.whole td").nth(1)).to_contain_text("%")
    await expect_accessible(page)


async def test_nothing_is_said_to_be_well_before_it_was_read(
    page: Page, address: str, world: World
) -> None:
    del world
    is_away = True

    async def answer(route: Route) -> None:
        if is_away:
            await route.fulfill(status=503, json={"detail": "the database does not answer"})
        else:
            await route.continue_()

    await page.route("**/api/v1/areas/*/summary", answer)
    await sign_in(page, address, language="en")
    trouble = page.get_by_role("alert").filter(has_text="the database does not answer")
    await expect(trouble).to_be_visible()
    await expect(page.locator("main")).not_to_contain_text("%")
    is_away = False
    await trouble.get_by_role("button", name="Try again").click()
    await expect(page.locator(".figures .big").first).to_contain_text("%")
    await expect(trouble).to_have_count(0)
