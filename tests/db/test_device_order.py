"""All devices in order: every order both ways, each new filter, whose they are; spans of a day."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.devices import DeviceDescription, DeviceKind, Registration
from hub.domain.health import Layer, Status
from hub.domain.quality import Index
from hub.maintenance.device_tallies import sum_tallies, without_choices
from hub.store import device_days, device_lists, device_order, devices
from hub.store.database import Database, Transaction
from hub.store.device_days import SpanKind
from hub.store.device_lists import DeviceFilter, DeviceLine
from hub.store.device_order import OrderKey
from tests.db.conftest import SYSTEM, County
from tests.statuses import Told, change_status

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
SEVERITY = ["offline", "degraded", "unknown", "maintenance", "online"]
LAYERS = [*map(str, Layer), ""]

KEYS: dict[OrderKey, Callable[[DeviceLine], object]] = {
    OrderKey.NUMBER: lambda line: line.id,
    OrderKey.NAME: lambda line: line.name.encode(),
    OrderKey.CODE: lambda line: line.code.encode(),
    OrderKey.KIND: lambda line: line.kind.encode(),
    OrderKey.AREA: lambda line: line.area_path,
    OrderKey.PLACE: lambda line: line.place.encode(),
    OrderKey.ADDRESS: lambda line: [int(part) for part in line.address[7:].split(".")]
    if line.address else [],
    OrderKey.MANUFACTURER: lambda line: line.manufacturer.encode(),
    OrderKey.MODEL: lambda line: line.model.encode(),
    OrderKey.FIRMWARE: lambda line: line.firmware.encode(),
    OrderKey.CLASS: lambda line: line.device_class.encode(),
    OrderKey.TEAM: lambda line: line.team.encode(),
    OrderKey.STATUS: lambda line: SEVERITY.index(line.status),
    OrderKey.LAYER: lambda line: LAYERS.index(line.layer),
    OrderKey.SINCE: lambda line: line.since,
}  # fmt: skip


async def fill_street(tx: Transaction, county: County) -> None:
    """Twelve cameras of both villages; some fields are empty of some of them."""
    for n in range(12):
        link, area = (county.east_link, county.east) if n % 3 else (county.west_link, county.west)
        new = devices.NewDevice(
            connection_id=link.id,
            key=f"street-{n}",
            area_id=area.id,
            description=DeviceDescription(
                kind=DeviceKind.SENSOR if n == 7 else DeviceKind.CAMERA, name=f"路口 {n * 5 % 12}"
            ),
            registration=Registration.APPROVED,
        )
        camera = await devices.add_device(tx, SYSTEM, new)
        status = [Status.ONLINE, Status.OFFLINE, Status.DEGRADED, Status.UNKNOWN][n % 4]
        layer = [None, Layer.PROTOCOL, Layer.PICTURE, None][n % 4]
        at = NOW - (n * 7 % 12) * HOUR
        told = Told(device_id=camera.id, status=status, since=at, layer=layer, detail="why")
        await change_status(tx, SYSTEM, told)
        await tx.execute(
            "UPDATE devices SET code = %(code)s, place = %(place)s, class = %(class)s,"
            " team = %(team)s, manufacturer = 'Dahua', model = %(model)s, firmware = 'V1',"
            " address = %(address)s, tags = %(tags)s WHERE id = %(id)s",
            {
                "id": camera.id,
                "code": "" if n % 5 == 0 else f"{n * 11 % 12:020}",
                "place": f"桥{n * 5 % 7}" if n % 2 else "",
                "class": ["road", "gate", ""][n % 3],
                "team": ["乙队", "甲队"][n % 2],
                "model": f"M{n % 4}" if n % 3 else "",
                "address": f"http://10.{9 + n % 3}.{n * 37 % 300 % 255}.{n}",
                "tags": ["学校"] if n == 4 else [],
            },
        )
        if n % 6 == 2:
            await tx.execute(
                "INSERT INTO asset_records (device_id, longitude, latitude)"
                " VALUES (%(id)s, 120, 30)",
                {"id": camera.id},
            )
            await tx.execute(
                "INSERT INTO picture_states (device_id, next_at, faults)"
                " VALUES (%(id)s, now(), %(faults)s::jsonb)",
                {"id": camera.id, "faults": '{"blur": {}}' if n == 2 else "{}"},
            )


@pytest.mark.threat("T1")
async def test_every_order_both_ways_and_every_filter_of_the_scope(
    database: Database, county: County
) -> None:
    async with database.transaction() as tx:
        await fill_street(tx, county)
        everything = await device_lists.list_devices(tx, SYSTEM, DeviceFilter(), limit=500)
        for by, key in KEYS.items():
            for down in (False, True):
                found = await device_order.order_devices(
                    tx, SYSTEM, DeviceFilter(), by=by, is_descending=down
                )
                lines = sorted(everything.items, key=lambda line: line.id)
                if by is OrderKey.AREA:  # by name within an area, whichever way it goes
                    lines.sort(key=lambda line: line.name.encode())
                lines.sort(key=key, reverse=False)  # type: ignore[arg-type]  # each is orderable
                if down:
                    lines = turn(lines, key)
                if by not in {OrderKey.STATUS, OrderKey.LAYER, OrderKey.SINCE, OrderKey.NUMBER}:
                    lines.sort(key=lambda line: not key(line))  # what is empty comes last
                assert found.numbers() == [line.id for line in lines], (by, down)
                assert found.total == len(lines)

        east = await device_order.order_devices(tx, county.east_scope, DeviceFilter())
        assert {line.id for line in everything.items if line.area_id == county.east.id} == set(
            east.numbers()
        )
        for wanted, names in (
            (DeviceFilter(tag="学校"), {"路口 8"}),
            (DeviceFilter(picture_fault=Index.BLUR), {"路口 10"}),
            (DeviceFilter(picture_fault=Index.NOISE), set()),
            (DeviceFilter(has_position=True), {"路口 10", "路口 4"}),
        ):
            found = await device_order.order_devices(tx, SYSTEM, wanted)
            assert {
                line.name for line in everything.items if line.id in found.numbers()
            } == names, wanted
        rest = await device_order.order_devices(tx, SYSTEM, DeviceFilter(has_position=False))
        assert rest.total == len(everything.items) - 2
        nobody = await device_order.order_devices(tx, SYSTEM, DeviceFilter(text="没有这个"))
        assert (nobody.total, nobody.numbers()) == (0, [])

        # Each count is what the list would hold after that choice.
        wanted = DeviceFilter(statuses=(Status.OFFLINE, Status.DEGRADED), kind="camera")
        tallies = await device_order.tally_devices(tx, SYSTEM, without_choices(wanted))
        counts = asdict(sum_tallies(tallies, wanted))
        others: dict[str, list[tuple[str, DeviceFilter]]] = {
            "by_status": [(s, replace(wanted, statuses=(s,))) for s in Status],
            "by_kind": [(k, replace(wanted, kind=k)) for k in DeviceKind],
            "by_layer": [(y, replace(wanted, layer=y)) for y in Layer],
        }
        for field, choices in others.items():
            for choice, other in choices:
                total = await device_lists.count_devices(tx, SYSTEM, other)
                assert counts[field].get(choice, 0) == total, (field, choice)


def turn(lines: list[DeviceLine], key: Callable[[DeviceLine], object]) -> list[DeviceLine]:
    """Largest first; those that are equal stay as they are."""
    groups: dict[object, list[DeviceLine]] = {}
    for line in lines:
        groups.setdefault(repr(key(line)), []).append(line)
    return [line for group in reversed(list(groups.values())) for line in group]


async def test_when_a_device_was_not_online(database: Database, county: County) -> None:
    camera, since, until = county.west_camera.id, NOW - 48 * HOUR, NOW
    async with database.transaction() as tx:
        # Of the device, of another, of its area, of the county, of a sister village.
        for device, area, start, end in (
            (camera, county.west.id, -50, -47),
            (county.east_camera.id, county.east.id, -40, -39),
            (None, county.west.id, -47.5, -46),
            (None, county.county.id, -10, -9),
            (None, county.east.id, -8, -7),
        ):
            await tx.execute(
                "INSERT INTO maintenance_windows (area_id, device_id, starts_at, ends_at, reason,"
                " author) VALUES (%(area)s, %(device)s, %(start)s, %(end)s, 'x', 'y')",
                {
                    "area": area,
                    "device": device,
                    "start": NOW + start * HOUR,
                    "end": NOW + end * HOUR,
                },
            )
        for start, ended, doubt in ((-60, -45.0, None), (-3, None, -1)):
            await tx.execute(
                "INSERT INTO outages (device_id, started_at, ended_at, doubtful_from)"
                " VALUES (%(id)s, %(start)s, %(end)s, %(doubt)s)",
                {
                    "id": camera,
                    "start": NOW + start * HOUR,
                    "end": None if ended is None else NOW + ended * HOUR,
                    "doubt": None if doubt is None else NOW + doubt * HOUR,
                },
            )
        # Another shard's absence is none of this camera's; both lie apart.
        await tx.execute(
            "INSERT INTO absences (watch, shard, shards, started_at, ended_at) VALUES"
            " ('probes', %(mine)s, 4, %(a)s, %(b)s), ('probes', %(other)s, 4, %(c)s, %(d)s),"
            " ('adapters', 0, 1, %(c)s, %(d)s)",
            {
                "mine": camera % 4,
                "other": (camera + 1) % 4,
                "a": NOW - 30 * HOUR,
                "b": NOW - 29 * HOUR,
                "c": NOW - 20 * HOUR,
                "d": NOW - 19 * HOUR,
            },
        )
        await tx.execute(
            "UPDATE device_status SET status = 'offline' WHERE device_id = %(id)s", {"id": camera}
        )
        spans = await device_days.list_spans(tx, SYSTEM, camera, since=since, until=until)
        hidden = await device_days.list_spans(
            tx, county.east_scope, camera, since=since, until=until
        )
    assert hidden == []
    found = {
        kind: [
            ((one.started_at - NOW) / HOUR, (one.ended_at - NOW) / HOUR)
            for one in spans
            if one.kind is kind
        ]
        for kind in SpanKind
    }
    assert found == {
        SpanKind.PLANNED: [(-48, -46), (-10, -9)],
        SpanKind.UNKNOWN: [(-30, -29), (-1, 0)],
        SpanKind.OFFLINE: [(-48, -45), (-3, -1)],
    }
