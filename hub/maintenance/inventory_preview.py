"""A device file as rows of cells, to be looked at and corrected before it is imported."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from hub.maintenance.inventory_columns import DEVICE_COLUMNS, Part
from hub.maintenance.inventory_table import Source, known_headings
from hub.maintenance.sheet_reader import csv_encoding, read_sheet
from hub.runtime.sheets import SheetKind, take_back

# More nobody corrects by hand; a larger file is imported as it is.
MOST_ROWS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A column of the file; ``name`` is our own for it, empty when it is not known."""

    text: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownColumn:
    """A column that an import understands. ``is_shown`` ones are read past: exports have them."""

    name: str
    chinese: str
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """A row and the line of the file it begins on."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A file as it stands. ``total`` counts all rows, of which the first are here."""

    headings: Sequence[Heading]
    rows: Sequence[PreviewRow]
    total: int
    encoding: str
    known: Sequence[KnownColumn]


async def preview_devices(source: Source) -> Preview:
    """Read a file without taking anything of it.

    Raises:
        Invalid: it cannot be read.
    """
    return await asyncio.to_thread(_read, source)


def _read(source: Source) -> Preview:
    encoding = csv_encoding(source.stream) if source.kind is SheetKind.CSV else ""
    names = known_headings(DEVICE_COLUMNS)
    headings: list[Heading] = []
    rows: list[PreviewRow] = []
    total = 0
    with closing(read_sheet(source.stream, source.kind)) as lines:
        for row in lines:
            if not headings:
                texts = [take_back(cell.strip()) for cell in row.cells]
                while texts and not texts[-1]:
                    texts.pop()
                headings = [Heading(text=text, name=names.find(text)) for text in texts]
                continue
            total += 1
            if total <= MOST_ROWS:
                rows.append(PreviewRow(line=row.number, cells=row.cells))
    return Preview(
        headings=headings,
        rows=rows,
        total=total,
        encoding=encoding,
        known=[
            KnownColumn(
                name=column.name, chinese=column.chinese[0], is_shown=column.part is Part.SHOWN
            )
            for column in DEVICE_COLUMNS
        ],
    )
