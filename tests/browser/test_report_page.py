"""The page of a resident who reports something, as his phone shows it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub.domain.citizen_reports import ReportState
from hub.patrols.citizens.receiving import Intake
from hub.runtime.live import LiveFeed
from hub.store.citizen_reports import Decision, ReportFilter, decide, list_reports
from hub.store.database import Database
from hub.web.app import create_app
from hub.web.services import WebSettings
from streams.photos import PhotoCleaner
from tests.browser.console import HOSTILE
from tests.browser.test_phone_pages import PHONE, shoot
from tests.web.phone_photos import make_burdened
from tests.web.stage import SYSTEM, Field, World, serve


@pytest.fixture
async def address(database: Database, outside: Field, tmp_path: Path) -> AsyncIterator[str]:
    cleaner, feed = PhotoCleaner(), LiveFeed(database)
    listening = asyncio.create_task(feed.run())
    settings = WebSettings(data_dir=tmp_path, intake=Intake(is_open=True))
    services = outside.services(database, tmp_path, feed, settings)
    async with serve(create_app(replace(services, clean_photo=cleaner))) as address:
        yield address
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await cleaner.close()


@pytest.mark.threat("T7")
async def test_a_resident_reports_and_reads_the_answer(
    page: Page, address: str, database: Database, world: World, outside: Field, tmp_path: Path
) -> None:
    del world
    photo = tmp_path / "phone.jpg"
    photo.write_bytes(make_burdened())
    await page.set_viewport_size(PHONE)
    await page.goto(f"{address}/report")
    await expect(page.locator("#send")).to_be_visible()
    await page.locator("#camera").set_input_files(photo)
    await expect(page.locator("#photos figure")).to_have_count(1)
    await page.locator("#kind").select_option("water")
    await page.locator("#text").fill(HOSTILE)
    await page.locator("#place").fill("村口石桥")
    await page.locator("#contact").fill("138 0000 0000")
    await shoot(page, "report-form")
    wide = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wide, "the page is wider than the phone"
    await page.locator("#send").click()
    await expect(page.locator("#message-what")).to_contain_text("已收到")
    await shoot(page, "report-thanks")
    async with database.transaction() as tx:
        (report,) = (await list_reports(tx, SYSTEM, ReportFilter())).items
        assert (report.text, report.kind, report.photos) == (HOSTILE, "water", 1)
        said = Decision(state=ReportState.ANSWERED, answer=HOSTILE)
        await decide(tx, SYSTEM, report.id, said, now=outside.now)
    await page.reload()
    await expect(page.locator("#mine")).to_contain_text("已答复")
    await expect(page.locator("#mine")).to_contain_text(HOSTILE)
    await page.locator("#language").click()
    await expect(page.locator("#send")).to_have_text("Send")
    await shoot(page, "report-answered")
    foreign = "document.querySelectorAll('img[src=x], script:not([src])').length"
    assert await page.evaluate(foreign) == 0
