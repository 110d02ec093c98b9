"""Devices behind a broker whose link is lost, on a real database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.devices import Connection, Registration
from hub.domain.health import DeviceStatusReport, Status
from hub.maintenance.watching_links import LinkWatch
from hub.store import connections, devices, events, status
from hub.store.database import Database
from hub.store.devices import NewDevice
from hub.store.events import EventFilter
from tests.db.conftest import SYSTEM, County
from tests.statuses import Told, change_status

START = datetime(2026, 11, 22, tzinfo=UTC)
REASON = "the link to the broker is down: DeviceUnreachable"


@dataclass(slots=True, kw_only=True)
class Site:
    """A broker with three devices, a camera with a link of its own, and time."""

    database: Database
    broker: int
    camera_link: int
    camera: int
    devices: dict[str, int]
    states: dict[int, str] = field(default_factory=dict)
    passed_s: float = 0.0
    reports: list[DeviceStatusReport] = field(default_factory=list)

    async def report(self, reports: Sequence[DeviceStatusReport]) -> None:
        self.reports += reports
        async with self.database.transaction() as tx:
            await status.apply_reports(tx, SYSTEM, reports)

    def watch(self) -> LinkWatch:
        return LinkWatch(
            database=self.database,
            states=lambda: self.states,
            report=self.report,
            clock=lambda: START + timedelta(seconds=self.passed_s),
            steady=lambda: 100 + self.passed_s,
        )

    async def look(self, watch: LinkWatch, after_s: float) -> None:
        self.passed_s += after_s
        await watch.step()

    async def said(self) -> list[tuple[str, object, object]]:
        """What was said about links, oldest first: kind, link, devices."""
        async with self.database.transaction() as tx:
            page = await events.list_events(tx, SYSTEM, EventFilter(), limit=100)
        return [
            (event.kind, event.data["link"], event.data.get("devices"))
            for event in reversed(page.items)
            if event.kind.startswith("link.")
        ]

    async def shown(self) -> dict[str, Status]:
        async with self.database.transaction() as tx:
            rows = {r.device_id: r.status for r in await status.all_statuses(tx, SYSTEM)}
        return {key: rows[number] for key, number in self.devices.items()}


@pytest.fixture
async def site(database: Database, county: County) -> Site:
    link = Connection(id=0, protocol="mqtt", name="b", address="mqtt://b", area_id=county.east.id)
    found = {}
    async with database.transaction() as tx:
        broker = await connections.add_connection(tx, SYSTEM, link)
        for key, known in (
            ("well", Status.ONLINE), ("ill", Status.OFFLINE), ("new", Status.UNKNOWN),
        ):  # fmt: skip
            new = NewDevice(
                connection_id=broker,
                key=key,
                area_id=county.east.id,
                registration=Registration.APPROVED,
            )
            found[key] = (await devices.add_device(tx, SYSTEM, new)).id
            if known is not Status.UNKNOWN:
                told = Told(device_id=found[key], status=known, since=START)
                await change_status(tx, SYSTEM, told)
    return Site(
        database=database,
        broker=broker,
        camera_link=county.east_link.id,
        camera=county.east_camera.id,
        devices=found,
    )


async def test_devices_become_unknown_from_the_loss_on_and_are_told_of_once(site: Site) -> None:
    watch = site.watch()
    site.states = {site.broker: "DeviceUnreachable"}
    await site.look(watch, 5)
    await site.look(watch, 59)
    assert site.reports == []
    await site.look(watch, 1)
    assert set((await site.shown()).values()) == {Status.UNKNOWN}
    numbers = sorted([site.devices["well"], site.devices["ill"]])
    assert sorted(r.device_id for r in site.reports) == numbers
    assert {r.detail for r in site.reports} == {REASON}
    assert {r.probed_at for r in site.reports} == {START + timedelta(seconds=5)}
    await site.look(watch, 600)
    assert len(site.reports) == 2


async def test_a_short_loss_is_nothing_and_a_second_one_counts_anew(site: Site) -> None:
    watch = site.watch()
    for _ in range(3):
        site.states = {site.broker: "DeviceUnreachable"}
        await site.look(watch, 10)
        await site.look(watch, 55)
        site.states = {site.broker: "connected"}
        await site.look(watch, 1)
    assert site.reports == []
    site.states = {site.broker: "ProtocolViolation"}
    for _ in range(2):
        await site.look(watch, 60)
    assert len(site.reports) == 2


async def test_after_it_came_back_the_next_loss_is_told_too(site: Site) -> None:
    watch = site.watch()
    for expected in (2, 3):
        site.states = {site.broker: "DeviceUnreachable"}
        await site.look(watch, 1)
        await site.look(watch, 60)
        assert len(site.reports) == expected
        site.states = {site.broker: "connected"}
        await site.look(watch, 1)
        back = Told(
            device_id=site.devices["well"], status=Status.ONLINE,
            since=START + timedelta(seconds=site.passed_s),
        )  # fmt: skip
        async with site.database.transaction() as tx:
            await change_status(tx, SYSTEM, back)


async def test_a_cameras_link_is_the_probes_matter(site: Site) -> None:
    async with site.database.transaction() as tx:
        told = Told(device_id=site.camera, status=Status.ONLINE, since=START)
        await change_status(tx, SYSTEM, told)
    watch = site.watch()
    site.states = {site.camera_link: "DeviceUnreachable"}
    for _ in range(4):
        await site.look(watch, 60)
    assert site.reports == []


async def test_a_process_without_links_gives_up_nothing(site: Site) -> None:
    watch = site.watch()
    for _ in range(4):
        await site.look(watch, 60)
    assert site.reports == []


async def test_the_loss_is_one_event_and_so_is_its_end(site: Site) -> None:
    watch = site.watch()
    site.states = {site.broker: "connected", site.camera_link: "DeviceUnreachable"}
    await site.look(watch, 5)
    site.states = {site.broker: "DeviceUnreachable", site.camera_link: "DeviceUnreachable"}
    for _ in range(4):
        await site.look(watch, 30)
    assert await site.said() == [("link.lost", "b", 2)]
    site.states = {site.broker: "connected"}
    for _ in range(3):
        await site.look(watch, 5)
    assert await site.said() == [("link.lost", "b", 2), ("link.restored", "b", None)]


async def test_a_link_that_is_back_after_a_restart_of_the_hub_is_said_to_be(site: Site) -> None:
    watch = site.watch()
    site.states = {site.broker: "DeviceUnreachable"}
    for _ in range(3):
        await site.look(watch, 30)
    again = site.watch()
    site.states = {site.broker: "connected"}
    for _ in range(3):
        await site.look(again, 5)
    assert [kind for kind, _, _ in await site.said()] == ["link.lost", "link.restored"]
