"""What slow looks found: a row per camera and day, and the newest of it on the device's record."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.health import Inspection, Recording
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look at a device found; None: nothing, but it was tried.

    ``day`` is the beginning of the day to which the state of the clock is counted.
    """

    device_id: int
    tried_at: datetime
    day: datetime
    inspection: Inspection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """A device after its findings were kept; ``…_was`` is what was known before."""

    device_id: int
    name: str
    area_id: int
    area_path: str
    firmware_was: str
    firmware: str
    certificate_was: datetime | None
    certificate: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraDay:
    """One day of one camera; None: it was not told."""

    day: datetime
    device_id: int
    clock_offset_s: float | None = None
    recorded_s: float | None = None
    planned_s: float | None = None
    holes: list[list[str]] = field(default_factory=list)


async def keep_findings(tx: Transaction, scope: Scope, findings: Sequence[Finding]) -> list[Learnt]:
    """Store what was found, at most one finding a device; what was not told stays as it was."""
    learnt = await _keep_on_devices(tx, scope, findings)
    known = {one.device_id for one in learnt}
    told = [(one, one.inspection) for one in findings if one.device_id in known and one.inspection]
    clocks = [
        (one, look.inspected_at, float(look.clock_offset_s))
        for one, look in told
        if look.clock_offset_s is not None
    ]
    if clocks:
        await _keep_clocks(tx, clocks)
    recordings = [
        (one.device_id, look.recording_day, look.recording)
        for one, look in told
        if look.recording is not None
        and look.recording_day is not None
        and look.recording.planned_s > 0
    ]
    if recordings:
        await _keep_recordings(tx, recordings)
    return learnt


async def list_camera_days(
    tx: Transaction, scope: Scope, device_id: int, *, since: datetime, until: datetime
) -> list[CameraDay]:
    """The days of a device of the scope that began within a time, oldest first, at most 1,000."""
    return await tx.fetch(
        CameraDay,
        "SELECT y.day, y.device_id, y.clock_offset_s, y.recorded_s, y.planned_s, y.holes"
        " FROM camera_days y JOIN devices d ON d.id = y.device_id JOIN areas a ON a.id = d.area_id"
        " WHERE y.device_id = %(device)s AND y.day >= %(since)s AND y.day < %(until)s AND"
        + IN_SCOPE
        + "ORDER BY y.day LIMIT 1000",
        {"scope": scope_paths(scope), "device": device_id, "since": since, "until": until},
    )


async def certificates_announced(
    tx: Transaction, scope: Scope, device_ids: Sequence[int], *, kind: str, since: datetime
) -> set[tuple[int, str]]:
    """(device, end of its certificate) of every event of a kind since then."""
    if not device_ids:
        return set()
    rows = await tx.tuples(
        "SELECT e.device_id, e.data ->> 'expires_at' FROM events e"
        " JOIN areas a ON a.id = e.area_id WHERE e.device_id = ANY (%(ids)s)"
        " AND e.at >= %(since)s AND e.kind = %(kind)s AND" + IN_SCOPE,
        {"scope": scope_paths(scope), "ids": list(device_ids), "since": since, "kind": kind},
    )
    return {(int(str(device)), str(expires_at)) for device, expires_at in rows}


