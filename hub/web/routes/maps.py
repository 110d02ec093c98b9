"""The map: where every device is and how, outlines of areas, the background.

A file of outlines comes as the plain body of a request and may be larger than other bodies.
"""

import asyncio
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.domain.devices import DeviceKind
from hub.domain.errors import NotFound
from hub.domain.health import Status
from hub.maintenance.outline_files import (
    MOST_FILE_BYTES,
    Datum,
    import_outlines,
    prepare,
    read_outlines,
)
from hub.store import area_outlines, map_points
from hub.store.area_outlines import Detail
from hub.store.map_points import KINDS, MOST_LINES, STATES, Box, PointFilter
from hub.web.access import Administer, See
from hub.web.map_answers import MapAnswers, answer_compressed
from hub.web.map_tiles import TilesUnusable, parse_range, read_archive, read_range
from hub.web.schemas.maps import (
    AlertPointOut,
    AlertPointsOut,
    AreaRateOut,
    AreaRatesOut,
    InViewOut,
    MapOptionsOut,
    OutlinesOut,
    OutlinesTakenOut,
    PlacedDeviceOut,
    PointsOut,
    TilesOut,
)
from hub.web.schemas.shapes import AreaFilter, Id
from hub.web.services import Services

router = APIRouter(tags=["map"])

FILE_PATH: Final = "/map/outlines"
__all__ = ["FILE_PATH", "MOST_FILE_BYTES", "router"]

