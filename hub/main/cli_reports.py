"""`gengfu report`."""

import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import tzinfo
from pathlib import Path
from typing import Annotated

import typer

from hub.domain.access import Scope
from hub.main.console import as_row, print_rows, reported_errors
from hub.main.report_options import (
    Answer,
    AreaOption,
    Asked,
    ByOption,
    DaysOption,
    FormatOption,
    KindOption,
    MonthOption,
    OutputOption,
    ReportFormat,
    SinceOption,
    Span,
    UntilOption,
    duration,
    hand_out,
    percent,
    read_kind,
    span_note,
)
from hub.main.storage import JsonOption, SettingsOption, Store, find_place, with_store
from hub.main.surroundings import local_zone, utc_now
from hub.maintenance.kpis import FIGURES, KpiReport, Kpis, report_kpis
from hub.maintenance.months import MonthOrder, publish_month
from hub.maintenance.report_tables import figures_of, group_table, kpi_table, uptime_table
from hub.maintenance.uptime import Rate, report_uptime, report_uptime_by
from hub.store import areas, months
from hub.store.database import Transaction
from hub.store.ledger_rows import GroupBy, Period

report_app = typer.Typer(help="Figures for supervisors.", no_args_is_help=True)

NOT_RECORDED = "(not recorded)"
RATE_COLUMNS = ("online_rate", "known", "outages", "down", "unknown", "maintenance", "verdict")
# How a person's table calls each figure; the order is that of FIGURES.
KPI_COLUMNS = dict(
    zip(
        FIGURES,
        (
            *("online", "online_now", "intact", "clock", "recorded", "labelled"),
            *("mttr", "mtbf", "longest", "outages"),
        ),
        strict=True,
    )
)
MONTH_COLUMNS = ("id", "month", "area_name", "kind", "edition", "since", "until")

Work = Callable[[Transaction, Scope, Period, tzinfo], Awaitable[Answer]]


