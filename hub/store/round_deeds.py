"""What people do with a whole round: who walks it, when it is paused; and how deeds are recorded.

Callers hold the round by :func:`hub.store.rounds.lock_round` first. Whether a deed is allowed is
for hub.patrols to know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub.domain.access import PERMISSIONS, Permission, Role, Scope
from hub.domain.devices import Json
from hub.domain.patrols import PatrolRound, RoundState
from hub.store import audit, notices
from hub.store.database import Transaction
from hub.store.patrol_evidence import Line, append
from hub.store.rounds import TOPIC
from hub.store.scoping import IN_SCOPE, scope_paths

_OPERATING: Final = sorted(r.value for r in Role if Permission.OPERATE in PERMISSIONS[r])
# Whoever holds a role in the round's area.
_PEOPLE: Final = (
    "SELECT u.id, coalesce(nullif(u.display_name, ''), u.name) AS name, u.name AS login,"
    " array_agg(DISTINCT g.role) AS roles FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
    " JOIN areas ga ON a.path <@ ga.path JOIN grants g ON g.area_id = ga.id"
    " JOIN users u ON u.id = g.user_id AND NOT u.is_disabled"
    " WHERE r.id = %(round)s AND"
)
_WHO_MAY_OPERATE: Final = (
    "GROUP BY u.id HAVING bool_or(g.role = ANY (%(roles)s::text[])) ORDER BY 2, 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody who may operate where a round goes; ``roles`` are those he holds there."""

    id: int
    name: str
    login: str
    roles: Sequence[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody did with a round or one of its stops, as it is recorded for good.

    ``what`` reads "round_paused": it names the line of evidence and, with ``patrol_``, the line
    of the audit log.
    """

    what: str
    now: datetime
    position: int | None = None
    body: Mapping[str, Json]


async def list_colleagues(tx: Transaction, scope: Scope, round_id: int) -> list[Colleague]:
    """Who may operate where a round of the scope goes, by name; nobody for any other round."""
    rows = await tx.fetch(
        Colleague,
        _PEOPLE + IN_SCOPE + _WHO_MAY_OPERATE,
        {"round": round_id, "roles": _OPERATING, "scope": scope_paths(scope)},
    )
    return [_typed(row) for row in rows]


async def find_colleague(
    tx: Transaction, scope: Scope, round_id: int, user_id: int
) -> Colleague | None:
    """One of :func:`list_colleagues`; None for everybody else."""
    row = await tx.fetch_one(
        Colleague,
        _PEOPLE + IN_SCOPE + "AND u.id = %(user)s " + _WHO_MAY_OPERATE,
        {"round": round_id, "user": user_id, "roles": _OPERATING, "scope": scope_paths(scope)},
    )
    return None if row is None else _typed(row)


async def set_walker(tx: Transaction, scope: Scope, walk: PatrolRound, who: Colleague) -> None:
    """Have somebody walk a round from now on."""
    await tx.execute(
        "UPDATE patrol_rounds r SET walker_id = %(user)s, walker_name = %(name)s"
        " FROM areas a WHERE a.id = r.area_id AND r.id = %(id)s AND" + IN_SCOPE,
        {"id": walk.id, "user": who.id, "name": who.name, "scope": scope_paths(scope)},
    )


async def pause_round(tx: Transaction, scope: Scope, walk: PatrolRound, now: datetime) -> None:
    """Let the clock of whoever walks a running round stand still."""
    await tx.execute(
        "UPDATE patrol_rounds r SET state = %(state)s, paused_at = %(now)s"
        " FROM areas a WHERE a.id = r.area_id AND r.id = %(id)s AND" + IN_SCOPE,
        {"id": walk.id, "state": RoundState.PAUSED, "now": now, "scope": scope_paths(scope)},
    )


async def resume_round(
    tx: Transaction, scope: Scope, walk: PatrolRound, *, paused_s: float, now: datetime
) -> None:
    """Go on with a paused round; ``paused_s`` is all that was paused of it."""
    await tx.execute(
        "UPDATE patrol_rounds r SET state = %(state)s, paused_at = NULL, paused_s = %(paused)s,"
        " touched_at = %(now)s"
        " FROM areas a WHERE a.id = r.area_id AND r.id = %(id)s AND" + IN_SCOPE,
        {
            "id": walk.id,
            "state": RoundState.RUNNING,
            "paused": paused_s,
            "now": now,
            "scope": scope_paths(scope),
        },
    )


async def write_down(tx: Transaction, scope: Scope, walk: PatrolRound, deed: Deed) -> None:
    """Record a deed in the audit log and in the round's evidence, and announce the round.

    Do it last: the round's evidence is held until the commit.
    """
    done = audit.Deed(
        action=f"patrol_{deed.what.replace('_', '.', 1)}",
        object_type="patrol_round",
        object_id=str(walk.id),
        area_id=walk.area_id,
    )
    place: dict[str, Json] = {} if deed.position is None else {"position": deed.position}
    await audit.record(tx, scope, done, {**place, **deed.body})
    await notices.notify(tx, scope, TOPIC, [walk.id])
    body = {**deed.body, "by": scope.actor, "user": scope.user_id}
    line = Line(what=deed.what, at=deed.now, position=deed.position, body=body)
    await append(tx, scope, walk.id, [line])


def _typed(row: Colleague) -> Colleague:
    return replace(row, roles=tuple(Role(role) for role in row.roles))
