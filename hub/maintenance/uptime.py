"""The online rate 在线率, time-weighted, from the outage ledger.

Mean over devices of online time ÷ (period - planned maintenance - unknown). It never stands
alone: coverage says of how much of the time outside maintenance anything is known, and below
the minimum the rate is withheld as "collecting". What happened before a device was registered
does not count; one that is degraded is online.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.maintenance.figures import (
    Figure,
    Why,
    Withheld,
    settle,
    share,
    too_little,
)
from hub.store.database import Transaction
from hub.store.ledger_rows import DeviceSums, GroupBy, GroupSums, Period
from hub.store.uptime import sum_by_device, sum_by_group

FORMULA = "online-rate-time-weighted/2"

_NO_DEVICES = Withheld(code=Why.NO_DEVICES, reason="collecting: no device yet")
_ALL_MAINTENANCE = Withheld(
    code=Why.MAINTENANCE, reason="in planned maintenance for the whole period"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``online`` is 0 to 1, None when nothing is known; ``coverage`` 0 to 1.

    A rate that is ``withheld`` is no verdict: what is known so far may be shown, never ranked.
    """

    online: float | None
    coverage: float
    outages: int
    down_s: float
    unknown_s: float = 0.0
    maintenance_s: float = 0.0
    withheld: Withheld | None = None

    @property
    def is_withheld(self) -> bool:
        """Tell whether too little is known for a verdict."""
        return self.withheld is not None

    @property
    def figure(self) -> Figure:
        """The rate as a figure to publish."""
        return settle(FORMULA, self.online, coverage=self.coverage, withheld=self.withheld)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceUptime:
    """One device's line."""

    device_id: int
    device_name: str
    area_name: str
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaUptime:
    """One area's line."""

    area_id: int
    area_name: str
    devices: int
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class UptimeReport:
    """The whole report; ``total`` is over all devices of it."""

    since: datetime
    until: datetime
    total: Rate
    areas: Sequence[AreaUptime]
    devices: Sequence[DeviceUptime]
    formula: str = FORMULA


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUptime:
    """One group's line; ``area_id`` is 0 unless groups are areas, ``name`` "" is "not recorded"."""

    area_id: int
    name: str
    devices: int
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedUptime:
    """The rates by one grouping; ``total`` is over all devices of it."""

    since: datetime
    until: datetime
    by: GroupBy
    total: Rate
    groups: Sequence[GroupUptime]
    formula: str = FORMULA


async def report_uptime_by(
    tx: Transaction, scope: Scope, period: Period, by: GroupBy, *, now: datetime
) -> GroupedUptime:
    """Work out the rates of a period by one grouping; its end is at most ``now``.

    Raises:
        Invalid: the period is empty or lies ahead.
    """
    cut = cut_period(period, now)
    sums = await sum_by_group(tx, scope, cut, by)
    return GroupedUptime(
        since=cut.since,
        until=cut.until,
        by=by,
        total=rate_groups(sums),
        groups=[
            GroupUptime(area_id=s.area_id, name=s.name, devices=s.devices, rate=rate_groups([s]))
            for s in sums
        ],
    )


async def report_uptime(
    tx: Transaction, scope: Scope, period: Period, *, now: datetime, with_devices: bool = True
) -> UptimeReport:
    """Work out the report of a period; its end is at most ``now``.

    Raises:
        Invalid: the period is empty or lies ahead.
    """
    cut = cut_period(period, now)
    # The ledger is read once: where every device is listed, the areas are added up from them.
    devices = await sum_by_device(tx, scope, cut) if with_devices else []
    areas = add_up(devices) if with_devices else await sum_by_group(tx, scope, cut, GroupBy.AREA)
    return UptimeReport(
        since=cut.since,
        until=cut.until,
        total=rate_groups(areas),
        areas=[
            AreaUptime(
                area_id=a.area_id, area_name=a.name, devices=a.devices, rate=rate_groups([a])
            )
            for a in areas
        ],
        devices=[
            DeviceUptime(
                device_id=d.device_id,
                device_name=d.device_name,
                area_name=d.area_name,
                rate=rate_device(d),
            )
            for d in devices
        ],
    )


def cut_period(period: Period, now: datetime) -> Period:
    """The period as far as it has passed.

    Raises:
        Invalid: it is empty or lies ahead.
    """
    until = min(period.until, now)
    if period.since >= until:
        msg = "the period is empty or has not begun"
        raise Invalid(msg, field="since")
    return replace(period, until=until)


def add_up(devices: Sequence[DeviceSums]) -> list[GroupSums]:
    """The sums of each area, in the order in which its first device comes."""
    members: dict[int, list[DeviceSums]] = {}
    for device in devices:
        members.setdefault(device.area_id, []).append(device)
    return [_add_up_area(of_area) for of_area in members.values()]


def _add_up_area(devices: Sequence[DeviceSums]) -> GroupSums:
    rates = [rate for device in devices if (rate := _online(device)) is not None]
    return GroupSums(
        area_id=devices[0].area_id,
        name=devices[0].area_name,
        devices=len(devices),
        rated=len(rates),
        rate_sum=sum(rates),
        managed_s=sum(device.managed_s for device in devices),
        maintenance_s=sum(device.maintenance_s for device in devices),
        unknown_s=sum(device.unknown_s for device in devices),
        down_s=sum(device.down_s for device in devices),
        outages=sum(device.outages for device in devices),
    )


def rate_device(sums: DeviceSums) -> Rate:
    """The rate of one device."""
    return _rate(_online(sums), sums)


def rate_groups(groups: Sequence[GroupSums]) -> Rate:
    """The rate of some groups together: the mean over their devices, not over the groups."""
    if len(groups) == 1:
        together = groups[0]
    else:
        together = GroupSums(
            area_id=0,
            name="",
            devices=sum(one.devices for one in groups),
            rated=sum(one.rated for one in groups),
            rate_sum=sum(one.rate_sum for one in groups),
            managed_s=sum(one.managed_s for one in groups),
            maintenance_s=sum(one.maintenance_s for one in groups),
            unknown_s=sum(one.unknown_s for one in groups),
            down_s=sum(one.down_s for one in groups),
            outages=sum(one.outages for one in groups),
        )
    return _rate(together.rate_sum / together.rated if together.rated else None, together)


def _online(sums: DeviceSums) -> float | None:
    known_s = sums.managed_s - sums.maintenance_s - sums.unknown_s
    return max(0.0, 1 - sums.down_s / known_s) if known_s > 0 else None


def _rate(online: float | None, sums: DeviceSums | GroupSums) -> Rate:
    due_s = sums.managed_s - sums.maintenance_s
    coverage = share(due_s - sums.unknown_s, due_s)
    if due_s > 0:
        withheld = too_little(coverage)
    else:
        withheld = _ALL_MAINTENANCE if sums.managed_s else _NO_DEVICES
    return Rate(
        online=online,
        coverage=coverage,
        outages=sums.outages,
        down_s=sums.down_s,
        unknown_s=sums.unknown_s,
        maintenance_s=sums.maintenance_s,
        withheld=withheld,
    )
