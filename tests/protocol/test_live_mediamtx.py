"""What the hub asks of MediaMTX, against a stand-in that speaks its documented API over HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.errors import (
    AddressRefused,
    DeviceError,
    DeviceUnreachable,
    NotFound,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from hub.runtime.outbound import open_client
from streams.live.mediamtx import MediaMtx, MediaMtxOptions
from tests.media_server import ANSWER, PASSWORD, USER, StandIn, stand_in

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
CAMERA = CameraTarget(
    device_id=1,
    stream_address="rtsp://127.0.0.9:8554/main?x=1",
    credentials=Credentials(username="admin", password=Secret('a:b}\n"c@/')),
)


@pytest.fixture
async def server() -> AsyncIterator[StandIn]:
    async with stand_in() as server:
        yield server


@pytest.fixture
async def media(server: StandIn) -> AsyncIterator[MediaMtx]:
    async with open_client(LOOPBACK) as client:
        options = MediaMtxOptions(
            api=server.address,
            webrtc=server.address,
            hls=server.address,
            credentials=Credentials(username=USER, password=Secret(PASSWORD)),
        )
        yield MediaMtx(options, client=client, policy=LOOPBACK)


@pytest.mark.threat("T10")
@pytest.mark.threat("T24")
async def test_a_stream_has_a_name_of_its_own_and_its_source_is_one_scalar(
    media: MediaMtx, server: StandIn
) -> None:
    names = [await media.open(CAMERA) for _ in range(2)]
    assert len(set(names)) == 2
    assert all(re.fullmatch(r"gengfu-[0-9a-f]{32}", name) for name in names)
    settings = server.paths[names[0]]
    assert settings["source"] == "rtsp://admin:a%3Ab%7D%0A%22c%40%2F@127.0.0.9:8554/main?x=1"
    assert (settings["sourceOnDemand"], settings["rtspTransport"]) == (True, "tcp")
    assert await media.offer(names[0], "v=0\r\noffer") == ANSWER
    assert server.offers == ["v=0\r\noffer"]
    assert await media.count_readers(names[0]) == 1
    assert await media.count_readers(names[1]) == 0
    await media.close(names[0])
    assert server.removed == names[:1]
    await media.close(names[0])  # it is gone already: said in the log, to nobody else
    with pytest.raises(DeviceUnreachable):
        await media.offer(names[0], "v=0\r\n")


@pytest.mark.threat("T6")
async def test_files_are_fetched_by_their_plain_names_only(
    media: MediaMtx, server: StandIn
) -> None:
    name = await media.open(CAMERA)
    found = await media.fetch(name, "index.m3u8", {"_HLS_msn": "12", "jwt": "x", "_HLS_part": "-"})
    assert (found.content_type, found.data) == (
        "application/vnd.apple.mpegurl",
        b"#EXTM3U index.m3u8",
    )
    assert server.asked == ["/NAME/index.m3u8?_HLS_msn=12"]
    for file in (
        "../../v3/config/global/get",
        "..",
        "x/../y.mp4",
        "%2e%2e.mp4",
        ".mp4",
        "x",
        "a\0.mp4",
    ):
        with pytest.raises(NotFound):
            await media.fetch(name, file, {})
    assert len(server.asked) == 1
    with pytest.raises(ProtocolViolation):  # redirects lead nowhere
        await media.fetch(name, "elsewhere.m3u8", {})


@pytest.mark.threat("T13")
async def test_what_no_camera_may_be_is_not_passed_on(media: MediaMtx, server: StandIn) -> None:
    mask = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    for camera, error in (
        (replace(CAMERA, masks=(mask,)), UnsupportedByDevice),
        (replace(CAMERA, stream_address="rtsp://169.254.169.254/x"), AddressRefused),
        (replace(CAMERA, stream_address="exec:/bin/sh"), AddressRefused),
    ):
        with pytest.raises(error):
            await media.open(camera)
    assert server.paths == {}


@pytest.mark.threat("T31")
async def test_a_server_that_fails_is_named_without_what_it_was_told(
    media: MediaMtx, server: StandIn
) -> None:
    server.is_broken = True
    with pytest.raises(ProtocolViolation) as failed:
        await media.open(CAMERA)
    assert "500" in str(failed.value)
    async with open_client(LOOPBACK) as client:
        away = MediaMtxOptions(
            api="http://127.0.0.1:9", webrtc="http://127.0.0.1:9", hls="http://127.0.0.1:9"
        )
        with pytest.raises(DeviceUnreachable) as gone:
            await MediaMtx(away, client=client, policy=LOOPBACK).open(CAMERA)
        known = replace(away, api=server.address)
        with pytest.raises(DeviceError, match="user or password"):
            await MediaMtx(known, client=client, policy=LOOPBACK).open(CAMERA)
    for error in (failed.value, gone.value):
        text = repr(error) + repr(error.__cause__)
        assert "admin" not in text
        assert "gengfu-" not in text
    await asyncio.sleep(0)
