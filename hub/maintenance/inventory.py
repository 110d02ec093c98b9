"""Imports device files: good rows in, every bad one named, repeatable without doubling.

A file is read and checked in a thread; then batches of rows are compared with what is there and
written, each in a transaction of its own. Whatever ends an import in the middle, the same file
completes it.
"""

import asyncio

from hub.domain.access import Scope
from hub.maintenance.inventory_changes import Surroundings
from hub.maintenance.inventory_columns import DEVICE_COLUMNS
from hub.maintenance.inventory_devices import DeviceImport, ImportOptions, ReadRows
from hub.maintenance.inventory_rows import DeviceRow, ParseOptions, RowReader
from hub.maintenance.inventory_table import BadLine, Outcome, Source, open_table
from hub.store import areas, audit
from hub.store.database import Database

# A file of rows with a code alone fills records of devices that are there.
REQUIRED = ("name", "protocol", "address", "area")
UNLESS = "code"


async def import_devices(
    database: Database,
    scope: Scope,
    source: Source,
    parse_options: ParseOptions,
    options: ImportOptions | None = None,
) -> Outcome:
    """Import a device file on behalf of somebody: his areas alone are touched.

    Raises:
        Invalid: the file cannot be read as a whole; nothing of it is in.
        StoreUnavailable: the database is away; the batches before are in, a repeat goes on.
    """
    read = await asyncio.to_thread(_read_rows, source, parse_options)
    async with database.transaction() as tx:
        found = {area.code: area for area in await areas.list_areas(tx, scope)}
    around = Surroundings(areas=found, parse_options=parse_options)
    work = DeviceImport(
        database=database,
        scope=scope,
        options=options or ImportOptions(),
        around=around,
        read=read,
        file=source.name,
    )
    outcome = await work.run()
    if not outcome.is_dry_run:
        await _record(database, scope, source.name, outcome)
    return outcome


def _read_rows(source: Source, parse_options: ParseOptions) -> ReadRows:
    table = open_table(source, DEVICE_COLUMNS, REQUIRED, unless=UNLESS)
    reader = RowReader(table, parse_options)
    rows: list[DeviceRow] = []
    bad: list[BadLine] = []
    count = 0
    for count, line in enumerate(table.lines, start=1):  # noqa: B007 - the last one is the count
        row = reader.read(line)
        if isinstance(row, DeviceRow):
            rows.append(row)
        else:
            bad += row
    return ReadRows(table=table, rows=rows, bad=bad, count=count)


async def _record(database: Database, scope: Scope, file: str, outcome: Outcome) -> None:
    detail = {
        "import": file,
        "rows": outcome.rows,
        "new": outcome.new,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "refused": outcome.refused_rows,
    }
    async with database.transaction() as tx:
        deed = audit.Deed(action="inventory.imported", object_type="device")
        await audit.record(tx, scope, deed, detail)
