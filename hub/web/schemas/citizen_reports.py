"""Reports of residents and grid officers (随手拍)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.domain.citizen_reports import CitizenReport, NewReport, ReportState
from hub.domain.dispatches import Position, Priority
from hub.web.schemas.shapes import In, Number, Out

Said = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*\S[^\x00]*$")]
Kind = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
Line = Annotated[str, Field(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class ReportIn(In):
    """What somebody reports; all but the text may be left out."""

    text: Said
    kind: Kind = "other"
    place: Line = ""
    longitude: Degrees | None = None
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    contact: Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""

    def report(self) -> NewReport:
        """What is taken in; a half of a position is none."""
        where = None
        if self.longitude is not None and self.latitude is not None:
            where = Position(longitude=self.longitude, latitude=self.latitude)
        return NewReport(
            text=self.text, kind=self.kind, place=self.place, where=where, contact=self.contact
        )


class FormOut(Out):
    """What the page of reporters needs; ``kinds`` by their word, with names to show."""

    is_open: bool
    kinds: Mapping[str, str]
    most_photos: int
    longest_text: int


class FollowUpOut(Out):
    """What a reporter sees of his report."""

    reference: str
    state: ReportState
    text: str
    answer: str
    created_at: datetime
    photos: int
    points: int


class CitizenReportOut(Out):
    """A report as moderators see it. ``reporter`` is an officer's name or a pseudonym."""

    id: int
    reference: str
    area_id: int
    area_name: str
    state: ReportState
    text: str
    kind: str
    place: str
    longitude: float | None
    latitude: float | None
    created_at: datetime
    is_officer: bool
    reporter: str
    answer: str
    moderated_by: str
    moderated_at: datetime | None
    dispatch_id: int | None
    photos: int
    points: int

    @classmethod
    def of(cls, report: CitizenReport) -> "CitizenReportOut":
        """Show a report."""
        where = report.where
        return cls(
            longitude=None if where is None else where.longitude,
            latitude=None if where is None else where.latitude,
            **{
                name: getattr(report, name)
                for name in cls.model_fields
                if name not in {"longitude", "latitude"}
            },
        )


class TaskIn(In):
    """What a moderator makes of a report; what is left out is as the reporter said."""

    title: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    text: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    kind: Kind | None = None
    priority: Priority = Priority.NORMAL


class AnswerIn(In):
    """What the reporter is told."""

    text: Said


class MoveIn(In):
    """The area a report belongs to."""

    area_id: Number


class PointsIn(In):
    """Points given, or taken back when negative."""

    points: Annotated[int, Field(ge=-100, le=100)]
    reason: Line = ""


class ContactOut(Out):
    """How a reporter can be reached; that it was read is in the audit log."""

    contact: str


class PhotoNumbersOut(Out):
    """The photos of a report, the oldest first."""

    items: Sequence[int]


class StandingOut(Out):
    """A line of the points ledger."""

    reporter: str
    reports: int
    points: int


class StandingsOut(Out):
    """The ledger, the most points first."""

    items: Sequence[StandingOut]
