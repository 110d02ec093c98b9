"""Proves that what was kept of rounds is whole: chains, results, pictures. Changes nothing.

A round's lines are a chain; its ends are sealed in the chain of all rounds; the stops say what
the lines say; pictures and films have the SHA-256 that the lines name. Whoever cuts off the end
of everything together is noticed by comparing with a seal that was noted elsewhere.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.patrols.evidence_stops import body_of, check_stops, last_lines
from hub.patrols.files import PictureFolder
from hub.store.database import Database
from hub.store.evidence_checks import RoundRecord, first_seal_at, read_record, recorded_rounds
from hub.store.patrol_evidence import (
    NOTHING_BEFORE,
    KeptLine,
    Seal,
    all_seals,
    hash_line,
    hash_seal,
)
from hub.store.patrol_reports import SIGNED
from hub.store.stop_looks import LOOKED

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A seal that was noted somewhere else: its number and its hash, in hexadecimal digits."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as it was kept; ``round_id`` None: the chain of all rounds.

    ``plan_name`` and ``planned_at`` are those of the round, as far as there still is one.
    """

    round_id: int | None
    what: str
    plan_name: str = ""
    planned_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was checked, and what is not whole: the first fault of each round, by its number.

    ``before`` counts rounds from before evidence was kept; nothing can be proved of them.
    """

    rounds: int = 0
    before: int = 0
    lines: int = 0
    pictures: int = 0
    faults: tuple[Fault, ...] = ()
    last_seal: Known | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be proved; ``rounds`` None: all. ``seen`` hears how many of how many are done."""

    rounds: Sequence[int] | None = None
    with_pictures: bool = True
    known: Known | None = None
    seen: Callable[[int, int], None] = field(default=lambda _done, _of: None)


async def verify(database: Database, scope: Scope, folder: PictureFolder, asked: Asked) -> Proof:
    """Check every round, or those asked for, and the chain of all; for whoever sees everything.

    Raises:
        NotFound: nothing was ever kept of a round that was asked for.
    """
    async with database.transaction() as tx:
        seals = await all_seals(tx, scope)
        since = await first_seal_at(tx, scope)
        numbers = await recorded_rounds(tx, scope)
    numbers = _narrowed(numbers, asked.rounds)
    broken = check_seals(seals, asked.known)
    faults = [] if broken is None else [Fault(round_id=None, what=broken)]
    before = lines = pictures = 0
    for done, number in enumerate(numbers):
        asked.seen(done, len(numbers))
        async with database.transaction() as tx:
            record = await read_record(tx, scope, number)
        if _is_from_before(record, since):
            before += 1
            continue
        lines += len(record.lines)
        fault = check_record(record)
        if fault is None and asked.with_pictures:
            files = list(expected_files(record, folder))
            pictures += len(files)
            fault = await asyncio.to_thread(check_files, files)
        if fault is not None:
            faults.append(_fault(record, fault))
    return Proof(
        rounds=len(numbers) - before,
        before=before,
        lines=lines,
        pictures=pictures,
        faults=tuple(faults),
        last_seal=Known(seq=seals[-1].seq, hash=seals[-1].hash.hex()) if seals else None,
    )


def check_seals(seals: Sequence[Seal], known: Known | None = None) -> str | None:
    """Name the first seal of the chain of all rounds that is not whole."""
    prev = NOTHING_BEFORE
    for number, seal in enumerate(seals, start=1):
        name = f"seal {number}"
        if seal.seq != number:
            return f"{name} is missing"
        name = f"{name} (round {seal.round_id})"
        if seal.prev != prev or hash_seal(seal) != seal.hash:
            return f"{name} was changed"
        if known is not None and known.seq == number and known.hash != seal.hash.hex():
            return f"{name} is not the one that was noted"
        prev = seal.hash
    if known is not None and known.seq > len(seals):
        return f"seal {known.seq}, which was noted, is missing: there are {len(seals)}"
    return None


