"""What the commands of `gengfu report` are asked with, and how their answers leave."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from hub.domain.devices import DeviceKind
from hub.domain.errors import Invalid
from hub.main.console import print_json, print_rows, say
from hub.maintenance.months import month_bounds
from hub.maintenance.report_tables import ReportTable
from hub.runtime.sheets import SheetKind, write_sheet
from hub.runtime.zones import zone_name
from hub.store.ledger_rows import GroupBy

DEFAULT_DAYS = 30


class ReportFormat(StrEnum):
    """What a report comes as."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


ByOption = Annotated[GroupBy, typer.Option(help="What devices are put together by.")]
AreaOption = Annotated[str, typer.Option(help="Code of an area; below it too.")]
KindOption = Annotated[str, typer.Option(help="Kind of device; 'all' for every kind.")]
MonthOption = Annotated[str, typer.Option(help="A whole month, like 2026-10.")]
DaysOption = Annotated[
    int | None,
    typer.Option(min=1, max=400, help="How many days back; 30 when no time is said."),
]
SinceOption = Annotated[str, typer.Option(help="From then on: 2026-10-01 or 2026-10-01T06:00.")]
UntilOption = Annotated[str, typer.Option(help="Until then; now when not said.")]
FormatOption = Annotated[ReportFormat, typer.Option("--format", help="For people, or for files.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", help="File to write; standard output when not said.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time a report was asked for, in one of three ways."""

    month: str = ""
    days: int | None = None
    since: str = ""
    until: str = ""

    def bounds(self, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
        """When it begins and ends; times without an offset are in ``zone``.

        Raises:
            Invalid: two ways are mixed, or something is no time.
        """
        ways = [bool(self.month), self.days is not None, bool(self.since or self.until)]
        if sum(ways) > 1:
            msg = "say one of --month, --days, and --since with --until"
            raise Invalid(msg, field="since")
        if self.month:
            return month_bounds(self.month, zone)
        until = read_time(self.until, zone) if self.until else now
        if self.since:
            return read_time(self.since, zone), until
        return until - timedelta(days=self.days or DEFAULT_DAYS), until


def read_time(text: str, zone: tzinfo) -> datetime:
    """A date or time that somebody typed; raises Invalid."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        msg = f"{text} is no time: write it like 2026-10-01 or 2026-10-01T06:00"
        raise Invalid(msg, field="since") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def read_kind(text: str) -> str:
    """A kind of device, "" for all; raises Invalid."""
    if text == "all":
        return ""
    if text not in set(DeviceKind):
        msg = f"there is no kind {text}: say all or one of {', '.join(DeviceKind)}"
        raise Invalid(msg, field="kind")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A report in the forms it may leave in; ``notes`` stand below a table."""

    document: object
    table: ReportTable
    columns: Sequence[str]
    rows: Sequence[Mapping[str, object]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which devices and which time, as somebody typed it."""

    area: str
    kind: str
    span: Span


def hand_out(answer: Answer, form: ReportFormat, output: Path | None) -> None:
    """Print a report or write it to a file."""
    if form in {ReportFormat.TABLE, ReportFormat.JSON}:
        with _text(output):
            if form is ReportFormat.JSON:
                print_json(answer.document)
            else:
                print_rows(
                    answer.rows, as_json=False, columns=answer.columns, empty="no device yet"
                )
    else:
        if output is None and form is ReportFormat.XLSX and sys.stdout.isatty():
            msg = "a workbook is no text: name a file with --output"
            raise Invalid(msg, field="output")
        with _binary(output) as stream:
            table = answer.table
            write_sheet(stream, SheetKind(form), table.columns, table.rows, title=table.title)
    if form is ReportFormat.TABLE:
        for note in answer.notes:
            say(note)
    if output is not None:
        say(f"written to {output}")


def percent(value: float | None, digits: int = 2) -> str:
    """A rate for people: never rounded up to 100 % while something is missing."""
    if value is None:
        return "-"
    scale = 10 ** (digits + 2)
    whole = int(value * scale + 0.5)
    if whole >= scale and value < 1:
        whole = scale - 1
    return f"{whole / 10**digits:.{digits}f}%"


def duration(seconds: float | None) -> str:
    """A time span for people: "3 d 4 h", "2 h 05 min", "40 s"."""
    if seconds is None:
        return "-"
    rounded = round(seconds)
    minutes, hours, days = rounded // 60, rounded // 3600, rounded // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{minutes} min" if minutes else f"{rounded} s"


def span_note(since: datetime, until: datetime, zone: tzinfo) -> str:
    """Which time a report is of, as people there read it."""
    begin, end = since.astimezone(zone), until.astimezone(zone)
    return f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, {zone_name(zone, since)}"


@contextmanager
def _text(output: Path | None) -> Iterator[None]:
    if output is None:
        yield
        return
    with output.open("w", encoding="utf-8") as file, redirect_stdout(file):
        yield


@contextmanager
def _binary(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with output.open("wb") as file:
        yield file
