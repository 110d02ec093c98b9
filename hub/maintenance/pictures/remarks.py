"""What people say of a camera's picture: "this is fine", "this is broken", "this is how it looks".

What is said of a verdict corrects the camera's thresholds and is kept with the picture that was
meant; that picture is one that was judged and stored already, with its masks painted over.
"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.errors import Conflict, DeviceError
from hub.domain.quality import Finding, Index, PictureState, Polygon
from hub.maintenance.pictures.assigned import Applied, find_applied
from hub.maintenance.pictures.corrections import Said, apply, correct
from hub.maintenance.pictures.evidence import EvidenceFolder, Kind
from hub.maintenance.pictures.learning import confirm, lessons_of, pack, ripen
from hub.maintenance.pictures.sight import Sight
from hub.runtime.files import NotKept
from hub.store.database import Database, Transaction
from hub.store.devices import get_device
from hub.store.picture_baselines import forget_baselines, mark_baseline
from hub.store.picture_due import DuePicture, load_pictures, look_again
from hub.store.picture_evidence import forget_evidence
from hub.store.picture_feedback import (
    Feedback,
    FeedbackFilter,
    NewFeedback,
    add_feedback,
    get_feedback,
    list_feedback,
    mark_pictured,
)
from hub.store.picture_masks import get_masks, set_masks
from hub.store.picture_states import get_state, set_corrections
from hub.store.scoping import MAX_LIMIT

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What somebody says of one verdict; ``checked_at`` is of the check he saw, None: the last."""

    device_id: int
    index: Index
    is_fault: bool
    note: str = ""
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meant:
    """What a remark is about: the finding, and the picture that shows it.

    The picture is one that is kept (``kind``), or was taken just now (``jpeg``).
    """

    finding: Finding | None
    kind: Kind | None = None
    taken_at: datetime | None = None
    jpeg: bytes = b""


async def take_remark(
    database: Database,
    scope: Scope,
    files: EvidenceFolder,
    remark: Remark,
    now: datetime,
    sight: Sight | None = None,
) -> tuple[Feedback, dict[Index, float]]:
    """Keep a remark, correct the camera's thresholds by all of them, and have it looked at again.

    Of what is broken and was taken for good no picture may be kept: with ``sight`` the camera is
    looked at for one. Returns what was kept and the corrections, which are bounded: see
    :func:`threshold_after`.

    Raises:
        NotFound: the camera lies outside the scope.
        Conflict: the picture was checked again since the one that is meant.
    """
    async with database.transaction() as tx:
        device = await get_device(tx, scope, remark.device_id)
        state = await get_state(tx, scope, device.id)
        if remark.checked_at is not None and remark.checked_at != state.checked_at:
            msg = "the picture has been checked again meanwhile: look at it and say it again"
            raise Conflict(msg)
        applied = await find_applied(tx, device)
        cameras = await load_pictures(tx, scope, [device.id])
        before = [one async for one in _all_feedback(tx, scope, device.id)]
    meant = _meant(state, remark.index)
    if meant.kind is None and remark.is_fault and sight and cameras and not state.unseen:
        meant = await _look(sight, cameras[0], applied, meant, remark.index, now)
    points = state.corrections.get(remark.index, 0.0)
    finding = meant.finding
    is_kept_already = meant.taken_at is not None and any(
        one.has_picture and one.taken_at == meant.taken_at for one in before
    )
    new = NewFeedback(
        device_id=device.id,
        index=remark.index,
        is_fault=remark.is_fault,
        said_at=now,
        note=remark.note,
        score=None if finding is None else finding.score,
        threshold=None if finding is None else applied.uncorrected(finding, points),
        taken_at=meant.taken_at,
        has_picture=is_kept_already,
    )
    async with database.transaction() as tx:
        # This locks the camera's row: whoever says something at the same moment is heard as well.
        await look_again(tx, scope, [device.id], now)
        kept = await add_feedback(tx, scope, new)
        corrected = correct(await _all_said(tx, scope, device.id))
        if corrected != dict(state.corrections):
            await set_corrections(tx, scope, device.id, corrected)
    if not is_kept_already and await _keep_picture(database, scope, files, kept, meant):
        async with database.transaction() as tx:
            kept = await get_feedback(tx, scope, kept.id)
    return kept, corrected


def threshold_after(kept: Feedback, corrected: Mapping[Index, float]) -> float | None:
    """The threshold that applies after a remark; None when there was no score to correct by.

    It does not always reach what was said: a picture that is as bad as can be stays a fault.
    """
    if kept.threshold is None:
        return None
    return apply({kept.index: kept.threshold}, corrected)[kept.index]


