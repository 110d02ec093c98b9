"""Where the county of :mod:`tests.benchmarks.console_county` lies: positions and outlines.

Twenty townships in five columns, each of up to twenty-five villages; every thirtieth device has no
position. One township (330402013) is so dense that thousands of its devices are in one view.
"""

import json
from itertools import pairwise
from math import sin

from hub.domain.access import Role
from hub.maintenance.outline_files import import_outlines, prepare, read_outlines
from hub.store.database import Database
from tests.benchmarks.console_county import SCOPE, County, build_county
from tests.web.stage import add_person

ADMIN = "county-admin"
DENSE = "330402013"
WEST, SOUTH = 120.55, 30.50
TOWN_DEGREES = (0.10, 0.09)
VILLAGE_DEGREES = (0.02, 0.018)
DENSE_DEGREES = 0.02

# The corner of each village, and a place of each device in it: spread like houses along roads.
_POSITIONS = """
CREATE TEMP TABLE corner ON COMMIT DROP AS
SELECT id, town = 12 AS is_dense,
       120.55 + town % 5 * 0.10 AS west, 30.50 + town / 5 * 0.09 AS south,
       place % 5 AS across, place / 5 AS down
FROM (SELECT id, substr(code, 7, 3)::int - 1 AS town,
             CASE nlevel(path) WHEN 3 THEN (substr(code, 10, 3)::int - 1) / 20 ELSE 12 END AS place
      FROM areas WHERE nlevel(path) > 1) a;
INSERT INTO asset_records (device_id, longitude, latitude)
SELECT d.id,
       c.west + CASE WHEN c.is_dense THEN 0.04 + c.across * 0.004 + (d.id * 7919 % 997) / 250000.0
                     WHEN d.id % 3 = 0 THEN c.across * 0.02 + (d.id * 7919 % 997) / 49850.0
                     ELSE c.across * 0.02 + 0.01 + sin(d.id) * 0.004 END,
       c.south + CASE WHEN c.is_dense THEN 0.04 + c.down * 0.004 + (d.id * 104729 % 991) / 250000.0
                      WHEN d.id % 3 = 1 THEN c.down * 0.018 + (d.id * 104729 % 991) / 55000.0
                      ELSE c.down * 0.018 + 0.009 + cos(d.id) * 0.004 END
FROM devices d JOIN corner c ON c.id = d.area_id WHERE d.id % 30 <> 5;
"""


async def build_map_county(database: Database) -> County:
    """Fill an empty, migrated database, with an administrator of the county."""
    county = await build_county(database)
    async with database.transaction() as tx:
        await tx.connection.execute(_POSITIONS.encode())
        await add_person(tx, ADMIN, Role.ADMIN, county.root)
        codes = [str(code) for (code,) in await tx.tuples("SELECT code FROM areas")]
        file = read_outlines(build_outlines(codes), "code")
        await import_outlines(tx, SCOPE, file, prepare(file), is_dry_run=False)
    async with database.pool.connection() as connection:
        await connection.set_autocommit(True)
        await connection.execute("VACUUM ANALYZE")
        await connection.set_autocommit(False)
    return county


def build_outlines(codes: list[str]) -> bytes:
    """A GeoJSON file with a rectangle of many corners for each area."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": code},
            "geometry": {"type": "Polygon", "coordinates": [_outline(code)]},
        }
        for code in codes
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def _outline(code: str) -> list[tuple[float, float]]:
    town = int(code[6:9]) - 1 if len(code) > 6 else 0
    west, south = WEST + town % 5 * TOWN_DEGREES[0], SOUTH + town // 5 * TOWN_DEGREES[1]
    width, height = TOWN_DEGREES
    if len(code) <= 6:
        west, south, width, height = WEST, SOUTH, 5 * TOWN_DEGREES[0], 4 * TOWN_DEGREES[1]
    elif len(code) > 9:
        place = (int(code[9:12]) - 1) // 20
        width, height = VILLAGE_DEGREES
        west, south = west + place % 5 * width, south + place // 5 * height
    return _ring(west, south, west + width, south + height)


def _ring(west: float, south: float, east: float, north: float) -> list[tuple[float, float]]:
    """Along a border that bends a little, the same from both sides."""
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    steps = 40
    ring = []
    for (ax, ay), (bx, by) in pairwise(corners):
        for n in range(steps):
            x, y = ax + (bx - ax) * n / steps, ay + (by - ay) * n / steps
            ring.append(_bend(x, y))
    return [*ring, ring[0]]


def _bend(x: float, y: float) -> tuple[float, float]:
    wave = 0.0009
    return (
        round(x + wave * sin(y * 310), 6),
        round(y + wave * sin(x * 270), 6),
    )
