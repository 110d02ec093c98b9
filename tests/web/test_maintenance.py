"""Intervals, maintenance windows and parents over HTTP."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from hub.domain.access import Role
from hub.domain.devices import DeviceDescription, DeviceKind, Registration
from hub.store import audit, devices, parent_suggestions
from hub.store.database import Database
from hub.store.parent_suggestions import Group
from tests.web.stage import SYSTEM, Field, World, add_person, sign_in

INTERVALS = "/api/v1/probe-intervals"
WINDOWS = "/api/v1/maintenance-windows"
PARENTS = "/api/v1/parents"
SUGGESTIONS = "/api/v1/parent-suggestions"


async def add_switch(database: Database, world: World, area_id: int) -> int:
    """A switch behind the western link, in an area."""
    async with database.transaction() as tx:
        new = devices.NewDevice(
            connection_id=world.west_connection,
            key=f"switch-{area_id}",
            area_id=area_id,
            description=DeviceDescription(kind=DeviceKind.SWITCH, name="switch"),
            registration=Registration.APPROVED,
        )
        return (await devices.add_device(tx, SYSTEM, new)).id


async def suggest(database: Database, *device_ids: int) -> int:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    group = Group(
        subnet="10.3.7.0/24",
        device_ids=device_ids,
        times_seen=3,
        first_at=now,
        last_at=now,
        confidence=0.8,
    )
    async with database.transaction() as tx:
        (number,) = await parent_suggestions.keep_groups(tx, SYSTEM, [group], now=now)
    return number


async def actions(database: Database) -> list[str]:
    async with database.transaction() as tx:
        entries = (await audit.list_entries(tx, SYSTEM)).items
    return [line.action for line in reversed(entries) if line.action != "session.began"]


async def maintainer(client: httpx.AsyncClient, database: Database, world: World) -> None:
    """Sign in as somebody who maintains the eastern village."""
    async with database.transaction() as tx:
        await add_person(tx, "east-maintainer", Role.MAINTAINER, world.east)
    await sign_in(client, "east-maintainer")


async def test_intervals_are_set_listed_and_removed(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await maintainer(client, database, world)
    body = {"area_id": world.east, "device_class": "gate", "answer_s": 30}
    made = await client.post(INTERVALS, json=body)
    assert made.status_code == 201
    row = made.json()
    assert row == {
        "id": row["id"], "area_id": world.east, "device_class": "gate", "device_id": None,
        "answer_s": 30, "stream_s": None, "frames_s": None, "inspect_s": None, "picture_s": None,
    }  # fmt: skip
    own = (
        await client.post(INTERVALS, json={"device_id": world.east_camera, "answer_s": 60})
    ).json()
    assert own["area_id"] == world.east
    first = (await client.get(INTERVALS, params={"limit": 1})).json()
    second = (await client.get(INTERVALS, params={"limit": 1, "cursor": first["next"]})).json()
    assert [page["items"] for page in (first, second)] == [[row], [own]]
    assert second["next"] is None
    assert (await client.delete(f"{INTERVALS}/{row['id']}")).status_code == 204
    assert (await client.delete(f"{INTERVALS}/{row['id']}")).status_code == 404


BAD_INTERVALS = (
    {"answer_s": 30},
    {"area_id": 1, "device_id": 1, "answer_s": 30},
    {"area_id": 1},
    {"area_id": 1, "answer_s": 4.9},
    {"area_id": 1, "answer_s": "NaN"},
    {"area_id": 1, "answer_s": 86_401},
    {"area_id": 1, "stream_s": 4},
    {"area_id": 1, "frames_s": 29},
    {"area_id": 1, "inspect_s": 59},
    {"area_id": 1, "answer_s": 30, "device_class": "a\n"},
    {"area_id": 1, "answer_s": 30, "interval": 3},
)


async def test_intervals_that_make_no_sense_are_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    assert world.town == world.east_camera == 1
    await sign_in(client, "root-admin")
    answers = [await client.post(INTERVALS, json=body) for body in BAD_INTERVALS]
    assert [answer.status_code for answer in answers] == [422] * len(BAD_INTERVALS)


async def test_a_window_is_planned_shown_and_ended(
    client: httpx.AsyncClient, world: World, database: Database, outside: Field
) -> None:
    await maintainer(client, database, world)
    ends = outside.now + timedelta(hours=3)
    body = {"area_id": world.east, "ends_at": ends.isoformat(), "reason": "new lenses"}
    made = await client.post(WINDOWS, json=body)
    assert made.status_code == 201
    window = made.json()
    assert (window["state"], window["author"]) == ("in_force", "east-maintainer")
    assert window["starts_at"] == "2026-11-22T01:00:00Z"
    later = {"device_id": world.east_camera, "starts_at": ends.isoformat(), "reason": "clean"}
    later["ends_at"] = (ends + timedelta(hours=1)).isoformat()
    planned = (await client.post(WINDOWS, json=later)).json()
    assert (planned["state"], planned["device_name"]) == ("planned", "east-1")
    for state, expected in (("in_force", [window]), ("planned", [planned]), ("over", [])):
        listed = await client.get(WINDOWS, params={"state": state})
        assert listed.json()["items"] == expected
    own = await client.get(WINDOWS, params={"device_id": world.east_camera})
    assert own.json()["items"] == [planned]
    outside.now += timedelta(minutes=5)
    ended = (await client.post(f"{WINDOWS}/{window['id']}/end")).json()
    assert (ended["state"], ended["ends_at"]) == ("over", "2026-11-22T01:05:00Z")
    assert (await client.get(f"{WINDOWS}/{window['id']}")).json() == ended
    assert (await client.post(f"{WINDOWS}/{window['id']}/end")).status_code == 409
    assert (await client.post(f"{WINDOWS}/{planned['id']}/end")).json()["state"] == "over"
    assert (await actions(database))[-4:] == [
        "maintenance_window.planned",
        "maintenance_window.planned",
        "maintenance_window.ended",
        "maintenance_window.ended",
    ]


BAD_WINDOWS = (
    {"ends_at": "2026-11-22T00:59:00Z"},
    {"ends_at": "2027-11-22T00:00:00Z"},
    {"ends_at": "2026-11-22T03:00:00"},
    {"ends_at": "9999-12-31T23:59:59-12:00"},
    {"starts_at": "0001-01-01T00:00:00+12:00"},
    {"reason": ""},
    {"reason": " "},
    {"reason": "a\x00b"},
    {"reason": "x" * 501},
    {"device_id": 1},
    {"area_id": None},
)


async def test_windows_that_make_no_sense_are_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    body = {"area_id": world.town, "ends_at": "2026-11-22T03:00:00Z", "reason": "clean"}
    await sign_in(client, "root-admin")
    answers = [await client.post(WINDOWS, json=body | change) for change in BAD_WINDOWS]
    assert [answer.status_code for answer in answers] == [422] * len(BAD_WINDOWS)


BAD_QUERIES = (
    (WINDOWS, {"state": "over' OR '1'='1"}),
    (WINDOWS, {"cursor": "x"}),
    (WINDOWS, {"cursor": "WyJ4JyBPUiAxPTEiLCAxXQ"}),  # ["x' OR 1=1", 1]
    (WINDOWS, {"limit": 501}),
    (INTERVALS, {"cursor": "WyIxOyBEUk9QIl0"}),
    (SUGGESTIONS, {"state": "open; DROP TABLE devices"}),
    (SUGGESTIONS, {"cursor": "WyJhIiwgMV0"}),
)


@pytest.mark.threat("T11")
async def test_lists_take_nothing_else_than_they_offer(
    client: httpx.AsyncClient, world: World
) -> None:
    assert world.town
    await sign_in(client, "root-admin")
    answers = [await client.get(path, params=query) for path, query in BAD_QUERIES]
    assert [answer.status_code for answer in answers] == [422] * len(BAD_QUERIES)


async def test_a_parent_is_set_for_one_for_many_and_for_a_subnet(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    switch = await add_switch(database, world, world.town)
    await sign_in(client, "root-admin")
    cameras = [world.east_camera, world.west_camera]
    path = f"/api/v1/devices/{cameras[0]}/parent"
    assert (await client.put(path, json={"parent_id": switch})).json() == {"changed": cameras[:1]}
    every = {"parent_id": switch, "device_ids": cameras}
    assert (await client.post(PARENTS, json=every)).json() == {"changed": cameras[1:]}
    children = (await client.get(f"/api/v1/devices/{switch}/children")).json()
    assert children == {"children": 2, "offline": 0, "behind": 0}
    async with database.transaction() as tx:
        await tx.execute("UPDATE devices SET address = '10.3.7.' || id")
    subnet = {"parent_id": switch, "subnet": "10.3.7.0/24"}
    assert (await client.post(PARENTS, json=subnet)).json() == {"changed": []}
    other = await add_switch(database, world, world.west)
    subnet["parent_id"] = other
    # The new parent is in the same subnet and has none itself: it is not put below itself.
    assert (await client.post(PARENTS, json=subnet)).json() == {"changed": [switch]}
    replaced = await client.post(PARENTS, json={**subnet, "replace": True})
    assert replaced.json() == {"changed": cameras}


BAD_PARENTS: Sequence[Mapping[str, object]] = (
    {"device_ids": [1]},
    {"parent_id": None},
    {"parent_id": None, "device_ids": []},
    {"parent_id": None, "device_ids": [1], "subnet": "10.3.7.0/24"},
    {"parent_id": None, "subnet": "10.0.0.0/8"},
    {"parent_id": None, "subnet": "10.3.7.0/24' OR '1"},
    {"parent_id": 1, "device_ids": [2]},
)


async def test_parents_that_make_no_sense_are_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    assert {world.east_camera, world.west_camera} == {1, 2}
    await sign_in(client, "root-admin")
    answers = [await client.post(PARENTS, json=body) for body in BAD_PARENTS]
    assert [answer.status_code for answer in answers] == [422] * len(BAD_PARENTS)


@pytest.mark.threat("T1")
async def test_a_parent_of_another_area_does_not_exist(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    foreign = await add_switch(database, world, world.west)
    own = await add_switch(database, world, world.east)
    suggestion = await suggest(database, world.east_camera)
    await maintainer(client, database, world)
    accept = f"{SUGGESTIONS}/{suggestion}/accept"
    mixed = [world.east_camera, world.west_camera]
    for path, body in (
        (PARENTS, {"parent_id": foreign, "device_ids": [world.east_camera]}),
        (PARENTS, {"parent_id": foreign, "subnet": "10.3.7.0/24"}),
        (PARENTS, {"parent_id": own, "device_ids": mixed}),
        (accept, {"parent_id": foreign}),
        (accept, {"area_id": world.west}),
    ):
        assert (await client.post(path, json=body)).status_code == 404, body
    async with database.transaction() as tx:
        assert (await devices.get_device(tx, SYSTEM, world.east_camera)).parent_id is None


async def test_a_suggestion_is_accepted_with_a_new_uplink(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    number = await suggest(database, world.east_camera)
    await maintainer(client, database, world)
    listed = (await client.get(SUGGESTIONS)).json()["items"]
    assert [(one["id"], one["device_ids"]) for one in listed] == [(number, [world.east_camera])]
    accepted = (await client.post(f"{SUGGESTIONS}/{number}/accept", json={})).json()
    assert accepted["state"] == "accepted"
    uplink = (await client.get(f"/api/v1/devices/{accepted['parent_id']}")).json()
    assert (uplink["kind"], uplink["area_id"]) == ("uplink", world.east)
    assert (await client.get(SUGGESTIONS)).json()["items"] == []
    again = await client.post(f"{SUGGESTIONS}/{number}/accept", json={})
    assert again.status_code == 409
    assert (await actions(database))[-3:] == [
        "connection.added",
        "device.parent_set",
        "parent_suggestion.accepted",
    ]


async def test_a_suggestion_is_dismissed(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    number = await suggest(database, world.east_camera)
    await maintainer(client, database, world)
    dismissed = (await client.post(f"{SUGGESTIONS}/{number}/dismiss")).json()
    assert (dismissed["state"], dismissed["decided_by"]) == ("dismissed", "east-maintainer")
    assert (await client.get(SUGGESTIONS)).json()["items"] == []
    kept = await client.get(SUGGESTIONS, params={"state": "dismissed"})
    assert [one["id"] for one in kept.json()["items"]] == [number]
    async with database.transaction() as tx:
        device = await devices.get_device(tx, SYSTEM, world.east_camera)
    assert device.parent_id is None
