"""People and their grants.

An administrator of an area sees everybody who holds something there, and changes those whose
grants all lie within his own areas: nobody gets at an account that can do more than he can.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.domain.access import Grant, Role, Scope
from hub.domain.errors import Conflict, Invalid, NotFound, NotPermitted
from hub.domain.secrets import Secret
from hub.store import audit
from hub.store.areas import create_area, get_area
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.passwords import generate_password, hash_password, refuse_weak
from hub.store.scoping import IN_SCOPE, scope_paths
from hub.store.sessions import TOPIC, end_access

FIRST_ADMIN = "admin"
FIRST_AREA = "site"

# Whoever holds a root area also sees people without any grant.
_HOLDS_ROOT = (
    " (%(scope)s::ltree[] IS NULL OR EXISTS (SELECT FROM areas r WHERE r.parent_id IS NULL"
    " AND r.path = ANY (%(scope)s::ltree[]))) "
)
_SEEN = (
    " (EXISTS (SELECT FROM grants g JOIN areas a ON a.id = g.area_id WHERE g.user_id = u.id AND"
    + IN_SCOPE
    + ") OR ("
    + _HOLDS_ROOT
    + "AND NOT EXISTS (SELECT FROM grants g WHERE g.user_id = u.id))) "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person as administrators see them; only grants within their scope are listed."""

    id: int
    name: str
    display_name: str
    is_disabled: bool
    created_at: datetime
    grants: Sequence[Grant] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a password is compared with."""

    user_id: int
    name: str
    is_disabled: bool
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    name: str
    display_name: str
    is_disabled: bool
    created_at: datetime


async def ensure_first_admin(tx: Transaction, scope: Scope) -> str | None:
    """Make the first administrator when there is nobody yet; return the password, once.

    He holds every root area; without any area a first one is made, to be renamed.
    """
    await tx.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
    if await tx.scalar(bool, "SELECT EXISTS (SELECT FROM users)"):
        return None
    roots = [
        int(str(row[0])) for row in await tx.tuples("SELECT id FROM areas WHERE parent_id IS NULL")
    ]
    if not roots:
        area = await create_area(tx, scope, code=FIRST_AREA, name="Site", parent_id=None)
        roots = [area.id]
    password = generate_password()
    user_id = await create_user(tx, scope, name=FIRST_ADMIN, password=password)
    for area_id in roots:
        await add_grant(tx, scope, user_id, role=Role.ADMIN, area_id=area_id)
    return password.reveal()


async def create_user(
    tx: Transaction, scope: Scope, *, name: str, password: Secret, display_name: str = ""
) -> int:
    """Add a person without any grant yet; give one in the same transaction.

    Raises:
        Conflict: the name is taken.
        Invalid: the name or the password has a form that is refused.
    """
    if name != name.strip() or not name.isprintable() or not 1 <= len(name) <= 64:
        msg = "a user name has 1 to 64 visible characters and no space at its ends"
        raise Invalid(msg, field="name")
    refuse_weak(password, user=name)
    number = await tx.scalar(
        int,
        "INSERT INTO users (name, display_name, password_hash)"
        " VALUES (%(name)s, %(display)s, %(hash)s) ON CONFLICT DO NOTHING RETURNING id",
        {"name": name, "display": display_name, "hash": await hash_password(password)},
    )
    if number is None:
        msg = "this user name is taken"
        raise Conflict(msg)
    await audit.record(tx, scope, _deed("user.created", number), {"name": name})
    await notify(tx, scope, "users", [number])
    return number


async def find_login(tx: Transaction, scope: Scope, name: str) -> Login | None:
    """What to compare a password with; None for an unknown name."""
    del scope  # nobody is anybody yet
    return await tx.fetch_one(
        Login,
        "SELECT id AS user_id, name, is_disabled, password_hash FROM users WHERE name = %(name)s",
        {"name": name},
    )


async def list_users(tx: Transaction, scope: Scope) -> list[User]:
    """Everybody the scope may see, by name."""
    rows = await tx.fetch(
        _Row,
        "SELECT u.id, u.name, u.display_name, u.is_disabled, u.created_at FROM users u"
        " WHERE" + _SEEN + "ORDER BY u.name",
        {"scope": scope_paths(scope)},
    )
    return await _with_grants(tx, scope, rows)


async def get_user(tx: Transaction, scope: Scope, user_id: int) -> User:
    """Return one person; raises NotFound outside the scope."""
    rows = await tx.fetch(
        _Row,
        "SELECT u.id, u.name, u.display_name, u.is_disabled, u.created_at FROM users u"
        " WHERE u.id = %(id)s AND" + _SEEN,
        {"id": user_id, "scope": scope_paths(scope)},
    )
    if not rows:
        msg = "no such user"
        raise NotFound(msg)
    return (await _with_grants(tx, scope, rows))[0]


async def find_user(tx: Transaction, scope: Scope, name: str) -> User:
    """Return the person with a name; raises NotFound outside the scope."""
    number = await tx.scalar(int, "SELECT id FROM users WHERE name = %(name)s", {"name": name})
    return await get_user(tx, scope, number or 0)


async def change_password(tx: Transaction, scope: Scope, user_id: int, password: Secret) -> None:
    """Set a password and end every session and token of that user.

    Everybody may change their own; others only those who administer all of the user's areas.
    """
    name = await tx.scalar(str, "SELECT name FROM users WHERE id = %(id)s", {"id": user_id})
    if user_id != scope.user_id:
        name = (await _get_governed(tx, scope, user_id)).name
    refuse_weak(password, user=name or "")
    await tx.execute(
        "UPDATE users SET password_hash = %(hash)s, password_changed_at = now() WHERE id = %(id)s",
        {"hash": await hash_password(password), "id": user_id},
    )
    await end_access(tx, scope, user_id)
    await audit.record(tx, scope, _deed("user.password_changed", user_id))


async def change_user(
    tx: Transaction, scope: Scope, user_id: int, *, display_name: str, is_disabled: bool
) -> User:
    """Rename or disable a person; disabling ends every session and token at once."""
    before = await _get_governed(tx, scope, user_id)
    await tx.execute(
        "UPDATE users SET display_name = %(display)s, is_disabled = %(disabled)s WHERE id = %(id)s",
        {"display": display_name, "disabled": is_disabled, "id": user_id},
    )
    if is_disabled:
        await end_access(tx, scope, user_id)
        await _keep_an_admin(tx)
    detail = {"display_name": display_name, "is_disabled": is_disabled}
    await audit.record(tx, scope, _deed("user.changed", before.id), detail)
    await notify(tx, scope, "users", [user_id])
    return await get_user(tx, scope, user_id)


async def remove_user(tx: Transaction, scope: Scope, user_id: int) -> None:
    """Remove a person; what they did stays in the audit log under their name."""
    user = await _get_governed(tx, scope, user_id)
    await end_access(tx, scope, user_id)
    await tx.execute("DELETE FROM users WHERE id = %(id)s", {"id": user_id})
    await _keep_an_admin(tx)
    await audit.record(tx, scope, _deed("user.removed", user_id), {"name": user.name})
    await notify(tx, scope, "users", [user_id])


async def end_everywhere(tx: Transaction, scope: Scope, user_id: int) -> None:
    """End every session and token of a person; he may sign in again."""
    await _get_governed(tx, scope, user_id)
    await end_access(tx, scope, user_id)
    await audit.record(tx, scope, _deed("user.signed_out", user_id))
    await notify(tx, scope, "users", [user_id])


async def add_grant(
    tx: Transaction, scope: Scope, user_id: int, *, role: Role, area_id: int
) -> None:
    """Give a user a role in an area of the scope; what is held already changes nothing."""
    area = await get_area(tx, scope, area_id)
    count = await tx.execute(
        "INSERT INTO grants (user_id, role, area_id) VALUES (%(user)s, %(role)s, %(area)s)"
        " ON CONFLICT DO NOTHING",
        {"user": user_id, "role": role, "area": area.id},
    )
    if count:
        await audit.record(
            tx, scope, _deed("grant.added", user_id, area.id), {"role": role, "area": area.code}
        )
        await notify(tx, scope, TOPIC, [user_id])
        await notify(tx, scope, "users", [user_id])


async def grant_new_root(tx: Transaction, scope: Scope, area_id: int) -> None:
    """Let whoever just added a root area administer it: his scope was made before it."""
    path = await tx.scalar(
        str,
        "SELECT path::text FROM areas WHERE id = %(id)s AND parent_id IS NULL",
        {"id": area_id},
    )
    if path is None or scope.user_id is None:
        return
    wider = replace(scope, paths=(*(scope.paths or ()), path))
    await add_grant(tx, wider, scope.user_id, role=Role.ADMIN, area_id=area_id)


async def remove_grant(
    tx: Transaction, scope: Scope, user_id: int, *, role: Role, area_id: int
) -> None:
    """Take a role in an area of the scope back; it ends at once, in open streams too."""
    area = await get_area(tx, scope, area_id)
    count = await tx.execute(
        "DELETE FROM grants WHERE user_id = %(user)s AND role = %(role)s AND area_id = %(area)s",
        {"user": user_id, "role": role, "area": area.id},
    )
    if count == 0:
        msg = "no such grant"
        raise NotFound(msg)
    await _keep_an_admin(tx)
    await audit.record(
        tx, scope, _deed("grant.removed", user_id, area.id), {"role": role, "area": area.code}
    )
    await notify(tx, scope, TOPIC, [user_id])
    await notify(tx, scope, "users", [user_id])


def _deed(action: str, user_id: int, area_id: int | None = None) -> audit.Deed:
    return audit.Deed(action=action, object_type="user", object_id=str(user_id), area_id=area_id)


async def _get_governed(tx: Transaction, scope: Scope, user_id: int) -> User:
    """Return a person all of whose grants lie within the scope."""
    user = await get_user(tx, scope, user_id)
    held = await tx.scalar(
        int, "SELECT count(*) FROM grants WHERE user_id = %(id)s", {"id": user_id}
    )
    if held != len(user.grants):
        msg = "this user also holds areas that are not yours to administer"
        raise NotPermitted(msg)
    return user


async def _with_grants(tx: Transaction, scope: Scope, rows: list[_Row]) -> list[User]:
    held: dict[int, list[Grant]] = {row.id: [] for row in rows}
    for user_id, role, area_id, path in await tx.tuples(
        "SELECT g.user_id, g.role, g.area_id, a.path::text FROM grants g"
        " JOIN areas a ON a.id = g.area_id WHERE g.user_id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY a.path, g.role",
        {"ids": list(held), "scope": scope_paths(scope)},
    ):
        grant = Grant(role=Role(str(role)), area_id=int(str(area_id)), area_path=str(path))
        held[int(str(user_id))].append(grant)
    return [
        User(
            id=row.id,
            name=row.name,
            display_name=row.display_name,
            is_disabled=row.is_disabled,
            created_at=row.created_at,
            grants=held[row.id],
        )
        for row in rows
    ]


async def _keep_an_admin(tx: Transaction) -> None:
    """Refuse what would leave nobody to administer the whole."""
    await tx.execute("LOCK TABLE grants IN SHARE ROW EXCLUSIVE MODE")
    if not await tx.scalar(
        bool,
        "SELECT EXISTS (SELECT FROM grants g JOIN areas a ON a.id = g.area_id"
        " JOIN users u ON u.id = g.user_id"
        " WHERE g.role = 'admin' AND a.parent_id IS NULL AND NOT u.is_disabled)",
    ):
        msg = "this is the last administrator of the whole site: appoint another one first"
        raise Conflict(msg)
