"""The keeper of points on a real database: faults, events, the device's status, restarts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from hub.domain.devices import DeviceDescription, DeviceKind, Point, Registration
from hub.domain.errors import StoreUnavailable
from hub.domain.events import StoredEvent
from hub.domain.health import DeviceStatusReport, Layer, Status
from hub.maintenance.watching_points import KeepingOptions, PointKeeper
from hub.store import devices, events, point_health, status
from hub.store.database import Database
from hub.store.devices import NewDevice
from hub.store.events import EventFilter, ReadingRow
from hub.store.notices import Notice
from hub.store.point_health import LearntRow, PointFilter, PointLimits
from hub.store.vault import Vault
from tests.db.conftest import SYSTEM, County
from tests.proxy import open_proxy
from tests.statuses import Told, change_status

START = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Site:
    """A station with a few points, its readings as the pipeline hands them over, and time."""

    database: Database
    station: int
    points: dict[str, int]
    passed_s: float = 0.0
    reports: list[DeviceStatusReport] = field(default_factory=list)

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def steady(self) -> float:
        return 5_000.0 + self.passed_s

    async def report(self, reports: Sequence[DeviceStatusReport]) -> None:
        self.reports += reports
        async with self.database.transaction() as tx:
            await status.apply_reports(tx, SYSTEM, reports)

    def keeper(self, **options: float) -> PointKeeper:
        return PointKeeper(
            database=self.database,
            report=self.report,
            clock=self.clock,
            steady=self.steady,
            options=KeepingOptions(**options),
        )

    async def read(self, keeper: PointKeeper, *, after_s: float = 10.0, **values: float) -> None:
        """Some time passes, readings come and are stored, the keeper looks."""
        self.passed_s += after_s
        rows = [
            ReadingRow(
                device_id=self.station,
                point_id=self.points[key],
                at=self.clock(),
                value=float(value),
            )
            for key, value in values.items()
        ]
        async with self.database.transaction() as tx:
            await events.add_readings(tx, SYSTEM, rows)
        await keeper.offer(rows)
        await keeper.step()

    async def said(self) -> list[StoredEvent]:
        """The events about points, oldest first."""
        async with self.database.transaction() as tx:
            page = await events.list_events(
                tx, SYSTEM, EventFilter(device_id=self.station), limit=100
            )
        return [event for event in reversed(page.items) if event.kind.startswith("point.")]

    async def present(self) -> dict[str, list[str]]:
        """The present faults of each point that has any."""
        async with self.database.transaction() as tx:
            page = await point_health.list_points(tx, SYSTEM, PointFilter(has_fault=True))
        return {line.key: [str(fault["kind"]) for fault in line.faults] for line in page.items}

    async def shown(self) -> tuple[Status, Layer | None, str]:
        async with self.database.transaction() as tx:
            (row,) = await status.all_statuses(tx, SYSTEM, [self.station])
        return row.status, row.layer, row.detail

    async def limit(self, key: str, limits: PointLimits) -> None:
        async with self.database.transaction() as tx:
            await point_health.set_limits(tx, SYSTEM, self.points[key], limits)


@pytest.fixture
async def site(database: Database, county: County) -> Site:
    return await build_site(database, county)


async def build_site(database: Database, county: County) -> Site:
    said = DeviceDescription(
        kind=DeviceKind.SENSOR,
        points=tuple(
            Point(key=key, unit="°C", expected_interval_s=10.0) for key in ("temp", "water")
        ),
    )
    new = NewDevice(
        connection_id=county.east_link.id,
        key="s1",
        area_id=county.east.id,
        registration=Registration.APPROVED,
    )
    async with database.transaction() as tx:
        device = await devices.add_device(tx, SYSTEM, new)
        await devices.describe_device(tx, SYSTEM, device.id, said)
        points = {p.key: p.id for p in await devices.list_points(tx, SYSTEM, device.id)}
        online = Told(device_id=device.id, status=Status.ONLINE, since=START)
        await change_status(tx, SYSTEM, online)
    site = Site(database=database, station=device.id, points=points)
    await site.limit("temp", PointLimits(low=-40, high=60))
    await site.limit("water", PointLimits(stuck_after_s=100))
    return site


async def test_out_of_range_is_stored_said_and_shown_until_it_is_over(site: Site) -> None:
    keeper = site.keeper()
    for value in (20, 21, 75, 80):
        await site.read(keeper, temp=value, water=value)
    assert await site.present() == {"temp": ["out_of_range"]}
    text = "temp reads 80 °C, above its limit of 60 °C"
    assert await site.shown() == (Status.DEGRADED, Layer.READINGS, text)
    await site.read(keeper, temp=20, water=1)
    assert await site.present() == {}
    assert await site.shown() == (Status.ONLINE, None, "")
    begun, over = await site.said()
    assert (begun.kind, begun.is_active) == ("point.out_of_range", True)
    since = (START + timedelta(seconds=30)).isoformat()
    assert begun.data == {
        "point": "temp", "unit": "°C", "value": 80.0, "since": since, "detail": text,
    }  # fmt: skip
    assert (over.kind, over.is_active) == ("point.in_range", False)
    assert over.data == {"point": "temp", "unit": "°C", "value": 20.0, "since": since}


async def test_nothing_is_told_twice(site: Site) -> None:
    keeper = site.keeper(refresh_s=10)
    for _ in range(8):
        await site.read(keeper, temp=75, water=site.passed_s)
    assert len(await site.said()) == 1
    assert len(site.reports) == 1


async def test_stuck_and_silent_points_of_a_device_are_told_together(site: Site) -> None:
    keeper = site.keeper()
    await site.read(keeper, temp=20, water=7)
    for turn in range(12):
        await site.read(keeper, water=7, temp=turn) if turn < 3 else await site.read(
            keeper, water=7
        )
    assert await site.present() == {"temp": ["silent"], "water": ["stuck"]}
    _, layer, detail = await site.shown()
    assert layer is Layer.READINGS
    assert detail.startswith("water has read 7 °C without a change")
    assert detail.endswith("; and 1 more")
    await site.read(keeper, water=7.5)
    assert (await site.shown())[2].startswith("temp is silent")
    await site.read(keeper, water=7.6, temp=1)
    kinds = [event.kind for event in await site.said()]
    assert kinds == ["point.silent", "point.stuck", "point.moving", "point.heard"]
    assert (await site.shown())[0] is Status.ONLINE


async def test_a_restart_neither_forgets_nor_repeats_a_fault(site: Site) -> None:
    keeper = site.keeper()
    for value in (75, 80, 85):
        await site.read(keeper, temp=value, water=value)
    again = site.keeper()
    for value in (81, 82, 83):
        await site.read(again, temp=value, water=value)
    assert await site.present() == {"temp": ["out_of_range"]}
    await site.read(again, temp=20, water=20)
    assert [event.kind for event in await site.said()] == ["point.out_of_range", "point.in_range"]


async def test_a_crash_before_the_report_is_made_good(site: Site) -> None:
    keeper = site.keeper()
    for value in (75, 80, 85):
        await site.read(keeper, temp=value, water=value)
    async with site.database.transaction() as tx:
        well = Told(device_id=site.station, status=Status.ONLINE, since=site.clock())
        await change_status(tx, SYSTEM, well)
    again = site.keeper()
    await site.read(again, temp=85, water=1)
    await site.read(again, temp=86, water=2)
    assert (await site.shown())[1] is Layer.READINGS


async def test_another_process_that_took_over_is_not_contradicted(site: Site) -> None:
    first, second = site.keeper(refresh_s=30), site.keeper(refresh_s=30)
    await site.read(first, temp=20, water=1)
    for value in (75, 80, 85):
        await site.read(second, temp=value, water=value)
    for _ in range(5):
        await site.read(first, after_s=30)  # it stands by
    assert await site.present() == {"temp": ["out_of_range"]}
    await site.read(first, temp=20, water=3)
    assert await site.present() == {}
    assert [event.kind for event in await site.said()] == ["point.out_of_range", "point.in_range"]


async def test_what_was_learnt_is_kept(site: Site) -> None:
    keeper = site.keeper()
    for value in (20, 21, 21, 21):
        await site.read(keeper, temp=value, water=value)
    await keeper.save()
    async with site.database.transaction() as tx:
        found = {p.key: p for p in await point_health.load_points(tx, SYSTEM, [site.station])}
    temp = found["temp"]
    assert (temp.changes, temp.still_s, temp.anchor, temp.observed_s) == (0, 20, 21, 30)
    assert temp.is_binary is False


async def test_keeping_what_was_learnt_of_a_point_that_is_gone_is_no_error(site: Site) -> None:
    row = LearntRow(
        point_id=10**9, observed_s=1, changes=1, longest_s=1, today_s=1, still_s=1,
        anchor=None, is_binary=True,
    )  # fmt: skip
    async with site.database.transaction() as tx:
        await point_health.put_learnt(tx, SYSTEM, [row])


async def test_new_limits_count_once_they_are_told_of(site: Site) -> None:
    keeper = site.keeper()
    await site.read(keeper, temp=20, water=1)
    await site.limit("temp", PointLimits(high=15))
    keeper.hear(Notice(topic="devices", ids=(site.station,)))
    for value in (20, 21, 22):
        await site.read(keeper, temp=value, water=value)
    assert await site.present() == {"temp": ["out_of_range"]}


async def test_a_device_out_of_service_is_not_judged_until_it_is_approved(site: Site) -> None:
    keeper = site.keeper()
    for value in (75, 80, 85):
        await site.read(keeper, temp=value, water=value)
    notice = Notice(topic="devices", ids=(site.station,))
    await register(site, Registration.RETIRED)
    keeper.hear(notice)
    for value in (86, 87, 20, 88):
        await site.read(keeper, temp=value, water=value)
    await keeper.save()
    await site.read(site.keeper(), temp=1)
    assert len(await site.said()) == 1
    await register(site, Registration.APPROVED)
    keeper.hear(notice)
    for value in (75, 80, 85):
        await site.read(keeper, temp=value, water=value)
    assert [event.kind for event in await site.said()] == ["point.out_of_range"]


async def register(site: Site, to: Registration) -> None:
    async with site.database.transaction() as tx:
        await devices.set_registration(tx, SYSTEM, site.station, to)


async def test_a_device_of_which_nothing_is_known_is_not_made_online(site: Site) -> None:
    keeper = site.keeper()
    for value in (75, 80, 85):
        await site.read(keeper, temp=value, water=value)
    async with site.database.transaction() as tx:
        unknown = Told(device_id=site.station, status=Status.UNKNOWN, since=site.clock())
        await change_status(tx, SYSTEM, unknown)
        await point_health.close_faults(tx, SYSTEM, [(site.points["temp"], "out_of_range")])
        assert await point_health.differing_devices(tx, SYSTEM) == []


@pytest.mark.threat("K3")
async def test_a_fault_found_while_the_database_is_away_is_told_when_it_is_back(
    timescaledb_database_url: str, vault: Vault
) -> None:
    url = timescaledb_database_url
    port = int(psycopg.conninfo.conninfo_to_dict(url)["port"] or 5432)
    async with open_proxy(port) as proxy:
        database = await Database.open(
            psycopg.conninfo.make_conninfo(url, port=proxy.port), vault=vault
        )
        site = await build_site(database, await County.build(database))
        keeper = site.keeper()
        await site.read(keeper, temp=20, water=1)
        await proxy.cut()
        for value in (75.0, 80.0):
            site.passed_s += 10
            row = ReadingRow(
                device_id=site.station, point_id=site.points["temp"], at=site.clock(), value=value
            )
            await keeper.offer([row])
        with pytest.raises(StoreUnavailable):
            await keeper.step()
        await proxy.mend()
        await keeper.step()
        assert await site.present() == {"temp": ["out_of_range"]}
        assert [event.kind for event in await site.said()] == ["point.out_of_range"]
        await database.close()


@pytest.mark.parametrize(
    ("key", "unit", "quantity", "role"),
    [
        ("b1", "%", "battery", "battery"),
        ("battery", "", "", "battery"),
        ("battery_level", "%", "", "battery"),
        ("p", "%", "电量", "battery"),
        ("battery", "V", "battery voltage", ""),
        ("batt_temp", "", "", ""),
        ("rssi", "dBm", "signal strength", "signal"),
        ("lqi", "", "", "signal"),
        ("signal", "%", "", "signal"),
        ("x", "dBm", "signal_strength", "signal"),
        ("temp", "°C", "temperature", ""),
        ("battering", "", "", ""),
    ],
)
async def test_battery_and_signal_are_known_whatever_their_key(
    site: Site, key: str, unit: str, quantity: str, role: str
) -> None:
    async with site.database.transaction() as tx:
        point = Point(key=key, unit=unit, quantity=quantity)
        number = await devices.add_point(tx, SYSTEM, site.station, point)
        assert (await point_health.get_point(tx, SYSTEM, number)).role == role


async def test_what_changes_while_a_device_is_read_is_read_again(site: Site) -> None:
    keeper = site.keeper()
    locker = await psycopg.AsyncConnection.connect(site.database.address)
    try:
        # The keeper reads the points, and then waits for their faults.
        await locker.execute("LOCK TABLE point_faults")
        looking = asyncio.create_task(site.read(keeper, temp=20))
        await until_somebody_waits(site.database)
        async with site.database.transaction() as tx:  # by hand: showing the point would wait, too
            await tx.execute("UPDATE points SET high = 10 WHERE key = 'temp'")
        keeper.hear(Notice(topic="devices", ids=(site.station,)))
    finally:
        await locker.close()
    await looking
    for value in (20, 21, 22):
        await site.read(keeper, temp=value)
    assert await site.present() == {"temp": ["out_of_range"]}


async def until_somebody_waits(database: Database) -> None:
    """Until a statement of this database waits for a lock."""
    async with asyncio.timeout(10):
        while True:
            async with database.transaction() as tx:
                number = await tx.scalar(
                    int,
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND wait_event_type = 'Lock'",
                )
            if number:
                return
            await asyncio.sleep(0.01)
