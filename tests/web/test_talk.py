"""Talking through a simulated camera over a real server: who may, for how long, what arrives."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from hub.domain.access import Role
from hub.domain.devices import Channel, DeviceDescription, DeviceKind, Stream
from hub.domain.secrets import Credentials, Secret
from hub.runtime.live import LiveFeed
from hub.simulators.camera import Camera
from hub.simulators.camera_state import CameraOptions
from hub.simulators.faults import Fault
from hub.store import devices
from hub.store.database import Database
from hub.web.app import create_app
from streams.talk.line import open_line
from tests.protocol.onvif_run import LOOPBACK
from tests.protocol.simulated import until, utc_now
from tests.web.stage import PASSWORD, SYSTEM, Field, World, add_person, serve, sign_in

WORDS = bytes(range(160)) * 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A hub that serves, and a camera with sound in the eastern village."""

    address: str
    camera: Camera
    world: World

    @asynccontextmanager
    async def talker(self, name: str, **given: str) -> AsyncIterator[ClientConnection]:
        """Somebody who talks; ``given`` may name another ``origin`` or ``device``."""
        async with httpx.AsyncClient(base_url=self.address) as client:
            await sign_in(client, name)
            cookie = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)
        device = given.get("device", str(self.world.east_camera))
        address = self.address.replace("http", "ws") + f"/api/v1/devices/{device}/talk"
        origin = Origin(given.get("origin", self.address))
        async with connect(
            address, origin=origin, additional_headers={"Cookie": cookie}, proxy=None
        ) as socket:
            yield socket


@pytest.fixture
async def site(
    database: Database, world: World, outside: Field, tmp_path: Path
) -> AsyncIterator[Site]:
    options = CameraOptions(
        name="gate",
        serial="1",
        mac="02:00:00:00:00:01",
        http_port=0,
        rtsp_port=0,
        credentials=Credentials(username="operator", password=Secret("camera-secret")),
        motion_interval_s=None,
        has_sound=True,
    )
    async with Camera(options, clock=utc_now, rng=random.Random(7)) as camera:
        stream = Stream(role="main", address=camera.state.stream_address())
        said = DeviceDescription(
            kind=DeviceKind.CAMERA, channels=(Channel(key="ch1", streams=(stream,)),)
        )
        async with database.transaction() as tx:
            await devices.describe_device(tx, SYSTEM, world.east_camera, said)
            await add_person(tx, "east-operator-2", Role.OPERATOR, world.east)
        feed = LiveFeed(database)
        listening = asyncio.create_task(feed.run())
        await feed.listening.wait()
        services = replace(
            outside.services(database, tmp_path, feed), talk=partial(open_line, policy=LOOPBACK)
        )
        async with serve(create_app(services)) as address:
            yield Site(address=address, camera=camera, world=world)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def heard(socket: ClientConnection, kind: str) -> dict[str, str]:
    """The next text of a kind; sound between is passed over."""
    async with asyncio.timeout(15):
        while True:
            message = await socket.recv()
            if isinstance(message, str) and json.loads(message)["type"] == kind:
                return dict(json.loads(message))


@pytest.mark.threat("T1")
@pytest.mark.threat("T18")
async def test_one_person_talks_through_a_camera_and_hears_it(
    site: Site, database: Database
) -> None:
    async with site.talker("east-operator") as talker:
        hello = await heard(talker, "hello")
        assert (hello["hears"], hello["speaks"]) == ("pcma", "pcma")
        assert (await heard(talker, "until"))["until"]
        assert len(await talker.recv()) % 160 == 0
        await talker.send(WORDS)
        await until(lambda: len(site.camera.state.told) == len(WORDS))
        assert bytes(site.camera.state.told) == WORDS
        async with site.talker("east-operator-2") as other:
            ended = await heard(other, "ended")
            assert (ended["why"], ended["detail"]) == ("busy", "east-operator")
        await talker.send('{"renew":true}')
        await heard(talker, "until")
    async with asyncio.timeout(15):
        while True:  # the hold ends with the talk
            async with site.talker("east-operator-2") as other:
                first = json.loads(str(await other.recv()))
                if first["type"] == "hello":
                    break
    for name, given in (
        ("east-viewer", {}),
        ("east-operator", {"origin": "http://evil.test"}),
        ("east-operator", {"device": str(site.world.west_camera)}),
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with site.talker(name, **given):
                pass
        wanted = 404 if "device" in given else 403
        assert refused.value.response.status_code == wanted
    async with database.transaction() as tx:
        lines = await tx.tuples("SELECT actor FROM audit WHERE action = 'device.talked_to'")
    assert "east-operator" in {str(actor) for (actor,) in lines}


@pytest.mark.threat("T17")
async def test_a_talk_ends_with_the_session_and_with_the_camera(
    site: Site, database: Database, outside: Field
) -> None:
    async with site.talker("east-operator") as talker:
        await heard(talker, "hello")
        async with database.transaction() as tx:
            await tx.execute("DELETE FROM sessions")
            await tx.execute("SELECT pg_notify('gengfu', 'sessions 1')")
        assert (await heard(talker, "ended"))["why"] == "session"
        with pytest.raises(ConnectionClosed):
            await talker.recv()
    outside.now += timedelta(seconds=11)
    async with site.talker("east-operator") as talker:
        await heard(talker, "hello")
        await site.camera.set_fault(Fault.POWER_CUT)
        ended = await heard(talker, "ended")
        assert ended["why"] == "camera"
        assert "camera-secret" not in ended["detail"]
        assert PASSWORD not in ended["detail"]
