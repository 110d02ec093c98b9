"""Reads all that was kept of rounds, to prove that it is whole: also of rounds that are gone.

Only for whoever sees everything: a part of the chain proves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.patrols import PatrolRound, PatrolStop
from hub.store.database import Transaction
from hub.store.patrol_evidence import KeptLine, Seal
from hub.store.patrol_reports import digest_figures
from hub.store.rounds import find_round
from hub.store.stops import all_stops

_LINES: Final = (
    "SELECT e.round_id, e.seq, e.position, e.what, e.at, e.body, e.prev, e.hash"
    " FROM patrol_evidence e WHERE e.round_id = %(round)s ORDER BY e.seq"
)
_SEALS: Final = (
    "SELECT l.seq, l.round_id, l.lines, l.head, l.at, l.prev, l.hash FROM patrol_seals l"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRecord:
    """What there is of a round at one moment; ``walk`` is None when the round itself is gone.

    ``report_sha256`` is of the figures of its report as they stand, empty without one.
    """

    round_id: int
    walk: PatrolRound | None
    stops: Sequence[PatrolStop]
    lines: Sequence[KeptLine]
    seals: Sequence[Seal]
    report_sha256: str = ""


async def recorded_rounds(tx: Transaction, scope: Scope) -> list[int]:
    """Every round that began, was missed or cancelled, or of which there is evidence or a seal."""
    if scope.paths is not None:
        return []
    rows = await tx.tuples(
        "SELECT r.id FROM patrol_rounds r WHERE r.state <> 'due'"
        " UNION SELECT e.round_id FROM patrol_evidence e WHERE e.seq = 1"
        " UNION SELECT l.round_id FROM patrol_seals l ORDER BY 1"
    )
    return [int(str(row[0])) for row in rows]


async def read_record(tx: Transaction, scope: Scope, round_id: int) -> RoundRecord:
    """Everything of a round as it is at one moment. Call it first in its transaction."""
    await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    sees_all = scope.paths is None
    return RoundRecord(
        round_id=round_id,
        walk=await find_round(tx, scope, round_id),
        stops=await all_stops(tx, scope, round_id),
        lines=await tx.fetch(KeptLine, _LINES, {"round": round_id}) if sees_all else [],
        seals=await tx.fetch(
            Seal, _SEALS + " WHERE l.round_id = %(round)s ORDER BY l.seq", {"round": round_id}
        )
        if sees_all
        else [],
        report_sha256=await _digest_report(tx, round_id) if sees_all else "",
    )


async def _digest_report(tx: Transaction, round_id: int) -> str:
    rows = await tx.tuples(
        "SELECT p.figures FROM patrol_reports p"
        " WHERE p.round_id = %(round)s AND p.period = 'round'",
        {"round": round_id},
    )
    figures = rows[0][0] if rows else None
    return digest_figures(figures) if isinstance(figures, dict) else ""


async def first_seal_at(tx: Transaction, scope: Scope) -> datetime | None:
    """Since when evidence is sealed; None while nothing is."""
    if scope.paths is not None:
        return None
    return await tx.scalar(datetime, "SELECT l.at FROM patrol_seals l ORDER BY l.seq LIMIT 1")
