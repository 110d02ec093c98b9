"""The present status of devices, and what changes of it leave in the ledger.

Many devices may change at once (a first round, a cut uplink): a batch is a handful of
statements, however many devices it holds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.health import (
    NO_FAULTS,
    DeviceStatusReport,
    Faults,
    Layer,
    Status,
    first_fault,
    merge_faults,
    status_of,
)
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# Practice: a device that fails so often within so long flaps, and is said to once.
FLAPPING_OUTAGES: Final = 5
FLAPPING_WITHIN: Final = timedelta(minutes=30)

_ROWS = (
    "SELECT s.device_id, s.status, s.since, s.faults, s.detail, s.behind_id, s.is_flapping,"
    " s.session FROM device_status s JOIN devices d ON d.id = s.device_id"
    " JOIN areas a ON a.id = d.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """What is known of one device now.

    ``faults`` are all layers that fail; ``layer`` is the first of them. ``behind_id`` is the
    parent that is down and explains it. ``detail`` is the sentence people see.
    """

    device_id: int
    status: Status
    since: datetime
    faults: Faults = field(default_factory=lambda: NO_FAULTS)
    detail: str = ""
    behind_id: int | None = None
    is_flapping: bool = False
    session: int | None = None

    @property
    def layer(self) -> Layer | None:
        """The layer that names the fault."""
        return None if self.status is Status.UNKNOWN else first_fault(self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a report made of a device: the row before and after it."""

    before: StatusRow
    after: StatusRow

    @property
    def is_news(self) -> bool:
        """Tell whether people see a difference: another status, layer or parent to blame."""
        old, new = self.before, self.after
        was, now = (old.status, old.layer, old.behind_id), (new.status, new.layer, new.behind_id)
        return was != now

    @property
    def began_flapping(self) -> bool:
        """Tell whether it was found to flap just now."""
        return self.after.is_flapping and not self.before.is_flapping


async def all_statuses(
    tx: Transaction, scope: Scope, device_ids: Sequence[int] | None = None
) -> list[StatusRow]:
    """The status of every device of the scope, or of those of ``device_ids``."""
    rows = await tx.tuples(
        _ROWS + IN_SCOPE + "AND (%(ids)s::bigint[] IS NULL OR s.device_id = ANY (%(ids)s))",
        {"scope": scope_paths(scope), "ids": None if device_ids is None else list(device_ids)},
    )
    return [_row(*row) for row in rows]


async def apply_reports(
    tx: Transaction, scope: Scope, reports: Sequence[DeviceStatusReport]
) -> list[Change]:
    """Store verdicts, at most one a device, with the outages they open and close.

    The rows are locked and what they hold decides, whatever the caller believed. A report of an
    earlier session than the row's is late and changes nothing.
    """
    wanted = {report.device_id: report for report in reports}
    rows = await tx.tuples(
        _ROWS + IN_SCOPE + "AND s.device_id = ANY (%(ids)s) ORDER BY s.device_id FOR UPDATE OF s",
        {"scope": scope_paths(scope), "ids": sorted(wanted)},
    )
    changes = []
    for columns in rows:
        row = _row(*columns)
        report = wanted[row.device_id]
        if not _is_late(report, row):
            changes.append(Change(before=row, after=_after(row, report)))
    await _store(tx, [change.after for change in changes if change.after != change.before])
    await _keep_outages(tx, changes)
    await _keep_spells(tx, changes)
    flapping = await _find_flapping(tx, changes)
    return [
        replace(c, after=replace(c.after, is_flapping=True)) if c.after.device_id in flapping else c
        for c in changes
    ]


def _is_late(report: DeviceStatusReport, row: StatusRow) -> bool:
    return report.session is not None and row.session is not None and report.session < row.session


def _after(row: StatusRow, report: DeviceStatusReport) -> StatusRow:
    session = row.session if report.session is None else report.session
    if report.is_unknown:
        since = row.since if row.status is Status.UNKNOWN else max(report.probed_at, row.since)
        return replace(
            row,
            status=Status.UNKNOWN,
            since=since,
            detail=report.detail,
            behind_id=None,
            session=session,
        )
    faults = merge_faults(row.faults, report)
    layer, status = first_fault(faults), status_of(faults)
    # What fails above a layer that was seen failing says nothing of who is to blame.
    behind = report.behind if layer is report.layer else row.behind_id
    began = report.probed_at
    if row.status is not Status.UNKNOWN:
        began = max(began, row.since)
    return replace(
        row,
        status=status,
        since=row.since if status is row.status else began,
        faults=faults,
        detail="" if layer is None else faults[layer],
        behind_id=behind if status is Status.OFFLINE else None,
        session=session,
    )


