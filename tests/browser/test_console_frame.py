"""What holds on every page of the console: signing in, languages, age, sessions, foreign pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

import pytest
from playwright.async_api import Page, Request, expect

from hub.domain.secrets import Secret
from hub.store import users
from hub.store.database import Database
from tests.browser.cable import Cable
from tests.browser.console import HOSTILE, expect_accessible, sign_in
from tests.web.stage import PASSWORD, SYSTEM, World

MENU = {"zh": ("总览", "设备"), "en": ("Overview", "Devices")}


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_somebody_signs_in_and_finds_the_pages(
    page: Page, address: str, world: World, language: str
) -> None:
    del world
    await sign_in(page, address, language=language)
    menu = page.get_by_role("navigation").first
    for name in MENU[language]:
        await expect(menu.get_by_role("link", name=name, exact=True)).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await expect_accessible(page)
    # The other theme has other colours: they are looked at, too.
    await page.evaluate("localStorage.setItem('gengfu.theme', 'dark')")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.locator("main h1")).to_be_visible()
    await expect_accessible(page)


@pytest.mark.threat("T32")
async def test_the_form_does_not_tell_who_has_an_account(
    page: Page, address: str, world: World
) -> None:
    del world
    await page.goto(address)
    said: list[tuple[int, str, str]] = []
    for name in ("root-admin", "nobody-of-that-name"):
        await page.locator("input[name=name]").fill(name)
        await page.locator("input[name=password]").fill("Wrong-Horse-9")
        async with page.expect_response("**/session/login") as asked:
            await page.locator("button[type=submit]").click()
        answer = await asked.value
        await expect(page.locator(".trouble")).not_to_be_empty()
        shown = await page.locator(".trouble").inner_text()
        said.append((answer.status, await answer.text(), shown))
    assert said[0] == said[1]


@pytest.mark.threat("T17", "T24")
async def test_another_password_ends_the_session_that_is_open(
    page: Page, address: str, world: World, database: Database
) -> None:
    del world
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - a plain function
    await sign_in(page, address, "/?area=1", language="en")
    async with database.transaction() as tx:
        (person,) = [one for one in await users.list_users(tx, SYSTEM) if one.name == "root-admin"]
        await users.change_password(tx, SYSTEM, person.id, Secret("Another-Horse-9"))
    # At once, by itself: the page stays and asks who sits here now.
    again = page.get_by_role("dialog")
    await expect(again).to_contain_text("Your session has ended")
    await again.locator("input[name=password]").fill(PASSWORD)
    await again.get_by_role("button", name="Sign in", exact=True).click()
    await expect(again.locator(".trouble")).to_contain_text("wrong")
    await again.locator("input[name=password]").fill("Another-Horse-9")
    await again.get_by_role("button", name="Sign in", exact=True).click()
    await expect(again).to_be_hidden()
    # Nothing that opens anything stood in an address; the cookie is not for scripts.
    cookie = (await page.context.cookies())[0]
    assert cookie["httpOnly"]
    assert not [one.url for one in asked if cookie["value"] in one.url or "csrf" in one.url]
    assert await page.evaluate("document.cookie") == ""


@asynccontextmanager
async def foreign_site(html: str) -> AsyncIterator[str]:
    """A page of somebody else, on another origin."""

    page = html.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + page)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}"


@pytest.mark.threat("T18", "T19", "T20")
async def test_a_foreign_page_can_neither_frame_nor_change_nor_listen(
    page: Page, address: str, world: World
) -> None:
    await sign_in(page, address, language="en")
    async with foreign_site(f'<iframe src="{address}/"></iframe>') as elsewhere:
        other = await page.context.new_page()
        refused: list[str] = []
        other.on("console", lambda said: refused.append(said.text))
        await other.goto(elsewhere)
        assert await other.frames[-1].locator("#console").count() == 0
        assert any("frame-ancestors" in text or "X-Frame-Options" in text for text in refused)
        tried = await other.evaluate(
            """async ([hub, device]) => {
              const call = (path, init) => fetch(hub + path, {credentials: "include", ...init})
                .then(answer => answer.status, () => "unreadable");
              const socket = await new Promise(done => {
                const live = `/api/v1/devices/${device}/live`;
                const ws = new WebSocket(hub.replace("http", "ws") + live);
                ws.onopen = () => done("open");
                ws.onerror = () => done("refused");
              });
              return [
                await call("/api/v1/session/me"),
                await call("/api/v1/areas", {method: "POST", body: "{}"}),
                await call("/api/v1/session/logout", {method: "POST", mode: "no-cors"}),
                socket,
              ];
            }""",
            [address, world.east_camera],
        )
        await other.close()
    assert tried[:2] == ["unreadable", "unreadable"]
    assert tried[3] == "refused"
    # Nobody was signed out from elsewhere.
    answer = await page.evaluate("fetch('/api/v1/session/me').then(answer => answer.status)")
    assert answer == 200


@pytest.mark.threat("T1", "T2", "T7")
async def test_an_address_of_somebody_else_is_no_way_in(
    page: Page, address: str, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        await tx.execute("UPDATE areas SET name = %(name)s WHERE code = 'east'", {"name": HOSTILE})
    await sign_in(page, address, f"/?area={world.west}", name="east-viewer", language="en")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("body")).not_to_contain_text("West")
    for path in ("/admin/people", "/devices/add/scan", f"/admin/{quote(HOSTILE)}"):
        await page.goto(address + path)
        await expect(page.locator("main")).to_contain_text("To the overview")
    await page.goto(f"{address}/")
    await expect(page.locator("h1")).to_have_text(HOSTILE)
    assert await page.locator("main img").count() == 0
    menu = page.get_by_role("navigation").first
    await expect(menu.get_by_role("link", name="Administration")).to_have_count(0)


@pytest.mark.threat("K3")
async def test_what_is_old_says_since_when_and_comes_back_by_itself(
    page: Page, cable: Cable, world: World
) -> None:
    del world
    await sign_in(page, cable.address, language="en")
    age = page.get_by_role("status").filter(has_text="The connection to the hub is lost")
    await expect(age).to_have_count(0)
    await cable.cut()
    await expect(age).to_contain_text(" old)", timeout=20_000)
    await cable.mend()
    await expect(age).to_have_count(0, timeout=20_000)
