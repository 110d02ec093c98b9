"""One change to many devices, and those that wait for approval."""

import httpx
import pytest

from hub.domain.devices import DeviceDescription, DeviceKind, Point, Registration
from hub.store import devices, picture_profiles, probe_intervals
from hub.store.database import Database
from hub.store.devices import NewDevice
from tests.web.stage import SYSTEM, World, add_camera, sign_in

BULK = "/api/v1/devices/bulk"
XSS = "<img src=x onerror=alert(1)>"


async def fill_east(database: Database, world: World, count: int) -> list[int]:
    async with database.transaction() as tx:
        return [(await add_camera(tx, world.east, f"east-{n}"))[0] for n in range(2, 2 + count)]


@pytest.mark.threat("T1")
@pytest.mark.threat("T12")
async def test_many_change_in_one_go_and_only_those_that_were_seen(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    ids = await fill_east(database, world, 3)
    await sign_in(client, "east-admin")
    change = {"team": "二队", "device_class": "gate", "add_tags": ["new", "new"]}

    tried = await client.post(BULK, json={"ids": ids, "change": change, "dry_run": True})
    assert (tried.json()["changed"], tried.json()["dry_run"]) == (3, True)
    seen = (await client.get("/api/v1/devices", params={"team": "二队"})).json()["items"]
    assert seen == []

    # Four by now, though three were seen.
    by_filter = {"change": change, "total": 3}
    answer = await client.post(BULK, params={"area": world.east}, json=by_filter)
    assert answer.status_code == 409
    by_filter["total"] = 4
    answer = await client.post(BULK, params={"area": world.east}, json=by_filter)
    assert (answer.json()["matched"], answer.json()["changed"]) == (4, 4), answer.text
    again = await client.post(BULK, json={"ids": ids, "change": change})
    assert (again.json()["changed"], again.json()["unchanged"]) == (0, 3)
    tags = (await client.get(f"/api/v1/devices/{ids[0]}/tags")).json()
    assert "new" in str(tags)

    # What lies elsewhere is as if it were not there: nothing of the request is done.
    for body in (
        {"ids": [*ids, world.west_camera], "change": {"team": "x"}},
        {"ids": ids, "change": {"area_id": world.west}},
        {"ids": ids, "change": {"parent_id": world.west_camera}},
    ):
        assert (await client.post(BULK, json=body)).status_code == 404, body
    for wrong in (
        {"ids": ids, "change": {}},
        {"ids": ids, "total": 3, "change": {"team": "x"}},
        {"change": {"team": "x"}},
        {"ids": ids, "change": {"add_tags": ["\u202e"]}},
        {"ids": list(range(1, 5_002)), "change": {"team": "x"}},
    ):
        assert (await client.post(BULK, json=wrong)).status_code == 422, wrong
    assert (await client.get("/api/v1/devices", params={"team": "x"})).json()["items"] == []

    async with database.transaction() as tx:
        deeds = await tx.tuples(
            "SELECT object_id, detail FROM audit WHERE action = 'device.edited' ORDER BY id"
        )
    assert {str(number) for number, _ in deeds} == {str(n) for n in [*ids, world.east_camera]}


async def test_windows_intervals_and_profiles_of_many_and_who_cannot_have_them(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    ids = await fill_east(database, world, 2)
    async with database.transaction() as tx:
        await picture_profiles.ensure_default_profiles(tx, SYSTEM, world.east)
        profiles = await picture_profiles.all_profiles(tx, SYSTEM)
        switch = await devices.add_device(
            tx,
            SYSTEM,
            NewDevice(
                connection_id=(await devices.get_device(tx, SYSTEM, ids[0])).connection_id,
                key="switch",
                area_id=world.east,
                description=DeviceDescription(kind=DeviceKind.SWITCH, name=XSS),
                registration=Registration.APPROVED,
            ),
        )
    await sign_in(client, "east-admin")
    change = {
        "window": {"ends_at": "2026-11-22T05:00:00Z", "reason": "new cables"},
        "intervals": {"answer_s": 60},
        "profiles": {"day_id": profiles[0].id, "night_id": profiles[-1].id},
    }
    answer = await client.post(BULK, json={"ids": [*ids, switch.id], "change": change})
    assert answer.json()["changed"] == 2, answer.text
    assert answer.json()["refused"] == [
        {"device_id": switch.id, "name": XSS, "reason": "it has no picture"}
    ]
    windows = (await client.get("/api/v1/maintenance-windows")).json()["items"]
    assert {one["device_id"] for one in windows} == set(ids)
    async with database.transaction() as tx:
        own = await probe_intervals.all_intervals(tx, SYSTEM)
    assert [(one.device_id, one.answer_s) for one in own] == [(n, 60) for n in ids]
    more = {"intervals": {"stream_s": 300}, "parent_id": switch.id}
    answer = await client.post(BULK, json={"ids": [*ids, switch.id], "change": more})
    assert [one["reason"] for one in answer.json()["refused"]] == [
        "a device cannot be below itself"
    ]
    async with database.transaction() as tx:
        own = await probe_intervals.all_intervals(tx, SYSTEM)
    assert [(one.answer_s, one.stream_s) for one in own] == [(60, 300), (60, 300)]
    await client.post(BULK, json={"ids": ids, "change": {"intervals": None, "parent_id": None}})
    async with database.transaction() as tx:
        assert await probe_intervals.all_intervals(tx, SYSTEM) == []
    line = (await client.get(f"/api/v1/devices/{ids[0]}")).json()
    assert line["parent_id"] is None


@pytest.mark.threat("T7")
async def test_waiting_devices_say_what_they_report_and_are_approved_together(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        link = (await devices.get_device(tx, SYSTEM, world.east_camera)).connection_id
        waiting = []
        for key in ("s1", "s2"):
            new = NewDevice(connection_id=link, key=key, area_id=world.east)
            device = await devices.add_device(tx, SYSTEM, new)
            said = DeviceDescription(name=XSS, points=(Point(key="temp", unit="°C"),))
            await devices.describe_device(tx, SYSTEM, device.id, said)
            waiting.append(device.id)
    await sign_in(client, "east-admin")
    page = (await client.get("/api/v1/pending-devices")).json()
    assert (page["total"], [one["name"] for one in page["items"]]) == (2, [XSS, XSS])
    assert page["items"][0]["points"][0]["unit"] == "°C"
    body = {"ids": waiting, "change": {"registration": "approved", "area_id": world.east}}
    assert (await client.post(BULK, json=body)).json()["changed"] == 2
    assert (await client.get("/api/v1/pending-devices")).json()["total"] == 0
