"""A hub with real simulated cameras behind it, relayed and steered, for the wall."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from adapters.onvif.steering import OnvifSteering
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import (
    Channel,
    Connection,
    DeviceDescription,
    DeviceKind,
    Preset,
    Registration,
    Stream,
)
from hub.runtime.live import LiveFeed
from hub.runtime.outbound import open_client
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.store import connections, devices
from hub.store.database import Database
from hub.web.app import create_app
from streams.decoder import DecoderProcess
from streams.live.relay import Relay
from streams.snapshot import take_snapshot
from streams.talk.line import open_line
from tests.protocol.simulated import LOGIN, utc_now
from tests.web.stage import SYSTEM, Field, World, serve

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One camera: the simulated one and its number at the hub."""

    device: int
    camera: Camera


@dataclass(frozen=True, slots=True, kw_only=True)
class WallSite:
    """A hub that serves, and the cameras behind it."""

    address: str
    relay: Relay
    cameras: Sequence[Watched]


def camera_of(number: int, name: str) -> Camera:
    """A camera on free ports."""
    options = CameraOptions(
        name=name,
        serial=f"WALL-{number}",
        mac=f"02:00:00:00:01:{number:02x}",
        http_port=0,
        rtsp_port=0,
        credentials=LOGIN,
        motion_interval_s=None,
        has_sound=True,
    )
    return Camera(options, clock=utc_now, rng=random.Random(number))


async def register(database: Database, camera: Camera, area_id: int) -> int:
    """Make a camera known to the hub, as its adapter would."""
    state = camera.state
    streams = tuple(
        Stream(role=role, address=state.stream_address(role), codec="h264", width=w, height=h)
        for role, w, h in (("main", 640, 360), ("sub", 352, 288))
    )
    channel = Channel(
        key="video_source_1",
        streams=streams,
        snapshot_address=state.snapshot_address(),
        presets=tuple(Preset(token=one.token, name=one.name) for one in state.motor.stored),
    )
    said = DeviceDescription(
        kind=DeviceKind.CAMERA,
        name=camera.name,
        address=state.service_address(),
        channels=(channel,),
    )
    link = Connection(
        id=0,
        protocol="onvif",
        name=camera.name,
        address=state.service_address(),
        area_id=area_id,
        credentials=LOGIN,
    )
    async with database.transaction() as tx:
        connection_id = await connections.add_connection(tx, SYSTEM, link)
        new = devices.NewDevice(
            connection_id=connection_id,
            key="device",
            area_id=area_id,
            description=said,
            registration=Registration.APPROVED,
        )
        device = await devices.add_device(tx, SYSTEM, new)
        await devices.describe_device(tx, SYSTEM, device.id, said)
    return device.id


@asynccontextmanager
async def open_wall(
    database: Database, world: World, folder: Path, names: Sequence[str], *, port: int = 0
) -> AsyncIterator[WallSite]:
    """Serve a hub with cameras of these names in the eastern village."""
    async with AsyncExitStack() as stack:
        cameras = []
        for number, name in enumerate(names):
            camera = await stack.enter_async_context(camera_of(number + 1, name))
            device = await register(database, camera, world.east)
            cameras.append(Watched(device=device, camera=camera))
        feed = LiveFeed(database)
        listening = asyncio.create_task(feed.run())
        await feed.listening.wait()
        client = await stack.enter_async_context(open_client(LOOPBACK))
        decoder = DecoderProcess()
        stack.push_async_callback(decoder.close)
        snapshot = partial(
            take_snapshot, client=client, policy=LOOPBACK, clock=utc_now, decoder=decoder
        )
        relay = Relay(policy=LOOPBACK, clock=utc_now, take_snapshot=snapshot)
        stack.push_async_callback(relay.close)
        services = replace(
            Field(now=utc_now()).services(database, folder, feed),
            clock=utc_now,
            relay=relay,
            steer=OnvifSteering(policy=LOOPBACK, clock=utc_now),
            talk=partial(open_line, policy=LOOPBACK),
            take_snapshot=snapshot,
        )
        async with serve(create_app(services), port) as address:
            yield WallSite(address=address, relay=relay, cameras=tuple(cameras))
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
