"""The map: points, alerts, rates and outlines of areas, the background."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from pydantic import Field

from hub.domain.alerts import Colour
from hub.domain.events import Severity
from hub.domain.health import Status
from hub.store.map_points import AreaCount
from hub.web.schemas.shapes import Out


class PointsOut(Out):
    """Every approved device with a position, as columns in one order.

    ``lon`` and ``lat`` are millionths of a degree (WGS-84). ``state`` and ``kind`` are places in
    ``states`` and ``kinds``; ``areas`` are numbers of areas. ``unplaced`` devices have no position.
    """

    at: datetime
    states: Sequence[str]
    kinds: Sequence[str]
    unplaced: int
    ids: Sequence[int]
    lon: Sequence[int]
    lat: Sequence[int]
    state: Sequence[int]
    kind: Sequence[int]
    areas: Sequence[int]


class PlacedDeviceOut(Out):
    """A device in the list beside the map."""

    id: int
    name: str
    kind: str
    area_id: int
    area_name: str
    status: Status
    since: datetime | None
    longitude: float
    latitude: float


class InViewOut(Out):
    """The devices of a part of the map, the worst first; ``is_cut``: there are more."""

    items: Sequence[PlacedDeviceOut]
    is_cut: bool


class AlertPointOut(Out):
    """The open alert of a device that matters most, and how many it has."""

    device_id: int
    alert_id: int
    severity: Severity
    colour: Colour
    number: int


class AlertPointsOut(Out):
    """All devices with open alerts; the colours are those of ``at``."""

    at: datetime
    items: Sequence[AlertPointOut]


class AreaRateOut(Out):
    """An area with everything below it, as it is shown now.

    ``online_now``: those that answer ÷ managed; None without devices. ``unknown`` are among the
    managed and not among those that answer.
    """

    area_id: int
    managed: int
    answering: int
    unknown: int
    by_status: Mapping[str, int]
    online_now: float | None

    @classmethod
    def of(cls, count: AreaCount) -> Self:
        """Count up one area. A degraded device answers."""
        managed = sum(count.by_status.values())
        answering = sum(count.by_status.get(s, 0) for s in (Status.ONLINE, Status.DEGRADED))
        return cls(
            area_id=count.area_id,
            managed=managed,
            answering=answering,
            unknown=count.by_status.get(Status.UNKNOWN, 0),
            by_status=count.by_status,
            online_now=answering / managed if managed else None,
        )


class AreaRatesOut(Out):
    """Every area of the caller."""

    items: Sequence[AreaRateOut]


class OutlineOut(Out):
    """Where an area lies: coordinates of a GeoJSON MultiPolygon (WGS-84).

    ``depth`` counts areas from the root, ``corners`` are those of the outline as imported, ``box``
    is west, south, east, north.
    """

    area_id: int
    code: str
    name: str
    depth: int
    corners: int
    box: Sequence[float]
    changed_at: datetime
    changed_by: str
    coordinates: Sequence[Sequence[Sequence[Sequence[float]]]]


class OutlinesOut(Out):
    """Outlines of the areas asked for."""

    items: Sequence[OutlineOut]


class OutlinesTakenOut(Out):
    """What an import of outlines stored, or would store."""

    areas: Sequence[int]
    corners: int
    dry_run: bool


class OutlineNewsOut(Out):
    """An area whose outline came, changed or went."""

    area_id: int


class TilesOut(Out):
    """The background; ``etag`` changes with the file."""

    format: str
    min_zoom: int
    max_zoom: int
    bounds: Sequence[float] = Field(description="west, south, east, north")
    etag: str


class MapOptionsOut(Out):
    """How the map is drawn: without ``tiles`` plainly; ``trouble`` says why there are none."""

    tiles: TilesOut | None
    attribution: str
    trouble: str
