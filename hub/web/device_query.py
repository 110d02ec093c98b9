"""What the query of the device list may ask for."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Query

from hub.domain.devices import DeviceKind, Registration
from hub.domain.health import Layer, Status
from hub.domain.quality import Index
from hub.store.device_lists import DeviceFilter, DeviceOrder
from hub.web.schemas.shapes import MAX_NUMBER, AreaFilter, Cursor, Limit, TextFilter

Exactly = Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]*$")]
DeviceNumber = Annotated[int | None, Query(ge=1, le=MAX_NUMBER)]


def read_search(
    area: AreaFilter = None,
    q: TextFilter = "",
    status: Annotated[list[Status] | None, Query(max_length=len(Status))] = None,
    layer: Layer | None = None,
    registration: Registration | None = None,
    kind: DeviceKind | None = None,
) -> DeviceFilter:
    """What the list is narrowed to first: where, what, how it is. ``status`` may be repeated."""
    return DeviceFilter(
        area_id=area,
        text=q,
        statuses=tuple(status or ()),
        layer=layer,
        registration=registration,
        kind=kind or "",
    )


def read_record(
    device_class: Annotated[Exactly, Query(alias="class")] = None,
    team: Exactly = None,
    manufacturer: Exactly = None,
    model: Exactly = None,
    firmware: Exactly = None,
) -> DeviceFilter:
    """What the asset record must say, to the letter; an empty value finds what lacks it."""
    return DeviceFilter(
        device_class=device_class,
        team=team,
        manufacturer=manufacturer,
        model=model,
        firmware=firmware,
    )


def read_more(
    tag: Annotated[str | None, Query(min_length=1, max_length=64, pattern=r"^[^\x00]*$")] = None,
    picture: Index | None = None,
    *,
    placed: bool | None = None,
) -> DeviceFilter:
    """``picture`` is a fault of the picture that stands; ``placed``: coordinates are on record."""
    return DeviceFilter(tag=tag, picture_fault=picture, has_position=placed)


def read_filter(
    search: Annotated[DeviceFilter, Depends(read_search)],
    record: Annotated[DeviceFilter, Depends(read_record)],
    more: Annotated[DeviceFilter, Depends(read_more)],
    behind: DeviceNumber = None,
    parent: DeviceNumber = None,
    *,
    flapping: bool | None = None,
) -> DeviceFilter:
    """What the list is narrowed to: ``behind`` is the parent that is down and explains it."""
    return replace(
        search,
        device_class=record.device_class,
        team=record.team,
        manufacturer=record.manufacturer,
        model=record.model,
        firmware=record.firmware,
        behind_id=behind,
        parent_id=parent,
        is_flapping=flapping,
        tag=more.tag,
        picture_fault=more.picture_fault,
        has_position=more.has_position,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Which page of a list, in which order, and whether all are counted."""

    order: DeviceOrder
    limit: int | None
    cursor: str | None
    is_counted: bool


def read_paging(
    sort: DeviceOrder = DeviceOrder.NUMBER,
    limit: Limit = None,
    cursor: Cursor = None,
    *,
    count: bool = False,
) -> Paging:
    """Read the page; ``newest`` and ``longest`` are by the beginning of the present status."""
    return Paging(order=sort, limit=limit, cursor=cursor, is_counted=count)
