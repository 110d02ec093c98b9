"""Links to phone pages: SHA-256 digests of their tokens, each bound to one matter.

A token is never stored. What a link is good for is judged at every use: its time, its unit and
whether its matter still waits for somebody.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.domain.secrets import Secret
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

TOKEN_BYTES: Final = 32
# A link that is over is kept so long: a phone without a line repeats its last word until then.
# Many links are made at once, and none waits for another to sweep.
KEPT_AFTER: Final = timedelta(days=1)

_TASK: Final = (
    "SELECT u.receiver_id, u.name, d.title, d.place, a.name AS area_name, d.deadline_at AS until"
    " FROM dispatches d JOIN field_units u ON u.id = d.unit_id JOIN areas a ON a.id = d.area_id"
    " WHERE d.id = %(dispatch)s AND d.unit_id = %(unit)s"
    " AND d.state IN ('sent', 'accepted', 'on_the_way', 'on_site') AND"
)
_CALL: Final = (
    "SELECT r.receiver_id, c.room_name AS name, '' AS title, '' AS place, a.name AS area_name,"
    " c.answer_by AS until FROM room_calls c LEFT JOIN duty_rooms r ON r.id = c.room_id"
    " JOIN areas a ON a.id = c.area_id"
    " WHERE c.id = %(call)s AND c.state = 'asked' AND c.answer_by > %(now)s AND"
)
_UNIT: Final = (
    "SELECT u.receiver_id, u.name, '' AS title, '' AS place, a.name AS area_name,"
    " NULL::timestamptz AS until FROM field_units u JOIN areas a ON a.id = u.area_id"
    " WHERE u.id = %(unit)s AND u.is_enabled AND u.removed_at IS NULL AND"
)


class Purpose(StrEnum):
    """What a link is for."""

    TASK = "task"  # a dispatch, for the unit that has it
    ROLL_CALL = "roll_call"  # a question to a duty room
    REPORT = "report"  # a unit's own reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What a link is bound to; ``unit_id`` alone: what the unit reports."""

    dispatch_id: int | None = None
    call_id: int | None = None
    unit_id: int | None = None

    @property
    def purpose(self) -> Purpose:
        """What a link to it is for."""
        if self.dispatch_id is not None:
            return Purpose.TASK
        return Purpose.REPORT if self.call_id is None else Purpose.ROLL_CALL


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLink:
    """Whoever holds it may act for ``unit_name`` (a roll call: the room) in this matter only.

    ``is_open``: in time, and the matter still waits for this unit or room. ``last_word`` is the
    number that the phone gave to the step that ended it.
    """

    purpose: Purpose
    dispatch_id: int | None
    call_id: int | None
    unit_id: int | None
    unit_name: str
    area_path: str
    expires_at: datetime
    is_open: bool
    last_word: str

    def scope(self, source: str) -> Scope:
        """The scope of its holder: the area of the matter, in the unit's name."""
        return Scope(paths=(self.area_path,), actor=self.unit_name, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Who gets a link and what it is about, as it stands now."""

    receiver_id: int | None
    name: str
    title: str
    place: str
    area_name: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    purpose: str
    dispatch_id: int | None
    call_id: int | None
    unit_id: int | None
    unit_name: str
    area_path: str
    expires_at: datetime
    is_open: bool
    last_word: str


async def add_link(
    tx: Transaction, scope: Scope, matter: Matter, *, now: datetime, expires_at: datetime
) -> Secret:
    """Make a link to a matter of the scope and return its token, here and never again.

    Raises:
        NotFound: the matter lies outside the scope.
    """
    await _check_scope(tx, scope, matter)
    await tx.execute(
        "DELETE FROM phone_links WHERE digest IN (SELECT digest FROM phone_links"
        " WHERE expires_at < %(then)s LIMIT 100 FOR UPDATE SKIP LOCKED)",
        {"then": now - KEPT_AFTER},
    )
    token = Secret(secrets.token_urlsafe(TOKEN_BYTES))
    await tx.execute(
        "INSERT INTO phone_links"
        " (digest, purpose, dispatch_id, call_id, unit_id, created_at, expires_at) VALUES"
        " (%(digest)s, %(purpose)s, %(dispatch)s, %(call)s, %(unit)s, %(now)s, %(expires)s)",
        {
            "digest": _digest(token),
            "purpose": matter.purpose,
            "dispatch": matter.dispatch_id,
            "call": matter.call_id,
            "unit": matter.unit_id,
            "now": now,
            "expires": expires_at,
        },
    )
    return token


async def find_link(
    tx: Transaction, scope: Scope, token: Secret, now: datetime
) -> PhoneLink | None:
    """Return what a token stands for, None for one that never was or is long over.

    The token itself is what proves the right to it, as with a session.
    """
    del scope
    row = await tx.fetch_one(
        _Row,
        "SELECT l.purpose, l.dispatch_id, l.call_id, l.unit_id,"
        " coalesce(u.name, c.room_name, '') AS unit_name, a.path::text AS area_path, l.expires_at,"
        " l.last_word,"
        " l.expires_at > %(now)s AND CASE l.purpose"
        "  WHEN 'task' THEN d.unit_id = l.unit_id"
        "   AND d.state IN ('sent', 'accepted', 'on_the_way', 'on_site')"
        "  WHEN 'roll_call' THEN c.state IN ('asked', 'unanswered') AND c.answered_at IS NULL"
        "  ELSE u.is_enabled AND u.removed_at IS NULL END AS is_open"
        " FROM phone_links l LEFT JOIN dispatches d ON d.id = l.dispatch_id"
        " LEFT JOIN room_calls c ON c.id = l.call_id LEFT JOIN field_units u ON u.id = l.unit_id"
        " JOIN areas a ON a.id = coalesce(d.area_id, c.area_id, u.area_id)"
        " WHERE l.digest = %(digest)s",
        {"digest": _digest(token), "now": now},
    )
    if row is None:
        return None
    return PhoneLink(
        purpose=Purpose(row.purpose),
        dispatch_id=row.dispatch_id,
        call_id=row.call_id,
        unit_id=row.unit_id,
        unit_name=row.unit_name,
        area_path=row.area_path,
        expires_at=row.expires_at,
        is_open=row.is_open,
        last_word=row.last_word,
    )


async def end_links(
    tx: Transaction, scope: Scope, dispatch_id: int, now: datetime, *, last_word: str = ""
) -> None:
    """End every link to a task of the scope: whoever goes on with it needs a new one.

    ``last_word`` is the number of the phone's step that ended it.
    """
    await tx.execute(
        "UPDATE phone_links l SET expires_at = %(now)s, last_word = %(last_word)s"
        " FROM dispatches d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = l.dispatch_id AND l.dispatch_id = %(id)s AND l.expires_at > %(now)s AND"
        + IN_SCOPE,
        {"id": dispatch_id, "last_word": last_word, "now": now, "scope": scope_paths(scope)},
    )


async def remove_link(tx: Transaction, scope: Scope, token: Secret) -> None:
    """Forget a link that reached nobody."""
    del scope
    await tx.execute("DELETE FROM phone_links WHERE digest = %(d)s", {"d": _digest(token)})


async def find_addressee(
    tx: Transaction, scope: Scope, matter: Matter, now: datetime
) -> Addressee | None:
    """Return who is to get a link to a matter of the scope; None when it waits for nobody."""
    values = {
        "dispatch": matter.dispatch_id,
        "call": matter.call_id,
        "unit": matter.unit_id,
        "now": now,
        "scope": scope_paths(scope),
    }
    match matter.purpose:
        case Purpose.TASK:
            return await tx.fetch_one(Addressee, _TASK + IN_SCOPE, values)
        case Purpose.ROLL_CALL:
            return await tx.fetch_one(Addressee, _CALL + IN_SCOPE, values)
        case Purpose.REPORT:
            return await tx.fetch_one(Addressee, _UNIT + IN_SCOPE, values)


async def _check_scope(tx: Transaction, scope: Scope, matter: Matter) -> None:
    is_there = await tx.scalar(
        bool,
        "SELECT EXISTS (SELECT FROM areas a WHERE a.id = CASE %(purpose)s"
        "  WHEN 'task' THEN (SELECT area_id FROM dispatches WHERE id = %(dispatch)s)"
        "  WHEN 'roll_call' THEN (SELECT area_id FROM room_calls WHERE id = %(call)s)"
        "  ELSE (SELECT area_id FROM field_units WHERE id = %(unit)s AND removed_at IS NULL) END"
        " AND" + IN_SCOPE + ")",
        {
            "purpose": matter.purpose,
            "dispatch": matter.dispatch_id,
            "call": matter.call_id,
            "unit": matter.unit_id,
            "scope": scope_paths(scope),
        },
    )
    if not is_there:
        msg = "no such task, question or unit"
        raise NotFound(msg)


def _digest(token: Secret) -> bytes:
    """SHA-256 is enough: the values are 256 random bits, not passwords."""
    return hashlib.sha256(token.reveal().encode()).digest()
