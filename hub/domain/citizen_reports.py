"""What residents and grid officers report with a photo (随手拍)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.domain.dispatches import Position


class ReportState(StrEnum):
    """Where a report stands: NEW waits for a moderator."""

    NEW = "new"
    DISPATCHED = "dispatched"
    ANSWERED = "answered"
    REJECTED = "rejected"  # not a matter of ours, or abuse


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """What somebody sends. ``contact`` is his to give or not; it is sealed at rest."""

    text: str
    kind: str = "other"
    place: str = ""
    where: Position | None = None
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenReport:
    """A report as the store returns it.

    ``reference`` is what the reporter keeps to ask again. ``is_outside`` marks a place that lies
    outside of what the hub knows. ``photos`` is how many there are.
    """

    id: int
    reference: str
    area_id: int
    area_path: str
    area_name: str
    state: ReportState
    text: str
    kind: str
    place: str
    created_at: datetime
    where: Position | None = None
    is_officer: bool = False
    reporter: str = ""
    answer: str = ""
    moderated_by: str = ""
    moderated_at: datetime | None = None
    dispatch_id: int | None = None
    photos: int = 0
    points: int = 0
