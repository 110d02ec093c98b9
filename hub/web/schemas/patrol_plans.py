"""Patrol plans: what they ask for, and what their rounds are thought to take."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from hub.domain.access import Role
from hub.domain.looks import LONGEST_CLIP_S
from hub.domain.patrol_details import PlanDetails, RollCall, Selection, StopPreset, Walker
from hub.domain.patrols import MOST_CHECKLIST, PatrolMode, PatrolPlan, StopOrder
from hub.patrols.planning.details import (
    LONGEST_ITEM,
    LONGEST_WORD,
    MOST_LISTED,
    MOST_PRESETS,
    MOST_RECEIVERS,
)
from hub.patrols.planning.forecast import Forecast
from hub.patrols.planning.plans import LONGEST_S, MOST_EXCEPTIONS, SHORTEST_S
from hub.store.patrol_candidates import PastRound
from hub.web.schemas.shapes import In, Name, Number, Out

Word = Annotated[str, Field(min_length=1, max_length=LONGEST_WORD)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class WalkerIn(In):
    """Who judges the stops: a person, a role, the roster, or (nothing named) any operator."""

    user_id: Number | None = None
    role: Role | None = None
    is_roster: bool = False


class SelectionIn(In):
    """Which cameras of the plan's area; ``polygon`` holds (longitude, latitude) corners."""

    area_ids: Annotated[tuple[Number, ...], Field(max_length=MOST_LISTED)] = ()
    classes: Annotated[tuple[Word, ...], Field(max_length=MOST_LISTED)] = ()
    tags: Annotated[tuple[Word, ...], Field(max_length=MOST_LISTED)] = ()
    polygon: Annotated[tuple[tuple[Degrees, Degrees], ...], Field(max_length=MOST_LISTED)] = ()


class PresetIn(In):
    """Where a camera with motors is sent, and where it is sent back to."""

    preset: Word
    home: Annotated[str, Field(max_length=LONGEST_WORD)] = ""

    def preset_of(self) -> StopPreset:
        """As the plan keeps it."""
        return StopPreset(preset=self.preset, home=self.home)


class RollCallIn(In):
    """Every duty room answers within ``answer_s``; they are asked over ``spread_s``."""

    answer_s: Annotated[int, Field(ge=10, le=3600)] = 300
    spread_s: Annotated[int, Field(ge=0, le=43_200)] = 0


class DetailsIn(In):
    """What a plan asks for beside its times."""

    walker: WalkerIn = Field(default_factory=WalkerIn)
    selection: SelectionIn = Field(default_factory=SelectionIn)
    preset: PresetIn | None = None
    presets: Annotated[Mapping[Number, PresetIn], Field(max_length=MOST_PRESETS)] = Field(
        default_factory=dict
    )
    random_share: Share = 0.05
    second_share: Share = 0.0
    per_area: Annotated[int, Field(ge=1, le=1000)] = 2
    within_rounds: Annotated[int, Field(ge=1, le=366)] = 10
    tolerance_s: Annotated[int, Field(ge=0, le=86_400)] = 600
    clip_s: Annotated[float, Field(ge=0, le=LONGEST_CLIP_S, allow_inf_nan=False)] = 0.0
    checklist: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=LONGEST_ITEM)], ...],
        Field(max_length=MOST_CHECKLIST),
    ] = ()
    roll_call: RollCallIn | None = None
    report_receivers: Annotated[tuple[Number, ...], Field(max_length=MOST_RECEIVERS)] = ()

    def details(self) -> PlanDetails:
        """As the plan keeps them."""
        chosen, call = self.selection, self.roll_call
        return PlanDetails(
            walker=Walker(
                user_id=self.walker.user_id,
                role=self.walker.role,
                is_roster=self.walker.is_roster,
            ),
            selection=Selection(
                area_ids=tuple(dict.fromkeys(chosen.area_ids)),
                classes=tuple(dict.fromkeys(chosen.classes)),
                tags=tuple(dict.fromkeys(chosen.tags)),
                polygon=chosen.polygon,
            ),
            preset=None if self.preset is None else self.preset.preset_of(),
            presets={device: one.preset_of() for device, one in self.presets.items()},
            random_share=self.random_share,
            second_share=self.second_share,
            per_area=self.per_area,
            within_rounds=self.within_rounds,
            tolerance_s=self.tolerance_s,
            clip_s=self.clip_s,
            checklist=self.checklist,
            roll_call=None
            if call is None
            else RollCall(answer_s=call.answer_s, spread_s=call.spread_s),
            report_receivers=tuple(dict.fromkeys(self.report_receivers)),
        )


