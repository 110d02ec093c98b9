"""The row that a dispatch is in the database, and the task it becomes."""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.dispatches import Cause, Dispatch, DispatchState, Position, Priority, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRow:
    """A row as :mod:`hub.store.dispatches` selects it."""

    id: int
    area_id: int
    area_path: str
    area_name: str
    title: str
    text: str
    kind: str
    priority: str
    state: str
    source: str
    alert_id: int | None
    round_id: int | None
    position: int | None
    roll_call_id: int | None
    report_id: int | None
    place: str
    longitude: float | None
    latitude: float | None
    device_id: int | None
    device_name: str
    checklist: list[str]
    checked: list[bool]
    unit_id: int | None
    unit_name: str
    created_at: datetime
    created_by: str
    sent_at: datetime | None
    accepted_at: datetime | None
    on_site_at: datetime | None
    done_at: datetime | None
    closed_at: datetime | None
    verified_by: str
    verdict: str
    accept_by: datetime | None
    arrive_by: datetime | None
    done_by: datetime | None
    yellow_share: float
    deadline_at: datetime | None
    overdue_at: datetime | None
    merged_into: int | None
    merged: int
    has_picture: bool
    version: int

    def dispatch(self) -> Dispatch:
        """The task itself."""
        where = None
        if self.longitude is not None and self.latitude is not None:
            where = Position(longitude=self.longitude, latitude=self.latitude)
        cause = Cause(
            source=Source(self.source),
            alert_id=self.alert_id,
            round_id=self.round_id,
            position=self.position,
            roll_call_id=self.roll_call_id,
            report_id=self.report_id,
        )
        return Dispatch(
            id=self.id,
            area_id=self.area_id,
            area_path=self.area_path,
            area_name=self.area_name,
            title=self.title,
            text=self.text,
            kind=self.kind,
            priority=Priority(self.priority),
            state=DispatchState(self.state),
            cause=cause,
            place=self.place,
            where=where,
            device_id=self.device_id,
            device_name=self.device_name,
            checklist=tuple(self.checklist),
            checked=tuple(self.checked),
            unit_id=self.unit_id,
            unit_name=self.unit_name,
            created_at=self.created_at,
            created_by=self.created_by,
            sent_at=self.sent_at,
            accepted_at=self.accepted_at,
            on_site_at=self.on_site_at,
            done_at=self.done_at,
            closed_at=self.closed_at,
            verified_by=self.verified_by,
            verdict=self.verdict,
            accept_by=self.accept_by,
            arrive_by=self.arrive_by,
            done_by=self.done_by,
            yellow_share=self.yellow_share,
            deadline_at=self.deadline_at,
            overdue_at=self.overdue_at,
            merged_into=self.merged_into,
            merged=self.merged,
            has_picture=self.has_picture,
            version=self.version,
        )
