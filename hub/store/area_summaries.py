"""How things stand now: an area and each of its direct children, over everything below each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.devices import Area
from hub.domain.health import Status
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# Which group each area below belongs to.
_GROUPS = " unnest(%(areas)s::bigint[], %(groups)s::bigint[]) AS m (area_id, group_id) "


@dataclass(frozen=True, slots=True, kw_only=True)
class LongestOutage:
    """The present outage that has lasted longest."""

    device_id: int
    device_name: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaSummary:
    """The approved devices of an area and of everything below it, as they are shown now.

    ``first_faults`` counts those offline or degraded by the lowest layer that fails.
    """

    area: Area
    by_status: Mapping[str, int] = field(default_factory=dict)
    first_faults: Mapping[str, int] = field(default_factory=dict)
    behind_parents: int = 0
    flapping: int = 0
    open_alerts: int = 0
    longest_outage: LongestOutage | None = None

    @property
    def managed(self) -> int:
        """All approved devices."""
        return sum(self.by_status.values())

    @property
    def online_now(self) -> float | None:
        """The snapshot online rate: those that answer ÷ managed; None without devices.

        A degraded device answers: only outages end online time in the time-weighted rate, too.
        """
        answering = self.by_status.get(Status.ONLINE, 0) + self.by_status.get(Status.DEGRADED, 0)
        return answering / self.managed if self.managed else None

    @property
    def intact_now(self) -> float | None:
        """The snapshot intact rate: nothing fails ÷ managed; None without devices."""
        return self.by_status.get(Status.ONLINE, 0) / self.managed if self.managed else None


async def summarise_area(
    tx: Transaction, scope: Scope, area: Area
) -> tuple[AreaSummary, list[AreaSummary]]:
    """An area of the scope over everything below it, and the same for each direct child."""
    children = await _areas(tx, scope, area.id)
    found = await _summarise(tx, scope, children, area)
    return _add_up(area, found), found[1:]


async def summarise_tops(tx: Transaction, scope: Scope) -> list[AreaSummary]:
    """The uppermost areas of the scope, each over everything below it."""
    return await _summarise(tx, scope, await _areas(tx, scope, None), None)


async def _areas(tx: Transaction, scope: Scope, parent_id: int | None) -> list[Area]:
    return await tx.fetch(
        Area,
        "SELECT a.id, a.parent_id, a.code, a.name, a.path::text AS path FROM areas a WHERE"
        + IN_SCOPE
        + "AND CASE WHEN %(parent)s::bigint IS NOT NULL THEN a.parent_id = %(parent)s"
        " WHEN %(scope)s::ltree[] IS NULL THEN a.parent_id IS NULL"
        " ELSE a.parent_id IS NULL OR NOT subpath(a.path, 0, -1) <@ ANY (%(scope)s::ltree[]) END"
        " ORDER BY a.path",
        {"parent": parent_id, "scope": scope_paths(scope)},
    )


async def _summarise(
    tx: Transaction, scope: Scope, children: Sequence[Area], home: Area | None
) -> list[AreaSummary]:
    """One summary a group: first the area's own devices, when there is an area."""
    groups = await _find_groups(tx, scope, children)
    if home is not None:
        groups[home.id] = home.id
    values = {"areas": list(groups), "groups": list(groups.values())}
    # Few devices are not online, and an index holds just those.
    counts = await tx.search(
        _Count,
        "SELECT m.group_id, coalesce(s.shown, 'online') AS status, coalesce(s.layer, '') AS layer,"
        " s.behind_id IS NOT NULL AS is_behind, count(*) AS count, min(s.since) AS since FROM"
        + _GROUPS
        + "JOIN devices d ON d.area_id = m.area_id"
        " LEFT JOIN device_status s ON s.device_id = d.id AND s.shown <> 'online'"
        " WHERE d.registration = 'approved' GROUP BY 1, 2, 3, 4",
        values,
    )
    flapping = await tx.search(
        _Number,
        "SELECT m.group_id, count(*) AS count FROM device_status s"
        " JOIN devices d ON d.id = s.device_id AND d.registration = 'approved' JOIN"
        + _GROUPS
        + "ON m.area_id = d.area_id WHERE s.is_flapping GROUP BY m.group_id",
        values,
    )
    alerts = await tx.search(
        _Number,
        "SELECT m.group_id, count(*) AS count FROM"
        + _GROUPS
        + "JOIN alerts l ON l.area_id = m.area_id WHERE l.status <> 'resolved'"
        " AND l.folded_into IS NULL AND l.drill_id IS NULL GROUP BY 1",
        values,
    )
    by_group: dict[int, list[_Count]] = {}
    for row in counts:
        by_group.setdefault(row.group_id, []).append(row)
    longest = await _find_longest(tx, values, counts)
    all_flapping, open_alerts = (
        {row.group_id: row.count for row in rows} for rows in (flapping, alerts)
    )
    return [
        replace(
            _summary(area, by_group.get(area.id, [])),
            flapping=all_flapping.get(area.id, 0),
            open_alerts=open_alerts.get(area.id, 0),
            longest_outage=longest.get(area.id),
        )
        for area in ([] if home is None else [home]) + list(children)
    ]