@report_app.command("uptime")
def uptime(  # noqa: PLR0913 - each is an option of the command
    by: ByOption = GroupBy.AREA,
    *,
    area: AreaOption = "",
    kind: KindOption = "camera",
    month: MonthOption = "",
    days: DaysOption = None,
    since: SinceOption = "",
    until: UntilOption = "",
    form: FormatOption = ReportFormat.TABLE,
    output: OutputOption = None,
    settings: SettingsOption = None,
    with_devices: Annotated[bool, typer.Option("--devices", help="A line per device.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Online rate, how much of the time is known, and why a rate is withheld."""
    form = ReportFormat.JSON if as_json else form

    async def listed(tx: Transaction, scope: Scope, period: Period, zone: tzinfo) -> Answer:
        report = await report_uptime(tx, scope, period, now=utc_now())
        return Answer(
            document=report,
            table=uptime_table(report),
            columns=("device", "area", *RATE_COLUMNS),
            rows=[
                {"device": one.device_name, "area": one.area_name, **_rate_cells(one.rate)}
                for one in report.devices
            ],
            notes=[span_note(report.since, report.until, zone), report.formula],
        )

    async def grouped(tx: Transaction, scope: Scope, period: Period, zone: tzinfo) -> Answer:
        report = await report_uptime_by(tx, scope, period, by, now=utc_now())
        rows = [
            {by.value: one.name or NOT_RECORDED, "devices": one.devices, **_rate_cells(one.rate)}
            for one in report.groups
        ]
        count = sum(one.devices for one in report.groups)
        rows.append({by.value: "all", "devices": count, **_rate_cells(report.total)})
        return Answer(
            document=report,
            table=group_table(report),
            columns=(by.value, "devices", *RATE_COLUMNS),
            rows=rows,
            notes=[span_note(report.since, report.until, zone), report.formula],
        )

    # The JSON document by area has always listed the devices too.
    lists_devices = with_devices or (form is ReportFormat.JSON and by is GroupBy.AREA)
    asked = Asked(area=area, kind=kind, span=Span(month=month, days=days, since=since, until=until))
    _report(settings, asked, listed if lists_devices else grouped, form, output)


@report_app.command("kpis")
def kpis(  # noqa: PLR0913 - each is an option of the command
    by: ByOption = GroupBy.AREA,
    *,
    area: AreaOption = "",
    kind: KindOption = "camera",
    month: MonthOption = "",
    days: DaysOption = None,
    since: SinceOption = "",
    until: UntilOption = "",
    form: FormatOption = ReportFormat.TABLE,
    output: OutputOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every key figure of a period: rates, repairs, recordings, clocks, records."""

    async def work(tx: Transaction, scope: Scope, period: Period, zone: tzinfo) -> Answer:
        report = await report_kpis(tx, scope, period, by, now=utc_now())
        rows = [{by.value: one.name or NOT_RECORDED, **_kpi_cells(one)} for one in report.groups]
        rows.append({by.value: "all", **_kpi_cells(report.total)})
        notes = [span_note(report.since, report.until, zone)]
        notes.extend(_withheld_notes(report))
        return Answer(
            document=report,
            table=kpi_table(report),
            columns=(by.value, "devices", *KPI_COLUMNS.values()),
            rows=rows,
            notes=notes,
        )

    asked = Asked(area=area, kind=kind, span=Span(month=month, days=days, since=since, until=until))
    _report(settings, asked, work, ReportFormat.JSON if as_json else form, output)


@report_app.command("publish")
def publish(
    month: Annotated[str, typer.Option(help="The month to publish, like 2026-10.")],
    area: Annotated[
        str, typer.Option(help="Code of an area; every topmost area when not said.")
    ] = "",
    kind: KindOption = "camera",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Keep a month's figures for ever; published again it is another edition."""

    async def work(store: Store) -> list[dict[str, object]]:
        zone, published = local_zone(store.settings), []
        async with store.database.transaction() as tx:
            found = (
                [await find_place(tx, store.scope, area)]
                if area
                else [
                    one for one in await areas.list_areas(tx, store.scope) if one.parent_id is None
                ]
            )
            for one in found:
                order = MonthOrder(month=month, area_id=one.id, kind=read_kind(kind))
                number = await publish_month(tx, store.scope, order, now=utc_now(), zone=zone)
                kept = await months.get_month(tx, store.scope, number)
                published.append({name: as_row(kept)[name] for name in MONTH_COLUMNS})
        return published

    rows = with_store(settings, dict(os.environ), work)
    print_rows(rows, as_json=as_json, columns=MONTH_COLUMNS, empty="no area yet")


def _report(
    settings: Path | None, asked: Asked, work: Work, form: ReportFormat, output: Path | None
) -> None:
    async def answer(store: Store) -> Answer:
        now, zone = utc_now(), local_zone(store.settings)
        begin, end = asked.span.bounds(now, zone)
        async with store.database.transaction() as tx:
            place = (await find_place(tx, store.scope, asked.area)).id if asked.area else None
            period = Period(since=begin, until=end, area_id=place, kind=read_kind(asked.kind))
            return await work(tx, store.scope, period, zone)

    found = with_store(settings, dict(os.environ), answer)
    with reported_errors():
        hand_out(found, form, output)


def _rate_cells(rate: Rate) -> dict[str, object]:
    reason = f"withheld: {rate.withheld.reason}" if rate.withheld else ""
    return {
        "online_rate": percent(rate.online),
        "known": percent(rate.coverage, 1),
        "outages": rate.outages,
        "down": duration(rate.down_s),
        "unknown": duration(rate.unknown_s),
        "maintenance": duration(rate.maintenance_s),
        "verdict": reason or "published",
    }


def _kpi_cells(one: Kpis) -> dict[str, object]:
    cells: dict[str, object] = {"devices": one.devices}
    for (name, title), figure in zip(KPI_COLUMNS.items(), figures_of(one), strict=True):
        if name == "outages":
            cells[title] = "-" if figure.value is None else int(figure.value)
        elif name.endswith("_s"):
            cells[title] = duration(figure.value)
        else:
            cells[title] = percent(figure.value)
    return cells


def _withheld_notes(report: KpiReport) -> Iterator[str]:
    """Why there is a dash in the table: each figure once."""
    for place, (figure, title) in enumerate(
        zip(figures_of(report.total), KPI_COLUMNS.values(), strict=True)
    ):
        of_groups = [figures_of(group)[place].withheld for group in report.groups]
        reasons = [one.reason for one in (figure.withheld, *of_groups) if one]
        if reasons:
            count = sum(1 for one in of_groups if one)
            whose = f"{count} of {len(of_groups)}" + (
                " and all together" if figure.withheld else ""
            )
            yield f"{title}: withheld for {whose}: {reasons[0]}"