async def accept_picture(
    database: Database, scope: Scope, sight: Sight, device_id: int, now: datetime
) -> None:
    """Look at a camera now and learn that this is what its picture looks like when it is well.

    Raises:
        NotFound: the camera lies outside the scope.
        Conflict: it is no camera that can be looked at, or it shows nothing to learn from.
        DeviceError: it gives no picture now.
    """
    async with database.transaction() as tx:
        device = await get_device(tx, scope, device_id)
        found = await load_pictures(tx, scope, [device.id])
        applied = await find_applied(tx, device)
    if not found:
        msg = "this device has no picture: it is no camera, or nothing is known of its channels"
        raise Conflict(msg)
    seen = await sight.see(found[0], applied.chosen, now, wants_learnt=True)
    key = (seen.order.band, seen.check.mode)
    known = lessons_of(found[0].baselines).get(key)
    learnt = seen.check
    if learnt.learnt:
        learnt = await ripen(sight.judge_again, seen.order, learnt)
    lesson = confirm(learnt, known, now)
    if lesson is None:
        why = "; ".join(fault.why for fault in seen.check.faults) or "nothing is to be seen"
        msg = f"this is no picture to learn from: {why}"
        raise Conflict(msg)
    async with database.transaction() as tx:
        await mark_baseline(tx, scope, device.id, (key, pack(lesson)), now)
        await look_again(tx, scope, [device.id], now)


async def change_masks(
    database: Database,
    scope: Scope,
    files: EvidenceFolder,
    device_id: int,
    polygons: Sequence[Polygon],
    now: datetime,
) -> tuple[Polygon, ...]:
    """Set what must not be seen of a camera, and drop whatever was kept without it.

    The pictures kept so far go, those of remarks too, and what is learnt: it was learnt of
    pictures that looked otherwise.
    """
    async with database.transaction() as tx:
        before = await get_masks(tx, scope, device_id)
        after = await set_masks(tx, scope, device_id, polygons)
        is_changed = before != after
        if is_changed:
            await forget_baselines(tx, scope, device_id, now)
            said = await forget_evidence(tx, scope, device_id)
    if is_changed:
        await files.forget([device_id])
        await files.forget_labelled(said)
    return after


def _meant(state: PictureState, index: Index) -> _Meant:
    """What is known already: what was found last, or by what a fault that stands was believed."""
    finding = next((one for one in state.findings if one.index is index), None)
    fault = state.faults.get(index)
    suspect = fault or state.suspects.get(index)
    if suspect is not None and (finding is None or not finding.is_fault):
        finding = Finding(
            index=index, score=suspect.score, threshold=suspect.threshold, why=suspect.why
        )
    if fault is not None:
        if state.bad_at is None or state.bad_at < fault.since:
            return _Meant(finding=finding)
        return _Meant(finding=finding, kind=Kind.BAD, taken_at=state.bad_at)
    for kind, at in ((Kind.GOOD, state.good_at), (Kind.BAD, state.bad_at)):
        if at is not None and at == state.checked_at:
            return _Meant(finding=finding, kind=kind, taken_at=at)
    return _Meant(finding=finding)


async def _look(
    sight: Sight, camera: DuePicture, applied: Applied, meant: _Meant, index: Index, now: datetime
) -> _Meant:
    """Take a picture of what somebody sees; without one, what was known stands."""
    try:
        seen = await sight.see(camera, applied.chosen, now, wants_evidence=True)
    except DeviceError as error:
        log.info("no picture of camera %s for a remark: %s", camera.target.device_id, error)
        return meant
    found = next((one for one in seen.check.findings if one.index is index), meant.finding)
    return _Meant(finding=found, taken_at=now, jpeg=seen.check.evidence)


async def _keep_picture(
    database: Database, scope: Scope, files: EvidenceFolder, kept: Feedback, meant: _Meant
) -> bool:
    """Keep the picture with the remark, unless another one took its place meanwhile."""
    jpeg = meant.jpeg
    if meant.kind is not None:
        jpeg = await files.read(kept.device_id, meant.kind)
        async with database.transaction() as tx:
            state = await get_state(tx, scope, kept.device_id)
        if meant.taken_at != (state.good_at if meant.kind is Kind.GOOD else state.bad_at):
            return False
    if not jpeg:
        return False
    try:
        await files.keep_labelled(kept.id, jpeg)
    except NotKept as error:
        log.warning("the picture of remark %s is not kept: %s", kept.id, error)
        return False
    async with database.transaction() as tx:
        await mark_pictured(tx, scope, kept.id)
    return True


async def _all_said(tx: Transaction, scope: Scope, device_id: int) -> list[Said]:
    return [
        Said(
            index=one.index,
            is_fault=one.is_fault,
            score=one.score,
            threshold=one.threshold,
            said_at=one.said_at,
        )
        async for one in _all_feedback(tx, scope, device_id)
        if one.score is not None and one.threshold is not None
    ]


async def _all_feedback(tx: Transaction, scope: Scope, device_id: int) -> AsyncIterator[Feedback]:
    wanted, cursor = FeedbackFilter(device_id=device_id), None
    while True:
        page = await list_feedback(tx, scope, wanted, limit=MAX_LIMIT, cursor=cursor)
        for one in page.items:
            yield one
        cursor = page.next
        if cursor is None:
            return
