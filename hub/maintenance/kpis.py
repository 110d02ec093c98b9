"""The key figures of a period by area, vendor, model, maintenance team or class of device.

Every figure carries its coverage and formula, and is withheld with the reason when too little is
known. The formulas (practice, where not said otherwise):

* online rate 在线率, time-weighted: hub.maintenance.uptime.
* online rate 在线率, snapshot: online ÷ managed, at the moment. Devices in a maintenance window
  and devices nobody knows of are left out; the latter lower the coverage. Degraded is online.
* intact rate 完好率: online and picture good ÷ managed cameras, at the moment. A picture is good
  when one was judged within PICTURE_AGE and neither it nor a layer below it fails.
* clock rate 时钟准确率: cameras within N seconds of our clock ÷ cameras with data, by the latest
  day of each in the period that has an offset, the worst of that day.
* recording completeness 录像完整率: recorded seconds ÷ planned seconds, over the whole days of
  the period; what is recorded beyond the plan fills no hole.
* labelling rate 标注合规率: asset records whose required fields are filled and valid ÷ all, now.
* MTTR: mean duration, without blind time, of the outages that ended in the period, however long
  ago they began. MTBF: time known to be up ÷ outages begun in the period.
* longest outage: within the period, without blind time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.maintenance.facts import Facts, narrow, split
from hub.maintenance.figures import Figure, Why, Withheld, judge, settle
from hub.maintenance.uptime import cut_period, rate_groups
from hub.store.database import Transaction
from hub.store.kpis import (
    CameraDays,
    Moment,
    Records,
    count_moment,
    count_records,
    sum_camera_days,
)
from hub.store.ledger_rows import EVERY, GroupBy, Grouping, Period
from hub.store.uptime import sum_by_group, sum_repairs

SNAPSHOT: Final = "online-rate-snapshot/1"
INTACT: Final = "intact-rate/1"
CLOCK: Final = "clock-rate/1"
RECORDING: Final = "recording-completeness/1"
LABELLING: Final = "labelling-rate/1"
MTTR: Final = "mttr/1"
MTBF: Final = "mtbf/1"
LONGEST: Final = "longest-outage/1"
OUTAGES: Final = "outages/1"

# A picture judged longer ago than this says nothing of now (practice).
PICTURE_AGE: Final = timedelta(hours=24)
# A day can be judged once it is over and the inspection after it (every 6 h) has been.
RECORDING_AGE: Final = timedelta(hours=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiOptions:
    """What sites set differently. ``clock_tolerance_s`` at most 60 by practice."""

    clock_tolerance_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpis:
    """The figures of one group, or of all; ``area_id`` is 0 unless groups are areas.

    ``name`` "" holds the devices of which vendor, model, team or class is not recorded.
    """

    area_id: int
    name: str
    devices: int
    online_rate: Figure
    online_rate_snapshot: Figure
    intact_rate: Figure
    clock_rate: Figure
    recording_completeness: Figure
    labelling_rate: Figure
    mttr_s: Figure
    mtbf_s: Figure
    longest_outage_s: Figure
    outages: Figure


FIGURES: Final = (
    "online_rate",
    "online_rate_snapshot",
    "intact_rate",
    "clock_rate",
    "recording_completeness",
    "labelling_rate",
    "mttr_s",
    "mtbf_s",
    "longest_outage_s",
    "outages",
)
"""The fields of :class:`Kpis` that are figures, in the order in which people read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiReport:
    """Figures by one grouping; ``total`` is over all devices of it. ``at``: the moment."""

    since: datetime
    until: datetime
    at: datetime
    by: GroupBy
    total: Kpis
    groups: Sequence[Kpis]


async def report_kpis(
    tx: Transaction,
    scope: Scope,
    period: Period,
    by: GroupBy,
    *,
    now: datetime,
    options: KpiOptions | None = None,
) -> KpiReport:
    """Work out the figures of a period; its end is at most ``now``.

    Raises:
        Invalid: the period is empty or lies ahead.
    """
    cut = cut_period(period, now)
    facts = await _collect(tx, scope, cut, by, now=now, options=options)
    return _report(cut, by, now, facts)


