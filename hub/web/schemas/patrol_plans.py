"""Patrol plans."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import Field

from hub.domain.patrols import StopOrder
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
