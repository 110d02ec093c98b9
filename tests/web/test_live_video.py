"""Live video over a real server, of a simulated camera: what comes, for whom, and when it ends."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hub.domain.access import Role
from hub.simulators.faults import Fault
from hub.store import audit, users
from hub.store.database import Database
from hub.store.picture_masks import set_masks
from tests.web.live_site import DEADLINE_S, Site, open_site, watching
from tests.web.sockets import PLAYS_H264, PLAYS_H265, watch
from tests.web.stage import JPEG, PASSWORD, SYSTEM, Field, World, sign_in


@pytest.fixture
async def site(
    database: Database, world: World, outside: Field, tmp_path: Path
) -> AsyncIterator[Site]:
    async with open_site(database, world, outside, tmp_path) as site:
        yield site


@pytest.mark.threat("T1")
async def test_who_may_watches_and_is_known_to_watch(site: Site, world: World) -> None:
    async with watching(site, query="?stream=sub") as viewer, site.client() as desk:
        hello = await viewer.until("hello")
        assert (hello["device"], hello["stream"]) == (world.east_camera, "sub")
        await viewer.until("state", state="live")
        init = next(one for one in viewer.said if one["type"] == "init")
        assert (init["codec"], init["width"], init["height"]) == ("h264", 352, 288)
        assert str(init["mime"]).startswith('video/mp4; codecs="avc1.')
        film = b"".join(viewer.sent) + await viewer.film(8)
        with av.open(io.BytesIO(film), "r") as opened:
            frames = list(opened.decode(video=0))
        assert len(frames) >= 8
        assert (frames[0].width, frames[0].key_frame) == (352, True)

        await sign_in(desk, "root-admin")
        path = f"/api/v1/live-viewers?device={world.east_camera}&device={world.west_camera}"
        (line,) = (await desk.get(path)).json()["items"]
        assert (line["user_name"], line["stream"]) == ("east-viewer", "sub")
        async with watch(desk, site.path) as supervisor:
            await supervisor.say(play=[PLAYS_H264])
            await supervisor.until("viewers", names=["east-viewer", "root-admin"])
        assert not any(one["type"] == "viewers" for one in viewer.said)

    async with site.client() as desk:
        await sign_in(desk, "root-admin")
        path = f"/api/v1/devices/{world.east_camera}/viewings"
        async with asyncio.timeout(DEADLINE_S):
            lines = (await desk.get(path)).json()["items"]
            while not all(line["ended_at"] for line in lines):
                lines = (await desk.get(path)).json()["items"]
    assert [(line["user_name"], line["why"]) for line in lines] == [
        ("root-admin", "left"),
        ("east-viewer", "left"),
    ]
    assert lines[1]["bytes"] >= len(film)
    async with site.database.transaction() as tx:
        page = await audit.list_entries(tx, SYSTEM)
    deeds = [(one.action, one.actor) for one in page.items if one.action.startswith("live.")]
    assert sorted(deeds) == [
        ("live.began", "east-viewer"),
        ("live.began", "root-admin"),
        ("live.ended", "east-viewer"),
        ("live.ended", "root-admin"),
    ]


@pytest.mark.threat("T17")
@pytest.mark.parametrize("deed", ["logout", "disable", "grants"])
async def test_a_viewing_ends_with_the_right_to_it(site: Site, world: World, deed: str) -> None:
    async with site.client() as client, asyncio.timeout(DEADLINE_S):
        await sign_in(client, "east-viewer")
        async with watch(client, site.path) as viewer:
            await viewer.say(play=[PLAYS_H264])
            await viewer.film()
            if deed == "logout":
                assert (await client.post("/api/v1/session/logout")).status_code == 204
            async with site.database.transaction() as tx:
                user = await users.find_user(tx, SYSTEM, "east-viewer")
                if deed == "disable":
                    await users.change_user(tx, SYSTEM, user.id, display_name="", is_disabled=True)
                elif deed == "grants":
                    await users.remove_grant(
                        tx, SYSTEM, user.id, role=Role.VIEWER, area_id=world.east
                    )
            why, code = ("gone", 4404) if deed == "grants" else ("session", 4401)
            await viewer.until("ended", why=why)
            with pytest.raises(ConnectionClosed):
                await viewer.film()
            assert viewer.socket.close_code == code


@pytest.mark.threat("T18")
@pytest.mark.threat("T24")
async def test_only_our_own_pages_and_programs_open_it(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async with site.client() as client, asyncio.timeout(DEADLINE_S):
        await sign_in(client, "east-viewer")
        token = (await client.post("/api/v1/tokens", json={"name": "wall"})).json()["value"]
        cookie = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)
        bearer, own = f"Bearer {token}", site.address
        foreign = "http://evil.test"
        for headers, query, status in (
            ({"Cookie": cookie, "Origin": foreign}, "", 403),
            ({"Cookie": cookie}, "", 403),
            ({"Authorization": bearer, "Origin": foreign}, "", 403),
            ({}, "", 401),
            ({"Origin": own}, f"?token={token}", 422),
            ({"Cookie": cookie, "Origin": own}, f"?token={token}", 422),
            ({"Cookie": cookie, "Origin": own}, "?channel=none", 404),
        ):
            with pytest.raises(InvalidStatus) as refused:
                async with watch(client, site.path + query, headers):
                    pass
            answer = refused.value.response
            assert answer.status_code == status, (headers, query)
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert token not in (answer.body or b"").decode()
        async with watch(client, site.path, {"Authorization": bearer}) as viewer:
            await viewer.until("hello")
            await viewer.socket.send("x" * 70_000)
            with pytest.raises(ConnectionClosed):
                await viewer.film()
            assert viewer.socket.close_code == 1009
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def test_a_camera_with_masks_is_never_sent_as_it_is(site: Site, world: World) -> None:
    async with watching(site) as viewer:
        await viewer.film(2)
        async with site.database.transaction() as tx:
            await set_masks(tx, SYSTEM, world.east_camera, [[(0, 0), (1, 0), (1, 1)]])
        await viewer.until("pictures", why="masked")
        viewer.sent.clear()
        await viewer.until("picture")
        assert await viewer.film(2) == JPEG * 2
        async with watching(site) as other:
            await other.until("picture")
            assert {await other.film(), *other.sent} == {JPEG}
            assert not any(one["type"] == "init" for one in other.said)
        assert viewer.sent == [JPEG] * len(viewer.sent)


async def test_pictures_come_where_video_cannot_be_played(site: Site, outside: Field) -> None:
    async with watching(site, play=PLAYS_H265) as viewer:
        assert (await viewer.until("pictures"))["why"] == "codec"
        await viewer.until("state", state="live")
        picture = await viewer.until("picture")
        assert (picture["at"], picture["width"]) == (outside.now.isoformat(), 4)
        assert await viewer.film() == JPEG
    async with watching(site) as viewer:
        await viewer.film()
        await viewer.say(pictures=True)
        await viewer.until("pictures", why="asked")
        outside.is_camera_away = True
        said = await viewer.until("state", state="offline")
        assert "no answer within 3 s" in str(said["why"])
    outside.is_camera_away = False


async def test_a_user_has_so_many_viewings_and_a_stream_one_pull(site: Site) -> None:
    async with (
        watching(site) as first,
        watching(site) as second,
        watching(site, play=PLAYS_H264) as third,
        watching(site) as fourth,
        watching(site, "root-admin") as other,
    ):
        for viewer in (first, second, third, other):
            await viewer.film()
        assert (site.relay.viewers, site.camera.viewers) == (4, 1)
        assert await fourth.until("ended", why="too_many")
        with pytest.raises(ConnectionClosed):
            await fourth.film()
        assert fourth.socket.close_code == 4429


async def test_a_stream_that_dies_says_so_and_comes_back(site: Site) -> None:
    async with watching(site) as viewer:
        await viewer.until("state", state="live")
        await site.camera.set_fault(Fault.CABLE_CUT)
        frozen = await viewer.until("state", state="frozen")
        assert frozen["layer"] == "frames"
        await site.camera.clear_fault()
        await viewer.until("state", state="live")
        await site.camera.set_fault(Fault.POWER_CUT)
        offline = await viewer.until("state", state="offline")
        assert offline["layer"] in {"network", "frames"}
        assert PASSWORD not in str(offline)
        await site.camera.clear_fault()
        begun = len(viewer.said)
        await viewer.until("state", state="live")
        assert any(one["type"] == "init" for one in viewer.said[begun:])
        await viewer.film()
        await site.camera.set_fault(Fault.WRONG_PASSWORD)
        refused = await viewer.until("state", state="offline", layer="credentials")
        assert "camera-secret" not in str(refused)
