"""The whole way of a slow look: a simulated camera on a socket, the inspector, the database."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from adapters.onvif.inspection import inspect_camera, last_full_day
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.health import Layer, Status
from hub.domain.secrets import Credentials, Secret
from hub.maintenance.inspecting import InspectingOptions, InspectingSenses, Inspector
from hub.simulators.camera import Camera
from hub.simulators.camera_state import FIRMWARE, CameraOptions
from hub.store.database import Database
from hub.store.devices import get_device
from tests.db.inspecting_site import HUB, Site

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    options = CameraOptions(
        name="West gate",
        serial="SIM-1",
        mac="02:00:00:00:00:01",
        http_port=0,
        rtsp_port=0,
        credentials=Credentials(username="admin", password=Secret("pw-7")),
        motion_interval_s=None,
    )
    async with Camera(options, clock=utc_now, rng=random.Random(7)) as made:
        yield made


async def test_a_camera_with_a_wrong_clock_and_holes_is_on_the_list(
    database: Database, camera: Camera
) -> None:
    site = Site(database)
    await site.settle(cameras=0)
    site.now = utc_now()
    device = await site.add(7, address=camera.state.service_address())
    day, _ = last_full_day(utc_now(), UTC)
    hole = (day + timedelta(hours=1), day + timedelta(hours=7))
    assert camera.state.card is not None
    camera.state.card.holes.append(hole)
    camera.set_clock(-400.0)
    senses = InspectingSenses(
        inspect=partial(inspect_camera, policy=LOOPBACK, clock=utc_now),
        report=site.report,
        clock=utc_now,
    )
    await Inspector(database, senses, InspectingOptions(shards=1)).inspect_shard(0)
    status, faults = await site.status(device)
    assert status is Status.DEGRADED
    assert faults[Layer.CLOCK].startswith("the camera's clock is 6 min 4")
    assert faults[Layer.CLOCK].endswith("behind")
    assert (
        faults[Layer.RECORDING] == f"only 75.0 % of {day:%Y-%m-%d} was recorded; 1 hole, up to 6 h"
    )
    yesterday, today = await site.days(device)
    assert (yesterday.day, yesterday.recorded_s, yesterday.planned_s) == (day, 64_800, 86_400)
    assert today.day == day + timedelta(days=1)
    assert today.clock_offset_s == pytest.approx(-400, abs=2)
    async with database.transaction() as tx:
        assert (await get_device(tx, HUB, device)).firmware == FIRMWARE
    assert camera.searches == 0
