"""Tables as files, CSV and XLSX: how they are written, row by row.

Whatever a cell holds is text to whoever opens the file: what a spreadsheet would take for a
formula is quoted on the way out (T34) and taken back on the way in by :func:`take_back`.
:mod:`hub.maintenance.sheet_reader` reads.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import PurePath
from typing import BinaryIO

import xlsxwriter  # type: ignore[import-untyped]  # the library ships no types

from hub.domain.errors import Invalid

# A cell that begins with one of these is a formula to a spreadsheet (OWASP, CSV injection); the
# wide ones to a spreadsheet set to Chinese or Japanese.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Quotes before it count too, or what was quoted could not be told from what has a quote of its own.
_FORMULA = re.compile("'*[" + re.escape("".join(FORMULA_STARTS)) + "]")

# The most a worksheet holds (ECMA-376; Excel's limits).
MOST_XLSX_ROWS = 1_048_576
MOST_XLSX_CHARACTERS = 32_767
# Beyond 15 digits a spreadsheet rounds a number.
MOST_DIGITS = 15
COLUMN_WIDTH = 16
TEXT_FORMAT = 49  # "@" (ECMA-376, 18.8.30)

CSV_MEDIA_TYPE = "text/csv"
XLSX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SheetKind(StrEnum):
    """The kinds of file a table comes in."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """What HTTP calls it."""
        return CSV_MEDIA_TYPE if self is SheetKind.CSV else XLSX_MEDIA_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table of a workbook; ``title`` names the worksheet."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]


def sheet_kind(name: str) -> SheetKind:
    """The kind of file that a name ends in; raises Invalid for another ending."""
    try:
        return SheetKind(PurePath(name).suffix.lower().removeprefix("."))
    except ValueError:
        msg = "the name of the file ends in .csv or .xlsx"
        raise Invalid(msg, field="file") from None


def neutralise(cell: str) -> str:
    """Keep a spreadsheet from taking foreign text for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def take_back(cell: str) -> str:
    """Undo :func:`neutralise`."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def write_sheet(
    stream: BinaryIO,
    kind: SheetKind,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
) -> None:
    """Write a table; ``title`` names the worksheet. The stream stays open.

    Numbers stay numbers, None is an empty cell, times are RFC 3339, everything else is text.
    Rows are taken one by one: a long table need not be in memory.
    """
    if kind is SheetKind.CSV:
        _write_csv(stream, columns, rows)
    else:
        _write_xlsx(stream, columns, rows, title)


def _write_csv(stream: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    # Without the byte order mark a Chinese Excel reads UTF-8 as GBK.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        writer = csv.writer(text)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_csv_cell(value) for value in row])
    finally:
        text.flush()
        text.detach()


def _csv_cell(value: object) -> str | int | float:
    cell = _cell(value)
    return neutralise(cell) if isinstance(cell, str) else cell


def _write_xlsx(
    stream: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[object]], title: str
) -> None:
    write_workbook(stream, [Sheet(title=title, columns=columns, rows=rows)])


def write_workbook(stream: BinaryIO, sheets: Iterable[Sheet]) -> None:
    """Write tables as the worksheets of one XLSX; cells are as in :func:`write_sheet`."""
    book = xlsxwriter.Workbook(stream, {"constant_memory": True})
    # A column of text keeps the number of 20 digits that somebody types into it.
    text = book.add_format({"num_format": TEXT_FORMAT})
    number_format = book.add_format({"num_format": "General"})
    head = book.add_format({"bold": True, "num_format": TEXT_FORMAT})
    for one in sheets:
        title = re.sub(r"[\[\]:*?/\\]", " ", one.title)[:31].strip(" '")
        sheet = book.add_worksheet(title or None)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(0, len(one.columns) - 1), COLUMN_WIDTH, text)
        for place, name in enumerate(one.columns):
            sheet.write_string(0, place, name, head)
        for number, row in enumerate(one.rows, start=1):
            if number >= MOST_XLSX_ROWS:
                msg = f"a worksheet holds at most {MOST_XLSX_ROWS:,} rows: export CSV"
                raise Invalid(msg, field="format")
            for place, value in enumerate(row):
                cell = _cell(value)
                if isinstance(cell, int | float):
                    sheet.write_number(number, place, cell, number_format)
                elif cell:
                    sheet.write_string(number, place, neutralise(cell), text)
    book.close()


def _cell(value: object) -> str | int | float:
    """A number that a spreadsheet keeps exactly, or text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() if abs(value) < 10**MOST_DIGITS:
            return int(value)
        case float() | Decimal() if math.isfinite(value):
            return float(value)
        case date():
            return _moment(value)
        case _:
            return str(value)[:MOST_XLSX_CHARACTERS]


def _moment(value: date) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat()
