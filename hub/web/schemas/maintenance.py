"""Probe intervals, maintenance windows, parents and their suggestions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from hub.store.maintenance_windows import WindowState
from hub.store.parent_suggestions import SuggestionState
from hub.store.parents import MOST_AT_ONCE
from hub.web.schemas.shapes import In, Number, Out

# Times before and after these have no place in a calendar of maintenance.
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _in_our_time(at: datetime) -> datetime:
    if not _FIRST <= at < _LAST:
        msg = "a time from the year 2000 to the year 2199"
        raise ValueError(msg)
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_in_our_time)]


class IntervalOut(Out):
    """What is set for an area, a class of devices in it, or one device; null inherits."""

    id: int
    area_id: int
    device_class: str
    device_id: int | None
    answer_s: float | None
    stream_s: float | None
    frames_s: float | None
    inspect_s: float | None
    picture_s: float | None


class IntervalIn(In):
    """What to set, for an area (and a class in it) or for one device."""

    area_id: Number | None = None
    device_class: Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    device_id: Number | None = None
    answer_s: Annotated[float | None, Field(ge=5, le=86_400)] = None
    stream_s: Annotated[float | None, Field(ge=5, le=86_400)] = None
    frames_s: Annotated[float | None, Field(ge=30, le=604_800)] = None
    inspect_s: Annotated[float | None, Field(ge=60, le=2_592_000)] = None
    picture_s: Annotated[float | None, Field(ge=60, le=2_592_000)] = None


class WindowOut(Out):
    """A maintenance window and where it stands."""

    id: int
    area_id: int
    area_name: str
    device_id: int | None
    device_name: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    author: str
    created_at: datetime
    state: WindowState


class WindowIn(In):
    """A new window of an area or of a device; without a beginning it begins now."""

    area_id: Number | None = None
    device_id: Number | None = None
    starts_at: Moment | None = None
    ends_at: Moment
    reason: Annotated[
        str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
    ]


class ParentIn(In):
    """The parent of one device; null for none."""

    parent_id: Number | None


class ParentsIn(In):
    """The parent of many devices: of those named, or of those in a subnet.

    Of a subnet only devices without a parent are meant, unless ``replace``.
    """

    parent_id: Number | None
    device_ids: Annotated[Sequence[Number] | None, Field(min_length=1, max_length=MOST_AT_ONCE)] = (
        None
    )
    subnet: Annotated[str | None, Field(max_length=18)] = None
    replace: bool = False


class ParentsOut(Out):
    """Which devices have another parent now."""

    changed: Sequence[int]


class ChildrenOut(Out):
    """The devices right below one, how many of them are offline, and how many are behind it."""

    children: int
    offline: int
    behind: int


class SuggestionOut(Out):
    """Devices that fail and return together, and what was made of it."""

    id: int
    subnet: str
    device_ids: Sequence[int]
    times_seen: int
    first_at: datetime
    last_at: datetime
    confidence: float
    state: SuggestionState
    parent_id: int | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: str


class AcceptIn(In):
    """Their parent; without one, an uplink without an address is made, in ``area_id`` if given."""

    parent_id: Number | None = None
    area_id: Number | None = None
