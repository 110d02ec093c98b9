"""How often which devices are asked: rows by area, class and device."""

from dataclasses import asdict, dataclass

from hub.domain.access import Scope
from hub.domain.errors import Invalid, NotFound
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "probe-intervals"
FIELDS = ("answer_s", "stream_s", "frames_s", "inspect_s", "picture_s")

# A device's own row goes with it when it moves to another area.
_INTERVAL = (
    "SELECT i.id, a.id AS area_id, a.path::text AS area_path, i.class AS device_class,"
    " i.device_id, i.answer_s, i.stream_s, i.frames_s, i.inspect_s, i.picture_s"
    " FROM probe_intervals i"
    " LEFT JOIN devices d ON d.id = i.device_id"
    " JOIN areas a ON a.id = coalesce(d.area_id, i.area_id) WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeInterval:
    """What is set for an area, for a class of devices in it, or for one device.

    Seconds between two questions of each depth; None inherits. ``device_class`` is empty for
    every class. A device's row names the area in which the device is now.
    """

    id: int = 0
    area_id: int = 0
    area_path: str = ""
    device_class: str = ""
    device_id: int | None = None
    answer_s: float | None = None
    stream_s: float | None = None
    frames_s: float | None = None
    inspect_s: float | None = None
    picture_s: float | None = None


async def all_intervals(tx: Transaction, scope: Scope) -> list[ProbeInterval]:
    """Everything set within the scope."""
    return await tx.fetch(
        ProbeInterval, _INTERVAL + IN_SCOPE + "ORDER BY i.id", {"scope": scope_paths(scope)}
    )


async def list_intervals(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[ProbeInterval]:
    """What is set, by number; in an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        ProbeInterval,
        _INTERVAL + IN_SCOPE + "AND i.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY i.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=rows[:count], next=more)


async def get_interval(tx: Transaction, scope: Scope, interval_id: int) -> ProbeInterval:
    """Return one row; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        ProbeInterval,
        _INTERVAL + " i.id = %(id)s AND" + IN_SCOPE,
        {"id": interval_id, "scope": scope_paths(scope)},
    )
    if row is None:
        msg = "no such probe interval"
        raise NotFound(msg)
    return row


async def put_interval(tx: Transaction, scope: Scope, wanted: ProbeInterval) -> ProbeInterval:
    """Set the intervals of an area, a class in it or a device, in place of what was set for it.

    ``id`` and ``area_path`` of ``wanted`` are ignored, and ``area_id`` for a device.

    Raises:
        NotFound: the area or the device lies outside the scope.
        Invalid: nothing is set, a device is named together with a class, or a value lies outside
            what the table allows.
    """
    values = asdict(wanted)
    if all(values[name] is None for name in FIELDS):
        msg = "set at least one interval, or remove the row"
        raise Invalid(msg, field="answer_s")
    if wanted.device_id is not None:
        if wanted.device_class:
            msg = "a device's own intervals name no class"
            raise Invalid(msg, field="device_class")
        values["area_id"] = (await get_device(tx, scope, wanted.device_id)).area_id
        # Set while the device was in another area: it would stand beside the new row.
        await tx.execute(
            "DELETE FROM probe_intervals WHERE device_id = %(device_id)s"
            " AND area_id <> %(area_id)s",
            values,
        )
    else:
        await get_area(tx, scope, wanted.area_id)
    number = await tx.scalar(
        int,
        "INSERT INTO probe_intervals"
        " (area_id, class, device_id, answer_s, stream_s, frames_s, inspect_s, picture_s)"
        " VALUES (%(area_id)s, %(device_class)s, %(device_id)s, %(answer_s)s, %(stream_s)s,"
        " %(frames_s)s, %(inspect_s)s, %(picture_s)s)"
        " ON CONFLICT (area_id, class, device_id) DO UPDATE SET"
        " answer_s = excluded.answer_s, stream_s = excluded.stream_s,"
        " frames_s = excluded.frames_s, inspect_s = excluded.inspect_s,"
        " picture_s = excluded.picture_s RETURNING id",
        values,
    )
    row = await get_interval(tx, scope, number or 0)
    await _tell(tx, scope, "probe_interval.set", row)
    return row


async def remove_interval(tx: Transaction, scope: Scope, interval_id: int) -> None:
    """Remove a row of the scope: its devices inherit again."""
    row = await get_interval(tx, scope, interval_id)
    await tx.execute("DELETE FROM probe_intervals WHERE id = %(id)s", {"id": row.id})
    await _tell(tx, scope, "probe_interval.removed", row)


async def _tell(tx: Transaction, scope: Scope, action: str, row: ProbeInterval) -> None:
    await notify(tx, scope, TOPIC, [row.id])
    deed = Deed(
        action=action, object_type="probe_interval", object_id=str(row.id), area_id=row.area_id
    )
    detail = {key: value for key, value in asdict(row).items() if key not in {"id", "area_path"}}
    await record(tx, scope, deed, detail)
