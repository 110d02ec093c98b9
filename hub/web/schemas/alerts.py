"""Alerts, what people do about them, and who was told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from alerts.handling.life import MOST_AT_ONCE, Action
from hub.domain.alerts import Alert, AlertStatus, Colour, Step
from hub.domain.events import Severity
from hub.domain.notifications import DeliveryStatus
from hub.store.alert_history import LineKind
from hub.web.schemas.maintenance import Moment
from hub.web.schemas.shapes import In, Number, Out, Text

Reason = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]


class AlertOut(Out):
    """What a rule concluded. ``colour`` is how it stood to its ``deadline`` when it was read.

    It turns yellow when ``yellow_share`` of its time is left.
    """

    id: int
    rule_id: int
    rule_name: str
    condition: str
    severity: Severity
    status: AlertStatus
    area_id: int
    area_name: str
    device_id: int | None
    device_name: str
    point: str
    unit: str
    channel: str
    event_id: int | None
    value: float | None
    reason: str
    started_at: datetime
    fired_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    assigned_to: int | None
    assigned_name: str
    assigned_at: datetime | None
    resolved_at: datetime | None
    resolved_by: str
    resolution: str
    folded_into: int | None
    is_storm: bool
    folded: int
    drill_id: int | None
    quiet_until: datetime | None
    quiet_reason: str
    acknowledge_by: datetime | None
    resolve_by: datetime | None
    deadline: datetime | None
    yellow_share: float
    colour: Colour

    @classmethod
    def of(cls, alert: Alert, now: datetime) -> Self:
        """An alert as it is at a moment."""
        return cls.model_validate(_Coloured(alert, now))


class _Coloured:
    """An alert with its colour: what :class:`AlertOut` reads."""

    def __init__(self, alert: Alert, now: datetime) -> None:
        self._alert = alert
        self.colour = alert.colour(now)

    def __getattr__(self, name: str) -> object:
        return getattr(self._alert, name)


class StepOut(Out):
    """One line of an alert's history."""

    at: datetime
    actor: str
    step: Step
    note: str


class AlertDetailOut(AlertOut):
    """An alert with its history; ``has_picture``: one of when it fired is kept."""

    steps: Sequence[StepOut]
    has_picture: bool


class CountsOut(Out):
    """How many alerts are open: real ones that stand by themselves."""

    severities: Mapping[Severity, int]
    colours: Mapping[Colour, int]


class GroupOut(Out):
    """Open alerts that have something in common; without a number: those that have it not.

    ``ids`` are the worst of them by number, as many as can be acted on at once.
    """

    id: int | None
    name: str
    count: int
    firing: int
    severity: Severity
    oldest_at: datetime
    names: Sequence[str]
    ids: Sequence[int]


class StormCountOut(Out):
    """How many have something in common, how many are open, and untaken (``firing``)."""

    id: int | None
    name: str
    count: int
    open: int
    firing: int


class StormMinuteOut(Out):
    """How many fired in one minute."""

    at: datetime
    count: int


class StormOut(Out):
    """What counts in an alert for many: the largest areas, uplinks and reasons, the last minutes.

    ``firing_ids`` are the oldest that nobody took, as many as can be acted on at once.
    """

    count: int
    open: int
    firing: int
    areas: Sequence[StormCountOut]
    parents: Sequence[StormCountOut]
    reasons: Sequence[StormCountOut]
    minutes: Sequence[StormMinuteOut]
    firing_ids: Sequence[int]


class AssigneeOut(Out):
    """Somebody to whom an alert can be given."""

    id: int
    name: str


class AttemptOut(Out):
    """One attempt to deliver."""

    at: datetime
    outcome: str
    detail: str


class NotificationOut(Out):
    """Who was told of a step and why, and how that went."""

    id: int
    message_id: str | None
    count: int
    step: Step
    receiver_id: int
    receiver_name: str
    receiver_kind: str
    why: str
    status: DeliveryStatus
    created_at: datetime
    attempts: Sequence[AttemptOut]


class HistoryLineOut(Out):
    """One line of the account of an alert.

    ``kind`` step: what happened; told: who is told of it and why; attempt: to deliver; untold:
    why nobody is told; planned: what will happen by itself.
    """

    at: datetime
    kind: LineKind
    what: str
    who: str
    text: str


class HoldOut(Out):
    """A rule would have called, and this spoke against it so many times."""

    rule_id: int
    rule_name: str
    subject: str
    reason: str
    area_id: int
    area_name: str
    device_id: int | None
    device_name: str
    first_at: datetime
    last_at: datetime
    times: int


class NoteIn(In):
    """A remark; may be empty where the route says so."""

    note: Text = ""


class ReasonIn(In):
    """Why an alert is resolved by hand."""

    reason: Reason


class AssignIn(In):
    """To whom; without a number to the caller. ``if_free``: only if nobody has it by then."""

    user_id: Number | None = None
    note: Text = ""
    if_free: bool = False


class EndIn(In):
    """Until when, or for how long from now; at most a week."""

    until: Moment | None = None
    seconds: Annotated[float | None, Field(gt=0, le=604_800)] = None


class SnoozeIn(EndIn):
    """How long nobody is told anew, and why."""

    note: Text = ""


class BulkIn(EndIn):
    """One thing to do about many alerts: resolve and comment need a note, snooze an end."""

    ids: Annotated[Sequence[Number], Field(min_length=1, max_length=MOST_AT_ONCE)]
    action: Action
    note: Text = ""
    user_id: Number | None = None
    if_free: bool = False


class BulkLineOut(Out):
    """What came of it for one alert; ``error`` says why not."""

    id: int
    is_done: bool
    error: str = ""


class BulkOut(Out):
    """What came of it for each alert, by number."""

    done: int
    items: Sequence[BulkLineOut]
