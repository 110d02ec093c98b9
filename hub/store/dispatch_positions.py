"""Where the field was while it had a task, as its phone told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.dispatches import Position
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

MOST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """One position; ``at`` is our clock."""

    at: datetime
    longitude: float
    latitude: float
    accuracy_m: float | None


async def add_position(
    tx: Transaction,
    scope: Scope,
    dispatch_id: int,
    unit_id: int,
    position: Position,
    *,
    now: datetime,
) -> None:
    """Keep a position of a unit on the way to a task of the scope; the newest MOST stay."""
    values = {
        "id": dispatch_id,
        "unit": unit_id,
        "at": position.at or now,
        "longitude": position.longitude,
        "latitude": position.latitude,
        "accuracy": position.accuracy_m,
        "most": MOST,
        "scope": scope_paths(scope),
    }
    await tx.execute(
        "INSERT INTO dispatch_positions (dispatch_id, unit_id, at, longitude, latitude, accuracy_m)"
        " SELECT t.id, %(unit)s, %(at)s, %(longitude)s, %(latitude)s, %(accuracy)s"
        " FROM dispatches t JOIN areas a ON a.id = t.area_id WHERE t.id = %(id)s AND" + IN_SCOPE,
        values,
    )
    await tx.execute(
        "DELETE FROM dispatch_positions p USING dispatches t, areas a WHERE t.id = p.dispatch_id"
        " AND a.id = t.area_id AND p.dispatch_id = %(id)s AND p.id <= (SELECT q.id"
        "  FROM dispatch_positions q WHERE q.dispatch_id = %(id)s ORDER BY q.id DESC"
        "  OFFSET %(most)s LIMIT 1) AND" + IN_SCOPE,
        values,
    )


async def list_positions(tx: Transaction, scope: Scope, dispatch_id: int) -> list[PositionLine]:
    """The way of the field to a task of the scope, the oldest position first."""
    return await tx.fetch(
        PositionLine,
        "SELECT p.at, p.longitude, p.latitude, p.accuracy_m FROM dispatch_positions p"
        " JOIN dispatches t ON t.id = p.dispatch_id JOIN areas a ON a.id = t.area_id"
        " WHERE p.dispatch_id = %(id)s AND" + IN_SCOPE + "ORDER BY p.at, p.id",
        {"id": dispatch_id, "scope": scope_paths(scope)},
    )
