"""Makes the figures of each day once it is over, so that a heat map of months costs nothing.

A day is one of the site's calendar. It is made a while after its end, when open questions of its
last minutes are answered; it is not made again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.ports import Clock
from hub.maintenance.device_days import first_moment
from hub.maintenance.uptime import Rate, rate_groups
from hub.runtime.jobs import Jobs
from hub.store.area_days import AreaDay, DayFilter, keep_day, missing_days, read_days
from hub.store.database import Database, Transaction
from hub.store.ledger_rows import GroupBy, Period
from hub.store.uptime import sum_by_group

SERIES: Final = "maintenance.area_days"
EVERY_S: Final = 600.0
SETTLED_AFTER: Final = timedelta(hours=1)
MOST_DAYS_BACK: Final = 92
MOST_A_RUN: Final = 8  # days made in one run: older ones follow in the next
KINDS: Final = ("camera", "")
_SCOPE = system_scope("hub.maintenance.area_days")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaDays:
    """Makes what is missing, newest days first."""

    database: Database
    clock: Clock
    zone: tzinfo
    scope: Scope = field(default=_SCOPE)

    def register(self, jobs: Jobs) -> None:
        """Have it done by whichever process works."""
        jobs.every(SERIES, EVERY_S, self.run_once)

    async def run_once(self) -> None:
        """Make the days that are over and not made, a few at a time."""
        now = self.clock()
        last = (now - SETTLED_AFTER).astimezone(self.zone).date() - timedelta(days=1)
        first = last - timedelta(days=MOST_DAYS_BACK - 1)
        async with self.database.transaction() as tx:
            due = await missing_days(tx, self.scope, first, last, limit=MOST_A_RUN)
        for day in due:
            async with self.database.transaction() as tx:
                await make_day(tx, self.scope, day, self.zone, now)
            await asyncio.sleep(0)


async def make_day(tx: Transaction, scope: Scope, day: date, zone: tzinfo, now: datetime) -> None:
    """Add up a day and keep it."""
    begin, end = first_moment(day, zone), first_moment(day + timedelta(days=1), zone)
    sums = {
        kind: await sum_by_group(tx, scope, Period(since=begin, until=end, kind=kind), GroupBy.AREA)
        for kind in KINDS
    }
    await keep_day(tx, scope, day, {kind: list(found) for kind, found in sums.items()}, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """An area by days; None where a day was not made or had no device. ``total`` over them all."""

    area_id: int
    name: str
    devices: int
    days: Sequence[Rate | None]
    total: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTable:
    """A heat map: its days, a row for all together, and one an area."""

    days: Sequence[date]
    whole: DayRow
    rows: Sequence[DayRow]


async def report_days(tx: Transaction, scope: Scope, wanted: DayFilter) -> DayTable:
    """Read the days of a span, by area."""
    found = await read_days(tx, scope, wanted)
    days = [
        wanted.first + timedelta(days=number)
        for number in range((wanted.last - wanted.first).days + 1)
    ]
    by_area: dict[int, dict[date, AreaDay]] = {}
    for one in found:
        by_area.setdefault(one.area_id, {})[one.day] = one
    rows = [
        _row(area_id, next(iter(of.values())).name, days, {day: [one] for day, one in of.items()})
        for area_id, of in by_area.items()
    ]
    together: dict[date, list[AreaDay]] = {}
    for one in found:
        together.setdefault(one.day, []).append(one)
    return DayTable(days=days, whole=_row(wanted.area_id or 0, "", days, together), rows=rows)


def _row(
    area_id: int, name: str, days: Sequence[date], found: Mapping[date, Sequence[AreaDay]]
) -> DayRow:
    last = max(found, default=None)
    return DayRow(
        area_id=area_id,
        name=name,
        devices=sum(one.devices for one in found[last]) if last else 0,
        days=[rate_groups(found[day]) if day in found else None for day in days],
        total=rate_groups([one for of in found.values() for one in of]),
    )
