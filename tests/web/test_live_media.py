"""Viewings through a media server, and what is remembered of all of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hub.domain.live_video import StreamRole
from hub.store import viewings
from hub.store.database import Database
from hub.store.picture_masks import set_masks
from tests import media_server
from tests.web.live_site import DEADLINE_S, Site, open_site
from tests.web.stage import SYSTEM, Field, World, sign_in


@pytest.fixture
async def site(
    database: Database, world: World, outside: Field, tmp_path: Path
) -> AsyncIterator[Site]:
    async with open_site(database, world, outside, tmp_path) as site:
        yield site


@pytest.mark.threat("T17")
@pytest.mark.threat("T24")
async def test_a_media_server_sends_only_for_as_long_as_the_viewer_may_watch(
    site: Site, world: World
) -> None:
    media = site.media
    async with site.client() as client, site.client() as other, asyncio.timeout(DEADLINE_S):
        await sign_in(client, "east-viewer")
        await sign_in(other, "root-admin")
        begun = await client.post(f"{site.path}/whep", json={"offer": "v=0\r\nx", "stream": "sub"})
        assert (begun.status_code, begun.json()["answer"]) == (201, media_server.ANSWER)
        (webrtc,) = media.paths
        assert str(media.paths[webrtc]["source"]).endswith("/sub")
        hls = (await client.post(f"{site.path}/hls", json={})).json()
        playlist = await client.get(hls["playlist"], params={"_HLS_msn": "3"})
        assert playlist.text == "#EXTM3U index.m3u8"
        assert playlist.headers["Content-Type"] == "application/vnd.apple.mpegurl"
        assert (await other.get(hls["playlist"])).status_code == 404  # somebody else's
        lines = (await other.get("/api/v1/live-viewers")).json()["items"]
        assert [one["stream"] for one in lines] == ["sub", "main"]
        for answer in (begun, playlist):
            assert webrtc not in answer.text + str(answer.headers)

        own = f"{site.path}/viewings/{hls['viewing']}"
        assert (await client.delete(own)).status_code == 204
        while len(media.removed) < 1:
            await asyncio.sleep(0.01)
        assert (await client.get(hls["playlist"])).status_code == 404
        async with site.database.transaction() as tx:
            await set_masks(tx, SYSTEM, world.east_camera, [[(0, 0), (1, 0), (1, 1)]])
        while media.paths:
            await asyncio.sleep(0.01)
        refused = await client.post(f"{site.path}/whep", json={"offer": "v=0\r\nx"})
        assert refused.status_code == 409
        path = f"/api/v1/devices/{world.east_camera}/viewings"
        while True:
            lines = (await other.get(path)).json()["items"]
            if all(line["ended_at"] for line in lines):
                break
        assert [line["why"] for line in lines] == ["left", "gone"]


async def test_who_watches_is_forgotten_when_nobody_says_that_he_still_does(
    database: Database, world: World, outside: Field
) -> None:
    new = viewings.NewViewing(
        device_id=world.east_camera,
        channel="ch1",
        stream=StreamRole.SUB,
        process="p1",
        began_at=outside.now,
    )
    later = outside.now + timedelta(seconds=30)
    much_later = outside.now + timedelta(seconds=60)
    async with database.transaction() as tx:
        lasting = await viewings.begin_viewing(tx, SYSTEM, new)
        lost = await viewings.begin_viewing(tx, SYSTEM, replace(new, process="p2"))
        await viewings.mark_viewings(tx, SYSTEM, {lasting: 100}, now=later)
        found = await viewings.list_live_viewers(tx, SYSTEM, device_ids=None, now=later)
        assert [(one.id, one.bytes) for one in found] == [(lasting, 100), (lost, 0)]
        await viewings.mark_viewings(tx, SYSTEM, {lasting: 200}, now=much_later)
        found = await viewings.list_live_viewers(tx, SYSTEM, device_ids=None, now=much_later)
        assert [one.id for one in found] == [lasting]
        page = await viewings.list_viewings(tx, SYSTEM, world.east_camera, limit=1)
        assert (page.items[0].id, page.items[0].why) == (lost, viewings.LOST)
        assert page.items[0].ended_at == outside.now
        assert page.next is not None
        assert await viewings.drop_old_viewings(tx, SYSTEM, much_later) == 1
