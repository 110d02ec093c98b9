"""Devices as rows of a file: read, checked like any single one, and written out again.

Columns: name, protocol, address, area (its code), username, password, options (JSON). What an
export writes beside them is what devices say of themselves: an import takes no notice of it.
Passwords go in and never come out.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO

from hub.domain.access import Scope
from hub.domain.addresses import parse_address
from hub.domain.devices import Connection, Json
from hub.domain.errors import (
    AddressRefused,
    ConfigError,
    Conflict,
    Invalid,
    NotFound,
    RequestError,
)
from hub.domain.secrets import Credentials, Secret
from hub.main.adapters import parse_connection
from hub.main.storage import find_place
from hub.store import audit, connections, notices
from hub.store.database import Database, Transaction

REQUIRED = ("name", "protocol", "address", "area")
OPTIONAL = ("username", "password", "options")
SCHEMES = {
    "onvif": ("http", "https"),
    "rtsp": ("rtsp", "rtsps"),
    "mqtt": ("mqtt", "mqtts"),
}
EXPORTED = (
    "name", "protocol", "address", "area", "username", "kind", "manufacturer", "model", "serial",
    "firmware", "registration", "status",
)  # fmt: skip
# A cell that begins with one of these is a formula to a spreadsheet (OWASP, CSV injection); the
# wide ones to a spreadsheet set to Chinese or Japanese.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# The limits of the API's own form, so that a file is no way round them.
MOST_CHARACTERS = {"name": 128, "username": 128, "password": 256}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the file; ``number`` is the line it begins on, as an editor counts."""

    number: int
    cells: Mapping[str, str]
    has_surplus: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A row that was not taken, and why."""

    line: int
    column: str
    reason: str


class Taken(Enum):
    """What became of a good row."""

    NEW = "new"
    KNOWN = "known"  # its protocol and address are there already: left as it is


Result = Taken | BadLine


class _DryRun(Exception):
    """Rolls the transaction back."""


def read_lines(file: Path) -> list[Line]:
    """Read a CSV file; raises ConfigError when it is none or lacks a column."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return list(_lines(stream, file))
    except OSError as error:
        msg = f"{file}: {error.strerror}"
        raise ConfigError(msg) from error
    except UnicodeDecodeError:
        msg = f"{file} is not in UTF-8: save it in the spreadsheet as 'CSV UTF-8'"
        raise ConfigError(msg) from None
    except csv.Error as error:
        msg = f"{file} is no CSV file: {error}"
        raise ConfigError(msg) from None


def _lines(stream: IO[str], file: Path) -> Iterator[Line]:
    reader = csv.reader(stream)
    # Spreadsheets end lines with empty columns.
    header = ",".join(name.strip().lower() for name in next(reader, [])).rstrip(",").split(",")
    trouble = _header_trouble(header)
    if trouble is not None:
        columns = ",".join(REQUIRED + OPTIONAL)
        msg = f"{file}: the first line {trouble}; it names the columns: {columns}"
        raise ConfigError(msg)
    before = reader.line_num
    for row in reader:
        number, before = before + 1, reader.line_num
        if any(cell.strip() for cell in row):
            filled = row + [""] * (len(header) - len(row))
            cells = {
                key: cell if key == "password" else _plain(cell.strip())
                for key, cell in zip(header, filled, strict=False)
            }
            surplus = any(cell.strip() for cell in row[len(header) :])
            yield Line(number=number, cells=cells, has_surplus=surplus)


def _header_trouble(header: list[str]) -> str | None:
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name or "(empty)" for name in header if name not in REQUIRED + OPTIONAL + EXPORTED]
    double = sorted({name for name in header if header.count(name) > 1})
    if missing:
        return f"lacks {', '.join(missing)}"
    if unknown:
        return f"has a column that is not known: {', '.join(unknown)}"
    return f"has {', '.join(double)} twice" if double else None


def _plain(cell: str) -> str:
    """Take back what :func:`neutralise` did."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA_STARTS) else cell


async def take_line(database: Database, scope: Scope, line: Line, *, is_dry_run: bool) -> Result:
    """Add one row as a connection, each in its own transaction.

    A row whose protocol and address are there already is left as it is: repeating an import
    doubles nothing.

    Raises:
        StoreUnavailable: the database is away; the rows before this one are in.
    """
    try:
        async with database.transaction() as tx:
            await _add(tx, scope, await _connection(tx, scope, line), is_dry_run=is_dry_run)
    except _DryRun:
        return Taken.NEW
    except Conflict:
        return Taken.KNOWN
    except (RequestError, AddressRefused) as error:
        return BadLine(line=line.number, column=_column(error), reason=str(error))
    return Taken.NEW


async def _add(tx: Transaction, scope: Scope, link: Connection, *, is_dry_run: bool) -> None:
    number = await connections.add_connection(tx, scope, link)
    deed = audit.Deed(
        action="connection.added",
        object_type="connection",
        object_id=str(number),
        area_id=link.area_id,
    )
    detail = {"protocol": link.protocol, "name": link.name, "address": link.address}
    await audit.record(tx, scope, deed, detail)
    await notices.notify(tx, scope, "connections", [number])
    if is_dry_run:
        raise _DryRun


async def _connection(tx: Transaction, scope: Scope, line: Line) -> Connection:
    cells = line.cells
    _refuse_bad_cells(line)
    protocol = cells["protocol"].lower()
    if protocol not in SCHEMES:
        msg = f"unknown protocol: use {', '.join(SCHEMES)}"
        raise Invalid(msg, field="protocol")
    address = parse_address(cells["address"], schemes=SCHEMES[protocol])
    area = await find_place(tx, scope, cells["area"])
    return Connection(
        id=0,
        protocol=protocol,
        name=cells["name"],
        address=address.text,
        area_id=area.id,
        credentials=Credentials(
            username=cells.get("username", "") or address.username,
            password=Secret(cells.get("password", "") or address.password),
        ),
        options=parse_connection({"protocol": protocol, **_options(cells.get("options", ""))}),
    )


def _options(text: str) -> dict[str, Json]:
    if not text:
        return {}
    try:
        options = json.loads(text)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        msg = 'options must be a JSON object, like {"events": false}'
        raise Invalid(msg, field="options")
    return options


def _refuse_bad_cells(line: Line) -> None:
    if line.has_surplus:
        msg = "more cells than columns: put a cell that holds a comma between double quotes"
        raise Invalid(msg, field="-")
    for column in REQUIRED:
        if not line.cells[column]:
            msg = f"{column} is empty"
            raise Invalid(msg, field=column)
    for column, most in MOST_CHARACTERS.items():
        cell = line.cells.get(column, "")
        if len(cell) > most or any(c < " " or c == "\x7f" for c in cell):
            msg = (
                f"{column} has at most {most} characters, and no line breaks or control characters"
            )
            raise Invalid(msg, field=column)


def _column(error: RequestError | AddressRefused) -> str:
    match error:
        case Invalid():
            return error.field.partition(".")[0] or "-"
        case NotFound():
            return "area"
        case _:
            return "address"


def write_rows(stream: IO[str], rows: list[dict[str, object]]) -> None:
    """Write rows as CSV, with cells that a spreadsheet would run as formulas made harmless."""
    writer = csv.DictWriter(stream, EXPORTED, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: neutralise(str(row[key])) for key in EXPORTED})


def neutralise(cell: str) -> str:
    """Keep a spreadsheet from taking foreign text for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
