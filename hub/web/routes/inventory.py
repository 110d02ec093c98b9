"""The inventory as files, both ways, and the asset record of one device.

A file comes as the plain body of a request (``text/csv`` or the type of XLSX) and may be larger
than other bodies: :data:`FILE_PATHS` names the routes for :class:`hub.web.body_limit.BodyLimit`.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from hub.domain.assets import AssetRecord
from hub.domain.errors import Invalid
from hub.maintenance.inventory import import_devices
from hub.maintenance.inventory_areas import import_areas
from hub.maintenance.inventory_devices import ImportOptions
from hub.maintenance.inventory_exports import export_areas, export_devices
from hub.maintenance.inventory_preview import preview_devices
from hub.maintenance.inventory_table import Source
from hub.maintenance.sheet_reader import DEFAULT_LIMITS
from hub.runtime.sheets import SheetKind
from hub.store import asset_records, audit, devices
from hub.store.notices import notify
from hub.web.access import Administer, Maintain, See
from hub.web.file_answer import FILE_ANSWER, Chinese, Format, send_file
from hub.web.schemas.inventory import AssetRecordIn, AssetRecordOut, ImportOut, ImportPreviewOut
from hub.web.schemas.shapes import Id
from hub.web.services import Services

router = APIRouter(tags=["inventory"])

FILE_PATHS: Final = frozenset(
    {"/inventory/devices", "/inventory/areas", "/inventory/devices/preview"}
)
MOST_FILE_BYTES: Final = DEFAULT_LIMITS.file_bytes

_KINDS = {kind.media_type: kind for kind in SheetKind}
# Nobody else is answered while the rows of a batch come from the database and go there.
_BATCH_ROWS = 250

DryRun = Annotated[bool, Query(description="Check only, change nothing.")]
Whole = Annotated[bool, Query(description="All rows or none.")]
_BODY: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS},
    }
}


@router.post("/inventory/devices", openapi_extra=_BODY)
async def take_devices(
    scope: Administer,
    request: Request,
    services: Services,
    *,
    dry_run: DryRun = False,
    whole: Whole = False,
) -> ImportOut:
    """Import devices and their asset records: good rows go in, every bad one is named.

    ``whole``: a file with a bad row is only checked, and the answer says ``dry_run``.
    """
    take = partial(import_devices, services.database, scope)
    checking = ImportOptions(is_dry_run=True, batch_rows=_BATCH_ROWS)
    async with _received(request) as source:
        if dry_run or whole:
            outcome = await take(source, services.parse_connection, checking)
            if dry_run or outcome.refused:
                return ImportOut.model_validate(outcome)
            source.stream.seek(0)
        outcome = await take(
            source, services.parse_connection, ImportOptions(batch_rows=_BATCH_ROWS)
        )
    return ImportOut.model_validate(outcome)


@router.post("/inventory/devices/preview", openapi_extra=_BODY)
async def look_at_devices(_scope: Administer, request: Request) -> ImportPreviewOut:
    """The file as rows of cells, to be corrected before it is imported; nothing is kept of it."""
    async with _received(request) as source:
        return ImportPreviewOut.model_validate(await preview_devices(source))


@router.post("/inventory/areas", openapi_extra=_BODY)
async def take_areas(
    scope: Administer, request: Request, services: Services, *, dry_run: DryRun = False
) -> ImportOut:
    """Import areas (code, name, parent): adds and renames, never moves or removes."""
    async with _received(request) as source:
        outcome = await import_areas(services.database, scope, source, is_dry_run=dry_run)
    return ImportOut.model_validate(outcome)


@router.get("/inventory/devices", response_class=StreamingResponse, responses=FILE_ANSWER)
async def hand_out_devices(
    scope: Administer, services: Services, kind: Format = SheetKind.CSV, *, chinese: Chinese = False
) -> StreamingResponse:
    """Every device of the caller's areas with its asset record and its status; no passwords."""
    write = partial(export_devices, services.database, scope, kind=kind, is_chinese=chinese)
    return await send_file(write, kind, "devices")


@router.get("/inventory/areas", response_class=StreamingResponse, responses=FILE_ANSWER)
async def hand_out_areas(
    scope: See, services: Services, kind: Format = SheetKind.CSV, *, chinese: Chinese = False
) -> StreamingResponse:
    """Every area of the caller."""
    write = partial(export_areas, services.database, scope, kind=kind, is_chinese=chinese)
    return await send_file(write, kind, "areas")


@router.get("/devices/{device_id}/record")
async def get_record(scope: See, device_id: Id, services: Services) -> AssetRecordOut:
    """The asset record of a device."""
    async with services.database.transaction() as tx:
        found = await asset_records.get_record(tx, scope, device_id)
    return AssetRecordOut.model_validate(found)


@router.put("/devices/{device_id}/record")
async def put_record(
    scope: Maintain, device_id: Id, body: AssetRecordIn, services: Services
) -> AssetRecordOut:
    """Replace the asset record of a device."""
    if (body.longitude is None) is not (body.latitude is None):
        msg = "longitude and latitude come together"
        raise Invalid(msg, field="latitude" if body.latitude is None else "longitude")
    record = AssetRecord(**body.model_dump())
    async with services.database.transaction() as tx:
        device = await devices.get_device(tx, scope, device_id)
        before = await asset_records.get_record(tx, scope, device_id)
        await asset_records.put_record(tx, scope, device_id, record)
        names = AssetRecordIn.model_fields
        changed = [name for name in names if getattr(before, name) != getattr(record, name)]
        deed = audit.Deed(
            action="device.record_changed",
            object_type="device",
            object_id=str(device.id),
            area_id=device.area_id,
        )
        await audit.record(tx, scope, deed, {"fields": changed})
        await notify(tx, scope, "devices", [device.id])
    return AssetRecordOut.model_validate(record)


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[Source]:
    """The body as a file on disk; our errors about it begin as sentences."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind = _KINDS.get(media_type)
    if kind is None:
        detail = f"send the file itself, as {' or '.join(_KINDS)}"
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    with tempfile.TemporaryFile() as file:
        async for piece in request.stream():
            await asyncio.to_thread(file.write, piece)
        try:
            yield Source(stream=file, kind=kind, name="upload")
        except Invalid as error:
            if error.field != "file":
                raise
            msg = f"the file {error}"
            raise Invalid(msg, field="file") from error
