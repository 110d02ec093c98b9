"""Alerts, and who was told of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.domain.alerts import AlertStatus, Step
from hub.domain.events import Severity
from hub.domain.notifications import DeliveryStatus
from hub.web.schemas.shapes import In, Out, Text


class AlertOut(Out):
    """What a rule concluded."""

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
    resolved_at: datetime | None
    resolved_by: str
    resolution: str


class StepOut(Out):
    """One line of an alert's history."""

    at: datetime
    actor: str
    step: Step
    note: str


class AlertDetailOut(AlertOut):
    """An alert with its history."""

    steps: Sequence[StepOut]


class AttemptOut(Out):
    """One attempt to deliver."""

    at: datetime
    outcome: str
    detail: str


class NotificationOut(Out):
    """Who was told of a step, and how that went."""

    id: int
    message_id: str
    step: Step
    receiver_id: int
    receiver_name: str
    receiver_kind: str
    status: DeliveryStatus
    created_at: datetime
    attempts: Sequence[AttemptOut]


class NoteIn(In):
    """A remark; may be empty where the route says so."""

    note: Text = ""


class ReasonIn(In):
    """Why an alert is resolved by hand."""

    reason: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]