def check_record(record: RoundRecord) -> str | None:
    """Name the first thing of a round that is not as it was kept."""
    fault = check_lines(record.lines) or _check_sealed(record)
    if fault is not None:
        return fault
    if record.walk is None:
        return "the round is gone, its evidence is here"
    return check_stops(record) or _check_signed(record)


def check_lines(lines: Sequence[KeptLine]) -> str | None:
    """Name the first line of a round's chain that is not whole."""
    prev = NOTHING_BEFORE
    for number, line in enumerate(lines, start=1):
        if line.seq != number:
            return f"line {number} is missing"
        if line.prev != prev or hash_line(line) != line.hash:
            return f"line {number} ({_name(line)}) was changed"
        prev = line.hash
    return None


def expected_files(record: RoundRecord, folder: PictureFolder) -> Iterator[tuple[str, Path, str]]:
    """What each picture and film of a round is called, where it is, and its SHA-256."""
    names = {stop.position: stop.device_name for stop in record.stops}
    for position, line in sorted(last_lines(record.lines, LOOKED).items()):
        body, of = body_of(line), f"of stop {position} ({names.get(position, 'gone')})"
        if picture := str(body.get("picture_sha256", "")):
            yield f"picture {of}", folder.picture_path(record.round_id, position), picture
        if clip := str(body.get("clip_sha256", "")):
            yield f"film {of}", folder.clip_path(record.round_id, position), clip


def check_files(files: Sequence[tuple[str, Path, str]]) -> str | None:
    """Name the first file that is gone or has another SHA-256. Blocks."""
    for name, path, expected in files:
        try:
            found = _sha256(path)
        except FileNotFoundError:
            return f"{name} is not in this data folder"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror or type(error).__name__}"
        if found != expected:
            return f"{name} is not the one that was taken"
    return None


def _narrowed(numbers: Sequence[int], wanted: Sequence[int] | None) -> list[int]:
    for number in wanted or ():
        if number not in numbers:
            msg = f"there is no round {number} that began or was missed"
            raise NotFound(msg)
    return list(numbers) if wanted is None else sorted(set(wanted))


def _fault(record: RoundRecord, what: str) -> Fault:
    walk = record.walk
    if walk is None:
        return Fault(round_id=record.round_id, what=what)
    return Fault(
        round_id=record.round_id, what=what, plan_name=walk.plan_name, planned_at=walk.planned_at
    )


def _check_sealed(record: RoundRecord) -> str | None:
    for seal in record.seals:
        if seal.lines > len(record.lines):
            return f"line {len(record.lines) + 1} is missing: {seal.lines} were sealed"
        head = record.lines[seal.lines - 1].hash if seal.lines else NOTHING_BEFORE
        if head != seal.head:
            return f"line {seal.lines} is not the one that was sealed (seal {seal.seq})"
    if record.walk is not None and not record.walk.is_over:
        return None
    sealed = record.seals[-1].lines if record.seals else 0
    if sealed != len(record.lines):
        return f"line {sealed + 1} is not sealed"
    return None if record.seals else "nothing of it was kept"


def _check_signed(record: RoundRecord) -> str | None:
    """A report that was signed says what it said then; one that was not may be made anew."""
    signed = next((line for line in reversed(record.lines) if line.what == SIGNED), None)
    if signed is None or body_of(signed).get("figures_sha256") == record.report_sha256:
        return None
    return f"its report is not the one that line {signed.seq} says was signed"


def _is_from_before(record: RoundRecord, since: datetime | None) -> bool:
    """Tell whether a round without any evidence is older than the first that has some."""
    if record.lines or record.seals or record.walk is None:
        return False
    return since is None or record.walk.planned_at < since


def _name(line: KeptLine) -> str:
    what = line.what.replace("_", " ")
    return what if line.position is None else f"{what}, stop {line.position}"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
