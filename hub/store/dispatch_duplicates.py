"""Which open tasks are about the same: one cause, one device, one place."""

from typing import Final

from hub.domain.access import Scope
from hub.domain.dispatches import Cause, Dispatch, NewDispatch
from hub.store.database import Transaction
from hub.store.dispatches import get_dispatches
from hub.store.scoping import IN_SCOPE, scope_paths

SAME_PLACE_M: Final = 50.0
MOST: Final = 20
_OPENING_LOCK: Final = 0x6F70656E  # "open"
_METRES_A_DEGREE: Final = 111_195.0


async def hold_openings(tx: Transaction, scope: Scope) -> None:
    """Let whoever opens tasks take turns until the commit: two at once see each other.

    Take the rows of the cause before, in the order: round, this, everything else.
    """
    del scope
    await tx.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": _OPENING_LOCK})


async def find_duplicates(tx: Transaction, scope: Scope, new: NewDispatch) -> list[Dispatch]:
    """The open tasks of the scope of the same kind about the same device or place, oldest first.

    Without a device and a position nothing is taken for the same.
    """
    where = new.where
    if new.device_id is None and where is None:
        return []
    rows = await tx.tuples(
        "SELECT t.id FROM dispatches t JOIN areas a ON a.id = t.area_id"
        " WHERE t.state NOT IN ('verified', 'cancelled', 'merged') AND t.kind = %(kind)s"
        " AND (t.device_id = %(device)s::bigint"
        "  OR (abs(t.latitude - %(latitude)s::float8) < %(reach)s::float8 / %(degree)s::float8"
        "   AND sqrt(power(t.latitude - %(latitude)s::float8, 2)"
        "    + power((t.longitude - %(longitude)s::float8)"
        "     * cos(radians(%(latitude)s::float8)), 2)) * %(degree)s::float8 <= %(reach)s))"
        " AND" + IN_SCOPE + "ORDER BY t.id LIMIT %(most)s",
        {
            "kind": new.kind,
            "device": new.device_id,
            "longitude": None if where is None else where.longitude,
            "latitude": None if where is None else where.latitude,
            "reach": SAME_PLACE_M,
            "degree": _METRES_A_DEGREE,
            "most": MOST,
            "scope": scope_paths(scope),
        },
    )
    return await get_dispatches(tx, scope, [int(str(number)) for (number,) in rows])


async def find_same_cause(tx: Transaction, scope: Scope, cause: Cause) -> Dispatch | None:
    """The open task of the scope that was opened for this very cause, or took one in that was."""
    if (cause.alert_id, cause.round_id, cause.roll_call_id, cause.report_id) == (None,) * 4:
        return None
    number = await tx.scalar(
        int,
        "SELECT o.id FROM dispatches t JOIN dispatches o ON o.id = coalesce(t.merged_into, t.id)"
        " JOIN areas a ON a.id = o.area_id"
        " WHERE o.state NOT IN ('verified', 'cancelled', 'merged')"
        " AND (t.alert_id = %(alert)s::bigint"
        "  OR (t.round_id = %(round)s::bigint AND t.position = %(position)s::int)"
        "  OR t.roll_call_id = %(call)s::bigint OR t.report_id = %(report)s::bigint) AND"
        + IN_SCOPE
        + "ORDER BY o.id LIMIT 1",
        {
            "alert": cause.alert_id,
            "round": cause.round_id,
            "position": cause.position,
            "call": cause.roll_call_id,
            "report": cause.report_id,
            "scope": scope_paths(scope),
        },
    )
    found = [] if number is None else await get_dispatches(tx, scope, [number])
    return found[0] if found else None
