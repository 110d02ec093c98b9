"""Windows, probe intervals and picture profiles of many devices at once, each its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.domain.errors import Invalid, NotFound
from hub.store import maintenance_windows, picture_profiles, probe_intervals
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlan:
    """Planned maintenance; a beginning in the past becomes now."""

    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePair:
    """The picture profiles by day and by night."""

    day_id: int
    night_id: int


async def plan_windows(
    tx: Transaction, scope: Scope, device_ids: Sequence[int], plan: WindowPlan, *, now: datetime
) -> None:
    """Plan a window for each of these devices of the scope.

    Raises:
        Invalid: it ends too early or lasts too long.
    """
    starts_at = max(plan.starts_at, now)
    longest = maintenance_windows.LONGEST
    if not timedelta(0) < plan.ends_at - starts_at <= longest:
        msg = f"a window ends after it begins and lasts at most {longest.days} days"
        raise Invalid(msg, field="window.ends_at")
    rows = await tx.tuples(
        "INSERT INTO maintenance_windows"
        " (area_id, device_id, starts_at, ends_at, reason, author, created_at)"
        " SELECT d.area_id, d.id, %(starts)s, %(ends)s, %(reason)s, %(author)s, %(now)s"
        " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY d.id RETURNING id",
        {
            "ids": list(device_ids),
            "starts": starts_at,
            "ends": plan.ends_at,
            "reason": plan.reason,
            "author": scope.actor,
            "now": now,
            "scope": scope_paths(scope),
        },
    )
    await notify(tx, scope, maintenance_windows.TOPIC, _numbers(rows))


async def set_intervals(
    tx: Transaction, scope: Scope, device_ids: Sequence[int], intervals: Mapping[str, float | None]
) -> None:
    """Set the devices' own intervals; those that are None stay as they are."""
    ids = {"ids": list(device_ids), "scope": scope_paths(scope)}
    # Set while a device was in another area: it would stand beside the new row.
    await tx.execute(
        "DELETE FROM probe_intervals i USING devices d, areas a WHERE d.id = i.device_id"
        " AND a.id = d.area_id AND i.area_id <> d.area_id AND d.id = ANY (%(ids)s) AND" + IN_SCOPE,
        ids,
    )
    rows = await tx.tuples(
        "INSERT INTO probe_intervals AS i"
        " (area_id, device_id, answer_s, stream_s, frames_s, inspect_s, picture_s)"
        " SELECT d.area_id, d.id, %(answer_s)s::float8, %(stream_s)s::float8,"
        " %(frames_s)s::float8, %(inspect_s)s::float8, %(picture_s)s::float8"
        " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ON CONFLICT (area_id, class, device_id) DO UPDATE SET"
        " answer_s = coalesce(excluded.answer_s, i.answer_s),"
        " stream_s = coalesce(excluded.stream_s, i.stream_s),"
        " frames_s = coalesce(excluded.frames_s, i.frames_s),"
        " inspect_s = coalesce(excluded.inspect_s, i.inspect_s),"
        " picture_s = coalesce(excluded.picture_s, i.picture_s) RETURNING id",
        {**{name: intervals.get(name) for name in probe_intervals.FIELDS}, **ids},
    )
    await notify(tx, scope, probe_intervals.TOPIC, _numbers(rows))


async def clear_intervals(tx: Transaction, scope: Scope, device_ids: Sequence[int]) -> None:
    """Take away the devices' own intervals: they inherit again."""
    rows = await tx.tuples(
        "DELETE FROM probe_intervals i USING devices d, areas a WHERE d.id = i.device_id"
        " AND a.id = d.area_id AND d.id = ANY (%(ids)s) AND" + IN_SCOPE + "RETURNING i.id",
        {"ids": list(device_ids), "scope": scope_paths(scope)},
    )
    await notify(tx, scope, probe_intervals.TOPIC, _numbers(rows))


async def profile_places(tx: Transaction, scope: Scope, pair: ProfilePair) -> list[str]:
    """The paths of the areas to which two profiles belong; cameras there and below take them.

    Raises:
        NotFound: one of them applies nowhere in the scope.
    """
    for number in (pair.day_id, pair.night_id):
        await picture_profiles.get_profile(tx, scope, number)
    # Locked: a profile that is being assigned is not removed meanwhile.
    rows = await tx.tuples(
        "SELECT a.path::text FROM picture_profiles f JOIN areas a ON a.id = f.area_id"
        " WHERE f.id IN (%(day)s, %(night)s) FOR KEY SHARE OF f",
        {"day": pair.day_id, "night": pair.night_id},
    )
    if not rows:
        msg = "no such profile"
        raise NotFound(msg)
    return [str(path) for (path,) in rows]


async def assign_profiles(
    tx: Transaction, scope: Scope, device_ids: Sequence[int], pair: ProfilePair
) -> None:
    """Give devices of the scope their own profiles, which :func:`profile_places` has checked."""
    ids = {"ids": list(device_ids), "scope": scope_paths(scope)}
    await tx.execute(
        "DELETE FROM picture_assignments i USING devices d, areas a WHERE d.id = i.device_id"
        " AND a.id = d.area_id AND i.area_id <> d.area_id AND d.id = ANY (%(ids)s) AND" + IN_SCOPE,
        ids,
    )
    await tx.execute(
        "INSERT INTO picture_assignments (area_id, device_id, day_id, night_id)"
        " SELECT d.area_id, d.id, %(day)s, %(night)s"
        " FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ON CONFLICT (area_id, class, device_id) DO UPDATE SET day_id = excluded.day_id,"
        " night_id = excluded.night_id",
        {"day": pair.day_id, "night": pair.night_id, **ids},
    )
    await notify(tx, scope, picture_profiles.TOPIC, [pair.day_id, pair.night_id])


def _numbers(rows: Sequence[tuple[object, ...]]) -> list[int]:
    return [int(str(number)) for (number,) in rows]
