"""Exercises."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.web.schemas.shapes import In, Name, Number, Out


class DrillIn(In):
    """The rule fires about each of the devices, until ``ends_in_s`` seconds are over."""

    area_id: Number
    name: Name
    rule_id: Number
    device_ids: Annotated[Sequence[Number], Field(min_length=1, max_length=1000)]
    ends_in_s: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = 3600.0


class DrillOut(Out):
    """An exercise; ``ended_at`` is null while it is under way."""

    id: int
    area_id: int
    area_name: str
    name: str
    rule_id: int
    device_ids: Sequence[int]
    author: str
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None
