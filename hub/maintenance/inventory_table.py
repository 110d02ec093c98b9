"""An inventory file as lines of known columns, and what is said of a line that is not taken."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from hub.domain.errors import Invalid
from hub.maintenance.inventory_columns import Column
from hub.maintenance.sheet_reader import csv_encoding, read_sheet
from hub.runtime.sheets import SheetKind, take_back

# Taken as it stands: no export ever wrote one.
VERBATIM = "password"
SURPLUS = "more cells than columns: put a cell that holds a comma between double quotes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to import. ``name`` is for people; ``stream`` is seekable."""

    stream: BinaryIO
    kind: SheetKind
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row; ``cells`` holds those that are filled, by the column's English name."""

    number: int
    cells: Mapping[str, str]
    has_surplus: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """Why a row was not taken. ``column`` is the heading in the file, "-" for the whole row."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The lines of a file; ``headings`` are the file's own, by the column's English name.

    ``lines`` are read as they are asked for and may raise Invalid.
    """

    headings: Mapping[str, str]
    lines: Iterator[Line]
    encoding: str = ""

    def bad_line(self, number: int, column: str, reason: str) -> BadLine:
        """Say what is wrong in the words of the file."""
        return BadLine(line=number, column=self.headings.get(column, column), reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an import did, or would do. ``rows`` counts all rows that are not empty."""

    rows: int
    new: int
    changed: int
    unchanged: int
    refused: tuple[BadLine, ...]
    encoding: str = ""
    is_dry_run: bool = False

    @property
    def refused_rows(self) -> int:
        """How many rows were not taken; one may have several faults."""
        return len({bad.line for bad in self.refused})


def open_table(
    source: Source, columns: Sequence[Column], required: Sequence[str], *, unless: str = ""
) -> Table:
    """Read the header of a file; with the column ``unless`` no other is required.

    Raises:
        Invalid: it is no such file, lacks a required column, or has one twice or one not known.
    """
    encoding = csv_encoding(source.stream) if source.kind is SheetKind.CSV else ""
    rows = read_sheet(source.stream, source.kind)
    first = next(rows, None)
    header = [] if first is None else [take_back(cell.strip()) for cell in first.cells]
    while header and not header[-1]:  # spreadsheets end lines with empty columns
        header.pop()
    known = known_headings(columns)
    names = [known.find(cell) for cell in header]
    trouble = _header_trouble(header, names, () if unless in names else required)
    if trouble:
        rows.close()
        listed = ",".join(column.name for column in columns)
        msg = f"{trouble} in its first line, which names columns of these: {listed}"
        raise Invalid(msg, field="file")
    lines = (_line(names, row.number, row.cells) for row in rows)
    return Table(headings=dict(zip(names, header, strict=True)), lines=lines, encoding=encoding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headings:
    """Which column a heading names, in English or Chinese, whatever its letters' width."""

    by_text: Mapping[str, str]

    def find(self, text: str) -> str:
        """The English name of the column, empty when it is not known."""
        return self.by_text.get(_folded(text), "")


def known_headings(columns: Sequence[Column]) -> Headings:
    """The headings by which these columns go."""
    return Headings(
        by_text={_folded(name): column.name for column in columns for name in _names(column)}
    )


def _line(names: Sequence[str], number: int, row: Sequence[str]) -> Line:
    cells = {}
    for name, cell in zip(names, row, strict=False):
        if name == VERBATIM:
            if cell:
                cells[name] = cell
        elif text := cell.strip():
            cells[name] = take_back(text)
    return Line(number=number, cells=cells, has_surplus=any(map(str.strip, row[len(names) :])))


def _names(column: Column) -> tuple[str, ...]:
    return (column.name, *column.chinese)


def _folded(heading: str) -> str:
    return unicodedata.normalize("NFKC", heading).strip().casefold()


def _header_trouble(header: Sequence[str], names: Sequence[str], required: Sequence[str]) -> str:
    missing = [name for name in required if name not in names]
    unknown = [cell or "(empty)" for cell, name in zip(header, names, strict=True) if not name]
    double = sorted({name for name in names if name and names.count(name) > 1})
    if missing and len(missing) == len(required):  # other separators, or another file
        return f"lacks {', '.join(missing)}"
    if unknown:
        return f"has a column that is not known: {', '.join(unknown)}"
    if missing:
        return f"lacks {', '.join(missing)}"
    return f"has {', '.join(double)} twice" if double else ""
