"""What cameras' pictures look like when they are well, by band of hours and mode.

The bytes are made and read by streams/quality alone; here they are only kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.quality import BandKey, Mode
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, scope_paths

TOPIC: Final = "pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBaseline:
    """What takes the place of what was learnt of one band of a camera."""

    device_id: int
    key: BandKey
    state: bytes = field(repr=False)
    learnt_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LearntBand:
    """That something is learnt of a band of a camera, since the last look that added to it."""

    band: int
    mode: Mode
    learnt_at: datetime
    size: int


async def load_baselines(
    tx: Transaction, scope: Scope, device_ids: Sequence[int]
) -> dict[int, dict[BandKey, bytes]]:
    """All that is learnt of these cameras of the scope; a camera of which nothing is, is absent."""
    rows = await tx.fetch(
        _Row,
        "SELECT b.device_id, b.band, b.mode, b.state FROM picture_baselines b"
        " JOIN devices d ON d.id = b.device_id JOIN areas a ON a.id = d.area_id"
        " WHERE b.device_id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"scope": scope_paths(scope), "ids": list(device_ids)},
    )
    found: dict[int, dict[BandKey, bytes]] = {}
    for row in rows:
        found.setdefault(row.device_id, {})[row.band, Mode(row.mode)] = row.state
    return found


async def list_bands(tx: Transaction, scope: Scope, device_id: int) -> list[LearntBand]:
    """Of which bands of a camera of the scope something is learnt, without what."""
    rows = await tx.tuples(
        "SELECT b.band, b.mode, b.learnt_at, length(b.state) FROM picture_baselines b"
        " JOIN devices d ON d.id = b.device_id JOIN areas a ON a.id = d.area_id"
        " WHERE b.device_id = %(id)s AND" + IN_SCOPE + "ORDER BY b.mode, b.band",
        {"scope": scope_paths(scope), "id": device_id},
    )
    return [
        LearntBand(band=int(str(band)), mode=Mode(str(mode)), learnt_at=at, size=int(str(size)))
        for band, mode, at, size in rows
        if isinstance(at, datetime)
    ]


async def keep_baselines(tx: Transaction, scope: Scope, learnt: Sequence[NewBaseline]) -> None:
    """Store what was learnt of cameras of the scope, at most once a band."""
    if not learnt:
        return
    ordered = sorted(learnt, key=lambda one: (one.device_id, one.key))
    await tx.execute(
        "INSERT INTO picture_baselines (device_id, band, mode, state, learnt_at)"
        " SELECT d.id, n.band, n.mode, n.state, n.at FROM unnest(%(ids)s::bigint[],"
        "  %(bands)s::smallint[], %(modes)s::text[], %(states)s::bytea[], %(at)s::timestamptz[])"
        "  AS n (id, band, mode, state, at)"
        " JOIN devices d ON d.id = n.id JOIN areas a ON a.id = d.area_id WHERE"
        + IN_SCOPE
        + "ORDER BY d.id, n.band, n.mode ON CONFLICT (device_id, band, mode) DO UPDATE SET"
        " state = excluded.state, learnt_at = excluded.learnt_at",
        {
            "scope": scope_paths(scope),
            "ids": [one.device_id for one in ordered],
            "bands": [one.key[0] for one in ordered],
            "modes": [one.key[1] for one in ordered],
            "states": [one.state for one in ordered],
            "at": [one.learnt_at for one in ordered],
        },
    )


async def mark_baseline(
    tx: Transaction, scope: Scope, device_id: int, learnt: tuple[BandKey, bytes], at: datetime
) -> None:
    """Store what somebody confirmed to be a good picture, as what the band looks like.

    Raises:
        NotFound: the camera lies outside the scope.
    """
    device = await get_device(tx, scope, device_id)
    key, state = learnt
    new = NewBaseline(device_id=device.id, key=key, state=state, learnt_at=at)
    await keep_baselines(tx, scope, [new])
    await _tell(tx, scope, "picture.confirmed_good", device.id, device.area_id)


async def forget_baselines(tx: Transaction, scope: Scope, device_id: int, at: datetime) -> int:
    """Forget all that is kept to compare with a camera of the scope; make it due at a moment.

    A check under way meanwhile adds nothing. Returns how many bands were forgotten.

    Raises:
        NotFound: the camera lies outside the scope.
    """
    device = await get_device(tx, scope, device_id)
    # The row of the state first, as whoever keeps checks does: nobody waits for the other.
    await tx.execute(
        "UPDATE picture_states SET next_at = %(at)s, fingerprint = '' WHERE device_id = %(id)s",
        {"id": device.id, "at": at},
    )
    number = await tx.execute(
        "DELETE FROM picture_baselines WHERE device_id = %(id)s", {"id": device.id}
    )
    await _tell(tx, scope, "picture.forgotten", device.id, device.area_id)
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    device_id: int
    band: int
    mode: str
    state: bytes = field(repr=False)


async def _tell(tx: Transaction, scope: Scope, action: str, device_id: int, area_id: int) -> None:
    await notify(tx, scope, TOPIC, [device_id])
    deed = Deed(action=action, object_type="device", object_id=str(device_id), area_id=area_id)
    await record(tx, scope, deed)
