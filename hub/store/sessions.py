"""Sessions of consoles and tokens of programs: only digests of what they carry are stored.

Whatever ends one also announces it (topic ``sessions``, numbers of users), so that open live
streams of that user are checked again at once, in every process.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.access import Grant, Principal, Role, Scope
from hub.domain.errors import Invalid, NotFound
from hub.domain.secrets import Secret
from hub.store.database import Transaction
from hub.store.notices import notify

TOPIC = "sessions"
# A duty shift; every use in the second half begins it anew, up to the hard end.
IDLE = timedelta(hours=12)
HARD_END = timedelta(days=7)
VALUE_PREFIX = "gengfu_"
MAX_TOKENS_PER_USER = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What the browser keeps: the cookie's value and the CSRF token. Shown once."""

    cookie: Secret
    csrf: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who came with a good session or token; ``csrf`` is empty for a token."""

    principal: Principal
    csrf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """A token as its owner sees it again."""

    id: int
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    user_id: int
    csrf: str
    created_at: datetime
    expires_at: datetime | None


def _digest(value: Secret) -> bytes:
    """SHA-256 is enough: the values are 256 random bits, not passwords."""
    return hashlib.sha256(value.reveal().encode()).digest()


async def open_session(tx: Transaction, scope: Scope, user_id: int, now: datetime) -> NewSession:
    """Begin a session of a user who proved who they are; old ones are swept away."""
    del scope
    await tx.execute("DELETE FROM sessions WHERE expires_at < %(now)s", {"now": now})
    new = NewSession(
        cookie=Secret(secrets.token_urlsafe(32)),
        csrf=secrets.token_urlsafe(32),
        expires_at=now + IDLE,
    )
    await tx.execute(
        "INSERT INTO sessions (digest, user_id, csrf, created_at, expires_at)"
        " VALUES (%(digest)s, %(user)s, %(csrf)s, %(now)s, %(expires)s)",
        {
            "digest": _digest(new.cookie),
            "user": user_id,
            "csrf": new.csrf,
            "now": now,
            "expires": new.expires_at,
        },
    )
    return new


async def find_session(
    tx: Transaction, scope: Scope, cookie: Secret, now: datetime
) -> Caller | None:
    """Return who a cookie stands for, None when it is unknown, over or its user disabled.

    A session in use is prolonged.
    """
    found = await tx.fetch_one(
        _Found,
        "SELECT s.user_id, s.csrf, s.created_at, s.expires_at FROM sessions s"
        " JOIN users u ON u.id = s.user_id AND NOT u.is_disabled"
        " WHERE s.digest = %(digest)s AND s.expires_at > %(now)s",
        {"digest": _digest(cookie), "now": now},
    )
    if found is None or found.expires_at is None:
        return None
    longer = min(now + IDLE, found.created_at + HARD_END)
    if found.expires_at - now < IDLE / 2 and longer > found.expires_at:
        await tx.execute(
            "UPDATE sessions SET expires_at = %(at)s WHERE digest = %(digest)s",
            {"at": longer, "digest": _digest(cookie)},
        )
    principal = await load_principal(tx, scope, found.user_id)
    return None if principal is None else Caller(principal=principal, csrf=found.csrf)


async def close_session(tx: Transaction, scope: Scope, cookie: Secret) -> None:
    """End one session."""
    user = await tx.scalar(
        int,
        "DELETE FROM sessions WHERE digest = %(digest)s RETURNING user_id",
        {"digest": _digest(cookie)},
    )
    if user is not None:
        await notify(tx, scope, TOPIC, [user])


async def end_access(tx: Transaction, scope: Scope, user_id: int) -> None:
    """End every session and token of a user, and say so to their open live streams."""
    await tx.execute("DELETE FROM sessions WHERE user_id = %(user)s", {"user": user_id})
    await tx.execute("DELETE FROM tokens WHERE user_id = %(user)s", {"user": user_id})
    await notify(tx, scope, TOPIC, [user_id])


async def create_token(
    tx: Transaction, scope: Scope, *, name: str, expires_at: datetime | None, now: datetime
) -> tuple[int, Secret]:
    """Make a token of the caller's own; its value is returned here and never again."""
    if expires_at is not None and expires_at <= now:
        msg = "the token would be over before it begins"
        raise Invalid(msg, field="expires_at")
    held = await tx.scalar(
        int, "SELECT count(*) FROM tokens WHERE user_id = %(user)s", {"user": scope.user_id}
    )
    if (held or 0) >= MAX_TOKENS_PER_USER:
        msg = f"a user has at most {MAX_TOKENS_PER_USER} tokens: revoke one first"
        raise Invalid(msg)
    value = Secret(VALUE_PREFIX + secrets.token_urlsafe(32))
    number = await tx.scalar(
        int,
        "INSERT INTO tokens (digest, user_id, name, created_at, expires_at)"
        " VALUES (%(digest)s, %(user)s, %(name)s, %(now)s, %(expires)s) RETURNING id",
        {
            "digest": _digest(value),
            "user": scope.user_id,
            "name": name,
            "now": now,
            "expires": expires_at,
        },
    )
    return number or 0, value


