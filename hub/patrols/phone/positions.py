"""Where the field says it is: kept with the task and the unit, if it can be true."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import isfinite
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.dispatches import Position
from hub.domain.errors import Invalid, NotFound
from hub.patrols.phone.links import OVER
from hub.store.database import Transaction
from hub.store.dispatch_positions import add_position
from hub.store.field_units import place_unit
from hub.store.phone_links import PhoneLink
from hub.store.places import check_inside

# What a phone gathered while it had no line; older ones tell nobody anything.
OLDEST: Final = timedelta(hours=1)
WORST_ACCURACY_M: Final = 100_000.0
_HUB: Final = system_scope("hub.patrols")


async def tell_position(
    tx: Transaction, link: PhoneLink, scope: Scope, position: Position, *, now: datetime
) -> None:
    """Keep where the unit of a task's link is; ``scope`` is the holder's.

    Raises:
        Invalid: it is no place on the earth, or lies outside the county.
        NotFound: the link is for no task of a unit.
    """
    if link.dispatch_id is None or link.unit_id is None:
        raise NotFound(OVER)
    _check(position)
    # The county is what the hub knows below the root of the task's area.
    county = replace(scope, paths=(link.area_path.partition(".")[0],))
    await check_inside(tx, county, position.longitude, position.latitude)
    at = min(max(position.at or now, now - OLDEST), now)
    told = replace(position, at=at)
    await add_position(tx, scope, link.dispatch_id, link.unit_id, told, now=now)
    # A unit may belong to an area above the task's.
    await place_unit(tx, _HUB, link.unit_id, told, now)


def _check(position: Position) -> None:
    is_place = (
        isfinite(position.longitude)
        and isfinite(position.latitude)
        and abs(position.longitude) <= 180
        and abs(position.latitude) <= 90
    )
    accuracy = position.accuracy_m
    is_measured = accuracy is None or 0 <= accuracy <= WORST_ACCURACY_M
    if not is_place or not is_measured:
        msg = "this is no position on the earth"
        raise Invalid(msg, field="position")
