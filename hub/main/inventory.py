"""Devices as rows of a file: read, checked like any single one, and written out again.

Columns: name, protocol, address, area (its code), username, password, options (JSON). Passwords
go in and never come out.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hub.domain.access import Scope
from hub.domain.addresses import parse_address
from hub.domain.devices import Connection, Json
from hub.domain.errors import ConfigError, Conflict, GengfuError, Invalid
from hub.domain.secrets import Credentials, Secret
from hub.main.adapters import parse_connection
from hub.store import areas, connections, notices
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
# A cell that begins with one of these is a formula to a spreadsheet (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the file; ``number`` counts from 1, the header included."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A row that was not taken, and why."""

    line: int
    column: str
    reason: str


def read_lines(file: Path) -> list[Line]:
    """Read a CSV file; raises ConfigError when it is none or lacks a column."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return list(_lines(stream, file))
    except OSError as error:
        msg = f"{file}: {error.strerror}"
        raise ConfigError(msg) from error
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{file} is not a CSV file in UTF-8: {error}"
        raise ConfigError(msg) from None


def _lines(stream: IO[str], file: Path) -> Iterator[Line]:
    reader = csv.DictReader(stream, restkey="", restval="")
    header = [name.strip().lower() for name in reader.fieldnames or ()]
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in REQUIRED + OPTIONAL]
    if missing or unknown:
        said = f"lacks {', '.join(missing)}" if missing else f"has unknown {', '.join(unknown)}"
        msg = f"{file}: the first line {said}; columns are {', '.join(REQUIRED + OPTIONAL)}"
        raise ConfigError(msg)
    reader.fieldnames = header
    for row in reader:
        cells = {key: (value or "").strip() for key, value in row.items() if key}
        yield Line(number=reader.line_num, cells=cells)


async def take_line(
    database: Database, scope: Scope, line: Line, *, is_dry_run: bool
) -> BadLine | None:
    """Add one row as a connection; return why it was not taken.

    A row whose protocol and address are there already is left as it is: repeating an import
    doubles nothing.
    """
    try:
        async with database.transaction() as tx:
            connection = await _connection(tx, scope, line.cells)
            if not is_dry_run:
                number = await connections.add_connection(tx, scope, connection)
                await notices.notify(tx, scope, "connections", [number])
    except Conflict:
        return None
    except Invalid as error:
        return BadLine(line=line.number, column=error.field or "-", reason=str(error))
    except GengfuError as error:
        return BadLine(line=line.number, column=_column(error), reason=str(error))
    return None


async def _connection(tx: Transaction, scope: Scope, cells: Mapping[str, str]) -> Connection:
    for column in REQUIRED:
        if not cells[column]:
            msg = f"{column} is empty"
            raise Invalid(msg, field=column)
    protocol = cells["protocol"].lower()
    if protocol not in SCHEMES:
        msg = f"unknown protocol: use {', '.join(SCHEMES)}"
        raise Invalid(msg, field="protocol")
    address = parse_address(cells["address"], schemes=SCHEMES[protocol])
    area = await areas.find_area(tx, scope, cells["area"])
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


def _column(error: GengfuError) -> str:
    return "area" if "area" in str(error) else "address"


def write_rows(stream: IO[str], rows: list[dict[str, object]]) -> None:
    """Write rows as CSV, with cells that a spreadsheet would run as formulas made harmless."""
    writer = csv.DictWriter(stream, EXPORTED, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: neutralise(str(row[key])) for key in EXPORTED})


def neutralise(cell: str) -> str:
    """Keep a spreadsheet from taking foreign text for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
