"""Who steers a camera by hand now: one person at a time, for a few seconds after his last order."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Preset
from hub.domain.errors import NotFound
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

HELD_FOR = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Somebody steers; ``until`` is when others may, should he give no further order."""

    user_id: int | None
    actor: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a wish to steer.

    ``hold`` is whoever steers now; ``is_new`` when he begins with this order; ``before`` is whom
    it was taken from.
    """

    hold: Hold
    is_mine: bool
    is_new: bool = False
    before: str = ""


async def take_hold(
    tx: Transaction, scope: Scope, device_id: int, now: datetime, *, take_over: bool = False
) -> Taken:
    """Steer from now on, or go on steering; from somebody else only to ``take_over``.

    The caller has looked whether the device lies in the scope.
    """
    before = await find_hold(tx, scope, device_id, now)
    is_own = before is not None and (before.user_id, before.actor) == (scope.user_id, scope.actor)
    if before is not None and not is_own and not take_over:
        return Taken(hold=before, is_mine=False)
    since = before.since if before is not None and is_own else now
    rows = await tx.fetch(
        Hold,
        "INSERT INTO ptz_holds AS h (device_id, user_id, actor, since, until)"
        " SELECT d.id, %(user)s::bigint, %(actor)s, %(since)s, %(until)s"
        " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = %(device)s AND"
        + IN_SCOPE
        + "ON CONFLICT (device_id) DO UPDATE SET user_id = excluded.user_id,"
        " actor = excluded.actor, since = excluded.since, until = excluded.until"
        " WHERE h.until <= %(now)s OR %(over)s"
        " OR (h.user_id IS NOT DISTINCT FROM excluded.user_id AND h.actor = excluded.actor)"
        " RETURNING h.user_id, h.actor, h.since, h.until",
        {
            "device": device_id,
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
        other = await find_hold(tx, scope, device_id, now)
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


async def find_hold(tx: Transaction, scope: Scope, device_id: int, now: datetime) -> Hold | None:
    """Who steers a camera of the scope now."""
    return await tx.fetch_one(
        Hold,
        "SELECT h.user_id, h.actor, h.since, h.until FROM ptz_holds h"
        " JOIN devices d ON d.id = h.device_id JOIN areas a ON a.id = d.area_id"
        " WHERE h.device_id = %(device)s AND h.until > %(now)s AND" + IN_SCOPE,
        {"device": device_id, "now": now, "scope": scope_paths(scope)},
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
