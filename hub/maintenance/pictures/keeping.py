"""Stores what visits found, and says what is to be reported of it."""

from collections.abc import Sequence

from hub.domain.access import Scope
from hub.domain.health import DeviceStatusReport
from hub.maintenance.pictures.news import events_of, report_of
from hub.maintenance.pictures.visits import Outcome
from hub.store.database import Transaction
from hub.store.events import add_events
from hub.store.notices import notify
from hub.store.picture_claims import claim_checks
from hub.store.picture_states import keep_checks
from hub.store.status import all_statuses


async def keep_outcomes(
    tx: Transaction, scope: Scope, outcomes: Sequence[Outcome]
) -> list[DeviceStatusReport]:
    """Store states, scores, baselines and events of visits, at most one a camera.

    What concerns a camera that somebody else checked meanwhile is dropped. Returns what the
    pipeline is to be told once this is committed.
    """
    tried = {one.camera.target.device_id: one.camera.state.tried_at for one in outcomes}
    ours = await claim_checks(tx, scope, tried)
    kept = [one for one in outcomes if one.camera.target.device_id in ours]
    await keep_checks(tx, scope, [one.kept for one in kept])
    rows = {row.device_id: row for row in await all_statuses(tx, scope, sorted(ours))}
    events, reports = [], []
    for one in kept:
        if one.step is None:
            continue
        events += events_of(one.camera, one.step, one.kept.at)
        held = rows.get(one.camera.target.device_id)
        report = report_of(one.camera, one.step, one.kept.at, held)
        if report is not None:
            reports.append(report)
    if events:
        stored = await add_events(tx, scope, events)
        changed = {event.device_id for event in stored if event.device_id is not None}
        await notify(tx, scope, "devices", sorted(changed))
    return reports
