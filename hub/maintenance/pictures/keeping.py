"""Stores what visits found, and says what is to be reported of it."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.health import DeviceStatusReport
from hub.maintenance.pictures.evidence import EvidenceFolder, Kind
from hub.maintenance.pictures.news import events_of, report_of
from hub.maintenance.pictures.visits import Outcome
from hub.runtime.files import NotKept
from hub.store.database import Transaction
from hub.store.events import add_events
from hub.store.notices import notify
from hub.store.picture_claims import claim_checks
from hub.store.picture_states import KeptCheck, keep_checks
from hub.store.status import all_statuses

log = logging.getLogger(__name__)


async def keep_outcomes(
    tx: Transaction, scope: Scope, outcomes: Sequence[Outcome], files: EvidenceFolder
) -> list[DeviceStatusReport]:
    """Store states, scores, baselines, events and pictures of visits, at most one a camera.

    What concerns a camera that somebody else checked meanwhile is dropped. Returns what the
    pipeline is to be told once this is committed.
    """
    tried = {one.camera.target.device_id: one.camera.state.tried_at for one in outcomes}
    due_at = await claim_checks(tx, scope, tried)
    kept = [one for one in outcomes if one.camera.target.device_id in due_at]
    checks = [await _with_picture(one, due_at[one.kept.state.device_id], files) for one in kept]
    await keep_checks(tx, scope, checks)
    rows = {row.device_id: row for row in await all_statuses(tx, scope, sorted(due_at))}
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


async def _with_picture(one: Outcome, due_at: datetime, files: EvidenceFolder) -> KeptCheck:
    """Write the picture of a visit to disk; return the check that says so.

    Its state is locked by now. Where somebody asked for another look meanwhile, he may have drawn
    a mask: that picture shows too much, and is not kept.
    """
    kept = one.kept
    if one.picture is None or due_at != kept.was_due_at:
        return kept
    kind, jpeg = one.picture
    try:
        await files.keep(kept.state.device_id, kind, jpeg)
    except NotKept as error:
        log.debug("the picture of camera %s is not kept: %s", kept.state.device_id, error)
        return kept
    if kind is Kind.BAD:
        return replace(kept, state=replace(kept.state, bad_at=kept.at))
    return replace(kept, state=replace(kept.state, good_at=kept.at))
