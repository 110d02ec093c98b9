"""Writes inventory files: what an import takes but passwords, and how each device is now.

Devices are read a page at a time while the file is written in a thread: the whole inventory is
never in memory, and nobody waits for it.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from hub.domain.access import Scope
from hub.maintenance.inventory_columns import AREA_COLUMNS, Column
from hub.maintenance.inventory_columns import DEVICE_COLUMNS as IMPORTED
from hub.maintenance.inventory_rows import DEVICE_KEYS
from hub.runtime.sheets import SheetKind, write_sheet
from hub.store.database import Database
from hub.store.exports import DEVICE_COLUMNS, PAGE_ROWS, list_area_rows, page_devices

_PLACE = {name: place for place, name in enumerate(DEVICE_COLUMNS)}
_CHINESE: Mapping[str, str] = {column.name: column.chinese[0] for column in IMPORTED}


async def export_devices(
    database: Database,
    scope: Scope,
    stream: BinaryIO,
    kind: SheetKind,
    *,
    is_chinese: bool = False,
) -> int:
    """Write every device of the scope with its asset record; return how many there were."""
    pages = _Pages(database, scope)
    columns = [_CHINESE[name] if is_chinese else name for name in DEVICE_COLUMNS]
    title = "设备" if is_chinese else "devices"
    await asyncio.to_thread(write_sheet, stream, kind, columns, pages.rows(), title=title)
    return pages.count


async def export_areas(
    database: Database,
    scope: Scope,
    stream: BinaryIO,
    kind: SheetKind,
    *,
    is_chinese: bool = False,
) -> int:
    """Write the areas of the scope, parents before children; return how many there were."""
    async with database.transaction() as tx:
        rows = await list_area_rows(tx, scope)
    columns = [_heading(column, is_chinese=is_chinese) for column in AREA_COLUMNS]
    title = "区域" if is_chinese else "areas"
    await asyncio.to_thread(write_sheet, stream, kind, columns, rows, title=title)
    return len(rows)


class _Pages:
    """The devices as rows, for a thread to take while the event loop reads on."""

    def __init__(self, database: Database, scope: Scope) -> None:
        self._database = database
        self._scope = scope
        self._loop = asyncio.get_running_loop()
        self.count = 0

    def rows(self) -> Iterator[Sequence[object]]:
        """Yield the rows; called in the thread."""
        after = 0
        while True:
            page = asyncio.run_coroutine_threadsafe(self._read(after), self._loop).result()
            for number, *cells in page:
                after = int(str(number))
                self.count += 1
                yield _shown(cells)
            if len(page) < PAGE_ROWS:
                return

    async def _read(self, after: int) -> list[tuple[object, ...]]:
        async with self._database.transaction() as tx:
            return await page_devices(tx, self._scope, after=after)


def _shown(cells: list[object]) -> list[object]:
    if cells[_PLACE["device"]] == DEVICE_KEYS.get(str(cells[_PLACE["protocol"]])):
        cells[_PLACE["device"]] = ""
    options = cells[_PLACE["options"]]
    cells[_PLACE["options"]] = json.dumps(options, ensure_ascii=False) if options else ""
    return cells


def _heading(column: Column, *, is_chinese: bool) -> str:
    return column.chinese[0] if is_chinese else column.name
