"""The evidence of patrol rounds: lines that never change, each with the hash of the one before.

A round has a chain of its own; when it is over, its last hash is sealed in a chain of all rounds,
so that neither a line nor a whole round can be changed or taken out without being noticed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.store.database import Transaction
from hub.store.events import EVENT_ORDER_LOCK
from hub.store.scoping import IN_SCOPE, scope_paths

NOTHING_BEFORE: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What happened. ``body`` holds JSON without secrets; pictures by their SHA-256."""

    what: str
    at: datetime
    position: int | None = None
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLine:
    """A line as it is stored; ``body`` is its canonical JSON."""

    round_id: int
    seq: int
    position: int | None
    what: str
    at: datetime
    body: str
    prev: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The end of a round's chain in the chain of all rounds."""

    seq: int
    round_id: int
    lines: int
    head: bytes
    at: datetime
    prev: bytes
    hash: bytes


def hash_line(line: KeptLine) -> bytes:
    """SHA-256 of a line with all that it says and the hash before it."""
    said = json.dumps(
        [line.round_id, line.seq, line.position, line.what, _moment(line.at), line.body],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(line.prev + said.encode()).digest()


def hash_seal(seal: Seal) -> bytes:
    """SHA-256 of a seal and the hash of the seal before it."""
    said = json.dumps(
        [seal.seq, seal.round_id, seal.lines, seal.head.hex(), _moment(seal.at)],
        separators=(",", ":"),
    )
    return hashlib.sha256(seal.prev + said.encode()).digest()


async def append(tx: Transaction, scope: Scope, round_id: int, lines: Sequence[Line]) -> None:
    """Add lines to a round of the scope, in their order. The round is held until the commit."""
    if not lines or not await _hold(tx, scope, round_id):
        return
    last = await tx.fetch_one(
        KeptLine,
        "SELECT e.round_id, e.seq, e.position, e.what, e.at, e.body, e.prev, e.hash"
        " FROM patrol_evidence e WHERE e.round_id = %(round)s ORDER BY e.seq DESC LIMIT 1",
        {"round": round_id},
    )
    seq, prev = (0, NOTHING_BEFORE) if last is None else (last.seq, last.hash)
    rows = []
    for number, line in enumerate(lines, start=seq + 1):
        kept = KeptLine(
            round_id=round_id,
            seq=number,
            position=line.position,
            what=line.what,
            at=line.at,
            body=json.dumps(line.body, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
            prev=prev,
            hash=b"",
        )
        prev = hash_line(kept)
        rows.append((number, line.position, line.what, line.at, kept.body, kept.prev, prev))
    columns = [list(column) for column in zip(*rows, strict=True)]
    names = ("seqs", "positions", "whats", "ats", "bodies", "prevs", "hashes")
    await tx.execute(
        "INSERT INTO patrol_evidence (round_id, seq, position, what, at, body, prev, hash)"
        " SELECT %(round)s, * FROM unnest(%(seqs)s::int[], %(positions)s::int[], %(whats)s::text[],"
        " %(ats)s::timestamptz[], %(bodies)s::text[], %(prevs)s::bytea[], %(hashes)s::bytea[])",
        {"round": round_id, **dict(zip(names, columns, strict=True))},
    )


async def seal(tx: Transaction, scope: Scope, round_id: int, now: datetime) -> None:
    """Seal what stands of a round of the scope; do it again for what came after a seal."""
    if not await _hold(tx, scope, round_id):
        return
    # One after the other. Whoever ends a round writes its event before or after: one lock for both.
    await tx.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": EVENT_ORDER_LOCK})
    end = (
        await tx.tuples(
            "SELECT seq, hash FROM patrol_evidence WHERE round_id = %(round)s"
            " ORDER BY seq DESC LIMIT 1",
            {"round": round_id},
        )
        or [(0, NOTHING_BEFORE)]
    )[0]
    last = await tx.fetch_one(Seal, _SEALS + " ORDER BY l.seq DESC LIMIT 1", {})
    new = Seal(
        seq=1 if last is None else last.seq + 1,
        round_id=round_id,
        lines=int(str(end[0])),
        head=_bytes(end[1]),
        at=now,
        prev=NOTHING_BEFORE if last is None else last.hash,
        hash=b"",
    )
    await tx.execute(
        "INSERT INTO patrol_seals (seq, round_id, lines, head, at, prev, hash)"
        " VALUES (%(seq)s, %(round)s, %(lines)s, %(head)s, %(at)s, %(prev)s, %(hash)s)",
        {
            "seq": new.seq,
            "round": round_id,
            "lines": new.lines,
            "head": new.head,
            "at": now,
            "prev": new.prev,
            "hash": hash_seal(new),
        },
    )


async def lines_of(tx: Transaction, scope: Scope, round_id: int) -> list[KeptLine]:
    """Every line of a round of the scope, in order; nothing for any other round."""
    return await tx.fetch(
        KeptLine,
        "SELECT e.round_id, e.seq, e.position, e.what, e.at, e.body, e.prev, e.hash"
        " FROM patrol_evidence e JOIN patrol_rounds r ON r.id = e.round_id"
        " JOIN areas a ON a.id = r.area_id WHERE e.round_id = %(round)s AND"
        + IN_SCOPE
        + "ORDER BY e.seq",
        {"round": round_id, "scope": scope_paths(scope)},
    )


async def all_seals(tx: Transaction, scope: Scope) -> list[Seal]:
    """The chain of all rounds, in order; whole or not at all: a part of it proves nothing."""
    if scope.paths is not None:
        return []
    return await tx.fetch(Seal, _SEALS + " ORDER BY l.seq", {})


async def seals_of(tx: Transaction, scope: Scope, round_id: int) -> list[Seal]:
    """The seals of one round of the scope, the oldest first."""
    return await tx.fetch(
        Seal,
        _SEALS + " JOIN patrol_rounds r ON r.id = l.round_id JOIN areas a ON a.id = r.area_id"
        " WHERE l.round_id = %(round)s AND" + IN_SCOPE + "ORDER BY l.seq",
        {"round": round_id, "scope": scope_paths(scope)},
    )


_SEALS: Final = (
    "SELECT l.seq, l.round_id, l.lines, l.head, l.at, l.prev, l.hash FROM patrol_seals l"
)


async def _hold(tx: Transaction, scope: Scope, round_id: int) -> bool:
    found = await tx.scalar(
        int,
        "SELECT r.id FROM patrol_rounds r JOIN areas a ON a.id = r.area_id"
        " WHERE r.id = %(round)s AND" + IN_SCOPE + "FOR NO KEY UPDATE OF r",
        {"round": round_id, "scope": scope_paths(scope)},
    )
    return found is not None


def _moment(at: datetime) -> int:
    """Microseconds since 1970: what the database keeps of a moment, whatever its zone."""
    return round(at.timestamp() * 1_000_000)


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
