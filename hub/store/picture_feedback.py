"""What people said of verdicts: "this is fine", "this is broken"; kept as a labelled set."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import Invalid, NotFound
from hub.domain.quality import Index
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.notices import notify
from hub.store.picture_rows import clamp, plain
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC: Final = "picture-feedback"
LONGEST_NOTE: Final = 500
PAGE_ROWS: Final = 1_000

_SELECT = (
    "SELECT f.id, f.device_id, d.name AS device_name, d.area_id, a.path::text AS area_path,"
    " f.index, f.is_fault, f.score, f.threshold, f.note, f.author, f.said_at, f.taken_at,"
    " f.has_picture FROM picture_feedback f JOIN devices d ON d.id = f.device_id"
    " JOIN areas a ON a.id = d.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeedback:
    """What somebody says of a verdict; ``score`` and ``threshold`` are those it was made by.

    ``taken_at`` is of the picture that he saw, None when it is not known.
    """

    device_id: int
    index: Index
    is_fault: bool
    said_at: datetime
    note: str = ""
    score: float | None = None
    threshold: float | None = None
    taken_at: datetime | None = None
    has_picture: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What somebody said of a verdict. ``has_picture``: the picture he meant is kept."""

    id: int
    device_id: int
    device_name: str
    area_id: int
    area_path: str
    index: Index
    is_fault: bool
    score: float | None
    threshold: float | None
    note: str
    author: str
    said_at: datetime
    taken_at: datetime | None
    has_picture: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackFilter:
    """Which of it is asked for; empty and None: all. An area includes those below it."""

    device_id: int | None = None
    index: Index | None = None
    area_id: int | None = None


async def add_feedback(tx: Transaction, scope: Scope, new: NewFeedback) -> Feedback:
    """Keep what the scope's actor says of a verdict on a camera of the scope.

    Raises:
        NotFound: the camera lies outside the scope.
        Invalid: the note is too long.
    """
    note = plain(new.note.strip())
    if len(note) > LONGEST_NOTE:
        msg = f"a note has at most {LONGEST_NOTE} characters"
        raise Invalid(msg, field="note")
    device = await get_device(tx, scope, new.device_id)
    number = await tx.scalar(
        int,
        "INSERT INTO picture_feedback (device_id, index, is_fault, score, threshold, note, author,"
        " said_at, taken_at, has_picture) VALUES (%(device)s, %(index)s, %(is_fault)s, %(score)s,"
        " %(threshold)s, %(note)s, %(author)s, %(said_at)s, %(taken_at)s, %(has_picture)s)"
        " RETURNING id",
        {
            "device": device.id,
            "index": new.index,
            "is_fault": new.is_fault,
            "score": None if new.score is None else clamp(new.score),
            "threshold": None if new.threshold is None else clamp(new.threshold),
            "note": note,
            "author": scope.actor,
            "said_at": new.said_at,
            "taken_at": new.taken_at,
            "has_picture": new.has_picture,
        },
    )
    deed = Deed(
        action="picture.judged_by_hand",
        object_type="device",
        object_id=str(device.id),
        area_id=device.area_id,
    )
    await record(
        tx, scope, deed, {"index": new.index.value, "is_fault": new.is_fault, "note": note}
    )
    await notify(tx, scope, TOPIC, [number or 0])
    return await get_feedback(tx, scope, number or 0)


async def get_feedback(tx: Transaction, scope: Scope, feedback_id: int) -> Feedback:
    """Return what was said once; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        Feedback,
        _SELECT + " f.id = %(id)s AND" + IN_SCOPE,
        {"id": feedback_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "nothing was said under this number"
        raise NotFound(msg)
    return _typed(row)


async def mark_pictured(tx: Transaction, scope: Scope, feedback_id: int) -> None:
    """Note that the picture that was meant is kept; raises NotFound outside the scope."""
    row = await get_feedback(tx, scope, feedback_id)
    await tx.execute(
        "UPDATE picture_feedback SET has_picture = true WHERE id = %(id)s", {"id": row.id}
    )


async def list_feedback(
    tx: Transaction,
    scope: Scope,
    wanted: FeedbackFilter,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Feedback]:
    """What was said of cameras of the scope, newest first, a page at a time."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        Feedback,
        _SELECT + IN_SCOPE + "AND (%(after)s::bigint IS NULL OR f.id < %(after)s)"
        " AND (%(device)s::bigint IS NULL OR f.device_id = %(device)s)"
        " AND (%(index)s = '' OR f.index = %(index)s)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY f.id DESC LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "device": wanted.device_id,
            "index": wanted.index or "",
            "area": wanted.area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[_typed(row) for row in rows[:count]], next=more)


async def all_feedback(tx: Transaction, scope: Scope) -> AsyncIterator[Feedback]:
    """Everything that was said of cameras of the scope, oldest first: the labelled set."""
    last = 0
    while True:
        rows = await tx.fetch(
            Feedback,
            _SELECT + " f.id > %(last)s AND" + IN_SCOPE + "ORDER BY f.id LIMIT %(limit)s",
            {"scope": scope_paths(scope), "last": last, "limit": PAGE_ROWS},
        )
        for row in rows:
            yield _typed(row)
        if len(rows) < PAGE_ROWS:
            return
        last = rows[-1].id


def _typed(row: Feedback) -> Feedback:
    return replace(row, index=Index(row.index))
