"""What a person has arranged for himself: layouts of his wall, views of his lists, his choices.

It concerns nobody else and changes nothing of the site: it is bounded, not audited, and goes with
the person. What a value means is the console's affair.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import Conflict, Invalid, NotFound, NotPermitted
from hub.store.database import Transaction

MOST_SETTINGS: Final = 100  # a person
MOST_VALUE_BYTES: Final = 16 << 10


class SettingKind(StrEnum):
    """What kind of thing a person keeps; names are unique within a kind."""

    WALL_LAYOUT = "wall-layout"
    DEVICE_VIEW = "device-view"
    ALERT_VIEW = "alert-view"
    DISPATCH_VIEW = "dispatch-view"
    CHOICES = "choices"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSetting:
    """One thing kept; ``version`` counts its changes from 1."""

    name: str
    value: Mapping[str, Json]
    version: int
    changed_at: datetime


async def list_settings(tx: Transaction, scope: Scope, kind: SettingKind) -> list[PersonSetting]:
    """The caller's own settings of a kind, by name."""
    return await tx.fetch(
        PersonSetting,
        "SELECT name, value, version, changed_at FROM person_settings"
        " WHERE user_id = %(user)s AND kind = %(kind)s ORDER BY name",
        {"user": scope.user_id, "kind": kind},
    )


async def put_setting(
    tx: Transaction,
    scope: Scope,
    kind: SettingKind,
    name: str,
    value: Mapping[str, Json],
    *,
    version: int | None = None,
) -> PersonSetting:
    """Keep something under a name; ``version`` is the one it is known in, 0 for a new one.

    Without a version what is there is replaced.

    Raises:
        Conflict: the caller has changed it elsewhere meanwhile.
        Invalid: it is too large, or one too many.
        NotPermitted: the caller is no person.
    """
    if scope.user_id is None:
        msg = "only a person keeps settings of his own"
        raise NotPermitted(msg)
    if len(json.dumps(value, ensure_ascii=False).encode(errors="replace")) > MOST_VALUE_BYTES:
        msg = f"this is larger than {MOST_VALUE_BYTES >> 10} KiB: keep less of it"
        raise Invalid(msg, field="value")
    key = {"user": scope.user_id, "kind": kind, "name": name}
    # Two windows of one person take turns.
    await tx.execute("SELECT FROM users WHERE id = %(user)s FOR NO KEY UPDATE", key)
    known = await tx.scalar(
        int,
        "SELECT version FROM person_settings"
        " WHERE user_id = %(user)s AND kind = %(kind)s AND name = %(name)s",
        key,
    )
    if version is not None and version != (known or 0):
        msg = "this was changed in another window meanwhile: look at it as it is now"
        raise Conflict(msg)
    if known is None:
        await _refuse_too_many(tx, scope)
    kept = await tx.fetch_one(
        PersonSetting,
        "INSERT INTO person_settings (user_id, kind, name, value)"
        " VALUES (%(user)s, %(kind)s, %(name)s, %(value)s)"
        " ON CONFLICT (user_id, kind, name) DO UPDATE SET value = excluded.value,"
        " version = person_settings.version + 1, changed_at = now()"
        " RETURNING name, value, version, changed_at",
        {**key, "value": Jsonb(dict(value))},
    )
    if kept is None:
        msg = "nothing was kept"
        raise NotFound(msg)
    return kept


async def remove_setting(tx: Transaction, scope: Scope, kind: SettingKind, name: str) -> None:
    """Forget one of the caller's own; raises NotFound when there is none."""
    count = await tx.execute(
        "DELETE FROM person_settings"
        " WHERE user_id = %(user)s AND kind = %(kind)s AND name = %(name)s",
        {"user": scope.user_id, "kind": kind, "name": name},
    )
    if count == 0:
        msg = "you keep nothing of this name"
        raise NotFound(msg)


async def _refuse_too_many(tx: Transaction, scope: Scope) -> None:
    held = await tx.scalar(
        int,
        "SELECT count(*) FROM person_settings WHERE user_id = %(user)s",
        {"user": scope.user_id},
    )
    if (held or 0) >= MOST_SETTINGS:
        msg = f"a person keeps at most {MOST_SETTINGS} things: remove one first"
        raise Invalid(msg, field="name")
