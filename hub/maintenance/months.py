"""Publishing a month: every figure by every grouping, as supervisors rank by it.

A month begins and ends at midnight of the site's time zone and can be published once it is over.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.maintenance.figures import MIN_COVERAGE
from hub.maintenance.kpis import KpiOptions, KpiReport, report_every_grouping
from hub.runtime.zones import zone_name
from hub.store import areas
from hub.store.database import Transaction
from hub.store.ledger_rows import Period
from hub.store.months import NewMonth, add_month

_MONTH = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)
DECEMBER = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOrder:
    """Which month of which area and everything below it; ``kind`` "" means all devices."""

    month: str
    area_id: int
    kind: str = "camera"


def month_bounds(month: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """When a month like "2026-10" begins and ends.

    Raises:
        Invalid: it is no month.
    """
    match = _MONTH.match(month)
    try:
        year, number = (int(match[1]), int(match[2])) if match else (0, 0)
        following = (year + 1, 1) if number == DECEMBER else (year, number + 1)
        since, until = (datetime(y, m, 1, tzinfo=zone) for y, m in ((year, number), following))
        return since.astimezone(UTC), until.astimezone(UTC)
    except (ValueError, OverflowError):
        msg = "a month is written like 2026-10"
        raise Invalid(msg, field="month") from None


async def publish_month(
    tx: Transaction,
    scope: Scope,
    order: MonthOrder,
    *,
    now: datetime,
    zone: tzinfo,
    options: KpiOptions | None = None,
) -> int:
    """Work a month out and keep it; returns its number.

    Raises:
        Invalid: it is no month, or not over.
        NotFound: the area lies outside the scope.
    """
    await areas.get_area(tx, scope, order.area_id)
    since, until = month_bounds(order.month, zone)
    if until > now:
        msg = f"{order.month} is not over before {until.astimezone(zone):%Y-%m-%d %H:%M}"
        raise Invalid(msg, field="month")
    chosen = options or KpiOptions()
    period = Period(since=since, until=until, area_id=order.area_id, kind=order.kind)
    figures: dict[str, Json] = {
        "min_coverage": MIN_COVERAGE,
        "clock_tolerance_s": chosen.clock_tolerance_s,
    }
    for report in await report_every_grouping(tx, scope, period, now=now, options=chosen):
        figures[report.by.value] = as_json(report)
    new = NewMonth(
        month=order.month,
        area_id=order.area_id,
        kind=order.kind,
        since=since,
        until=until,
        time_zone=zone_name(zone, since),
        published_at=now,
        figures=figures,
    )
    return await add_month(tx, scope, new)


def as_json(report: KpiReport) -> Mapping[str, Json]:
    """A report as it is kept: plain values only."""
    kept: dict[str, Json] = json.loads(
        json.dumps({"total": asdict(report.total), "groups": [asdict(g) for g in report.groups]})
    )
    return kept