async def _find_groups(tx: Transaction, scope: Scope, children: Sequence[Area]) -> dict[int, int]:
    """Area → the one of these above it, or itself."""
    rows = await tx.tuples(
        "SELECT a.id, g.id FROM areas g JOIN areas a ON a.path <@ g.path"
        " WHERE g.id = ANY (%(children)s) AND" + IN_SCOPE,
        {"children": [child.id for child in children], "scope": scope_paths(scope)},
    )
    return {int(str(area)): int(str(group)) for area, group in rows}


async def _find_longest(
    tx: Transaction, values: Mapping[str, object], counts: Iterable["_Count"]
) -> dict[int, LongestOutage]:
    """The longest present outage of each group: it began with the status."""
    since: dict[int, datetime] = {}
    for row in counts:
        if row.status == Status.OFFLINE and row.since is not None:
            since[row.group_id] = min(row.since, since.get(row.group_id, row.since))
    rows = await tx.search(
        _Outage,
        "SELECT m.group_id, d.id AS device_id, d.name AS device_name, s.since AS started_at"
        " FROM device_status s JOIN devices d ON d.id = s.device_id AND d.registration = 'approved'"
        " JOIN" + _GROUPS + "ON m.area_id = d.area_id"
        " WHERE s.shown = 'offline' AND s.since = ANY (%(since)s) ORDER BY d.id DESC",
        {**values, "since": list(since.values())},
    )
    return {row.group_id: row.outage() for row in rows if row.started_at == since[row.group_id]}


def _summary(area: Area, rows: Iterable["_Count"]) -> AreaSummary:
    by_status: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    behind = 0
    for row in rows:
        by_status[row.status] += row.count
        if row.status in {Status.OFFLINE, Status.DEGRADED}:
            faults[row.layer] += row.count
            behind += row.count if row.is_behind else 0
    return AreaSummary(area=area, by_status=by_status, first_faults=faults, behind_parents=behind)


def _add_up(area: Area, parts: Sequence[AreaSummary]) -> AreaSummary:
    by_status: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for part in parts:
        by_status.update(part.by_status)
        faults.update(part.first_faults)
    lasting = [part.longest_outage for part in parts if part.longest_outage is not None]
    return AreaSummary(
        area=area,
        by_status=by_status,
        first_faults=faults,
        behind_parents=sum(part.behind_parents for part in parts),
        flapping=sum(part.flapping for part in parts),
        open_alerts=sum(part.open_alerts for part in parts),
        longest_outage=min(lasting, key=lambda one: one.started_at, default=None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    group_id: int
    status: str
    layer: str
    is_behind: bool
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Number:
    group_id: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outage:
    group_id: int
    device_id: int
    device_name: str
    started_at: datetime

    def outage(self) -> LongestOutage:
        return LongestOutage(
            device_id=self.device_id, device_name=self.device_name, started_at=self.started_at
        )
