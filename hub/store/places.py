"""Where a place lies, told by the devices whose coordinates are on record."""

from dataclasses import dataclass
from typing import Final, LiteralString

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# A place farther than this from every device of the scope is none of the county's.
FARTHEST_KM: Final = 30.0
# Great-circle distance, as in hub/domain/places.py.
_KM: Final[LiteralString] = (
    " 2 * 6371.0 * asin(least(1.0, sqrt(power(sin(radians(c.latitude - %(latitude)s) / 2), 2)"
    " + cos(radians(%(latitude)s)) * cos(radians(c.latitude))"
    " * power(sin(radians(c.longitude - %(longitude)s) / 2), 2)))) "
)
# Devices with coordinates on record, within the scope.
_DEVICES: Final[LiteralString] = (
    " FROM asset_records c JOIN devices d ON d.id = c.device_id JOIN areas a ON a.id = d.area_id"
    " WHERE c.latitude IS NOT NULL AND d.registration = 'approved' AND" + IN_SCOPE
)
_KM_A_DEGREE: Final = 111.0  # of latitude, a little less than it is


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestDevice:
    """The device of a scope nearest to a place, and the area it is in."""

    device_id: int
    area_id: int
    km: float


async def find_nearest(
    tx: Transaction, scope: Scope, longitude: float, latitude: float
) -> NearestDevice | None:
    """The nearest approved device of the scope within FARTHEST_KM; None without any there."""
    return await tx.fetch_one(
        NearestDevice,
        "SELECT d.id AS device_id, d.area_id,"
        + _KM
        + "AS km"
        + _DEVICES
        + "AND c.latitude BETWEEN %(latitude)s - %(reach)s AND %(latitude)s + %(reach)s"
        " AND" + _KM + "<= %(farthest)s ORDER BY km LIMIT 1",
        {
            "longitude": longitude,
            "latitude": latitude,
            "reach": FARTHEST_KM / _KM_A_DEGREE,
            "farthest": FARTHEST_KM,
            "scope": scope_paths(scope),
        },
    )


async def check_inside(
    tx: Transaction, scope: Scope, longitude: float, latitude: float
) -> NearestDevice | None:
    """Refuse a place that lies outside of what the scope knows; return the nearest device.

    Raises:
        Invalid: it is farther than FARTHEST_KM from every device with coordinates.
    """
    nearest = await find_nearest(tx, scope, longitude, latitude)
    if nearest is None and await _knows_places(tx, scope):
        msg = "this position lies outside of the county: leave it out, and name the place in words"
        raise Invalid(msg, field="position")
    return nearest


async def _knows_places(tx: Transaction, scope: Scope) -> bool:
    return bool(
        await tx.scalar(
            bool, "SELECT EXISTS (SELECT" + _DEVICES + ")", {"scope": scope_paths(scope)}
        )
    )
