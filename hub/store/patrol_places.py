"""What is known of a patrol stop's place beside its picture: alerts, events, usual movement.

What moves at a place is learnt, by the hour of the day, from stops that were judged normal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, TypeVar

from hub.domain.access import Scope
from hub.domain.devices import Preset
from hub.domain.events import Severity
from hub.store.database import Params, Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

MOST_LOOKS: Final = 20  # what was seen longer ago fades
LEAST_LOOKS: Final = 3  # of an hour and its neighbours, until what is usual is known
RECENT: Final = timedelta(hours=1)  # older events are no news of a place
MOST_FACTS: Final = 3  # of a kind, of one place

MOST_ROWS: Final = 500
SEEN_KINDS: Final = (
    "motion.started",
    "intrusion.started",
    "line.crossed",
    "person.started",
    "vehicle.started",
    "sound.started",
    "tamper.started",
    "digital_input.started",
)
"""Events of a camera that tell of its place; of other devices all that are no mere information."""

_MOVING: Final = frozenset({"ptz_dome", "ptz_bullet"})
_HOURS: Final = 24


_ALERTS: Final = (
    "SELECT x.device_id, x.area_id, x.device_name, x.severity, x.reason, x.started_at,"
    " x.device_id IS NULL OR d.kind IS DISTINCT FROM 'camera' AS is_around"
    " FROM alerts x JOIN areas a ON a.id = x.area_id LEFT JOIN devices d ON d.id = x.device_id"
    " WHERE x.status <> 'resolved' AND x.folded_into IS NULL AND x.drill_id IS NULL"
    # What is mere information about an area (a report waits to be signed) is no fact of a place.
    " AND (x.device_id = ANY (%(ids)s) OR (x.area_id = ANY (%(areas)s)"
    "  AND (x.device_id IS NULL OR d.kind IS DISTINCT FROM 'camera')"
    "  AND (x.device_id IS NOT NULL OR x.severity <> 'info'))) AND"
    + IN_SCOPE
    + "ORDER BY x.id DESC LIMIT %(most_rows)s"
)
_EVENTS: Final = (
    "SELECT d.id AS device_id, d.area_id, d.name AS device_name, d.kind <> 'camera' AS is_around,"
    " e.kind, e.at FROM devices d JOIN areas a ON a.id = d.area_id JOIN LATERAL"
    "  (SELECT v.kind, v.at FROM events v WHERE v.device_id = d.id AND v.at > %(since)s"
    "   AND NOT v.replayed AND v.is_active IS DISTINCT FROM false AND (v.kind = ANY (%(seen)s)"
    "    OR (d.kind <> 'camera' AND v.severity <> 'info' AND v.kind !~ '^(device|link|point)[.]'))"
    "   ORDER BY v.at DESC LIMIT %(most)s) e ON true"
    " WHERE (d.id = ANY (%(ids)s) OR (d.area_id = ANY (%(areas)s) AND d.kind <> 'camera')) AND"
    + IN_SCOPE
    + "ORDER BY e.at DESC LIMIT %(most_rows)s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAlert:
    """An open alert of a camera, or of what is around it: its area, or a sensor there."""

    device_id: int | None
    area_id: int
    device_name: str
    is_around: bool
    severity: Severity
    reason: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceEvent:
    """Something that happened lately at a camera, or at a sensor around it."""

    device_id: int
    area_id: int
    device_name: str
    is_around: bool
    kind: str
    at: datetime


Fact = TypeVar("Fact", PlaceAlert, PlaceEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is known of one camera's place at ``asked_at``, the camera's own facts first.

    ``usual_movement``: the share of its picture (0 to 1) in which something moves at this hour
    when all is well, None while that is not known. ``presets`` are those of its first channel.
    Times are told in ``zone``.
    """

    device_id: int = 0
    alerts: tuple[PlaceAlert, ...] = ()
    events: tuple[PlaceEvent, ...] = ()
    usual_movement: float | None = None
    has_ptz: bool = False
    presets: tuple[Preset, ...] = ()
    asked_at: datetime | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class _Camera:
    id: int
    area_id: int
    ptz_type: str
    presets: list[dict[str, str]]
    usual: float | None


