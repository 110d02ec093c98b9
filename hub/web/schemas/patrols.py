"""Patrol plans, rounds and stops."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from hub.domain.patrols import RoundState, StopOrder, Verdict
from hub.web.schemas.shapes import In, Name, Number, Out


class PlanIn(In):
    """When and where to walk; see RFC 5545 for ``rrule``."""

    name: Name
    area_id: Number
    rrule: Annotated[str, Field(max_length=500, pattern=r"^[A-Za-z0-9=;,+:\-]*$")]
    time_zone: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/\-]+$")]
    starts_on: date
    window_s: Annotated[int, Field(ge=10, le=86400)] = 900
    seconds_per_stop: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 5.0
    order: StopOrder = StopOrder.BY_AREA
    device_ids: Annotated[Sequence[Number], Field(max_length=100_000)] | None = None
    is_enabled: bool = True


class PlanOut(Out):
    """A patrol plan."""

    id: int
    name: str
    area_id: int
    rrule: str
    time_zone: str
    starts_on: date
    window_s: int
    seconds_per_stop: float
    order: StopOrder
    device_ids: Sequence[int] | None
    is_enabled: bool


class RoundOut(Out):
    """One walk of a plan."""

    id: int
    plan_id: int | None
    plan_name: str
    area_id: int
    area_name: str
    time_zone: str
    planned_at: datetime
    state: RoundState
    started_at: datetime | None
    finished_at: datetime | None
    reason: str
    has_report: bool
    stops_planned: int
    stops_seen: int
    stops_not_seen: int


class StopOut(Out):
    """One camera of a round."""

    position: int
    device_id: int | None
    device_name: str
    area_name: str
    verdict: Verdict
    reason: str
    layer: str
    detail: str
    has_picture: bool
    attempts: int
    at: datetime | None
