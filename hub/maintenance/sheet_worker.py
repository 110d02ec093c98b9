"""The program that opens workbooks: with little memory, no network, no secrets.

Run as a script by :mod:`hub.maintenance.sheet_reader`: a workbook of a few bytes can ask for
hundreds of gigabytes (a cell far down and far right), and the library then ends its process.
Reads the workbook from stdin; writes one JSON value a line: [line, [cell, …]] for each row,
then "done", or a sentence that says why not.
"""

import json
import resource
import sys
from datetime import date, datetime, time, timedelta

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

Cell = int | float | str | bool | time | date | datetime | timedelta

# A spreadsheet's numbers are doubles: 15 digits are certain.
EXACT = 10**15


def main() -> None:
    """Open the workbook on stdin and print its first visible sheet."""
    limits = json.loads(sys.argv[1])
    memory, seconds = int(limits["memory_bytes"]), int(limits["processor_s"])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with CalamineWorkbook.from_filelike(sys.stdin.buffer) as book:
            sheet = _first_sheet(book)
            said = "has no visible sheet" if sheet is None else _print_rows(sheet, limits)
    except PasswordError:
        said = "is protected by a password: save it without one"
    except CalamineError:
        said = "is a workbook that cannot be read: it is damaged"
    _say(said)


def _first_sheet(book: CalamineWorkbook) -> CalamineSheet | None:
    for sheet in book.sheets_metadata:
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
            return book.get_sheet_by_name(sheet.name)
    return None


def _print_rows(sheet: CalamineSheet, limits: dict[str, int]) -> str:
    if sheet.width > limits["columns"]:
        return f"has more than {limits['columns']} columns"
    count = 0
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        texts = [_text(cell) for cell in cells]
        if any(texts):
            _say([number, texts])
            count += 1
            # The reader says so; here only nothing more is done for it.
            if count > limits["rows"]:
                break
    return "done"


def _text(cell: Cell) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < EXACT:
            return str(int(cell))
        case float():
            return f"{cell:.15g}"
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")


if __name__ == "__main__":
    main()
