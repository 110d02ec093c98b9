"""What people are shown of a round's evidence: how much there is, and what was done with it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.store.database import Transaction
from hub.store.patrol_evidence import seals_of
from hub.store.scoping import IN_SCOPE, scope_paths

MOST_DEEDS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundDeed:
    """One line that speaks of the round as a whole: taken, paused, handed over, ended."""

    seq: int
    what: str
    at: datetime
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """``lines`` were written, ``sealed`` of them are in the chain of all rounds.

    ``seal`` and ``seal_hash`` name the last seal: whoever notes them elsewhere can prove later
    that nothing was cut off.
    """

    lines: int
    sealed: int
    sealed_at: datetime | None
    seal: int | None
    seal_hash: str
    deeds: Sequence[RoundDeed]


_OF_ROUND = (
    " FROM patrol_evidence e JOIN patrol_rounds r ON r.id = e.round_id"
    " JOIN areas a ON a.id = r.area_id WHERE e.round_id = %(round)s AND" + IN_SCOPE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    seq: int
    what: str
    at: datetime
    body: str


async def view_evidence(tx: Transaction, scope: Scope, round_id: int) -> EvidenceView:
    """Evidence of a round of the scope; nothing of any other round."""
    named: dict[str, object] = {"round": round_id, "scope": scope_paths(scope)}
    lines = await tx.scalar(int, "SELECT count(*)" + _OF_ROUND, named)
    rows = await tx.fetch(
        _Row,
        "SELECT e.seq, e.what, e.at, e.body"
        + _OF_ROUND
        + "AND e.position IS NULL ORDER BY e.seq LIMIT %(most)s",
        {**named, "most": MOST_DEEDS},
    )
    seals = await seals_of(tx, scope, round_id)
    last = seals[-1] if seals else None
    return EvidenceView(
        lines=lines or 0,
        sealed=0 if last is None else last.lines,
        sealed_at=None if last is None else last.at,
        seal=None if last is None else last.seq,
        seal_hash="" if last is None else last.hash.hex(),
        deeds=[_deed(row) for row in rows],
    )


def _deed(row: _Row) -> RoundDeed:
    body = json.loads(row.body)
    return RoundDeed(seq=row.seq, what=row.what, at=row.at, body=body)