async def report_every_grouping(
    tx: Transaction,
    scope: Scope,
    period: Period,
    *,
    now: datetime,
    options: KpiOptions | None = None,
) -> list[KpiReport]:
    """The reports by each grouping, for hardly more than one of them costs.

    Raises:
        Invalid: the period is empty or lies ahead.
    """
    cut = cut_period(period, now)
    facts = await _collect(tx, scope, cut, EVERY, now=now, options=options)
    return [_report(cut, by, now, narrow(facts, by)) for by in GroupBy]


async def _collect(
    tx: Transaction,
    scope: Scope,
    cut: Period,
    by: Grouping,
    *,
    now: datetime,
    options: KpiOptions | None,
) -> Facts:
    tolerance_s = (options or KpiOptions()).clock_tolerance_s
    return Facts(
        sums=await sum_by_group(tx, scope, cut, by),
        repairs=await sum_repairs(tx, scope, cut, by),
        moments=await count_moment(tx, scope, cut, by, pictures_since=now - PICTURE_AGE),
        days=await sum_camera_days(
            tx, scope, cut, by, tolerance_s=tolerance_s, recorded_until=now - RECORDING_AGE
        ),
        records=await count_records(tx, scope, cut, by),
    )


def _report(cut: Period, by: GroupBy, now: datetime, facts: Facts) -> KpiReport:
    groups = [work_out(part, area_id=key[0], name=key[1]) for key, part in split(facts)]
    if by is not GroupBy.AREA:
        groups.sort(key=lambda group: group.name)
    return KpiReport(
        since=cut.since,
        until=cut.until,
        at=now,
        by=by,
        total=work_out(facts),
        groups=groups,
    )


def work_out(facts: Facts, *, area_id: int = 0, name: str = "") -> Kpis:
    """The figures of everything in the facts together."""
    rate = rate_groups(facts.sums)
    online = rate.figure
    begun = sum(one.begun for one in facts.repairs)
    ended = sum(one.ended for one in facts.repairs)
    up_s = sum(s.managed_s - s.maintenance_s - s.unknown_s - s.down_s for s in facts.sums)
    longest_s = max((one.longest_s for one in facts.repairs), default=0.0)

    def of_ledger(formula: str, value: float | None, missing: Withheld | None = None) -> Figure:
        reason = online.withheld or (missing if value is None else None)
        return settle(formula, value, coverage=online.coverage, withheld=reason)

    return Kpis(
        area_id=area_id,
        name=name,
        devices=sum(one.devices for one in facts.sums),
        online_rate=online,
        online_rate_snapshot=_snapshot(facts.moments),
        intact_rate=_intact(facts.moments),
        clock_rate=_clock(facts.days),
        recording_completeness=_recording(facts.days),
        labelling_rate=_labelling(facts.records),
        mttr_s=of_ledger(
            MTTR,
            sum(one.repair_s for one in facts.repairs) / ended if ended else None,
            Withheld(code=Why.NO_OUTAGES, reason="no outage ended in the period"),
        ),
        mtbf_s=of_ledger(
            MTBF,
            up_s / begun if begun else None,
            Withheld(code=Why.NO_OUTAGES, reason="no outage began in the period"),
        ),
        longest_outage_s=of_ledger(LONGEST, longest_s),
        outages=of_ledger(OUTAGES, float(rate.outages)),
    )


def _snapshot(moments: Sequence[Moment]) -> Figure:
    watched, known = sum(m.watched for m in moments), sum(m.known for m in moments)
    return judge(SNAPSHOT, sum(m.online for m in moments), known, known=known, of=watched)


def _intact(moments: Sequence[Moment]) -> Figure:
    cameras, judged = sum(m.cameras for m in moments), sum(m.judged for m in moments)
    return judge(INTACT, sum(m.intact for m in moments), judged, known=judged, of=cameras)


def _clock(days: Sequence[CameraDays]) -> Figure:
    cameras, timed = sum(d.cameras for d in days), sum(d.timed for d in days)
    return judge(CLOCK, sum(d.right for d in days), timed, known=timed, of=cameras)


def _recording(days: Sequence[CameraDays]) -> Figure:
    recorded_s, planned_s = sum(d.recorded_s for d in days), sum(d.planned_s for d in days)
    expected = sum(d.expected for d in days)
    return judge(RECORDING, recorded_s, planned_s, known=sum(d.days for d in days), of=expected)


def _labelling(records: Sequence[Records]) -> Figure:
    count = sum(r.records for r in records)
    return judge(LABELLING, sum(r.complete for r in records), count, known=count, of=count)
