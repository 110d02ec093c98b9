"""Rules, the holidays by which their hours count, and tags of devices."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from pydantic import Field

from hub.domain.alerts import Rule
from hub.domain.calendars import build_calendar
from hub.domain.conditions import build_condition
from hub.domain.events import Severity
from hub.store.holidays import FIRST_YEAR, LAST_YEAR, LONGEST_NAME
from hub.store.rules import LONGEST_LABEL, MOST_ALERTS, MOST_ALERTS_IN_AREA, MOST_LABELS
from hub.web.schemas.shapes import In, Name, Number, Out

Label = Annotated[
    str, Field(min_length=1, max_length=LONGEST_LABEL, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Labels = Annotated[Sequence[Label], Field(max_length=MOST_LABELS)]


class RuleIn(In):
    """A rule; ``condition`` has a ``type`` and the fields of that type, ``hours`` a calendar's."""

    name: Name
    area_id: Number
    condition: Mapping[str, object]
    severity: Severity = Severity.WARNING
    receivers: Annotated[Sequence[Number], Field(max_length=50)] = ()
    is_enabled: bool = True
    classes: Labels = ()
    tags: Labels = ()
    hours: Mapping[str, object] | None = None
    most_in_area: Annotated[int, Field(ge=1, le=MOST_ALERTS_IN_AREA)] = 20
    most: Annotated[int, Field(ge=1, le=MOST_ALERTS)] = 100


class RuleOut(Out):
    """A rule."""

    id: int
    name: str
    area_id: int
    condition: Mapping[str, object]
    severity: Severity
    receivers: Sequence[int]
    is_enabled: bool
    classes: Sequence[str]
    tags: Sequence[str]
    hours: Mapping[str, object] | None
    most_in_area: int
    most: int

    @classmethod
    def of(cls, rule: Rule) -> "RuleOut":
        """Show a rule."""
        return cls(
            id=rule.id,
            name=rule.name,
            area_id=rule.area_id,
            condition=build_condition(rule.condition),
            severity=rule.severity,
            receivers=rule.receivers,
            is_enabled=rule.is_enabled,
            classes=rule.classes,
            tags=rule.tags,
            hours=None if rule.hours is None else build_calendar(rule.hours),
            most_in_area=rule.most_in_area,
            most=rule.most,
        )


class HolidayIn(In):
    """What a day is called, and whether it is worked although it is no weekday."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00]*$")]
    is_working: bool = False


class DatedHolidayIn(HolidayIn):
    """One of the days of a year."""

    day: date


class HolidayYearIn(In):
    """All declared days of a year; those that are not in it are taken away."""

    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    days: Annotated[Sequence[DatedHolidayIn], Field(max_length=366)]


class HolidayOut(Out):
    """A day that is off although it is a weekday, or worked although it is not."""

    day: date
    name: str
    is_working: bool


class TagsIn(In):
    """The tags of a device, all of them."""

    tags: Labels


class TagsOut(Out):
    """The tags of a device."""

    tags: Sequence[str]
