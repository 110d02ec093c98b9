"""What people say of a camera's picture: of verdicts, of how it should look, of what to hide."""

from http import HTTPStatus

from fastapi import APIRouter

from hub.domain.errors import Conflict
from hub.maintenance.pictures.remarks import (
    Remark,
    accept_picture,
    change_masks,
    take_remark,
    threshold_after,
)
from hub.store import devices, picture_baselines, picture_feedback, picture_masks
from hub.store.picture_feedback import FeedbackFilter
from hub.web.access import Maintain, Operate, See
from hub.web.routes.pictures import evidence_of, show_bands
from hub.web.schemas.pictures import (
    BaselineIn,
    BaselineOut,
    FeedbackDoneOut,
    FeedbackIn,
    FeedbackOut,
    MasksIn,
    MasksOut,
)
from hub.web.schemas.shapes import Cursor, Id, Limit, Listing
from hub.web.services import Services

router = APIRouter(tags=["pictures"])


@router.get("/devices/{device_id}/picture/feedback")
async def list_feedback(
    scope: See, device_id: Id, services: Services, limit: Limit = None, cursor: Cursor = None
) -> Listing[FeedbackOut]:
    """What people said of a camera's verdicts, newest first."""
    async with services.database.transaction() as tx:
        await devices.get_device(tx, scope, device_id)
        page = await picture_feedback.list_feedback(
            tx, scope, FeedbackFilter(device_id=device_id), limit=limit, cursor=cursor
        )
    return Listing(items=[FeedbackOut.model_validate(one) for one in page.items], next=page.next)


@router.post("/devices/{device_id}/picture/feedback", status_code=HTTPStatus.CREATED)
async def give_feedback(
    scope: Operate, device_id: Id, body: FeedbackIn, services: Services
) -> FeedbackDoneOut:
    """Say "this is fine" or "this is broken": the camera's threshold follows, and it is kept."""
    remark = Remark(
        device_id=device_id,
        index=body.index,
        is_fault=body.is_fault,
        note=body.note,
        checked_at=body.checked_at,
    )
    kept, corrections = await take_remark(
        services.database,
        scope,
        evidence_of(services),
        remark,
        services.clock(),
        services.sight,
    )
    threshold = threshold_after(kept, corrections)
    is_fault = kept.is_fault
    if kept.score is not None and threshold is not None:
        is_fault = kept.score >= threshold
    return FeedbackDoneOut(
        feedback=FeedbackOut.model_validate(kept),
        threshold=threshold,
        is_settled=is_fault == kept.is_fault,
        corrections=corrections,
    )


@router.post("/devices/{device_id}/picture/baseline")
async def accept_baseline(
    scope: Maintain, device_id: Id, body: BaselineIn, services: Services
) -> BaselineOut:
    """Say that what the camera shows now is how it should look: it is looked at and learnt."""
    del body
    if services.sight is None:
        msg = "this process judges no pictures: ask one with the role work"
        raise Conflict(msg)
    await accept_picture(services.database, scope, services.sight, device_id, services.clock())
    async with services.database.transaction() as tx:
        return BaselineOut(bands=await show_bands(tx, scope, device_id))


@router.delete("/devices/{device_id}/picture/baseline", status_code=HTTPStatus.NO_CONTENT)
async def forget_baseline(scope: Maintain, device_id: Id, services: Services) -> None:
    """Forget how the camera's picture looks: it is learnt anew, over days."""
    async with services.database.transaction() as tx:
        await picture_baselines.forget_baselines(tx, scope, device_id, services.clock())


@router.get("/devices/{device_id}/picture/masks")
async def get_masks(scope: See, device_id: Id, services: Services) -> MasksOut:
    """What of a camera's picture must not be seen."""
    async with services.database.transaction() as tx:
        return MasksOut(polygons=await picture_masks.get_masks(tx, scope, device_id))


@router.put("/devices/{device_id}/picture/masks")
async def put_masks(scope: Maintain, device_id: Id, body: MasksIn, services: Services) -> MasksOut:
    """Set what must not be seen; pictures kept without it are removed."""
    masks = await change_masks(
        services.database,
        scope,
        evidence_of(services),
        device_id,
        body.polygons,
        services.clock(),
    )
    return MasksOut(polygons=masks)
