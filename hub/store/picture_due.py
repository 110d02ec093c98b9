"""Which cameras' pictures are due for a check, and all that a check needs to know of them.

When a camera is due stands in its row of picture_states (``next_at``). A camera that is offline
waits: its moment stays in the past, so that it is looked at soon after its return.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import DeviceKind, Json, Preset
from hub.domain.health import Layer, Status
from hub.domain.ports import CameraTarget
from hub.domain.quality import OPINIONS, OPINIONS_ENDED, BandKey, Index, PictureState, Polygon
from hub.domain.secrets import Credentials
from hub.store.cursors import next_window
from hub.store.database import Transaction
from hub.store.picture_baselines import load_baselines
from hub.store.picture_opinions import hear, keep_opinions
from hub.store.picture_rows import parse_polygons, parse_times
from hub.store.picture_states import load_states
from hub.store.probing import addresses_of
from hub.store.scoping import IN_SCOPE, scope_paths

OPINION_CURSOR: Final = "pictures.opinions"
"""The name under which whoever calls note_opinions keeps its cursor (see cursors.py)."""

FIRST_ROUND_S: Final = 3_300.0
# A camera that was added alone is looked at within seconds, a county within its first round.
SECONDS_EACH: Final = 0.05
MOST_EVENTS: Final = 20_000

_MOVING: Final = frozenset({"ptz_dome", "ptz_bullet"})

_FROM = (
    " FROM devices d JOIN areas a ON a.id = d.area_id"
    " JOIN connections c ON c.id = d.connection_id"
    " JOIN device_status s ON s.device_id = d.id"
)
_WATCHED = (
    " d.registration = 'approved' AND c.is_enabled"
    " AND EXISTS (SELECT FROM channels h WHERE h.device_id = d.id) AND"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePicture:
    """A camera whose picture is to be checked, and what is held of it.

    ``layer`` is the first layer known to fail (a refused password, say), None when none is.
    ``opinions`` is when the camera itself said last that something is wrong; what it took back
    is not in it. ``presets`` are those of its first channel.
    """

    target: CameraTarget
    device_name: str
    area_id: int
    area_path: str
    device_class: str
    kind: DeviceKind
    status: Status
    layer: Layer | None
    has_ptz: bool
    presets: tuple[Preset, ...]
    longitude: float | None
    latitude: float | None
    state: PictureState
    baselines: Mapping[BandKey, bytes] = field(repr=False)
    masks: tuple[Polygon, ...]
    opinions: Mapping[Index, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Device:
    id: int
    name: str
    area_id: int
    area_path: str
    device_class: str
    kind: str
    address: str
    status: str
    layer: str
    channel: str
    stream_address: str
    sub_stream_address: str
    snapshot_address: str
    presets: list[dict[str, str]]
    protocol: str
    link_address: str
    options: dict[str, Json]
    username: str
    password_sealed: bytes | None = field(repr=False)
    ptz_type: str
    longitude: float | None
    latitude: float | None
    opinions: dict[str, Json]
    polygons: Json


async def ensure_states(
    tx: Transaction, scope: Scope, now: datetime, *, spread_s: float = FIRST_ROUND_S
) -> int:
    """Give every camera that has none a row, due at a moment spread over ``spread_s``.

    Few cameras are spread over less, so that a new one is looked at soon. Returns how many got
    a row.
    """
    return await tx.execute(
        "WITH missing AS (SELECT d.id, row_number() OVER (ORDER BY hashint8(d.id), d.id) AS n,"
        "  count(*) OVER () AS of"
        + _FROM
        + " WHERE NOT EXISTS (SELECT FROM picture_states p WHERE p.device_id = d.id) AND"
        + _WATCHED
        + IN_SCOPE
        + ") INSERT INTO picture_states (device_id, next_at)"
        " SELECT id, %(now)s + least(%(spread)s, of * %(each)s) * (n - 1) / of"
        "  * interval '1 second' FROM missing ORDER BY id ON CONFLICT DO NOTHING",
        {
            "scope": scope_paths(scope),
            "now": now,
            "spread": float(spread_s),
            "each": SECONDS_EACH,
        },
    )


async def due_for_picture(
    tx: Transaction, scope: Scope, now: datetime, *, shard: tuple[int, int], limit: int
) -> list[DuePicture]:
    """The cameras of a shard (number, of how many) whose moment has come, the longest due first.

    Cameras that are offline wait, and those that were when the hub lost sight of them.
    """
    rows = await tx.tuples(
        "SELECT p.device_id"
        + _FROM
        + " JOIN picture_states p ON p.device_id = d.id WHERE p.next_at <= %(now)s"
        " AND p.device_id %% %(of)s = %(number)s AND s.status <> 'offline'"
        " AND NOT (s.status = 'unknown' AND s.faults ?| ARRAY['network', 'protocol']) AND"
        + _WATCHED
        + IN_SCOPE
        + "ORDER BY p.next_at LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "now": now,
            "number": shard[0],
            "of": shard[1],
            "limit": limit,
        },
    )
    return await load_pictures(tx, scope, [int(str(device)) for (device,) in rows])


async def load_pictures(
    tx: Transaction, scope: Scope, device_ids: Sequence[int]
) -> list[DuePicture]:
    """Cameras of the scope with all that a check of them needs, in the order given.

    Due or not, reachable or not; one without a channel is left out.
    """
    if not device_ids:
        return []
    values = {"scope": scope_paths(scope), "ids": list(device_ids)}
    devices = await tx.fetch(
        _Device,
        "SELECT d.id, d.name, d.area_id, a.path::text AS area_path, d.class AS device_class,"
        " d.kind, d.address, s.status, s.layer, h.key AS channel,"
        " coalesce(h.stream_address, '') AS stream_address,"
        " coalesce(h.sub_stream_address, '') AS sub_stream_address, h.snapshot_address,"
        " h.presets, c.protocol, c.address AS link_address, c.options, c.username,"
        " c.password_sealed, coalesce(r.ptz_type, '') AS ptz_type, r.longitude, r.latitude,"
        " coalesce(p.opinions, '{}') AS opinions, m.polygons"
        + _FROM
        + " JOIN LATERAL (SELECT key, snapshot_address, presets,"
        "  (SELECT t ->> 'address' FROM jsonb_array_elements(streams) t"
        "   ORDER BY t ->> 'role' = 'main' DESC LIMIT 1) AS stream_address,"
        "  (SELECT t ->> 'address' FROM jsonb_array_elements(streams) t"
        "   WHERE t ->> 'role' = 'sub' LIMIT 1) AS sub_stream_address"
        "  FROM channels WHERE device_id = d.id ORDER BY id LIMIT 1) h ON true"
        " LEFT JOIN asset_records r ON r.device_id = d.id"
        " LEFT JOIN picture_states p ON p.device_id = d.id"
        " LEFT JOIN picture_masks m ON m.device_id = d.id"
        " WHERE d.id = ANY (%(ids)s) AND"
        + IN_SCOPE
        + "ORDER BY array_position(%(ids)s::bigint[], d.id)",
        values,
    )
    found = [device.id for device in devices]
    states = await load_states(tx, scope, found)
    baselines = await load_baselines(tx, scope, found)
    return [_due(tx, device, states[device.id], baselines.get(device.id, {})) for device in devices]


async def note_opinions(tx: Transaction, scope: Scope, after: int, *, now: datetime) -> int:
    """Take note of what cameras said of their own pictures in the events after a number.

    A camera that complains or takes a complaint back is due now, but not sooner than OPINION_GAP
    after its last check. Returns the number of the last event seen, ``after`` when there was
    nothing new; the caller keeps it, and asks again until it stands still. Only the hub consumes.
    """
    window = await next_window(
        tx, scope, after, kinds=(*OPINIONS, *OPINIONS_ENDED), most=MOST_EVENTS
    )
    if window.last is None:
        return after
    await keep_opinions(tx, scope, hear(window.events), now)
    return window.last


async def look_again(tx: Transaction, scope: Scope, device_ids: Sequence[int], at: datetime) -> int:
    """Make cameras of the scope due at a moment; returns how many have a row to set it in.

    A check that is under way does not undo this: see :func:`picture_states.keep_checks`.
    """
    return await tx.execute(
        "WITH wanted AS (SELECT p.device_id FROM picture_states p"
        "  JOIN devices d ON d.id = p.device_id JOIN areas a ON a.id = d.area_id"
        "  WHERE d.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY p.device_id FOR UPDATE OF p)"
        " UPDATE picture_states p SET next_at = %(at)s FROM wanted"
        " WHERE p.device_id = wanted.device_id",
        {"scope": scope_paths(scope), "ids": list(device_ids), "at": at},
    )


def _due(
    tx: Transaction, row: _Device, state: PictureState, baselines: Mapping[BandKey, bytes]
) -> DuePicture:
    masks = parse_polygons(row.polygons)
    service, stream = addresses_of(row.protocol, row.link_address, row.address, row.stream_address)
    presets = tuple(Preset(token=p["token"], name=p["name"]) for p in row.presets)
    return DuePicture(
        target=CameraTarget(
            device_id=row.id,
            channel=row.channel,
            stream_address=stream,
            sub_stream_address=row.sub_stream_address,
            snapshot_address=row.snapshot_address,
            service_address=service,
            credentials=Credentials(
                username=row.username, password=tx.vault.unseal(row.password_sealed)
            ),
            options=row.options,
            masks=masks,
        ),
        device_name=row.name,
        area_id=row.area_id,
        area_path=row.area_path,
        device_class=row.device_class,
        kind=DeviceKind(row.kind),
        status=Status(row.status),
        layer=Layer(row.layer) if row.layer else None,
        has_ptz=bool(presets) or row.ptz_type in _MOVING,
        presets=presets,
        longitude=row.longitude,
        latitude=row.latitude,
        state=state,
        baselines=baselines,
        masks=masks,
        opinions=parse_times(row.opinions),
    )
