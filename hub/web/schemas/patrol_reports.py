"""Reports of patrols."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hub.domain.patrol_reports import Period
from hub.web.schemas.shapes import In, Number, Out


class PatrolReportIn(In):
    """Which report to make: of a round, or of the period of an area that holds a night.

    A night is named by the date of its evening.
    """

    round_id: Number | None = None
    period: Literal[Period.NIGHT, Period.WEEK, Period.MONTH] | None = None
    area_id: Number | None = None
    night: Annotated[date, Field(ge=date(1970, 1, 1), le=date(9000, 1, 1))] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        named = [one is not None for one in (self.period, self.area_id, self.night)]
        if any(named) != all(named) or (self.round_id is None) != all(named):
            msg = "name a round_id, or period, area_id and night"
            raise ValueError(msg)
        return self


class SignatureIn(In):
    """Sign a report: ``made_at`` is that of the one that was read."""

    made_at: datetime
    note: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""


class PatrolReportOut(Out):
    """A report; a signed one never changes."""

    id: int
    period: Period
    area_id: int
    area_name: str
    round_id: int | None
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    formula: int
    made_at: datetime
    signed_by: str
    signed_at: datetime | None
    sign_note: str


class PatrolFiguresOut(PatrolReportOut):
    """A report with its figures as they are kept; ``formula`` names how they were counted."""

    figures: Mapping[str, object]
