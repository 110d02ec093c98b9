"""Patrol rounds and stops."""

from datetime import datetime

from hub.domain.patrols import RoundState, Verdict
from hub.web.schemas.shapes import Out


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
