"""Figures over a period."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from hub.domain.devices import DeviceKind
from hub.maintenance.figures import Why
from hub.store.ledger_rows import GroupBy
from hub.web.schemas.shapes import In, Number, Out


class WithheldOut(Out):
    """Why there is no figure: a code for programs, a sentence for people."""

    code: Why
    reason: str


class RateOut(Out):
    """``online`` is 0 to 1, null when nothing is known; no verdict while it is withheld."""

    online: float | None
    coverage: float
    is_withheld: bool
    withheld: WithheldOut | None
    outages: int
    down_s: float
    unknown_s: float
    maintenance_s: float


class AreaUptimeOut(Out):
    """One area's line."""

    area_id: int
    area_name: str
    devices: int
    rate: RateOut


class DeviceUptimeOut(Out):
    """One device's line."""

    device_id: int
    device_name: str
    area_name: str
    rate: RateOut


class UptimeOut(Out):
    """The time-weighted online rate; ``formula`` names how it was worked out."""

    since: datetime
    until: datetime
    formula: str
    total: RateOut
    areas: Sequence[AreaUptimeOut]
    devices: Sequence[DeviceUptimeOut]


class FigureOut(Out):
    """``value`` is null exactly when the figure is withheld; ``coverage`` is 0 to 1."""

    value: float | None
    coverage: float
    formula: str
    withheld: WithheldOut | None


class KpisOut(Out):
    """The figures of a group. Rates are 0 to 1; ``area_id`` is 0 unless groups are areas."""

    area_id: int
    name: str
    devices: int
    online_rate: FigureOut
    online_rate_snapshot: FigureOut
    intact_rate: FigureOut
    clock_rate: FigureOut
    recording_completeness: FigureOut
    labelling_rate: FigureOut
    mttr_s: FigureOut
    mtbf_s: FigureOut
    longest_outage_s: FigureOut
    outages: FigureOut


class KpiReportOut(Out):
    """Figures by one grouping; ``at`` is the moment of those that speak of one."""

    since: datetime
    until: datetime
    at: datetime
    by: GroupBy
    total: KpisOut
    groups: Sequence[KpisOut]


class MonthIn(In):
    """Which month to publish, of which area and everything below it; without kind: cameras."""

    month: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}$")]
    area_id: Number
    kind: DeviceKind | None = DeviceKind.CAMERA


class MonthOut(Out):
    """A published month; published again, it is another edition."""

    id: int
    month: str
    area_id: int
    area_name: str
    kind: str
    edition: int
    since: datetime
    until: datetime
    time_zone: str
    published_at: datetime
    author: str


class MonthFiguresOut(MonthOut):
    """A published month with its figures, as they were kept: by "area", "vendor" and so on."""

    figures: Mapping[str, object]


class DayRowOut(Out):
    """An area by days; null: that day was not made, or had no device. ``area_id`` 0: all."""

    area_id: int
    name: str
    devices: int
    days: Sequence[RateOut | None]
    total: RateOut


class DayTableOut(Out):
    """The time-weighted online rate by area and day; a day is one of the site's calendar.

    ``total`` of a row is the mean over its days and devices. The present day is not in it.
    """

    formula: str
    days: Sequence[date]
    whole: DayRowOut
    rows: Sequence[DayRowOut]
