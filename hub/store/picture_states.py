"""What is known of each camera's picture now, and how the result of checks gets there.

Twenty checks a second are stored in batches: a batch is a handful of statements, whatever it
holds. What people and cameras say (corrections, opinions) is never written by a check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.domain.quality import BandKey, Index, PictureCheck, PictureState
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.devices import get_device
from hub.store.notices import notify
from hub.store.picture_baselines import NewBaseline, keep_baselines
from hub.store.picture_history import NewCheck, add_checks
from hub.store.picture_rows import StateRow, build_faults, build_findings, build_numbers, plain
from hub.store.scoping import IN_SCOPE, scope_paths

TOPIC: Final = "pictures"
# A correction is added to thresholds, which lie between 0 and 100.
LARGEST_CORRECTION: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCheck:
    """A check that is to be kept: what is known after it, and what it found.

    ``check`` is None when no picture could be judged: then only the state is written. ``learnt``
    is the baseline that takes the place of its band's. ``is_night``: it is dark outside.
    ``was_due_at`` is ``state.next_at`` as it was loaded: when it has changed meanwhile, somebody
    asked for another look, which then takes place; what was learnt and what the next look would
    compare with are dropped, for he may have told the hub to forget.
    """

    state: PictureState
    at: datetime
    is_night: bool = False
    check: PictureCheck | None = None
    learnt: tuple[BandKey, bytes] | None = None
    was_due_at: datetime | None = None


async def get_state(tx: Transaction, scope: Scope, device_id: int) -> PictureState:
    """What is known of one camera's picture; raises NotFound outside the scope."""
    device = await get_device(tx, scope, device_id)
    return (await load_states(tx, scope, [device.id]))[device.id]


async def load_states(
    tx: Transaction, scope: Scope, device_ids: Sequence[int]
) -> dict[int, PictureState]:
    """What is known of the pictures of these devices of the scope; an empty state of the rest."""
    rows = await tx.fetch(
        StateRow,
        "SELECT p.device_id, p.tried_at, p.checked_at, p.next_at, p.mode, p.width, p.height,"
        " p.findings, p.faults, p.suspects, p.mending, p.corrections, p.unseen, p.good_at,"
        " p.bad_at, p.fingerprint FROM picture_states p JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id WHERE p.device_id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"scope": scope_paths(scope), "ids": list(device_ids)},
    )
    found = {row.device_id: row.state() for row in rows}
    return {number: found.get(number) or PictureState(device_id=number) for number in device_ids}


async def keep_checks(tx: Transaction, scope: Scope, checks: Sequence[KeptCheck]) -> None:
    """Store the results of checks of cameras of the scope, at most one a camera.

    ``corrections`` of the states are not written: :func:`set_corrections` does that.
    """
    if not checks:
        return
    by_device = {one.state.device_id: one for one in checks}
    await tx.execute(
        "INSERT INTO picture_states (device_id, next_at) SELECT d.id, n.at"
        " FROM unnest(%(ids)s::bigint[], %(at)s::timestamptz[]) AS n (id, at)"
        " JOIN devices d ON d.id = n.id JOIN areas a ON a.id = d.area_id"
        " WHERE NOT EXISTS (SELECT FROM picture_states p WHERE p.device_id = d.id) AND"
        + IN_SCOPE
        + "ORDER BY d.id ON CONFLICT DO NOTHING",
        {
            "scope": scope_paths(scope),
            "ids": sorted(by_device),
            "at": [by_device[number].at for number in sorted(by_device)],
        },
    )
    rows = await tx.tuples(
        "WITH n AS (SELECT * FROM unnest(%(ids)s::bigint[], %(was)s::timestamptz[],"
        "   %(next)s::timestamptz[], %(tried)s::timestamptz[], %(checked)s::timestamptz[],"
        "   %(modes)s::text[], %(widths)s::int[], %(heights)s::int[], %(findings)s::text[],"
        "   %(faults)s::text[], %(suspects)s::text[], %(mending)s::text[], %(unseen)s::text[],"
        "   %(good)s::timestamptz[], %(bad)s::timestamptz[], %(fingerprints)s::bytea[])"
        "  AS n (id, was, next, tried, checked, mode, width, height, findings, faults, suspects,"
        "   mending, unseen, good, bad, fingerprint)),"
        " old AS (SELECT p.device_id, coalesce(p.next_at <> n.was, false) AS is_overtaken"
        "  FROM n JOIN picture_states p ON p.device_id = n.id JOIN devices d ON d.id = n.id"
        "  JOIN areas a ON a.id = d.area_id WHERE" + IN_SCOPE + "ORDER BY p.device_id"
        "  FOR UPDATE OF p)"
        " UPDATE picture_states p SET next_at = CASE WHEN old.is_overtaken"
        "   THEN least(p.next_at, n.next) ELSE n.next END,"
        "  tried_at = n.tried, checked_at = n.checked, mode = n.mode, width = n.width,"
        "  height = n.height, findings = n.findings::jsonb, faults = n.faults::jsonb,"
        "  suspects = n.suspects::jsonb, mending = n.mending::jsonb, unseen = n.unseen,"
        "  good_at = n.good, bad_at = n.bad,"
        "  fingerprint = CASE WHEN old.is_overtaken THEN '' ELSE n.fingerprint END"
        " FROM n JOIN old ON old.device_id = n.id WHERE p.device_id = n.id"
        " RETURNING p.device_id, old.is_overtaken",
        {**_state_columns(list(by_device.values())), "scope": scope_paths(scope)},
    )
    kept = {int(str(number)): is_overtaken is True for number, is_overtaken in rows}
    await _keep_results(tx, scope, [by_device[number] for number in sorted(kept)], kept)


