"""Whose result counts when two workers checked one camera; of which cameras anything is kept."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# The clocks of two workers may differ by so much.
AHEAD: Final = timedelta(minutes=5)


async def claim_checks(
    tx: Transaction, scope: Scope, tried: Mapping[int, datetime | None]
) -> dict[int, datetime]:
    """Lock states of cameras of the scope; return when those are due that nobody checked meanwhile.

    ``tried`` is ``tried_at`` of each state as it was loaded. A worker that was thought dead and
    comes back with an old result finds another one there, and gives up his own. Who asks for
    another look or has the hub forget a camera (both change when it is due) waits until we commit.
    """
    numbers = sorted(tried)
    rows = await tx.tuples(
        "SELECT p.device_id, p.next_at FROM unnest(%(ids)s::bigint[], %(tried)s::timestamptz[])"
        "  AS n (id, tried_at)"
        " JOIN picture_states p ON p.device_id = n.id JOIN devices d ON d.id = n.id"
        " JOIN areas a ON a.id = d.area_id"
        " WHERE p.tried_at IS NOT DISTINCT FROM n.tried_at AND"
        + IN_SCOPE
        + "ORDER BY p.device_id FOR UPDATE OF p",
        {
            "scope": scope_paths(scope),
            "ids": numbers,
            "tried": [tried[number] for number in numbers],
        },
    )
    return {int(str(number)): at for number, at in rows if isinstance(at, datetime)}


async def known_cameras(tx: Transaction, scope: Scope) -> set[int]:
    """The cameras of the scope of whose picture anything is known."""
    rows = await tx.tuples(
        "SELECT p.device_id FROM picture_states p JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id WHERE" + IN_SCOPE,
        {"scope": scope_paths(scope)},
    )
    return {int(str(number)) for (number,) in rows}


async def bring_forward(tx: Transaction, scope: Scope, now: datetime) -> int:
    """Make cameras of the scope due now that were tried in the future: our clock was set back.

    Returns how many.
    """
    return await tx.execute(
        "UPDATE picture_states p SET next_at = %(now)s, tried_at = NULL FROM devices d"
        " JOIN areas a ON a.id = d.area_id WHERE p.device_id = d.id AND p.tried_at > %(late)s AND"
        + IN_SCOPE,
        {"scope": scope_paths(scope), "now": now, "late": now + AHEAD},
    )
