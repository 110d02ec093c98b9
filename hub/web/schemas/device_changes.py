"""One change to many devices."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from hub.maintenance.bulk_changes import MOST_AT_ONCE
from hub.web.schemas.maintenance import Moment
from hub.web.schemas.shapes import In, Number, Out

_Plain = r"^[^\x00-\x1f\x7f]*$"
Tags = Annotated[Sequence[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=20)]


class BulkWindowIn(In):
    """Maintenance of each of the devices; without a beginning it begins now."""

    starts_at: Moment | None = None
    ends_at: Moment
    reason: Annotated[
        str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
    ]


class BulkIntervalsIn(In):
    """The devices' own probe intervals; what is left out stays as it is."""

    answer_s: Annotated[float | None, Field(ge=5, le=86_400)] = None
    stream_s: Annotated[float | None, Field(ge=5, le=86_400)] = None
    frames_s: Annotated[float | None, Field(ge=30, le=604_800)] = None
    inspect_s: Annotated[float | None, Field(ge=60, le=2_592_000)] = None
    picture_s: Annotated[float | None, Field(ge=60, le=2_592_000)] = None


class BulkProfilesIn(In):
    """The devices' own picture profiles."""

    day_id: Number
    night_id: Number


class DeviceChangesIn(In):
    """What changes; what is left out stays. ``parent_id`` null: below no parent.

    ``intervals`` null: the devices inherit again.
    """

    area_id: Number | None = None
    registration: Literal["approved", "retired"] | None = None
    device_class: Annotated[str | None, Field(max_length=64, pattern=_Plain)] = None
    team: Annotated[str | None, Field(max_length=128, pattern=_Plain)] = None
    add_tags: Tags = ()
    remove_tags: Tags = ()
    parent_id: Number | None = None
    window: BulkWindowIn | None = None
    intervals: BulkIntervalsIn | None = None
    profiles: BulkProfilesIn | None = None


class DeviceBulkIn(In):
    """Which devices, and what of them changes.

    Either ``ids``, or the filter of the device list in the query, with ``total``: how many
    devices the caller saw in it. When it holds others by now nothing is changed.
    """

    ids: Annotated[Sequence[Number] | None, Field(min_length=1, max_length=MOST_AT_ONCE)] = None
    total: Annotated[int | None, Field(ge=1)] = None
    change: DeviceChangesIn
    dry_run: bool = False


class RefusedDeviceOut(Out):
    """A device that does not take the change, and why."""

    device_id: int
    name: str
    reason: str


class DeviceBulkOut(Out):
    """What the change did, or would do; of ``refused_count`` the first are named."""

    matched: int
    changed: int
    unchanged: int
    refused_count: int
    refused: Sequence[RefusedDeviceOut]
    dry_run: bool
