"""The online rate 在线率, time-weighted, from the outage ledger.

Mean over devices of online time ÷ (period - planned maintenance - unknown). It never stands
alone: coverage says of how much of the time anything is known, and below the minimum the rate
is withheld as "collecting". What happened before a device was registered does not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.store.database import Transaction
from hub.store.uptime import AreaSums, DeviceSums, Period, sum_by_area, sum_by_device

# Published with every figure, so that last month's rank can be computed again.
FORMULA = "online-rate-time-weighted/1"
# An acceptance rule in use (practice): with less known the verdict is "collecting".
MIN_COVERAGE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``online`` is 0 to 1, None when nothing is known; ``coverage`` 0 to 1."""

    online: float | None
    coverage: float
    outages: int
    down_s: float

    @property
    def is_withheld(self) -> bool:
        """Tell whether too little is known for a verdict."""
        return self.online is None or self.coverage < MIN_COVERAGE


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


async def report_uptime(
    tx: Transaction, scope: Scope, period: Period, *, now: datetime, with_devices: bool = True
) -> UptimeReport:
    """Work out the report of a period; its end is at most ``now``.

    Raises:
        Invalid: the period is empty or lies ahead.
    """
    until = min(period.until, now)
    if period.since >= until:
        msg = "the period is empty or has not begun"
        raise Invalid(msg, field="since")
    cut = Period(since=period.since, until=until, area_id=period.area_id, kind=period.kind)
    # The ledger is read once: where every device is listed, the areas are added up from them.
    devices = await sum_by_device(tx, scope, cut) if with_devices else []
    areas = add_up(devices) if with_devices else await sum_by_area(tx, scope, cut)
    return UptimeReport(
        since=cut.since,
        until=cut.until,
        total=rate_areas(areas),
        areas=[
            AreaUptime(
                area_id=a.area_id, area_name=a.area_name, devices=a.devices, rate=rate_areas([a])
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


def add_up(devices: Sequence[DeviceSums]) -> list[AreaSums]:
    """The sums of each area, in the order in which its first device comes."""
    members: dict[int, list[DeviceSums]] = {}
    for device in devices:
        members.setdefault(device.area_id, []).append(device)
    return [_add_up_area(of_area) for of_area in members.values()]


def _add_up_area(devices: Sequence[DeviceSums]) -> AreaSums:
    rates = [rate for device in devices if (rate := rate_device(device).online) is not None]
    return AreaSums(
        area_id=devices[0].area_id,
        area_name=devices[0].area_name,
        devices=len(devices),
        rated=len(rates),
        rate_sum=sum(rates),
        managed_s=sum(device.managed_s for device in devices),
        unknown_s=sum(device.unknown_s for device in devices),
        down_s=sum(device.down_s for device in devices),
        outages=sum(device.outages for device in devices),
    )


def rate_device(sums: DeviceSums) -> Rate:
    """The rate of one device."""
    known_s = sums.managed_s - sums.unknown_s
    return Rate(
        online=max(0.0, 1 - sums.down_s / known_s) if known_s > 0 else None,
        coverage=_share(known_s, sums.managed_s),
        outages=sums.outages,
        down_s=sums.down_s,
    )


def rate_areas(areas: Sequence[AreaSums]) -> Rate:
    """The rate of some areas together: the mean over their devices, not over the areas."""
    rated = sum(area.rated for area in areas)
    managed_s = sum(area.managed_s for area in areas)
    known_s = managed_s - sum(area.unknown_s for area in areas)
    return Rate(
        online=sum(area.rate_sum for area in areas) / rated if rated else None,
        coverage=_share(known_s, managed_s),
        outages=sum(area.outages for area in areas),
        down_s=sum(area.down_s for area in areas),
    )


def _share(part: float, whole: float) -> float:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0