async def set_corrections(
    tx: Transaction, scope: Scope, device_id: int, corrections: Mapping[Index, float]
) -> None:
    """Replace what is added to the thresholds of a camera of the scope.

    Raises:
        NotFound: the camera lies outside the scope.
        Invalid: a correction is larger than any threshold, or no number.
    """
    if not all(abs(points) <= LARGEST_CORRECTION for points in corrections.values()):
        msg = f"a correction lies between -{LARGEST_CORRECTION:.0f} and {LARGEST_CORRECTION:.0f}"
        raise Invalid(msg, field="corrections")
    device = await get_device(tx, scope, device_id)
    await tx.execute(
        "INSERT INTO picture_states (device_id, next_at, corrections)"
        " VALUES (%(id)s, now(), %(corrections)s::jsonb) ON CONFLICT (device_id)"
        " DO UPDATE SET corrections = excluded.corrections",
        {"id": device.id, "corrections": build_numbers(corrections)},
    )
    deed = Deed(
        action="picture.corrected",
        object_type="device",
        object_id=str(device.id),
        area_id=device.area_id,
    )
    await record(tx, scope, deed, {index.value: points for index, points in corrections.items()})
    await notify(tx, scope, TOPIC, [device.id])


async def drop_retired_pictures(tx: Transaction, scope: Scope) -> int:
    """Forget what is known of pictures of retired devices of the scope; returns of how many.

    What people said of them is kept, and so are masks: a device may be approved again.
    """
    values = {"scope": scope_paths(scope)}
    await tx.execute(
        "DELETE FROM picture_baselines b USING devices d JOIN areas a ON a.id = d.area_id"
        " WHERE b.device_id = d.id AND d.registration = 'retired' AND" + IN_SCOPE,
        values,
    )
    return await tx.execute(
        "DELETE FROM picture_states p USING devices d JOIN areas a ON a.id = d.area_id"
        " WHERE p.device_id = d.id AND d.registration = 'retired' AND" + IN_SCOPE,
        values,
    )


def _state_columns(checks: Sequence[KeptCheck]) -> dict[str, object]:
    states = [one.state for one in checks]
    return {
        "ids": [state.device_id for state in states],
        "was": [one.was_due_at for one in checks],
        "next": [one.state.next_at or one.at for one in checks],
        "tried": [state.tried_at for state in states],
        "checked": [state.checked_at for state in states],
        "modes": [state.mode for state in states],
        "widths": [state.width for state in states],
        "heights": [state.height for state in states],
        "findings": [build_findings(state.findings) for state in states],
        "faults": [build_faults(state.faults) for state in states],
        "suspects": [build_faults(state.suspects) for state in states],
        "mending": [build_numbers(state.mending) for state in states],
        "unseen": [plain(state.unseen) for state in states],
        "good": [state.good_at for state in states],
        "bad": [state.bad_at for state in states],
        "fingerprints": [state.fingerprint for state in states],
    }


async def _keep_results(
    tx: Transaction, scope: Scope, checks: Sequence[KeptCheck], overtaken: Mapping[int, bool]
) -> None:
    found = [(one.state.device_id, one, one.check) for one in checks if one.check is not None]
    await add_checks(
        tx,
        scope,
        [
            NewCheck(device_id=number, at=one.at, is_night=one.is_night, check=check)
            for number, one, check in found
        ],
    )
    learnt = [
        NewBaseline(device_id=number, key=one.learnt[0], state=one.learnt[1], learnt_at=one.at)
        for number, one, _ in found
        if one.learnt is not None and not overtaken[number]
    ]
    await keep_baselines(tx, scope, learnt)
    if found:
        await tx.execute(
            "WITH looked AS (SELECT s.device_id, n.at"
            "  FROM unnest(%(ids)s::bigint[], %(at)s::timestamptz[]) AS n (id, at)"
            "  JOIN device_status s ON s.device_id = n.id ORDER BY 1 FOR UPDATE OF s)"
            " UPDATE device_status s SET picture_at = looked.at FROM looked"
            " WHERE s.device_id = looked.device_id",
            {"ids": [number for number, _, _ in found], "at": [one.at for _, one, _ in found]},
        )