async def list_tokens(tx: Transaction, scope: Scope) -> list[TokenLine]:
    """The caller's own tokens."""
    return await tx.fetch(
        TokenLine,
        "SELECT id, name, created_at, expires_at, last_used_at FROM tokens"
        " WHERE user_id = %(user)s ORDER BY id",
        {"user": scope.user_id},
    )


async def revoke_token(tx: Transaction, scope: Scope, token_id: int) -> None:
    """End one of the caller's own tokens; raises NotFound for anybody else's."""
    count = await tx.execute(
        "DELETE FROM tokens WHERE id = %(id)s AND user_id = %(user)s",
        {"id": token_id, "user": scope.user_id},
    )
    if count == 0:
        msg = "no such token"
        raise NotFound(msg)
    await notify(tx, scope, TOPIC, [scope.user_id or 0])


async def find_token(tx: Transaction, scope: Scope, value: Secret, now: datetime) -> Caller | None:
    """Return who a token stands for, None when it is unknown, over or its user disabled."""
    found = await tx.fetch_one(
        _Found,
        "SELECT t.user_id, '' AS csrf, t.created_at, t.expires_at FROM tokens t"
        " JOIN users u ON u.id = t.user_id AND NOT u.is_disabled"
        " WHERE t.digest = %(digest)s AND (t.expires_at IS NULL OR t.expires_at > %(now)s)",
        {"digest": _digest(value), "now": now},
    )
    if found is None:
        return None
    # Once a minute is exact enough, and spares a write at every call.
    await tx.execute(
        "UPDATE tokens SET last_used_at = %(now)s WHERE digest = %(digest)s"
        " AND (last_used_at IS NULL OR last_used_at < %(now)s - interval '1 minute')",
        {"digest": _digest(value), "now": now},
    )
    principal = await load_principal(tx, scope, found.user_id)
    return None if principal is None else Caller(principal=principal, csrf="")


async def load_principal(tx: Transaction, scope: Scope, user_id: int) -> Principal | None:
    """Who a user is and what they may do now; None for a disabled or removed one."""
    del scope
    rows = await tx.tuples(
        "SELECT u.name, g.role, g.area_id, a.path::text FROM users u"
        " LEFT JOIN grants g ON g.user_id = u.id LEFT JOIN areas a ON a.id = g.area_id"
        " WHERE u.id = %(id)s AND NOT u.is_disabled",
        {"id": user_id},
    )
    if not rows:
        return None
    grants = tuple(
        Grant(role=Role(str(role)), area_id=int(str(area)), area_path=str(path))
        for _name, role, area, path in rows
        if role is not None
    )
    return Principal(user_id=user_id, name=str(rows[0][0]), grants=grants)
