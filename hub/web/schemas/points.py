"""Points: what they read, what is plausible of them, what is wrong with them now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from hub.web.schemas.shapes import In, Out

LONGEST_STUCK_S = 30 * 86_400.0

Plausible = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]


class PointFaultOut(Out):
    """Something that is wrong with a point now."""

    kind: Literal["out_of_range", "stuck", "silent"]
    since: datetime
    sentence: str


class PointLineOut(Out):
    """A point, its latest reading, its limits and its present faults.

    ``low`` and ``high`` are what an operator set; where they are null, ``said_low`` and
    ``said_high`` count, which the device says of itself. ``role`` is "battery" or "signal" for
    points that tell of the device itself. Learnt: ``longest_still_s`` is the longest usual time
    without a change, seen in ``observed_s`` seconds with so many ``changes``.
    """

    id: int
    device_id: int
    device_name: str
    area_id: int
    area_name: str
    key: str
    unit: str
    quantity: str
    role: str
    expected_interval_s: float | None
    low: float | None
    high: float | None
    said_low: float | None
    said_high: float | None
    spread: float | None
    stuck_after_s: float | None
    at: datetime | None
    value: float | None
    faults: Sequence[PointFaultOut]
    observed_s: float | None
    changes: int | None
    longest_still_s: float | None


class PointChangeIn(In):
    """What of a point's limits shall change; null goes back to what the device says or is learnt.

    ``stuck_after_s``: unchanged for longer is stuck, 0 never is. ``spread``: a change that is not
    larger is none.
    """

    low: Plausible | None = None
    high: Plausible | None = None
    spread: Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e300)] | None = None
    stuck_after_s: Annotated[float, Field(allow_inf_nan=False, ge=0, le=LONGEST_STUCK_S)] | None = (
        None
    )