async def _keep_on_devices(
    tx: Transaction, scope: Scope, findings: Sequence[Finding]
) -> list[Learnt]:
    looks = [one.inspection for one in findings]
    return await tx.fetch(
        Learnt,
        "WITH n AS (SELECT * FROM unnest(%(ids)s::bigint[], %(at)s::timestamptz[],"
        "  %(offsets)s::float8[], %(oldest)s::timestamptz[], %(ends)s::timestamptz[],"
        "  %(firmware)s::text[]) AS n (id, at, clock_offset, oldest, ends, firmware)),"
        " old AS (SELECT d.id, d.firmware, d.certificate_expires_at, a.path::text AS path"
        "  FROM devices d JOIN areas a ON a.id = d.area_id"
        "  WHERE d.id = ANY (%(ids)s) AND" + IN_SCOPE + " ORDER BY d.id FOR UPDATE OF d)"
        " UPDATE devices d SET inspected_at = n.at,"
        "  clock_offset_s = coalesce(n.clock_offset, d.clock_offset_s),"
        "  oldest_recording_at = coalesce(n.oldest, d.oldest_recording_at),"
        "  certificate_expires_at = coalesce(n.ends, d.certificate_expires_at),"
        "  firmware = coalesce(nullif(n.firmware, ''), d.firmware)"
        " FROM n JOIN old ON old.id = n.id WHERE d.id = n.id"
        " RETURNING d.id AS device_id, d.name, d.area_id, old.path AS area_path,"
        "  old.firmware AS firmware_was, d.firmware,"
        "  old.certificate_expires_at AS certificate_was,"
        "  d.certificate_expires_at AS certificate",
        {
            "scope": scope_paths(scope),
            "ids": [one.device_id for one in findings],
            "at": [one.tried_at for one in findings],
            "offsets": [_number(look.clock_offset_s) if look else None for look in looks],
            "oldest": [None if look is None else look.oldest_recording_at for look in looks],
            "ends": [None if look is None else look.certificate_expires_at for look in looks],
            "firmware": ["" if look is None else _plain(look.firmware) for look in looks],
        },
    )


async def _keep_clocks(tx: Transaction, clocks: Sequence[tuple[Finding, datetime, float]]) -> None:
    values = {
        "ids": [one.device_id for one, _, _ in clocks],
        "days": [one.day for one, _, _ in clocks],
        "at": [at for _, at, _ in clocks],
        "offsets": [offset for _, _, offset in clocks],
    }
    await tx.execute(
        "UPDATE device_status s SET clock_at = n.at"
        " FROM unnest(%(ids)s::bigint[], %(at)s::timestamptz[]) AS n (id, at)"
        " WHERE s.device_id = n.id",
        values,
    )
    await tx.execute(
        "INSERT INTO camera_days AS y (day, device_id, clock_offset_s)"
        " SELECT * FROM unnest(%(days)s::timestamptz[], %(ids)s::bigint[], %(offsets)s::float8[])"
        " ON CONFLICT (device_id, day) DO UPDATE SET clock_offset_s = excluded.clock_offset_s"
        " WHERE y.clock_offset_s IS NULL OR abs(y.clock_offset_s) < abs(excluded.clock_offset_s)",
        values,
    )


async def _keep_recordings(
    tx: Transaction, recordings: Sequence[tuple[int, datetime, Recording]]
) -> None:
    await tx.execute(
        "INSERT INTO camera_days (day, device_id, recorded_s, planned_s, holes)"
        " SELECT n.day, n.id, n.recorded, n.planned, n.holes::jsonb"
        " FROM unnest(%(days)s::timestamptz[], %(ids)s::bigint[], %(recorded)s::float8[],"
        "  %(planned)s::float8[], %(holes)s::text[]) AS n (day, id, recorded, planned, holes)"
        " ON CONFLICT (device_id, day) DO UPDATE SET recorded_s = excluded.recorded_s,"
        "  planned_s = excluded.planned_s, holes = excluded.holes",
        {
            "ids": [device for device, _, _ in recordings],
            "days": [day for _, day, _ in recordings],
            "recorded": [float(one.recorded_s) for _, _, one in recordings],
            "planned": [float(one.planned_s) for _, _, one in recordings],
            "holes": [
                json.dumps([[begin.isoformat(), end.isoformat()] for begin, end in one.holes])
                for _, _, one in recordings
            ],
        },
    )


def _number(value: float | None) -> float | None:
    """Return a number as the driver wants all of a list: of one type."""
    return None if value is None else float(value)


def _plain(text: str) -> str:
    """Return a text that the database can hold."""
    return text.replace("\0", "").encode(errors="replace").decode()
