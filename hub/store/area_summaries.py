"""How things stand now: an area and each of its direct children, over everything below each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.devices import Area
from hub.domain.health import Status
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# Which group each area below belongs to; the area asked for is a group of its own devices only.
_GROUPS = (
    "WITH m AS (SELECT a.id AS area_id, a.id AS group_id FROM areas a WHERE a.id = %(area)s"
    " UNION ALL SELECT a.id, g.id FROM areas g JOIN areas a ON a.path <@ g.path"
    "  WHERE g.id = ANY (%(children)s) AND" + IN_SCOPE + ")"
)


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
    children = await _areas(
        tx,
        scope,
        area.id,
    )
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
    values = {
        "area": None if home is None else home.id,
        "children": [child.id for child in children],
        "scope": scope_paths(scope),
    }
    counts = await tx.search(
        _Count,
        _GROUPS + " SELECT m.group_id, s.shown, s.layer, s.behind_id IS NOT NULL AS is_behind,"
        " s.is_flapping, count(*) AS count FROM m JOIN devices d ON d.area_id = m.area_id"
        " JOIN device_status s ON s.device_id = d.id WHERE d.registration = 'approved'"
        " GROUP BY 1, 2, 3, 4, 5",
        values,
    )
    alerts = await tx.search(
        _Alerts,
        _GROUPS + " SELECT m.group_id, count(*) AS count FROM m"
        " JOIN alerts l ON l.area_id = m.area_id WHERE l.status <> 'resolved' GROUP BY 1",
        values,
    )
    outages = await tx.search(
        _Outage,
        _GROUPS + " SELECT DISTINCT ON (m.group_id) m.group_id, d.id AS device_id,"
        " d.name AS device_name, o.started_at FROM outages o"
        " JOIN device_status s ON s.device_id = o.device_id AND s.shown = 'offline'"
        " JOIN devices d ON d.id = o.device_id AND d.registration = 'approved'"
        " JOIN m ON m.area_id = d.area_id WHERE o.ended_at IS NULL"
        " ORDER BY m.group_id, o.started_at, d.id",
        values,
    )
    by_group: dict[int, list[_Count]] = {}
    for row in counts:
        by_group.setdefault(row.group_id, []).append(row)
    open_alerts = {row.group_id: row.count for row in alerts}
    longest = {row.group_id: row.outage() for row in outages}
    return [
        _summary(
            area,
            by_group.get(area.id, []),
            open_alerts=open_alerts.get(area.id, 0),
            longest=longest.get(area.id),
        )
        for area in ([] if home is None else [home]) + list(children)
    ]


def _summary(
    area: Area, rows: Iterable["_Count"], *, open_alerts: int, longest: LongestOutage | None
) -> AreaSummary:
    by_status: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    behind = flapping = 0
    for row in rows:
        by_status[row.shown] += row.count
        if row.shown in {Status.OFFLINE, Status.DEGRADED}:
            faults[row.layer] += row.count
            behind += row.count if row.is_behind else 0
        flapping += row.count if row.is_flapping else 0
    return AreaSummary(
        area=area,
        by_status=by_status,
        first_faults=faults,
        behind_parents=behind,
        flapping=flapping,
        open_alerts=open_alerts,
        longest_outage=longest,
    )


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
    shown: str
    layer: str
    is_behind: bool
    is_flapping: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alerts:
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
