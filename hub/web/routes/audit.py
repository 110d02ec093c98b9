"""The audit log: who did what, newest first, filtered, and as a file."""

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from hub.domain.access import Scope
from hub.runtime.sheets import CSV_MEDIA_TYPE, neutralise
from hub.store import audit
from hub.web.access import Administer
from hub.web.schemas.people import AuditNamesOut, AuditOut
from hub.web.schemas.shapes import AreaFilter, Cursor, Limit, Listing, TextFilter
from hub.web.services import Services, WebServices

router = APIRouter(tags=["audit"])

# As much as a spreadsheet opens without complaint; who wants more narrows it by time.
MOST_EXPORTED: Final = 200_000
_PAGE: Final = 500
_COLUMNS: Final = ("at", "actor", "source", "action", "object_type", "object_id", "area_id")
Word = Annotated[str, Query(max_length=128, pattern=r"^[^\x00]*$")]
Moment = Annotated[AwareDatetime | None, Query()]


def read_filter(
    actor: Word = "",
    action: Word = "",
    object_type: Word = "",
    object_id: Word = "",
    area: AreaFilter = None,
    q: TextFilter = "",
) -> audit.AuditFilter:
    """What the log is narrowed to first; ``action`` "rule" finds "rule.changed" too."""
    return audit.AuditFilter(
        actor=actor,
        action=action,
        object_type=object_type,
        object_id=object_id,
        area_id=area,
        text=q,
    )


def read_period(
    wanted: Annotated[audit.AuditFilter, Depends(read_filter)],
    since: Moment = None,
    until: Moment = None,
) -> audit.AuditFilter:
    """And when it was: from ``since`` on, before ``until``."""
    return replace(wanted, since=since, until=until)


Wanted = Annotated[audit.AuditFilter, Depends(read_period)]


@router.get("/audit")
async def list_audit(
    scope: Administer,
    services: Services,
    wanted: Wanted,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Listing[AuditOut]:
    """Who did what, newest first. A search of one or two characters looks at the newest only."""
    async with services.database.transaction() as tx:
        page = await audit.list_entries(tx, scope, wanted, limit=limit, cursor=cursor)
    return Listing(items=[AuditOut.model_validate(i) for i in page.items], next=page.next)


@router.get("/audit/names")
async def list_names(scope: Administer, services: Services) -> AuditNamesOut:
    """What the filters of the log can be set to."""
    async with services.database.transaction() as tx:
        return AuditNamesOut.model_validate(await audit.list_names(tx, scope))


@router.get(
    "/audit/file",
    response_class=StreamingResponse,
    responses={200: {"description": "The file", "content": {CSV_MEDIA_TYPE: {}}}},
)
async def hand_out_audit(
    scope: Administer, services: Services, wanted: Wanted
) -> StreamingResponse:
    """The lines of the filter as CSV, newest first, at most 200,000. That, too, is logged."""
    deed = audit.Deed(action="audit.exported", object_type="audit", area_id=wanted.area_id)
    async with services.database.transaction() as tx:
        await audit.record(tx, scope, deed)
    return StreamingResponse(
        _pieces(services, scope, wanted),
        media_type=CSV_MEDIA_TYPE,
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )


async def _pieces(
    services: WebServices, scope: Scope, wanted: audit.AuditFilter
) -> AsyncIterator[bytes]:
    # Without the byte order mark a Chinese Excel reads UTF-8 as GBK.
    yield ("\ufeff" + ",".join((*_COLUMNS, "detail")) + "\r\n").encode()
    cursor: str | None = None
    for _ in range(MOST_EXPORTED // _PAGE):
        async with services.database.transaction() as tx:
            page = await audit.list_entries(tx, scope, wanted, limit=_PAGE, cursor=cursor)
        text = io.StringIO()
        csv.writer(text).writerows(_cells(entry) for entry in page.items)
        yield text.getvalue().encode()
        cursor = page.next
        if cursor is None:
            return


def _cells(entry: audit.AuditEntry) -> list[str]:
    detail = json.dumps(entry.detail, ensure_ascii=False) if entry.detail else ""
    moment = entry.at.isoformat(timespec="seconds")
    area = "" if entry.area_id is None else str(entry.area_id)
    texts = (entry.actor, entry.source, entry.action, entry.object_type, entry.object_id)
    return [moment, *map(neutralise, texts), area, neutralise(detail)]
