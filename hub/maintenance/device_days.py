"""One device by days: how much of each it was online, offline, unknown, in planned maintenance.

Pure. A day is a day of the site's calendar, of 23 or 25 hours where clocks are changed. Planned
maintenance counts before unknown, unknown before offline (:mod:`hub.store.uptime`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from hub.store.device_days import Span, SpanKind

MOST_DAYS: Final = 400
_PRECEDENCE: Final = (SpanKind.PLANNED, SpanKind.UNKNOWN, SpanKind.OFFLINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDay:
    """Seconds of one day; what lies before the registration or after now is in none of them.

    ``outages`` is how many began on that day, or went on into it.
    """

    day: date
    online_s: float
    offline_s: float
    unknown_s: float
    planned_s: float
    outages: int


def first_moment(day: date, zone: tzinfo) -> datetime:
    """When a day begins at the site."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def divide_days(
    spans: Sequence[Span], *, since: datetime, until: datetime, zone: tzinfo
) -> list[DeviceDay]:
    """Divide a period into days, oldest first; spans are cut at midnight."""
    if since >= until:
        return []
    days = list(_begin_days(since, until, zone))
    tallies = [dict.fromkeys((None, *SpanKind), 0.0) for _ in days]
    begun = [max(begin, since) for _, begin in days]
    changes = sorted(
        [(at, None, 0) for at in begun[1:]]
        + [(max(span.started_at, since), span.kind, 1) for span in spans]
        + [(min(span.ended_at, until), span.kind, -1) for span in spans],
        key=lambda change: change[0],
    )
    depth = dict.fromkeys(SpanKind, 0)
    number, last = 0, since
    for at, kind, step in [*changes, (until, None, 0)]:
        what = next((kind for kind in _PRECEDENCE if depth[kind]), None)
        while number + 1 < len(days) and begun[number + 1] <= last:
            number += 1
        tallies[number][what] += (at - last).total_seconds()
        last = at
        if kind is not None:
            depth[kind] += step
    outages = _count_outages(spans, begun, until)
    return [
        DeviceDay(
            day=day,
            online_s=tally[None],
            offline_s=tally[SpanKind.OFFLINE],
            unknown_s=tally[SpanKind.UNKNOWN],
            planned_s=tally[SpanKind.PLANNED],
            outages=count,
        )
        for (day, _), tally, count in zip(days, tallies, outages, strict=True)
    ]


def _begin_days(since: datetime, until: datetime, zone: tzinfo) -> Iterator[tuple[date, datetime]]:
    day = since.astimezone(zone).date()
    while (begin := first_moment(day, zone)) < until:
        yield day, begin
        day += timedelta(days=1)


def _count_outages(
    spans: Sequence[Span], begun: Sequence[datetime], until: datetime
) -> Sequence[int]:
    counts = [0] * len(begun)
    for span in spans:
        if span.kind is SpanKind.OFFLINE and span.started_at < until:
            first = max(0, bisect_right(begun, span.started_at) - 1)
            for number in range(first, bisect_left(begun, span.ended_at)):
                counts[number] += 1
    return counts
