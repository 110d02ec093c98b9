"""The device list: each filter, search of any part, every order in pages, and whose it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any

import pytest

from hub.domain.access import Scope
from hub.domain.devices import DeviceDescription, DeviceKind, Registration
from hub.domain.errors import Invalid
from hub.domain.health import DeviceStatusReport, Layer, Status
from hub.store import device_lists, devices, firmware
from hub.store.area_summaries import summarise_area, summarise_tops
from hub.store.areas import create_area
from hub.store.database import Database, Transaction
from hub.store.device_lists import DeviceFilter, DeviceLine, DeviceOrder
from hub.store.scoping import encode_cursor
from hub.store.status import apply_reports
from tests.db.conftest import SYSTEM, County
from tests.statuses import Told, change_status

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """An uplink in the county, and ten cameras in the east village behind it."""

    county: County
    uplink: int
    cameras: tuple[int, ...]


@pytest.fixture
async def street(database: Database, county: County) -> Street:
    async with database.transaction() as tx:
        uplink = await add(tx, county, "上行链路", area_id=county.county.id, kind=DeviceKind.UPLINK)
        cameras = [await add(tx, county, f"解放路{n % 4}号 Cam {n}") for n in range(10)]
        await tx.execute(
            "UPDATE devices SET parent_id = %(uplink)s, code = '3304020000132' || lpad(id::text, 7,"
            " '0'), place = 'Corner 50%% of ' || id, class = 'road', team = '甲队',"
            " manufacturer = 'Dahua', model = 'IPC_' || id %% 2, firmware = 'V5.' || id %% 3,"
            " serial = 'SN-' || id, address = 'rtsp://10.20.3.' || id || '/live'"
            " WHERE id = ANY (%(cameras)s)",
            {"uplink": uplink, "cameras": cameras},
        )
        for n, camera in enumerate(cameras):
            status = [Status.ONLINE, Status.OFFLINE, Status.DEGRADED, Status.UNKNOWN][n % 4]
            layer = [None, Layer.PROTOCOL, Layer.PICTURE, None][n % 4]
            told = Told(
                device_id=camera,
                status=status,
                since=NOW + (n * 7 % 10) * MINUTE,
                layer=layer,
                detail=f"why {n}",
                behind=uplink if n == 5 else None,
            )
            await change_status(tx, SYSTEM, told)
    return Street(county=county, uplink=uplink, cameras=tuple(cameras))


async def add(
    tx: Transaction,
    county: County,
    name: str,
    *,
    area_id: int | None = None,
    kind: DeviceKind = DeviceKind.CAMERA,
) -> int:
    new = devices.NewDevice(
        connection_id=county.east_link.id,
        key=name,
        area_id=area_id or county.east.id,
        description=DeviceDescription(kind=kind, name=name),
        registration=Registration.APPROVED,
    )
    return (await devices.add_device(tx, SYSTEM, new)).id


async def listed(database: Database, scope: Scope = SYSTEM, **wanted: Any) -> list[DeviceLine]:
    async with database.transaction() as tx:
        page = await device_lists.list_devices(tx, scope, DeviceFilter(**wanted), limit=500)
        total = await device_lists.count_devices(tx, scope, DeviceFilter(**wanted))
    assert total == len(page.items)
    return list(page.items)


def numbers(lines: list[DeviceLine]) -> list[int]:
    return [line.id for line in lines]


async def test_a_line_says_what_fails_since_when_at_which_layer_behind_what(
    database: Database, street: Street
) -> None:
    camera = street.cameras[5]
    async with database.transaction() as tx:
        picture = DeviceStatusReport(
            device_id=camera,
            probed_at=NOW + MINUTE,
            layer=Layer.PICTURE,
            detail="too dark",
            seen=frozenset({Layer.PICTURE}),
        )
        await apply_reports(tx, SYSTEM, [picture])

    (line,) = await listed(database, behind_id=street.uplink)

    assert line.id == camera
    assert (line.status, line.layer, line.detail) == ("offline", "protocol", "why 5")
    assert line.since == NOW + 5 * MINUTE
    assert line.faults == {"protocol": "why 5", "picture": "too dark"}
    assert (line.behind_id, line.behind_name) == (street.uplink, "上行链路")
    assert (line.parent_id, line.parent_name) == (street.uplink, "上行链路")
    assert (line.device_class, line.team, line.area_name) == ("road", "甲队", "东村")


@pytest.mark.threat("T1")
async def test_a_parent_of_another_area_is_not_named(database: Database, street: Street) -> None:
    lines = await listed(database, street.county.east_scope)
    assert set(street.cameras) <= set(numbers(lines))
    assert street.uplink not in numbers(lines)
    assert {(line.parent_id, line.behind_id) for line in lines} == {(None, None)}
    assert {line.parent_name + line.behind_name for line in lines} == {""}


FILTERS: dict[str, tuple[dict[str, Any], Callable[[DeviceLine], bool]]] = {
    "status": ({"status": Status.OFFLINE}, lambda d: d.status == "offline"),
    "several": (
        {"statuses": (Status.OFFLINE, Status.DEGRADED)},
        lambda d: d.status in {"offline", "degraded"},
    ),
    "layer": ({"layer": Layer.PICTURE}, lambda d: d.layer == "picture"),
    "kind": ({"kind": "uplink"}, lambda d: d.kind == "uplink"),
    "registration": (
        {"registration": Registration.APPROVED},
        lambda d: d.registration == "approved",
    ),
    "class": ({"device_class": "road"}, lambda d: d.device_class == "road"),
    "no class": ({"device_class": ""}, lambda d: d.device_class == ""),
    "team": ({"team": "甲队"}, lambda d: d.team == "甲队"),
    "manufacturer": ({"manufacturer": "Dahua"}, lambda d: d.manufacturer == "Dahua"),
    "model": ({"model": "IPC_1"}, lambda d: d.model == "IPC_1"),
    "together": (
        {"model": "IPC_1", "status": Status.UNKNOWN},
        lambda d: d.model == "IPC_1" and d.status == "unknown",
    ),
}


async def test_a_filter_leaves_exactly_what_fits(database: Database, street: Street) -> None:
    everything = await listed(database)
    for name, (wanted, fits) in FILTERS.items():
        expected = [line.id for line in everything if fits(line)]
        assert expected, name
        assert numbers(await listed(database, **wanted)) == expected, name


async def test_parents_areas_and_flapping_narrow_too(database: Database, street: Street) -> None:
    county = street.county
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE device_status SET is_flapping = true WHERE device_id = %(id)s",
            {"id": street.cameras[2]},
        )
    assert numbers(await listed(database, parent_id=street.uplink)) == list(street.cameras)
    assert numbers(await listed(database, area_id=county.west.id)) == [county.west_camera.id]
    assert street.uplink in numbers(await listed(database, area_id=county.county.id))
    assert numbers(await listed(database, is_flapping=True)) == [street.cameras[2]]
    assert len(await listed(database, is_flapping=False)) == len(await listed(database)) - 1


async def test_any_part_of_a_device_is_found(database: Database, street: Street) -> None:
    camera = street.cameras[3]
    for text in (
        "Cam 3", "cam 3", "解放路3号 Cam 3", f"132{camera:07}", f"sn-{camera}", f"0.3.{camera}/",
        f"50% of {camera}", f"{camera}/live",
    ):  # fmt: skip
        found = numbers(await listed(database, text=text))
        assert camera in found, text
        assert set(found) <= set(street.cameras), text


async def test_one_or_two_characters_are_enough_to_find_by(
    database: Database, street: Street
) -> None:
    for text in ("解放", "路", "cA", "CA", "n-", "放路", "5", "50", "0%"):
        assert set(street.cameras) <= set(numbers(await listed(database, text=text))), text


@pytest.mark.threat("T11")
async def test_nothing_in_a_search_is_a_pattern(database: Database, street: Street) -> None:
    assert numbers(await listed(database, text="%")) == list(street.cameras)
    for text in (
        "_",
        "\\",
        "%%",
        "_a",
        "'",
        "\\%",
        "5_",
        "SN_",
        "a' OR '",
        "'; DROP TABLE areas;--",
    ):
        assert await listed(database, text=text) == [], text


def key_of(order: DeviceOrder, line: DeviceLine) -> tuple[object, ...]:
    severity = ["offline", "degraded", "unknown", "maintenance", "online"]
    layers = [*map(str, Layer), ""]
    keys: dict[DeviceOrder, object] = {
        DeviceOrder.NUMBER: 0,
        DeviceOrder.NAME: line.name.encode(),
        DeviceOrder.NEWEST: -line.since.timestamp(),
        DeviceOrder.LONGEST: line.since.timestamp(),
        DeviceOrder.STATUS: severity.index(line.status),
        DeviceOrder.LAYER: layers.index(line.layer),
        DeviceOrder.AREA: line.area_path.encode(),
    }
    return keys[order], line.id


async def test_pages_of_every_order_join_without_gap_or_double(
    database: Database, street: Street
) -> None:
    everything = await listed(database)
    for order, limit in product(DeviceOrder, (1, 3, 500)):
        seen: list[DeviceLine] = []
        cursor = None
        while cursor is not None or not seen:
            async with database.transaction() as tx:
                page = await device_lists.list_devices(
                    tx, SYSTEM, DeviceFilter(), order=order, limit=limit, cursor=cursor
                )
            seen += page.items
            cursor = page.next
        expected = sorted(everything, key=partial(key_of, order))
        assert numbers(seen) == numbers(expected), (order, limit)


async def test_a_page_goes_on_where_it_was_when_its_last_device_is_gone(
    database: Database, street: Street
) -> None:
    order = DeviceOrder.NAME
    async with database.transaction() as tx:
        first = await device_lists.list_devices(tx, SYSTEM, DeviceFilter(), order=order, limit=4)
        whole = await device_lists.list_devices(tx, SYSTEM, DeviceFilter(), order=order, limit=500)
        await tx.execute("DELETE FROM devices WHERE id = %(id)s", {"id": first.items[-1].id})
        rest = await device_lists.list_devices(
            tx, SYSTEM, DeviceFilter(), order=order, limit=500, cursor=first.next
        )
    assert numbers(list(rest.items)) == numbers(list(whole.items[4:]))


@pytest.mark.threat("T11")
async def test_a_cursor_of_another_order_or_hand_is_refused(
    database: Database, county: County
) -> None:
    for cursor in (
        encode_cursor(5),
        encode_cursor("number", "", 0.0, 5),
        encode_cursor("name", "\ud800", 0.0, 5),
        encode_cursor("name", "a\0b", 0.0, 5),
        encode_cursor("name", "a", 0.0, 2**80),
        encode_cursor("name'; --", "a", 0.0, 5),
        encode_cursor("name", "a", 0, 5),
    ):
        with pytest.raises(Invalid):
            async with database.transaction() as tx:
                await device_lists.list_devices(
                    tx, SYSTEM, DeviceFilter(), order=DeviceOrder.NAME, cursor=cursor
                )


async def test_maintenance_is_what_people_see(database: Database, street: Street) -> None:
    async with database.transaction() as tx:
        window = await tx.scalar(
            int,
            "INSERT INTO maintenance_windows (area_id, starts_at, ends_at, reason, author)"
            " SELECT area_id, now(), now() + interval '1 h', 'fibre', 'zhang' FROM devices"
            " WHERE id = %(id)s RETURNING id",
            {"id": street.cameras[1]},
        )
        await tx.execute(
            "UPDATE device_status SET window_id = %(window)s WHERE device_id = %(id)s",
            {"window": window, "id": street.cameras[1]},
        )
    (line,) = await listed(database, status=Status.MAINTENANCE)
    assert (line.id, line.window_id, line.layer) == (street.cameras[1], window, "protocol")
    assert street.cameras[1] not in numbers(await listed(database, status=Status.OFFLINE))


async def test_firmware_is_counted_by_model(database: Database, street: Street) -> None:
    async with database.transaction() as tx:
        lines = await firmware.count_firmware(tx, SYSTEM)
        east = await firmware.count_firmware(tx, street.county.east_scope)
        west = await firmware.count_firmware(tx, SYSTEM, area_id=street.county.west.id)
    known = [line for line in lines if line.manufacturer == "Dahua"]
    assert sum(line.count for line in known) == 10
    assert {(line.model, line.firmware) for line in known} >= {("IPC_0", "V5.0"), ("IPC_1", "V5.1")}
    assert sum(line.count for line in lines) == len(await listed(database))
    assert sum(line.count for line in east) == 11
    assert sum(line.count for line in west) == 1


async def test_an_area_is_summed_up_with_everything_below(
    database: Database, street: Street
) -> None:
    county = street.county
    async with database.transaction() as tx:
        hut = await create_area(
            tx, SYSTEM, code="330402001001", name="网格", parent_id=county.east.id
        )
        await tx.execute(
            "UPDATE devices SET area_id = %(hut)s WHERE id = ANY (%(ids)s)",
            {"hut": hut.id, "ids": list(street.cameras[:5])},
        )
        whole, children = await summarise_area(tx, SYSTEM, county.county)
        east, huts = await summarise_area(tx, SYSTEM, county.east)

    assert [child.area.id for child in children] == [county.east.id, county.west.id]
    assert [child.area.id for child in huts] == [hut.id]
    assert east == replace(children[0], area=east.area)
    # Ten cameras by turns, and the one of the village that was never asked.
    assert east.by_status == {"online": 3, "offline": 3, "degraded": 2, "unknown": 3}
    assert east.first_faults == {"protocol": 3, "picture": 2}
    assert (east.managed, east.behind_parents, east.flapping) == (11, 1, 0)
    assert east.online_now == pytest.approx(5 / 11)
    assert east.intact_now == pytest.approx(3 / 11)
    assert whole.managed == 13  # the uplink too, which hangs in the county itself
    longest = east.longest_outage
    assert longest is not None
    assert (longest.device_id, longest.started_at) == (street.cameras[9], NOW + 3 * MINUTE)
    assert whole.longest_outage == longest
    assert huts[0].by_status == {"online": 2, "offline": 1, "degraded": 1, "unknown": 1}


@pytest.mark.threat("T1")
async def test_the_uppermost_areas_are_the_callers_own(database: Database, street: Street) -> None:
    county = street.county
    both = Scope(paths=(county.east.path, county.west.path), actor="ann")
    doubled = Scope(paths=(county.county.path, county.west.path), actor="ben")
    async with database.transaction() as tx:
        tops = {
            scope.actor: [top.area.id for top in await summarise_tops(tx, scope)]
            for scope in (SYSTEM, both, doubled, county.east_scope, Scope(paths=(), actor="no"))
        }
    assert tops == {
        "tests": [county.county.id],
        "ann": [county.east.id, county.west.id],
        "ben": [county.county.id],
        "eve": [county.east.id],
        "no": [],
    }
