"""Figures over a period."""

from collections.abc import Sequence
from datetime import datetime

from hub.web.schemas.shapes import Out


class RateOut(Out):
    """``online`` is 0 to 1, null when nothing is known; withheld below the minimum coverage."""

    online: float | None
    coverage: float
    is_withheld: bool
    outages: int
    down_s: float


class AreaUptimeOut(Out):
    """One area's line."""

    area_id: int
    area_name: str
    devices: int
    rate: RateOut


class DeviceUptimeOut(Out):
    """One device's line."""

    device_id: int
    device_name: str
    area_name: str
    rate: RateOut


class UptimeOut(Out):
    """The time-weighted online rate; ``formula`` names how it was worked out."""

    since: datetime
    until: datetime
    formula: str
    total: RateOut
    areas: Sequence[AreaUptimeOut]
    devices: Sequence[DeviceUptimeOut]
