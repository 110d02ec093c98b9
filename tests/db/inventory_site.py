"""Inventory files for tests, and what is in the database after them."""

import io
from collections.abc import Sequence
from datetime import date

from hub.domain.access import Scope
from hub.main.adapters import parse_connection
from hub.maintenance.inventory import import_devices
from hub.maintenance.inventory_devices import ImportOptions
from hub.maintenance.inventory_exports import export_devices
from hub.maintenance.inventory_table import Outcome, Source
from hub.maintenance.sheet_reader import read_sheet
from hub.runtime.sheets import SheetKind, take_back, write_sheet
from hub.store.database import Database
from tests.db.conftest import SYSTEM

SMALL_BATCHES = ImportOptions(batch_rows=3)
EAST, WEST = "330402001", "330402002"
HEADER = (
    "name", "protocol", "address", "area", "device", "username", "password", "options", "kind",
    "code", "team", "place", "parent", "longitude", "latitude", "room", "direction", "notes",
    "installed_on", "registration",
)  # fmt: skip


def row(**cells: object) -> list[object]:
    """A camera of the eastern village, with other cells."""
    given = {"name": "东门", "protocol": "rtsp", "area": EAST, **cells}
    assert not given.keys() - set(HEADER)
    return [given.get(name, "") for name in HEADER]


def file_of(*rows: Sequence[object], kind: SheetKind = SheetKind.CSV) -> Source:
    file = io.BytesIO()
    write_sheet(file, kind, HEADER, rows)
    return Source(stream=file, kind=kind, name="cameras")


async def take(
    database: Database,
    source: Source,
    scope: Scope = SYSTEM,
    options: ImportOptions = SMALL_BATCHES,
) -> Outcome:
    """Import in batches that even a small file needs several of."""
    return await import_devices(database, scope, source, parse_connection, options)


def area_file(*rows: Sequence[object], kind: SheetKind = SheetKind.CSV) -> Source:
    """A file of areas."""
    file = io.BytesIO()
    write_sheet(file, kind, ("code", "name", "parent"), rows)
    return Source(stream=file, kind=kind, name="areas")


def refusals(outcome: Outcome) -> list[tuple[int, str, str]]:
    return [(bad.line, bad.column, bad.reason) for bad in outcome.refused]


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.new, outcome.changed, outcome.unchanged, outcome.refused_rows


async def totals(database: Database) -> dict[str, int]:
    """How many rows each table has, and the sum of what they hold."""
    async with database.transaction() as tx:
        found = await tx.tuples(
            "SELECT 'connections', count(*) FROM connections UNION ALL"
            " SELECT 'devices', count(*) FROM devices UNION ALL"
            " SELECT 'statuses', count(*) FROM device_status UNION ALL"
            " SELECT 'records', count(*) FROM asset_records UNION ALL"
            " SELECT 'areas', count(*) FROM areas UNION ALL"
            " SELECT 'deeds', count(*) FROM audit"
        )
    return {str(name): int(str(count)) for name, count in found}


async def written(database: Database, scope: Scope = SYSTEM) -> list[dict[str, str]]:
    """The export as mappings, by name of the device."""
    file = io.BytesIO()
    await export_devices(database, scope, file, SheetKind.CSV)
    first, *rest = list(read_sheet(file, SheetKind.CSV))
    lines = [dict(zip(first.cells, map(take_back, one.cells), strict=True)) for one in rest]
    return sorted(lines, key=lambda line: line["name"])


FULL = row(
    address="rtsp://admin:pw-1@10.1.0.1/live", code="33040200001320000001", team="甲队",
    place="解放路1号", longitude=120.7555, latitude=30.7466, room="室外", direction=5,
    notes="first\nsecond", installed_on=date(2023, 5, 17),
)  # fmt: skip
