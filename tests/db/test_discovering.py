"""A look for devices, as due work, at simulated cameras on loopback."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from adapters.onvif import surveying as onvif
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.discovery import Find, Login, Survey
from hub.domain.errors import Conflict
from hub.domain.secrets import Credentials, Secret
from hub.maintenance.discovering import Discoverer, DiscoveringOptions, DiscoveringSenses
from hub.maintenance.discovery_adding import Chosen, Common, add_finds
from hub.runtime.jobs import Job
from hub.simulators.camera import Camera
from hub.store import connections, device_tags, devices, discoveries, discovery_finds
from hub.store.database import Database
from hub.store.discovery_finds import FindLine
from streams import surveying as rtsp
from tests.db.conftest import SYSTEM, County
from tests.protocol.simulated import LOGIN, simulated_camera

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
HERE = parse_networks(["127.0.0.1/32"])
WRONG = Credentials(username="admin", password=Secret("not-this-one"))
SILENT_PORT = 9  # discard: nothing listens here
METADATA = "http://169.254.169.254/onvif"


def wall_clock() -> datetime:
    return datetime.now(UTC)


def discoverer(database: Database, heard: Sequence[Find] = ()) -> Discoverer:
    async def hear(*, timeout_s: float) -> Sequence[Find]:
        del timeout_s
        return heard

    senses = DiscoveringSenses(
        ask_onvif=partial(onvif.ask_endpoint, policy=LOOPBACK, clock=wall_clock),
        ask_rtsp=partial(rtsp.ask_endpoint, policy=LOOPBACK),
        hear=hear,
        clock=wall_clock,
    )
    return Discoverer(
        database=database, senses=senses, options=DiscoveringOptions(beat_s=0.05, concurrency=8)
    )


async def order(database: Database, area_id: int, survey: Survey) -> int:
    async with database.transaction() as tx:
        look = await discoveries.add_discovery(tx, SYSTEM, area_id, survey, now=wall_clock())
    return look.id


async def finds_of(database: Database, number: int) -> Sequence[FindLine]:
    async with database.transaction() as tx:
        return (await discovery_finds.list_finds(tx, SYSTEM, number)).items


async def state_of(database: Database, number: int) -> discoveries.Discovery:
    async with database.transaction() as tx:
        return await discoveries.get_discovery(tx, SYSTEM, number)


def job(number: int) -> Job:
    return Job(id=1, args={"discovery": number}, attempt=1)


def survey_of(camera: Camera, *credentials: Credentials) -> Survey:
    return Survey(
        ranges=HERE,
        onvif_ports=(SILENT_PORT, camera.state.http_port, camera.state.rtsp_port),
        rtsp_ports=(camera.state.rtsp_port,),
        credentials=credentials,
    )


@pytest.mark.threat("T31")
async def test_a_camera_is_found_with_its_name_plate_and_becomes_a_device(
    database: Database, county: County
) -> None:
    async with simulated_camera(serial="SIM-9") as camera:
        number = await order(database, county.east.id, survey_of(camera, WRONG, LOGIN))
        await discoverer(database).run(job(number))
        address = f"http://127.0.0.1:{camera.state.http_port}/onvif/device_service"
    (find,) = await finds_of(database, number)
    assert (find.address, find.login, find.credential) == (address, Login.FITS, 1)
    assert (find.manufacturer, find.serial, find.name) == ("Gengfu", "SIM-9", "西门1 West gate 1")
    assert not find.is_known
    look = await state_of(database, number)
    assert (look.state, look.asked, look.hosts, look.found) == ("done", 1, 1, 1)

    chosen = Chosen(find_id=find.id, name="东门", area_id=county.east.id)
    elsewhere = replace(chosen, find_id=find.id + 1000)
    common = Common(team="二队", tags=("gate",))
    async with database.transaction() as tx:
        first, second = await add_finds(
            tx, SYSTEM, number, [chosen, elsewhere], common, lambda _raw: {}
        )
        assert second.problem
        assert first.device_id is not None
        assert first.connection_id is not None
        device = await devices.get_device(tx, SYSTEM, first.device_id)
        link = await connections.get_connection(tx, SYSTEM, first.connection_id)
        assert link.credentials == LOGIN
        assert (device.name, device.team, device.serial) == ("东门", "二队", "SIM-9")
        assert await device_tags.get_tags(tx, SYSTEM, device.id) == ("gate",)
        (again,) = await add_finds(tx, SYSTEM, number, [chosen], Common(), lambda _raw: {})
        assert again.problem == "this address is registered already"
        (seen,) = (await discovery_finds.list_finds(tx, SYSTEM, number)).items
        assert (seen.is_known, seen.device_id) == (True, device.id)


async def test_what_asks_for_a_password_says_so_and_rtsp_is_the_second_choice(
    database: Database, county: County
) -> None:
    async with simulated_camera() as camera:
        onvif_first = await order(database, county.east.id, survey_of(camera, WRONG))
        await discoverer(database).run(job(onvif_first))
        rtsp_only = replace(survey_of(camera, LOGIN), onvif_ports=())
        second = await order(database, county.east.id, rtsp_only)
        await discoverer(database).run(job(second))
    (refused,) = await finds_of(database, onvif_first)
    assert (refused.protocol, refused.login, refused.serial) == ("onvif", Login.REFUSED, "")
    (stream,) = await finds_of(database, second)
    assert (stream.protocol, stream.login) == ("rtsp", Login.NEEDED)
    async with database.transaction() as tx:
        chosen = Chosen(find_id=stream.id, name="x", area_id=county.east.id, target="/main")
        (one,) = await add_finds(tx, SYSTEM, second, [chosen], Common(), lambda _raw: {})
        assert "login" in one.problem


@pytest.mark.threat("T4")
@pytest.mark.threat("T7")
async def test_hostile_answers_are_kept_as_text_and_never_asked(
    database: Database, county: County
) -> None:
    hostile = Find(
        host="169.254.169.254", port=80, protocol="onvif", address=METADATA,
        name="<img src=x onerror=alert(1)>", trouble="169.254.169.254 is not allowed",
    )  # fmt: skip
    number = await order(database, county.east.id, Survey(is_multicast=True))
    await discoverer(database, [hostile]).run(job(number))
    (find,) = await finds_of(database, number)
    assert (find.name, find.login) == (hostile.name, Login.UNTRIED)
    async with database.transaction() as tx:
        chosen = Chosen(find_id=find.id, name="x", area_id=county.east.id)
        login = Common(credentials=LOGIN)
        (one,) = await add_finds(tx, SYSTEM, number, [chosen], login, lambda _raw: {})
    assert one.problem == hostile.trouble
    assert one.connection_id is None


async def test_a_look_is_one_at_a_time_can_be_cancelled_and_says_when_it_broke_off(
    database: Database, county: County
) -> None:
    wide = Survey(ranges=parse_networks(["127.9.0.0/24"]), onvif_ports=(SILENT_PORT,))
    number = await order(database, county.east.id, wide)
    inside = Survey(ranges=parse_networks(["127.9.0.7/32"]))
    with pytest.raises(Conflict, match="already"):
        await order(database, county.west.id, inside)

    started = asyncio.Event()

    async def ask(address: str, credentials: Sequence[Credentials]) -> Find | None:
        del address, credentials
        started.set()
        await asyncio.sleep(3600)
        return None

    base = discoverer(database)
    slow = replace(base, senses=replace(base.senses, ask_onvif=ask, ask_rtsp=ask))
    running = asyncio.create_task(slow.run(job(number)))
    await started.wait()
    async with database.transaction() as tx:
        await discoveries.cancel_discovery(tx, SYSTEM, number, now=wall_clock())
    async with asyncio.timeout(5):
        await running
    assert (await state_of(database, number)).state == "cancelled"

    second = await order(database, county.west.id, inside)
    async with database.transaction() as tx:
        assert await discoveries.begin_discovery(tx, SYSTEM, second, now=wall_clock()) is not None
    await base.run(job(second))  # its job again: whoever had it is gone
    assert (await state_of(database, second)).state == "broken_off"

    third = await order(database, county.west.id, replace(inside, credentials=[LOGIN]))
    long_ago = wall_clock() - timedelta(days=2)
    async with database.transaction() as tx:
        await discoveries.begin_discovery(tx, SYSTEM, third, now=long_ago)
    await base.sweep()
    assert (await state_of(database, third)).state == "broken_off"
    async with database.transaction() as tx:
        assert await discoveries.credentials_of(tx, SYSTEM, third) == (LOGIN,)
        await discoveries.forget_old(
            tx, SYSTEM, credentials_before=wall_clock() + timedelta(days=1), before=long_ago
        )
        assert await discoveries.credentials_of(tx, SYSTEM, third) == ()
