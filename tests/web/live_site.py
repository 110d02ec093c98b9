"""A hub that relays live video over a real server, of a simulated camera in the eastern village."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from websockets.exceptions import ConnectionClosed

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import Channel, DeviceDescription, DeviceKind, Stream
from hub.domain.live_video import LiveLimits
from hub.domain.secrets import Credentials, Secret
from hub.runtime.live import LiveFeed
from hub.runtime.outbound import open_client
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.store import devices
from hub.store.database import Database
from hub.web.app import create_app
from streams.live.mediamtx import MediaMtx, MediaMtxOptions
from streams.live.relay import Relay, RelayOptions
from streams.live.stream import StreamOptions
from tests import media_server
from tests.media_server import StandIn
from tests.web.sockets import PLAYS_H264, Watching, watch
from tests.web.stage import SYSTEM, Field, World, serve, sign_in

LOOPBACK: Final = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
DEADLINE_S: Final = 15.0
FAST: Final = RelayOptions(
    linger_s=0.2, picture_every_s=0.05, stream=StreamOptions(frozen_s=0.5, soonest_s=0.1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The hub, and what stands around it."""

    address: str
    camera: Camera
    relay: Relay
    media: StandIn
    path: str
    database: Database

    def client(self) -> httpx.AsyncClient:
        """A browser."""
        return httpx.AsyncClient(timeout=30, base_url=self.address)


@asynccontextmanager
async def open_site(
    database: Database, world: World, outside: Field, folder: Path
) -> AsyncIterator[Site]:
    """Serve until the end of the block."""
    camera_options = CameraOptions(
        name="gate", serial="1", mac="02:00:00:00:00:01", http_port=0, rtsp_port=0,
        credentials=Credentials(username="operator", password=Secret("camera-secret")),
        has_traffic=False,
    )  # fmt: skip
    feed = LiveFeed(database)
    relay = Relay(
        policy=LOOPBACK, clock=outside.clock, take_snapshot=outside.snapshot, options=FAST
    )
    async with (
        Camera(camera_options, clock=lambda: datetime.now(UTC), rng=random.Random(7)) as camera,
        media_server.stand_in() as media,
        open_client(LOOPBACK) as client,
    ):
        await _describe(database, world, camera.state.rtsp_port)
        listening = asyncio.create_task(feed.run())
        await feed.listening.wait()
        media_options = MediaMtxOptions(
            api=media.address,
            webrtc=media.address,
            hls=media.address,
            credentials=Credentials(
                username=media_server.USER, password=Secret(media_server.PASSWORD)
            ),
        )
        services = replace(
            outside.services(database, folder, feed),
            relay=relay,
            media_server=MediaMtx(media_options, client=client, policy=LOOPBACK),
            live_limits=LiveLimits(per_user=3, in_all=5),
        )
        async with serve(create_app(services)) as address:
            yield Site(
                address=address,
                camera=camera,
                relay=relay,
                media=media,
                path=f"/api/v1/devices/{world.east_camera}/live",
                database=database,
            )
        await relay.close()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _describe(database: Database, world: World, port: int) -> None:
    streams = tuple(
        Stream(role=role, address=f"rtsp://127.0.0.1:{port}/{role}") for role in ("main", "sub")
    )
    channel = Channel(key="ch1", streams=streams)
    said = DeviceDescription(kind=DeviceKind.CAMERA, channels=(channel,))
    async with database.transaction() as tx:
        await devices.describe_device(tx, SYSTEM, world.east_camera, said)


@asynccontextmanager
async def watching(
    site: Site, name: str = "east-viewer", *, query: str = "", play: str = PLAYS_H264
) -> AsyncIterator[Watching]:
    """Somebody who watches, and has said what he plays."""
    async with site.client() as client, asyncio.timeout(DEADLINE_S):
        await sign_in(client, name)
        async with watch(client, site.path + query) as opened:
            with suppress(ConnectionClosed):  # who has too many is not listened to
                await opened.say(play=[play])
            yield opened
