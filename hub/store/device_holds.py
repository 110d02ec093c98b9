"""Who steers a camera by hand, or speaks through it: one person at a time, and not for long.

A hold ends by itself a few seconds after the last order: whoever gave it may be gone.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Preset
from hub.domain.errors import NotFound
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

HELD_FOR = timedelta(seconds=10)


class Work(StrEnum):
    """What a camera does for one person at a time."""

    STEER = "steer"
    TALK = "talk"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A camera, and what it is to do."""

    device_id: int
    work: Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Somebody has it; ``until`` is when others may, should he give no further order."""

    user_id: int | None
    actor: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a wish to have it.

    ``hold`` is whoever has it now; ``is_new`` when he begins with this order; ``before`` is whom
    it was taken from.
    """

    hold: Hold
    is_mine: bool
    is_new: bool = False
    before: str = ""


async def take_hold(
    tx: Transaction, scope: Scope, wanted: Wanted, now: datetime, *, take_over: bool = False
) -> Taken:
    """Have it from now on, or go on having it; from somebody else only to ``take_over``.

    The caller has looked whether the device lies in the scope.
    """
    before = await find_hold(tx, scope, wanted, now)
    is_own = before is not None and (before.user_id, before.actor) == (scope.user_id, scope.actor)
    if before is not None and not is_own and not take_over:
        return Taken(hold=before, is_mine=False)
    since = before.since if before is not None and is_own else now
    rows = await tx.fetch(
        Hold,
        "INSERT INTO device_holds AS h (device_id, work, user_id, actor, since, until)"
        " SELECT d.id, %(work)s, %(user)s::bigint, %(actor)s, %(since)s, %(until)s"
        " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = %(device)s AND"
        + IN_SCOPE
        + "ON CONFLICT (device_id, work) DO UPDATE SET user_id = excluded.user_id,"
        " actor = excluded.actor, since = excluded.since, until = excluded.until"
        " WHERE h.until <= %(now)s OR %(over)s"
        " OR (h.user_id IS NOT DISTINCT FROM excluded.user_id AND h.actor = excluded.actor)"
        " RETURNING h.user_id, h.actor, h.since, h.until",
        {
            "device": wanted.device_id,
            "work": wanted.work,
            "user": scope.user_id,
            "actor": scope.actor,
            "since": since,
            "now": now,
            "over": take_over,
            "until": now + HELD_FOR,
            "scope": scope_paths(scope),
        },
    )
    if not rows:  # somebody else began in the same moment
        other = await find_hold(tx, scope, wanted, now)
        if other is None:
            msg = "no such device"
            raise NotFound(msg)
        return Taken(hold=other, is_mine=False)
    was_others = before is not None and not is_own
    return Taken(
        hold=rows[0],
        is_mine=True,
        is_new=not is_own,
        before=before.actor if before is not None and was_others else "",
    )


async def find_hold(tx: Transaction, scope: Scope, wanted: Wanted, now: datetime) -> Hold | None:
    """Who has it now, in the scope."""
    return await tx.fetch_one(
        Hold,
        "SELECT h.user_id, h.actor, h.since, h.until FROM device_holds h"
        " JOIN devices d ON d.id = h.device_id JOIN areas a ON a.id = d.area_id"
        " WHERE h.device_id = %(device)s AND h.work = %(work)s AND h.until > %(now)s AND"
        + IN_SCOPE,
        {
            "device": wanted.device_id,
            "work": wanted.work,
            "now": now,
            "scope": scope_paths(scope),
        },
    )


async def end_hold(tx: Transaction, scope: Scope, wanted: Wanted) -> None:
    """Leave it to others, if it is the caller's."""
    await tx.execute(
        "DELETE FROM device_holds h USING devices d, areas a WHERE d.id = h.device_id"
        " AND a.id = d.area_id AND h.device_id = %(device)s AND h.work = %(work)s"
        " AND h.user_id IS NOT DISTINCT FROM %(user)s AND h.actor = %(actor)s AND" + IN_SCOPE,
        {
            "device": wanted.device_id,
            "work": wanted.work,
            "user": scope.user_id,
            "actor": scope.actor,
            "scope": scope_paths(scope),
        },
    )


async def keep_presets(
    tx: Transaction, scope: Scope, device_id: int, channel: str, presets: Sequence[Preset]
) -> None:
    """Write down the stored positions of a channel, as the camera names them now."""
    await tx.execute(
        "UPDATE channels c SET presets = %(presets)s FROM devices d JOIN areas a"
        " ON a.id = d.area_id WHERE c.device_id = d.id AND d.id = %(device)s"
        " AND c.key = %(channel)s AND" + IN_SCOPE,
        {
            "device": device_id,
            "channel": channel,
            "presets": Jsonb([asdict(preset) for preset in presets]),
            "scope": scope_paths(scope),
        },
    )