class PlanIn(In):
    """When and where to walk; see RFC 5545 for ``rrule``.

    A round belongs to the day on which it begins in ``time_zone``: none begins after ``ends_on``
    or on one of ``exceptions``. It begins at most ``window_s`` late and is done ``lasts_s`` after
    its planned begin.
    """

    name: Name
    area_id: Number
    rrule: Annotated[str, Field(max_length=500, pattern=r"^[A-Za-z0-9=;,+:\-]*$")]
    time_zone: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/\-]+$")]
    starts_on: date
    ends_on: date | None = None
    exceptions: Annotated[tuple[date, ...], Field(max_length=MOST_EXCEPTIONS)] = ()
    window_s: Annotated[int, Field(ge=10, le=86400)] = 900
    lasts_s: Annotated[int, Field(ge=SHORTEST_S, le=LONGEST_S)] | None = None
    seconds_per_stop: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 5.0
    mode: PatrolMode = PatrolMode.MACHINE
    order: StopOrder = StopOrder.BY_AREA
    device_ids: Annotated[Sequence[Number], Field(max_length=100_000)] | None = None
    details: DetailsIn = Field(default_factory=DetailsIn)
    is_enabled: bool = True

    def plan(self, number: int = 0) -> PatrolPlan:
        """The plan with this number."""
        return PatrolPlan(
            id=number,
            name=self.name,
            area_id=self.area_id,
            rrule=self.rrule,
            time_zone=self.time_zone,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            exceptions=tuple(sorted(set(self.exceptions))),
            window_s=self.window_s,
            lasts_s=self.lasts_s,
            seconds_per_stop=self.seconds_per_stop,
            mode=self.mode,
            order=self.order,
            device_ids=None if self.device_ids is None else tuple(self.device_ids),
            details=self.details.details(),
            is_enabled=self.is_enabled,
        )


class WalkerOut(Out):
    """Who judges the stops."""

    user_id: int | None
    role: Role | None
    is_roster: bool


class SelectionOut(Out):
    """Which cameras of the plan's area."""

    area_ids: Sequence[int]
    classes: Sequence[str]
    tags: Sequence[str]
    polygon: Sequence[tuple[float, float]]


class PresetOut(Out):
    """Where a camera with motors is sent, and back."""

    preset: str
    home: str


class RollCallOut(Out):
    """The duty-room check of a plan."""

    answer_s: int
    spread_s: int


class DetailsOut(Out):
    """What a plan asks for beside its times."""

    walker: WalkerOut
    selection: SelectionOut
    preset: PresetOut | None
    presets: Mapping[int, PresetOut]
    random_share: float
    second_share: float
    per_area: int
    within_rounds: int
    tolerance_s: int
    clip_s: float
    checklist: Sequence[str]
    roll_call: RollCallOut | None
    report_receivers: Sequence[int]


class PlanOut(Out):
    """A patrol plan."""

    id: int
    name: str
    area_id: int
    rrule: str
    time_zone: str
    starts_on: date
    ends_on: date | None
    exceptions: Sequence[date]
    window_s: int
    lasts_s: int | None
    seconds_per_stop: float
    mode: PatrolMode
    order: StopOrder
    device_ids: Sequence[int] | None
    details: DetailsOut
    is_enabled: bool


class StopCameraOut(Out):
    """A camera that fits a plan."""

    device_id: int
    name: str
    area_name: str


class OccurrenceOut(Out):
    """A round that a plan foresees; ``is_left_out``: its day is an exception."""

    plan_id: int
    plan_name: str
    area_id: int
    area_name: str
    mode: PatrolMode
    planned_at: datetime
    ends_by: datetime | None
    is_left_out: bool


class ForecastOut(Out):
    """What a round takes: ``takes_s`` of ``given_s`` (null: no bound), ``over_s`` too long.

    ``warnings`` say in words what does not fit. ``measured_rounds`` were measured; 0: assumed.
    ``cameras_fit`` fit the plan, of which ``cameras`` are the first; in a sample ``stops`` of
    them are drawn. ``coming`` are the next five begins.
    """

    fits: bool
    stops: int
    stops_for_people: int
    machine_s: float
    person_s: float
    takes_s: float
    given_s: float | None
    over_s: float
    measured_rounds: int
    warnings: Sequence[str]
    cameras_fit: int
    cameras: Sequence[StopCameraOut]
    coming: Sequence[datetime]


class SavedPlanOut(PlanOut):
    """A plan that was saved, and what its rounds are thought to take."""

    forecast: ForecastOut

    @classmethod
    def of(cls, plan: PatrolPlan, thought: Forecast) -> "SavedPlanOut":
        """Show both."""
        shown = PlanOut.model_validate(plan)
        return cls(**dict(shown), forecast=ForecastOut.model_validate(thought))


class PastRoundOut(Out):
    """A round that is over: ``missed_by_s`` longer (negative: shorter) than was thought."""

    id: int
    planned_at: datetime
    stops: int
    forecast_s: float | None
    took_s: float
    missed_by_s: float | None
    over_s: float
    stops_missed: int

    @classmethod
    def of(cls, past: PastRound) -> "PastRoundOut":
        """Show a round."""
        return cls.model_validate(past)


class PlanForecastOut(ForecastOut):
    """What the next round of a plan takes, and how the last ones kept to their forecasts."""

    next_at: datetime | None
    past: Sequence[PastRoundOut]