async def load_places(
    tx: Transaction, scope: Scope, device_ids: Sequence[int], *, now: datetime, zone: tzinfo
) -> Mapping[int, Place]:
    """What is known of the places of cameras of the scope; ``zone`` is the round's."""
    if not device_ids:
        return {}
    cameras = await _cameras(tx, scope, device_ids, now.astimezone(zone).hour)
    if not cameras:
        return {}
    values: Params = {
        "scope": scope_paths(scope),
        "ids": [camera.id for camera in cameras],
        "areas": sorted({camera.area_id for camera in cameras}),
        "since": now - RECENT,
        "seen": list(SEEN_KINDS),
        "most": MOST_FACTS,
        "most_rows": MOST_ROWS,
    }
    alerts = [_typed(row) for row in await tx.fetch(PlaceAlert, _ALERTS, values)]
    events = await tx.fetch(PlaceEvent, _EVENTS, values)
    return {
        camera.id: Place(
            device_id=camera.id,
            alerts=_own_first(alerts, camera),
            events=_own_first(events, camera),
            usual_movement=camera.usual,
            has_ptz=bool(camera.presets) or camera.ptz_type in _MOVING,
            presets=tuple(Preset(token=p["token"], name=p["name"]) for p in camera.presets),
            asked_at=now,
            zone=zone,
        )
        for camera in cameras
    }


async def learn_movements(tx: Transaction, scope: Scope, round_id: int) -> int:
    """Learn what moves where from the stops of a round that were judged normal, at its end.

    Call it once for a round. Returns of how many places something was learnt.
    """
    return await tx.execute(
        "INSERT INTO patrol_movements AS m (device_id, band, looks, usual)"
        " SELECT s.device_id, extract(hour FROM s.at AT TIME ZONE r.time_zone), 1, avg(s.moved)"
        " FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
        " JOIN areas a ON a.id = r.area_id JOIN devices d ON d.id = s.device_id"
        " WHERE s.round_id = %(round)s AND s.result = 'normal' AND s.moved IS NOT NULL"
        " AND s.at IS NOT NULL AND"
        + IN_SCOPE
        + "GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (device_id, band) DO UPDATE SET"
        " usual = (m.usual * least(m.looks, %(most)s - 1) + excluded.usual)"
        "  / (least(m.looks, %(most)s - 1) + 1),"
        " looks = least(m.looks + 1, %(most)s)",
        {"round": round_id, "most": MOST_LOOKS, "scope": scope_paths(scope)},
    )


async def _cameras(
    tx: Transaction, scope: Scope, device_ids: Sequence[int], hour: int
) -> list[_Camera]:
    return await tx.fetch(
        _Camera,
        "SELECT d.id, d.area_id, coalesce(r.ptz_type, '') AS ptz_type, coalesce((SELECT h.presets"
        "  FROM channels h WHERE h.device_id = d.id ORDER BY h.id LIMIT 1), '[]') AS presets,"
        " m.usual FROM devices d JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN asset_records r ON r.device_id = d.id"
        " LEFT JOIN LATERAL (SELECT sum(b.looks * b.usual) / sum(b.looks) AS usual"
        "  FROM patrol_movements b WHERE b.device_id = d.id AND b.band = ANY (%(bands)s)"
        "  HAVING sum(b.looks) >= %(least)s) m ON true"
        " WHERE d.id = ANY (%(ids)s) AND" + IN_SCOPE,
        {
            "scope": scope_paths(scope),
            "ids": list(device_ids),
            "bands": [(hour + step) % _HOURS for step in (-1, 0, 1)],
            "least": LEAST_LOOKS,
        },
    )


def _own_first(facts: Sequence[Fact], camera: _Camera) -> tuple[Fact, ...]:
    """Pick what concerns a camera: its own, then what is of its area and of no other camera."""
    found = [one for one in facts if one.device_id == camera.id]
    found += [one for one in facts if one.is_around and one.area_id == camera.area_id]
    return tuple(found[:MOST_FACTS])


def _typed(row: PlaceAlert) -> PlaceAlert:
    return replace(row, severity=Severity(row.severity))
