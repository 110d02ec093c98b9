"""Reports as tables, for spreadsheets: one line a group or device, figures as plain numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.maintenance.figures import Figure
from hub.maintenance.kpis import FIGURES, KpiReport, Kpis
from hub.maintenance.uptime import GroupedUptime, Rate, UptimeReport

_RATE_COLUMNS = (
    "online_rate",
    "coverage",
    "withheld",
    "outages",
    "down_s",
    "unknown_s",
    "maintenance_s",
)
_PERIOD_COLUMNS = ("since", "until", "formula")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """Column names and lines; ``title`` names the worksheet."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]


def uptime_table(report: UptimeReport) -> ReportTable:
    """A line per device when the report lists devices, else a line per area."""
    period = (report.since, report.until, report.formula)
    if report.devices:
        return ReportTable(
            title="uptime",
            columns=("device_id", "device", "area", *_RATE_COLUMNS, *_PERIOD_COLUMNS),
            rows=(
                (line.device_id, line.device_name, line.area_name, *_rate(line.rate), *period)
                for line in report.devices
            ),
        )
    return ReportTable(
        title="uptime",
        columns=("area_id", "area", "devices", *_RATE_COLUMNS, *_PERIOD_COLUMNS),
        rows=(
            (line.area_id, line.area_name, line.devices, *_rate(line.rate), *period)
            for line in report.areas
        ),
    )


def group_table(report: GroupedUptime) -> ReportTable:
    """A line per group."""
    return ReportTable(
        title=f"uptime by {report.by}",
        columns=("area_id", report.by.value, "devices", *_RATE_COLUMNS, *_PERIOD_COLUMNS),
        rows=(
            (
                line.area_id or None,
                line.name,
                line.devices,
                *_rate(line.rate),
                report.since,
                report.until,
                report.formula,
            )
            for line in report.groups
        ),
    )


def kpi_table(report: KpiReport) -> ReportTable:
    """A line per group; beside each figure its coverage and why it is withheld."""
    named = [
        column
        for name in FIGURES
        for column in (name, f"{name}_coverage", f"{name}_withheld", f"{name}_formula")
    ]
    return ReportTable(
        title=f"kpis by {report.by}",
        columns=("area_id", report.by.value, "devices", *named, "since", "until"),
        rows=(
            (
                group.area_id or None,
                group.name,
                group.devices,
                *(cell for figure in figures_of(group) for cell in _cells(figure)),
                report.since,
                report.until,
            )
            for group in report.groups
        ),
    )


def figures_of(kpis: Kpis) -> list[Figure]:
    """The figures of a group in the order of :data:`FIGURES`."""
    found = [getattr(kpis, name) for name in FIGURES]
    return [figure for figure in found if isinstance(figure, Figure)]


def _rate(rate: Rate) -> tuple[object, ...]:
    figure = rate.figure
    reason = figure.withheld.reason if figure.withheld else ""
    return (
        figure.value,
        rate.coverage,
        reason,
        rate.outages,
        rate.down_s,
        rate.unknown_s,
        rate.maintenance_s,
    )


def _cells(figure: Figure) -> tuple[object, ...]:
    reason = figure.withheld.reason if figure.withheld else ""
    return figure.value, figure.coverage, reason, figure.formula
