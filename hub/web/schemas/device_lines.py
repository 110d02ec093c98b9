"""Random access into the list of devices, and what a filter bar and a bar of days show."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pydantic import Field

from hub.domain.patrols import Result, Verdict
from hub.web.schemas.dispatches import DispatchOut
from hub.web.schemas.places import DeviceLineOut
from hub.web.schemas.shapes import Out


class DeviceOrderOut(Out):
    """All devices of a list, in order, as they were at a moment; the first lines when asked for."""

    at: datetime
    total: int
    lines: Sequence[DeviceLineOut]
    ids: Sequence[int]


class RecordValueOut(Out):
    """One value of the asset record and how many devices have it; empty: it does not say."""

    value: str
    count: int


class ModelValueOut(RecordValueOut):
    """A model, with who makes it."""

    manufacturer: str


class DeviceCountsOut(Out):
    """How many devices a filter leaves, by what a filter bar offers.

    Each count answers "how many would there be if I chose this instead": it honours every part of
    the filter but its own.
    """

    at: datetime
    total: int
    by_status: Mapping[str, int]
    by_kind: Mapping[str, int]
    by_layer: Mapping[str, int]
    flapping: int


class DeviceValuesOut(Out):
    """What the asset records of an area say, the most frequent first."""

    classes: Sequence[RecordValueOut]
    teams: Sequence[RecordValueOut]
    manufacturers: Sequence[RecordValueOut]
    models: Sequence[ModelValueOut]


class DeviceDayOut(Out):
    """Seconds of one day; what lies before the registration or after now is in none of them."""

    day: date
    online_s: float
    offline_s: float
    unknown_s: float
    planned_s: float
    outages: int = Field(description="Outages that began on this day, or went on into it.")


class DeviceDaysOut(Out):
    """A device by days of the site's calendar, oldest first, without those before it was there."""

    at: datetime
    zone: str
    days: Sequence[DeviceDayOut]


class DeviceStopOut(Out):
    """One stop of a patrol round at a device, and what came of it."""

    round_id: int
    plan_name: str
    planned_at: datetime
    position: int
    verdict: Verdict
    reason: str
    at: datetime | None
    result: Result
    kind: str
    note: str
    judged_by: str
    judged_at: datetime | None
    has_picture: bool
    dispatch_id: int | None


class DeviceWorkOut(Out):
    """What people did about a device lately: tasks and stops, newest first."""

    tasks: Sequence[DispatchOut]
    stops: Sequence[DeviceStopOut]