async def _store(tx: Transaction, rows: Sequence[StatusRow]) -> None:
    if not rows:
        return
    await tx.execute(
        "UPDATE device_status s SET status = n.status, since = n.since, layer = n.layer,"
        " detail = n.detail, faults = n.faults::jsonb, behind_id = n.behind, session = n.session"
        " FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(since)s::timestamptz[],"
        "  %(layers)s::text[], %(details)s::text[], %(faults)s::text[], %(behind)s::bigint[],"
        "  %(sessions)s::bigint[])"
        "  AS n (id, status, since, layer, detail, faults, behind, session)"
        " WHERE s.device_id = n.id",
        {
            "ids": [row.device_id for row in rows],
            "statuses": [row.status for row in rows],
            "since": [row.since for row in rows],
            "layers": [row.layer or "" for row in rows],
            "details": [row.detail for row in rows],
            "faults": [json.dumps(dict(row.faults)) for row in rows],
            "behind": [row.behind_id for row in rows],
            "sessions": [row.session for row in rows],
        },
    )


async def _keep_outages(tx: Transaction, changes: Sequence[Change]) -> None:
    offline = Status.OFFLINE
    opened = [c.after for c in changes if c.after.status is offline is not c.before.status]
    closed = [c.after for c in changes if c.before.status is offline is not c.after.status]
    lasting = [c.after for c in changes if c.before.status is offline is c.after.status]
    if opened:
        await tx.execute(
            "INSERT INTO outages (device_id, started_at, layer, cause, parent_id)"
            " SELECT * FROM unnest(%(ids)s::bigint[], %(at)s::timestamptz[], %(layers)s::text[],"
            "  %(causes)s::text[], %(parents)s::bigint[]) ON CONFLICT DO NOTHING",
            {
                "ids": [row.device_id for row in opened],
                "at": [row.since for row in opened],
                "layers": [row.layer or "" for row in opened],
                "causes": [row.detail for row in opened],
                "parents": [row.behind_id for row in opened],
            },
        )
    if closed:
        await tx.execute(
            "UPDATE outages o SET doubtful_from = NULL,"
            " ended_at = greatest(o.started_at, least(n.at, o.doubtful_from))"
            " FROM unnest(%(ids)s::bigint[], %(at)s::timestamptz[]) AS n (id, at)"
            " WHERE o.device_id = n.id AND o.ended_at IS NULL",
            {"ids": [row.device_id for row in closed], "at": [row.since for row in closed]},
        )
    if lasting:
        await tx.execute(
            "UPDATE outages o SET doubtful_from = NULL, parent_id = coalesce(o.parent_id, n.parent)"
            " FROM unnest(%(ids)s::bigint[], %(parents)s::bigint[]) AS n (id, parent)"
            " WHERE o.device_id = n.id AND o.ended_at IS NULL"
            " AND (o.doubtful_from IS NOT NULL OR (o.parent_id IS NULL AND n.parent IS NOT NULL))",
            {
                "ids": [row.device_id for row in lasting],
                "parents": [row.behind_id for row in lasting],
            },
        )


async def _keep_spells(tx: Transaction, changes: Sequence[Change]) -> None:
    unknown = Status.UNKNOWN
    over = [c for c in changes if c.before.status is unknown is not c.after.status]
    if over:
        await tx.execute(
            "INSERT INTO unknown_spells (device_id, started_at, ended_at, reason)"
            " SELECT * FROM unnest(%(ids)s::bigint[], %(from)s::timestamptz[],"
            "  %(until)s::timestamptz[], %(reasons)s::text[])",
            {
                "ids": [c.before.device_id for c in over],
                "from": [c.before.since for c in over],
                "until": [max(c.before.since, c.after.since) for c in over],
                "reasons": [c.before.detail for c in over],
            },
        )


async def _find_flapping(tx: Transaction, changes: Sequence[Change]) -> set[int]:
    """Mark those that failed too often of late; what hangs behind a dead parent does not flap."""
    failed = [
        change.after
        for change in changes
        if change.after.status is Status.OFFLINE is not change.before.status
        and change.after.behind_id is None
        and not change.after.is_flapping
    ]
    if not failed:
        return set()
    rows = await tx.tuples(
        "UPDATE device_status SET is_flapping = true WHERE device_id IN"
        " (SELECT n.id FROM unnest(%(ids)s::bigint[], %(at)s::timestamptz[]) AS n (id, at)"
        "  JOIN outages o ON o.device_id = n.id AND o.started_at > n.at - %(within)s::interval"
        "  AND o.parent_id IS NULL GROUP BY n.id HAVING count(*) >= %(most)s) RETURNING device_id",
        {
            "ids": [row.device_id for row in failed],
            "at": [row.since for row in failed],
            "within": FLAPPING_WITHIN,
            "most": FLAPPING_OUTAGES,
        },
    )
    return {int(str(device)) for (device,) in rows}


def _row(*columns: object) -> StatusRow:
    device_id, status, since, faults, detail, behind, is_flapping, session = columns
    if not isinstance(since, datetime) or not isinstance(faults, Mapping):
        msg = "device_status holds something else than a time and an object"
        raise TypeError(msg)
    return StatusRow(
        device_id=int(str(device_id)),
        status=Status(str(status)),
        since=since,
        faults={Layer(layer): str(text) for layer, text in faults.items()} if faults else NO_FAULTS,
        detail=str(detail),
        behind_id=None if behind is None else int(str(behind)),
        is_flapping=bool(is_flapping),
        session=None if session is None else int(str(session)),
    )
