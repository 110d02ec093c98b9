"""What the dispatch desk looks at: lists of tasks, how many there are, who should go."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hub.domain.alerts import Colour
from hub.domain.dispatches import OVER, DispatchState, Priority
from hub.patrols.dispatch.assigning import Considered, consider
from hub.store import dispatch_lists
from hub.store.dispatch_lists import DispatchFilter, DispatchOrder
from hub.store.dispatches import get_dispatch
from hub.web.access import Dispatch, See
from hub.web.schemas.dispatch_desk import DispatchCountsOut, ProposalOut, ProposedOut, WeighedOut
from hub.web.schemas.dispatches import DispatchOut
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Id, Limit, Listing, TextFilter
from hub.web.services import Services

router = APIRouter(tags=["dispatch"])


def read_filter(  # noqa: PLR0913 - each is a parameter of the list
    area: AreaFilter = None,
    q: TextFilter = "",
    status: DispatchState | None = None,
    colour: Colour | None = None,
    kind: Annotated[str | None, Query(pattern=r"^[a-z0-9_]{1,32}$")] = None,
    priority: Priority | None = None,
    *,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    unit: Annotated[int | None, Query(ge=1, le=MAX_NUMBER)] = None,
    sort: DispatchOrder = DispatchOrder.NEWEST,
) -> DispatchFilter:
    """What the list is narrowed to, and how it is sorted."""
    return DispatchFilter(
        area_id=area,
        text=q,
        state=status,
        is_open=is_open,
        colour=colour,
        unit_id=unit,
        kind=kind,
        priority=priority,
        order=sort,
    )


@router.get("/dispatches")
async def list_dispatches(
    scope: See,
    services: Services,
    wanted: Annotated[DispatchFilter, Depends(read_filter)],
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[DispatchOut]:
    """Tasks, newest first, or the open ones by their deadline.

    ``q`` finds any part of title, place, device or unit, and a task by its number; one or two
    characters are looked for in open tasks and the 10,000 newest.
    """
    now = services.clock()
    async with services.database.transaction() as tx:
        page = await dispatch_lists.list_dispatches(
            tx, scope, wanted, now=now, limit=limit, cursor=cursor
        )
    return Listing(items=[DispatchOut.of(task, now) for task in page.items], next=page.next)


@router.get("/dispatches/counts")
async def count_dispatches(
    scope: See, services: Services, area: AreaFilter = None
) -> DispatchCountsOut:
    """How many tasks are open, in all and by state, colour and priority."""
    async with services.database.transaction() as tx:
        counts = await dispatch_lists.count_dispatches(tx, scope, services.clock(), area_id=area)
    return DispatchCountsOut.model_validate(counts)


@router.get("/dispatches/{dispatch_id}/proposal")
async def propose_unit(scope: Dispatch, dispatch_id: Id, services: Services) -> ProposalOut:
    """Who should go to a task by the rules, why, and what speaks against the others."""
    async with services.database.transaction() as tx:
        task = await get_dispatch(tx, scope, dispatch_id)
        if task.state in OVER:
            return ProposalOut(proposal=None, reason="this task is over", units=[])
        found = await consider(tx, scope, task, services.clock())
    # The rules may send units of the areas above, which the caller does not see one by one.
    own = [one for one in found.units if scope.covers(one.unit.area_path)]
    return ProposalOut(
        proposal=None if found.proposal is None else ProposedOut.of(found.proposal),
        reason=_reason(found),
        units=[WeighedOut.of(one) for one in own],
    )


def _reason(found: Considered) -> str:
    if found.proposal is not None:
        return found.proposal.reason
    if not found.has_rule:
        return "no rule is for this task: choose a unit by hand"
    if not found.units:
        return "no unit answers for this area or one above it"
    return "no unit that the rules allow can go now"