_GEOJSON_TYPES: Final = frozenset({"application/geo+json", "application/json"})
_BODY: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "object"}} for kind in sorted(_GEOJSON_TYPES)},
    }
}
_TILES: dict[int | str, dict[str, object]] = {
    206: {
        "description": "The bytes asked for",
        "content": {"application/vnd.pmtiles": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_RATES: Final = TypeAdapter(AreaRatesOut)

CodeProperty = Annotated[
    str, Query(alias="property", min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Longitude = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]


def read_filter(
    area: AreaFilter = None,
    kind: DeviceKind | None = None,
    status: Annotated[list[Status] | None, Query(max_length=len(Status))] = None,
) -> PointFilter:
    """What the map is narrowed to. ``status`` may be repeated."""
    return PointFilter(area_id=area, kind=kind or "", statuses=tuple(sorted(set(status or ()))))


def read_box(
    west: Longitude = -180.0,
    south: Latitude = -90.0,
    east: Longitude = 180.0,
    north: Latitude = 90.0,
) -> Box:
    """The part of the map that is looked at; all of it without."""
    return Box(west=west, south=south, east=east, north=north)


def _answers(request: Request) -> MapAnswers:
    answers = request.app.state.map_answers
    if not isinstance(answers, MapAnswers):
        msg = "the application was put together without the answers of its map"
        raise TypeError(msg)
    return answers


Answers = Annotated[MapAnswers, Depends(_answers)]
Filter = Annotated[PointFilter, Depends(read_filter)]


@router.get("/map/points", response_model=PointsOut)
async def get_points(
    scope: See, request: Request, services: Services, answers: Answers, wanted: Filter
) -> Response:
    """Where every device of the caller is and how it is shown, in one answer."""

    async def make() -> str:
        async with services.database.transaction() as tx:
            found = await map_points.read_points(tx, scope, wanted)
        return (
            f'{{"at":"{found.at.isoformat()}","states":{_words(STATES)},"kinds":{_words(KINDS)},'
            f'"unplaced":{found.unplaced},"ids":[{found.ids}],"lon":[{found.lon}],'
            f'"lat":[{found.lat}],"state":[{found.state}],"kind":[{found.kind}],'
            f'"areas":[{found.areas}]}}'
        )

    return await answers.answer(request, ("points", scope.paths, wanted), make)


@router.get("/map/devices")
async def list_in_view(
    scope: See, services: Services, wanted: Filter, box: Annotated[Box, Depends(read_box)]
) -> InViewOut:
    """The devices of a part of the map by name, the worst first: the list beside the map."""
    async with services.database.transaction() as tx:
        found = await map_points.list_in_box(tx, scope, box, wanted)
    items = [PlacedDeviceOut.model_validate(line) for line in found[:MOST_LINES]]
    return InViewOut(items=items, is_cut=len(found) > MOST_LINES)


@router.get("/map/alerts", response_model=AlertPointsOut)
async def list_alert_points(scope: See, request: Request, services: Services) -> Response:
    """The open alert of each device that has one: what the map marks."""
    now = services.clock()
    async with services.database.transaction() as tx:
        found = await map_points.list_alert_points(tx, scope, now=now)
    # Never an answer that is kept: an alert that fired just now must be in it.
    items = [AlertPointOut.model_validate(one) for one in found]
    said = AlertPointsOut.model_construct(at=now, items=items)
    return await answer_compressed(request, said.model_dump_json())


@router.get("/map/rates", response_model=AreaRatesOut)
async def list_rates(
    scope: See, request: Request, services: Services, answers: Answers
) -> Response:
    """The snapshot online rate of every area of the caller, each over everything below it."""

    async def make() -> str:
        async with services.database.transaction() as tx:
            counts = await map_points.count_by_area(tx, scope)
        rates = AreaRatesOut(items=[AreaRateOut.of(count) for count in counts])
        return _RATES.dump_json(rates).decode()

    return await answers.answer(request, ("rates", scope.paths), make)


@router.get(FILE_PATH, response_model=OutlinesOut)
async def list_outlines(
    scope: See,
    request: Request,
    services: Services,
    area: AreaFilter = None,
    detail: Detail = Detail.SIMPLE,
) -> Response:
    """Where areas lie: all of the caller's, or one with everything below it."""
    async with services.database.transaction() as tx:
        items = await area_outlines.read_outlines(tx, scope, area, detail)
    return await answer_compressed(request, f'{{"items":{items}}}')


@router.put(FILE_PATH, openapi_extra=_BODY)
async def take_outlines(
    scope: Administer,
    request: Request,
    services: Services,
    code_property: CodeProperty = "code",
    datum: Datum = Datum.WGS84,
    *,
    dry_run: Annotated[bool, Query(description="Check only, change nothing.")] = False,
) -> OutlinesTakenOut:
    """Import a GeoJSON FeatureCollection whose features name an area by its code.

    Refused whole, with every feature that is wrong named, or stored whole.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _GEOJSON_TYPES:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    data = await request.body()
    file = await asyncio.to_thread(read_outlines, data, code_property, datum)
    prepared = await asyncio.to_thread(prepare, file)
    async with services.database.transaction() as tx:
        stored, faults = await import_outlines(tx, scope, file, prepared, is_dry_run=dry_run)
    if faults:
        raise RequestValidationError(
            [
                {
                    "loc": ("body", "features", fault.feature),
                    "msg": fault.message,
                    "type": fault.kind,
                }
                for fault in faults
            ]
        )
    corners = sum(outline.corners for outline in prepared)
    return OutlinesTakenOut(areas=list(stored), corners=corners, dry_run=dry_run)


@router.delete("/map/outlines/{area_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_outline(scope: Administer, area_id: Id, services: Services) -> None:
    """Take the outline of an area off the map."""
    async with services.database.transaction() as tx:
        await area_outlines.remove_outline(tx, scope, area_id)


@router.get("/map/options")
async def get_options(scope: See, services: Services) -> MapOptionsOut:
    """What the map is drawn on."""
    del scope
    options = services.settings.map
    tiles, trouble = None, ""
    if options.tiles is not None:
        try:
            tiles = TilesOut.model_validate(await asyncio.to_thread(read_archive, options.tiles))
        except TilesUnusable as error:
            trouble = str(error)
    return MapOptionsOut(tiles=tiles, attribution=options.attribution, trouble=trouble)


@router.get("/map/tiles.pmtiles", response_class=Response, responses=_TILES, status_code=206)
async def get_tiles(
    scope: See,
    services: Services,
    wanted: Annotated[str | None, Header(alias="range", include_in_schema=False)] = None,
) -> Response:
    """A part of the file of tiles; ask for one range of bytes.

    Raises:
        NotFound: there is no file, or it cannot be used.
    """
    del scope
    path = services.settings.map.tiles
    msg = "this hub has no tiles: its map is plain"
    if path is None:
        raise NotFound(msg)
    try:
        archive = await asyncio.to_thread(read_archive, path)
    except TilesUnusable as error:
        raise NotFound(msg) from error
    first, last = parse_range(wanted, archive.size)
    body = await asyncio.to_thread(read_range, path, first, last)
    headers = {
        "Content-Range": f"bytes {first}-{last}/{archive.size}",
        "Accept-Ranges": "bytes",
        "ETag": archive.etag,
        "Cache-Control": "private, max-age=3600",
    }
    return Response(body, 206, headers=headers, media_type="application/vnd.pmtiles")


def _words(words: tuple[Status, ...] | tuple[DeviceKind, ...]) -> str:
    return "[" + ",".join(f'"{word}"' for word in words) + "]"
