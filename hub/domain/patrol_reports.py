"""Reports of patrols: of a round, a night, a week, a month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.domain.devices import Json


class Period(StrEnum):
    """What a report is about. A night lasts from noon to noon in the site's time zone."""

    ROUND = "round"
    NIGHT = "night"
    WEEK = "week"  # seven nights, the first begins on Monday
    MONTH = "month"  # the nights that begin in a month


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """Which report: it is about an area and below, or about one round."""

    period: Period
    area_id: int
    round_id: int | None = None
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    formula: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReport:
    """A report as the store returns it; ``figures`` is None in lists."""

    id: int
    period: Period
    area_id: int
    area_path: str
    area_name: str
    round_id: int | None
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    formula: int
    made_at: datetime
    signed_by: str = ""
    signed_at: datetime | None = None
    sign_note: str = ""
    figures: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedLine:
    """A signature: ``made_at`` is of the report that was read."""

    made_at: datetime
    at: datetime
    note: str = ""
