"""`gengfu patrols report`: what rounds, nights, weeks and months came to."""

import os
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hub.domain.errors import Invalid, NotFound
from hub.domain.patrol_reports import KeptReport, Period
from hub.main.console import as_row, print_json, print_line, print_rows, reported_errors, say
from hub.main.storage import JsonOption, SettingsOption, Store, find_place, with_store
from hub.main.surroundings import local_zone, utc_now
from hub.patrols.reporting.figures import parse_figures
from hub.patrols.reporting.making import Maker
from hub.patrols.reporting.pages import find_zone
from hub.patrols.reporting.papers import Papers
from hub.patrols.reporting.pdf import Printer
from hub.patrols.reporting.sending import summarise
from hub.patrols.reporting.words import day_time
from hub.runtime.files import NotKept
from hub.runtime.jobs import Jobs
from hub.store import patrol_reports
from hub.store.patrol_reports import ReportFilter

patrol_report_app = typer.Typer(help="Reports of patrols.", no_args_is_help=True)

COLUMNS = ("id", "period", "area_name", "starts_at", "ends_at", "round_id", "made_at", "signed_by")


class PaperKind(StrEnum):
    """What a report leaves as."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"


AreaCode = Annotated[str, typer.Option("--area", help="Code of the area.")]


@patrol_report_app.command("list")
def list_reports(
    settings: SettingsOption = None,
    *,
    area: AreaCode = "",
    period: Annotated[Period | None, typer.Option(help="Only such reports.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The reports, newest first, and who signed them."""

    async def work(store: Store) -> list[dict[str, object]]:
        async with store.database.transaction() as tx:
            place = (await find_place(tx, store.scope, area)).id if area else None
            wanted = ReportFilter(area_id=place, period=period)
            page = await patrol_reports.list_reports(tx, store.scope, wanted, limit=limit)
        return [{name: as_row(one)[name] for name in COLUMNS} for one in page.items]

    rows = with_store(settings, dict(os.environ), work)
    print_rows(rows, as_json=as_json, columns=COLUMNS, empty="no report yet")


@patrol_report_app.command("make")
def make_report(
    settings: SettingsOption = None,
    *,
    walked: Annotated[int | None, typer.Option("--round", help="Number of a round.")] = None,
    period: Annotated[Period, typer.Option(help="night, week or month.")] = Period.NIGHT,
    night: Annotated[
        str, typer.Option(help="A night by the date of its evening, like 2026-11-21.")
    ] = "",
    area: AreaCode = "",
    as_json: JsonOption = False,
) -> None:
    """Make a report now, or again with what happened since; a signed one stays.

    Of a round, or of the night, week or month of an area.
    """
    with reported_errors():
        day = _read_night(walked, night, area)

    async def work(store: Store) -> KeptReport:
        maker = _maker(store)
        if day is None:
            report = await maker.make_round(store.scope, walked or 0)
        else:
            async with store.database.transaction() as tx:
                place = await find_place(tx, store.scope, area)
            report = await maker.make_period(store.scope, period, place.id, day)
        try:
            await maker.keep_page(report)
        except NotKept as error:
            say(f"its page is made when somebody reads it: {error}")
        return report

    report = with_store(settings, dict(os.environ), work)
    if as_json:
        print_json({"report": report.id, "made_at": report.made_at})
    else:
        _print_text(report)


@patrol_report_app.command("show")
def show_report(
    number: Annotated[int, typer.Argument(help="Number of the report.")],
    settings: SettingsOption = None,
    *,
    form: Annotated[
        PaperKind, typer.Option("--format", help="For people, or for files.")
    ] = PaperKind.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write; standard output otherwise.")
    ] = None,
) -> None:
    """A report: in short, or whole as a file."""
    with reported_errors():
        if output is None and form in {PaperKind.PDF, PaperKind.XLSX} and sys.stdout.isatty():
            msg = "this is no text: name a file with --output"
            raise Invalid(msg, field="output")

    async def work(store: Store) -> tuple[KeptReport, bytes]:
        async with store.database.transaction() as tx:
            report = await patrol_reports.get_report(tx, store.scope, number)
        papers = _papers(store)
        match form:
            case PaperKind.HTML:
                return report, await papers.page(report)
            case PaperKind.PDF:
                return report, await papers.pdf(report)
            case PaperKind.XLSX:
                return report, await papers.workbook(report)
            case PaperKind.TEXT | PaperKind.JSON:
                return report, b""

    report, paper = with_store(settings, dict(os.environ), work)
    if form is PaperKind.TEXT:
        _print_text(report)
    elif form is PaperKind.JSON:
        print_json(as_row(report))
    elif output is None:
        sys.stdout.buffer.write(paper)
    else:
        output.write_bytes(paper)
        say(f"written to {output}")


def _read_night(walked: int | None, night: str, area: str) -> date | None:
    """The night that was named; None for a round. Raises Invalid."""
    if (walked is None) == (not night) or (bool(night) != bool(area)):
        msg = "say --round, or --night and --area"
        raise Invalid(msg, field="night")
    if not night:
        return None
    try:
        return date.fromisoformat(night)
    except ValueError:
        msg = f"{night} is no date: write it like 2026-11-21"
        raise Invalid(msg, field="night") from None


def _print_text(report: KeptReport) -> None:
    if report.figures is None:
        msg = "this report has no figures"
        raise NotFound(msg)
    zone = find_zone(report.time_zone)
    print_line(
        f"report {report.id}: {report.area_name}, {report.period.value} from "
        f"{day_time(report.starts_at, zone)} to {day_time(report.ends_at, zone)}, made "
        f"{day_time(report.made_at, zone)}, formula version {report.formula}"
    )
    for line in summarise(parse_figures(report.figures)):
        print_line(f"  {line}")
    if report.signed_at is not None:
        print_line(f"  signed by {report.signed_by}, {day_time(report.signed_at, zone)}")


def _maker(store: Store) -> Maker:
    return Maker(
        database=store.database,
        jobs=Jobs(store.database, utc_now),
        papers=_papers(store),
        clock=utc_now,
        zone=local_zone(store.settings),
    )


def _papers(store: Store) -> Papers:
    return Papers.of(store.database, store.settings.data_dir.absolute(), Printer())
