"""Steering over the API, with a real simulated camera behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from adapters.onvif.steering import OnvifSteering
from hub.domain.access import Role
from hub.domain.secrets import Secret
from hub.runtime.live import LiveFeed
from hub.simulators.camera import Camera
from hub.simulators.faults import Fault
from hub.store.database import Database
from hub.web.app import create_app
from tests.protocol.onvif_run import LOOPBACK
from tests.protocol.simulated import PASSWORD, USER, simulated_camera, until, utc_now
from tests.web.stage import Field, World, add_person, open_client, sign_in

Login = Callable[[str], Coroutine[None, None, httpx.AsyncClient]]


@pytest.fixture
async def camera(database: Database, world: World) -> AsyncIterator[Camera]:
    """The camera of the eastern village, in earnest."""
    async with simulated_camera() as made:
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE connections SET address = %(address)s, username = %(user)s,"
                " password_sealed = %(password)s WHERE id ="
                " (SELECT connection_id FROM devices WHERE id = %(device)s)",
                {
                    "address": made.state.service_address(),
                    "user": USER,
                    "password": tx.vault.seal(Secret(PASSWORD)),
                    "device": world.east_camera,
                },
            )
            await tx.execute("UPDATE channels SET key = 'video_source_1'")
            await tx.execute(
                "UPDATE devices SET address = %(address)s WHERE id = %(device)s",
                {"address": made.state.service_address(), "device": world.east_camera},
            )
        yield made


@pytest.fixture
async def login(
    database: Database, outside: Field, tmp_path: Path, camera: Camera
) -> AsyncIterator[Login]:
    """Signs people in, each with a client of his own."""
    del camera
    services = outside.services(database, tmp_path, LiveFeed(database))
    app = create_app(replace(services, steer=OnvifSteering(policy=LOOPBACK, clock=utc_now)))
    async with AsyncExitStack() as stack:

        async def enter(name: str) -> httpx.AsyncClient:
            client = await stack.enter_async_context(open_client(app))
            await sign_in(client, name)
            return client

        yield enter
        await app.state.helm.close()


async def actions(database: Database) -> list[tuple[str, str]]:
    async with database.transaction() as tx:
        rows = await tx.tuples(
            "SELECT actor, action FROM audit WHERE action LIKE 'device.%%' ORDER BY id"
        )
    return [(str(actor), str(action)) for actor, action in rows]


async def test_one_person_steers_until_he_rests_or_a_supervisor_takes_over(
    login: Login, camera: Camera, world: World, outside: Field, database: Database
) -> None:
    async with database.transaction() as tx:
        await add_person(tx, "east-operator-2", Role.OPERATOR, world.east)
    ptz = f"/api/v1/devices/{world.east_camera}/ptz"
    first, second, boss = [
        await login(name) for name in ("east-operator", "east-operator-2", "east-admin")
    ]
    moved = await first.post(f"{ptz}/move", json={"pan": 1, "lasts_s": 2})
    assert moved.status_code == 200, moved.text
    assert moved.json()["is_me"] is True
    assert camera.state.motor.is_moving(utc_now())
    await first.post(f"{ptz}/move", json={"pan": 1, "lasts_s": 2})
    refused = await second.post(f"{ptz}/move", json={"pan": -1})
    assert refused.status_code == 409
    assert "another person steers: east-operator, since 01:00:00" in refused.json()["detail"]
    assert (await second.post(f"{ptz}/stop")).status_code == 409
    over = await second.post(f"{ptz}/move", json={"pan": -1, "take_over": True})
    assert over.status_code == 403
    holder = (await second.get(ptz)).json()["holder"]
    assert (holder["actor"], holder["is_me"]) == ("east-operator", False)
    assert (await first.post(f"{ptz}/stop")).status_code == 200
    assert not camera.state.motor.is_moving(utc_now())
    taken = await boss.post(f"{ptz}/goto", json={"preset": "2", "take_over": True})
    assert taken.status_code == 200
    assert camera.state.preset == 1
    assert (await first.post(f"{ptz}/home", json={})).status_code == 409
    outside.now += timedelta(seconds=11)
    assert (await first.get(ptz)).json() == {"holder": None}
    assert (await second.post(f"{ptz}/home", json={})).status_code == 200
    assert camera.state.preset == 0
    assert await actions(database) == [
        ("east-operator", "device.steered"),
        ("east-admin", "device.steered"),
        ("east-admin", "device.sent_to_preset"),
        ("east-operator-2", "device.steered"),
    ]


async def test_a_camera_stops_when_the_browser_is_gone(
    login: Login, camera: Camera, world: World
) -> None:
    motor = camera.state.motor
    motor.keeps_time = False  # as old ones
    ptz = f"/api/v1/devices/{world.east_camera}/ptz"
    client = await login("east-operator")
    begun = await client.post(f"{ptz}/move", json={"zoom": 1, "lasts_s": 0.3})
    assert begun.status_code == 200
    await until(lambda: not motor.is_moving(utc_now()))


@pytest.mark.threat("T7")
async def test_presets_are_kept_and_hostile_names_stay_text(
    login: Login, camera: Camera, world: World, database: Database
) -> None:
    ptz = f"/api/v1/devices/{world.east_camera}/ptz"
    keeper, operator = await login("east-admin"), await login("east-operator")
    name = "<img src=x onerror=alert(1)> {{7*7}}"
    assert (await operator.post(f"{ptz}/presets", json={"name": name})).status_code == 403
    stored = await keeper.post(f"{ptz}/presets", json={"name": name})
    assert stored.status_code == 200, stored.text
    token = stored.json()["token"]
    listed = (await operator.get(f"{ptz}/presets")).json()["items"]
    assert listed[-1] == {"token": token, "name": name}
    async with database.transaction() as tx:
        kept = await tx.scalar(
            list, "SELECT presets FROM channels WHERE device_id = %(id)s", {"id": world.east_camera}
        )
    assert kept is not None
    assert kept[-1]["name"] == name
    assert (await keeper.post(f"{ptz}/presets/remove", json={"preset": token})).status_code == 204
    gone = await operator.post(f"{ptz}/goto", json={"preset": token})
    assert gone.status_code == 502
    assert "Preset does not exist" in gone.json()["detail"]
    for wrong in ("a\nb", "", "x" * 65):
        answer = await operator.post(f"{ptz}/goto", json={"preset": wrong})
        assert answer.status_code == 422
    await camera.set_fault(Fault.POWER_CUT)
    away = await operator.post(f"{ptz}/move", json={"pan": 1})
    assert away.status_code == 502
    assert PASSWORD not in away.text


async def test_foreign_cameras_and_wild_speeds_are_refused(login: Login, world: World) -> None:
    client = await login("east-operator")
    own, foreign = (
        f"/api/v1/devices/{number}/ptz" for number in (world.east_camera, world.west_camera)
    )
    assert (await client.post(f"{foreign}/move", json={"pan": 1})).status_code == 404
    for wrong in ({"pan": 2}, {"lasts_s": 60}, {"pan": "NaN"}, {"speed": 1}):
        assert (await client.post(f"{own}/move", json=wrong)).status_code == 422
    answers = await asyncio.gather(
        *(client.post(f"{own}/move", json={"pan": 0.1 * n}) for n in range(1, 6))
    )
    assert {answer.status_code for answer in answers} == {200}
