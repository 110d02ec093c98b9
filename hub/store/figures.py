"""Counts of the whole hub as monitoring asks for them: cheap, and of the present only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hub.domain.access import Scope
from hub.domain.alerts import AlertStatus
from hub.domain.quality import Index
from hub.store.database import Transaction
from hub.store.picture_faults import FaultFilter, count_picture_faults
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCount:
    """How many approved devices of one area, not of those below it, are shown with a status."""

    path: str
    status: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HubCounts:
    """What the hub holds now. ``area_names`` are by path; connections switched off are disabled."""

    areas: tuple[AreaCount, ...]
    area_names: Mapping[str, str]
    pending: int
    flapping: int
    outages: Mapping[str, int]  # by layer
    alerts: Mapping[tuple[str, str], int]  # by severity and status
    picture_faults: Mapping[Index, int]  # cameras, by what is wrong with their pictures
    connections: Mapping[str, int]  # by state
    jobs_due: int
    jobs_running: int


async def count_everything(tx: Transaction, scope: Scope) -> HubCounts:
    """Count what belongs to the scope; due work belongs to the hub itself."""
    values = {"scope": scope_paths(scope)}
    counted = await tx.fetch(
        AreaCount,
        "SELECT a.path::text AS path, s.shown AS status, count(*) AS count FROM devices d"
        " JOIN areas a ON a.id = d.area_id JOIN device_status s ON s.device_id = d.id"
        " WHERE d.registration = 'approved' AND" + IN_SCOPE + "GROUP BY a.id, s.shown",
        values,
    )
    names = await tx.tuples("SELECT a.path::text, a.name FROM areas a WHERE" + IN_SCOPE, values)
    devices = await tx.tuples(
        "SELECT count(*) FILTER (WHERE d.registration = 'pending'),"
        " count(*) FILTER (WHERE d.registration = 'approved' AND s.is_flapping)"
        " FROM devices d JOIN areas a ON a.id = d.area_id"
        " JOIN device_status s ON s.device_id = d.id"
        " WHERE (d.registration = 'pending' OR s.is_flapping) AND" + IN_SCOPE,
        values,
    )
    outages = await tx.tuples(
        "SELECT o.layer, count(*) FROM outages o JOIN devices d ON d.id = o.device_id"
        " JOIN areas a ON a.id = d.area_id"
        " WHERE o.ended_at IS NULL AND d.registration = 'approved' AND"
        + IN_SCOPE
        + "GROUP BY o.layer",
        values,
    )
    alerts = await tx.tuples(
        "SELECT l.severity, l.status, count(*) FROM alerts l JOIN areas a ON a.id = l.area_id"
        " WHERE l.status <> %(over)s AND l.folded_into IS NULL AND l.drill_id IS NULL AND"
        + IN_SCOPE
        + "GROUP BY l.severity, l.status",
        {**values, "over": AlertStatus.RESOLVED},
    )
    connections = await tx.tuples(
        "SELECT CASE WHEN c.is_enabled THEN c.state ELSE 'disabled' END, count(*)"
        " FROM connections c JOIN areas a ON a.id = c.area_id WHERE" + IN_SCOPE + "GROUP BY 1",
        values,
    )
    jobs = await tx.tuples(
        "SELECT count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()),"
        " count(*) FILTER (WHERE status = 'doing') FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing') AND %(scope)s::ltree[] IS NULL",
        values,
    )
    pending, flapping = _numbers(devices[0])
    jobs_due, jobs_running = _numbers(jobs[0])
    return HubCounts(
        areas=tuple(counted),
        area_names={str(path): str(name) for path, name in names},
        pending=pending,
        flapping=flapping,
        outages=_by_word(outages),
        alerts={(str(a), str(b)): int(str(number)) for a, b, number in alerts},
        picture_faults=await count_picture_faults(tx, scope, FaultFilter()),
        connections=_by_word(connections),
        jobs_due=jobs_due,
        jobs_running=jobs_running,
    )


def roll_up(counts: HubCounts, most_areas: int) -> tuple[HubCounts, int]:
    """Sum areas up to the deepest level that leaves at most so many; 0 when none had to be.

    A level of 2 keeps the roots and their children, each with everything below it.
    """
    paths = {row.path for row in counts.areas}
    if len(paths) <= most_areas:
        return counts, 0
    level = max(path.count(".") + 1 for path in paths)
    while level > 1 and len({_cut(path, level) for path in paths}) > most_areas:
        level -= 1
    sums: dict[tuple[str, str], int] = {}
    for row in counts.areas:
        place = _cut(row.path, level), row.status
        sums[place] = sums.get(place, 0) + row.count
    rows = (
        AreaCount(path=path, status=status, count=count) for (path, status), count in sums.items()
    )
    return replace(counts, areas=tuple(rows)), level


def _cut(path: str, level: int) -> str:
    return ".".join(path.split(".")[:level])


def _by_word(rows: list[tuple[object, ...]]) -> dict[str, int]:
    return {str(word): int(str(number)) for word, number in rows}


def _numbers(row: tuple[object, ...]) -> tuple[int, int]:
    first, second = row
    return int(str(first)), int(str(second))
