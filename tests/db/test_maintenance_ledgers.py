"""Figures from random ledgers, against a count of every step, on both databases."""

from random import Random

import pytest

from hub.store.database import Database
from hub.store.ledger_rows import DeviceSums, GroupBy, GroupSums, Period, Repairs
from hub.store.uptime import sum_by_device, sum_by_group, sum_repairs
from tests.db.ledger_truth import HUB, STEPS, Device, Ledger, Truth, at, store, village

# A step of the database's clock is a microsecond; figures are summed as floats.
CLOSE = 1e-3


def check_sums(found: DeviceSums | GroupSums, truth: Truth) -> None:
    """Compare the seconds."""
    assert found.managed_s == pytest.approx(truth.managed_s, abs=CLOSE)
    assert found.maintenance_s == pytest.approx(truth.maintenance_s, abs=CLOSE)
    assert found.unknown_s == pytest.approx(truth.unknown_s, abs=CLOSE)
    assert found.down_s == pytest.approx(truth.down_s, abs=CLOSE)
    assert found.outages == truth.outages


def check_repairs(found: Repairs | None, truth: Truth) -> None:
    """Compare what outages were."""
    if found is None:
        assert truth.outages == 0
        return
    assert (found.begun, found.ended) == (truth.begun, truth.ended)
    assert found.repair_s == pytest.approx(truth.repair_s, abs=CLOSE)
    assert found.longest_s == pytest.approx(truth.longest_s, abs=CLOSE)


@pytest.mark.parametrize("seed", range(8))
async def test_every_sum_is_what_counting_each_step_finds(database: Database, seed: int) -> None:
    rng = Random(seed)
    ledger = Ledger.roll(rng)
    await store(database, ledger)
    for _ in range(4):
        since = rng.choice((0, rng.randrange(STEPS - 10)))
        until = rng.choice((STEPS, rng.randrange(since + 1, STEPS)))
        await compare(database, ledger, since, until)


async def compare(database: Database, ledger: Ledger, since: int, until: int) -> None:
    """Every device and every group of one period."""
    period = Period(since=at(since), until=at(until), kind="")
    managed = [device for device in ledger.devices if device.created < until]
    async with database.transaction() as tx:
        by_device = await sum_by_device(tx, HUB, period)
        by_vendor = await sum_by_group(tx, HUB, period, GroupBy.VENDOR)
        repairs = await sum_repairs(tx, HUB, period, GroupBy.VENDOR)
        below = await sum_by_group(tx, village("c.t"), period, GroupBy.AREA)
        cameras = await sum_by_device(
            tx, HUB, Period(since=at(since), until=at(until), area_id=ledger.areas["c.t"])
        )
    found = {one.device_id: one for one in by_device}
    assert sorted(found) == sorted(device.id for device in managed)
    for device in managed:
        check_sums(found[device.id], ledger.tell([device], since, until))
    repaired = {one.name: one for one in repairs}
    for group in by_vendor:
        members = [device for device in managed if device.vendor == group.name]
        truth = ledger.tell(members, since, until)
        assert group.devices == len(members)
        check_sums(group, truth)
        check_repairs(repaired.get(group.name), truth)
    for area in below:
        members = [device for device in managed if ledger.areas[device.path] == area.area_id]
        check_sums(area, ledger.tell(members, since, until))
    inside = [device for device in managed if device.path.startswith("c.t")]
    assert sum(area.devices for area in below) == len(inside)
    assert {one.device_id for one in cameras} == {
        device.id for device in inside if device.kind == "camera"
    }


async def test_rates_are_means_over_devices(database: Database) -> None:
    ledger = Ledger.roll(Random(99), devices=30)
    await store(database, ledger)
    async with database.transaction() as tx:
        period = Period(since=at(0), until=at(STEPS), kind="")
        groups = await sum_by_group(tx, HUB, period, GroupBy.VENDOR)
    for group in groups:
        rates = [
            rate
            for device in ledger.devices
            if device.vendor == group.name and (rate := online(ledger, device)) is not None
        ]
        assert group.rated == len(rates)
        assert group.rate_sum == pytest.approx(sum(rates))


def online(ledger: Ledger, device: Device) -> float | None:
    """The share of the known time in which a device was not down."""
    truth = ledger.tell([device], 0, STEPS)
    known = truth.managed_s - truth.maintenance_s - truth.unknown_s
    return 1 - truth.down_s / known if known else None
