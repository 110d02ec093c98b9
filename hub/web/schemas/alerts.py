"""Alerts, rules and receivers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr

from hub.domain.alerts import (
    AlertStatus,
    DeliveryStatus,
    Receiver,
    ReceiverKind,
    Rule,
    Step,
)
from hub.domain.conditions import build_condition
from hub.domain.events import Severity
from hub.web.schemas.shapes import In, Name, Number, Out, Text

MASK = "***"


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


class RuleIn(In):
    """A rule; ``condition`` has a ``type`` and the fields of that type."""

    name: Name
    area_id: Number
    condition: Mapping[str, object]
    severity: Severity = Severity.WARNING
    receivers: Annotated[Sequence[Number], Field(max_length=50)] = ()
    is_enabled: bool = True


class RuleOut(Out):
    """A rule."""

    id: int
    name: str
    area_id: int
    condition: Mapping[str, object]
    severity: Severity
    receivers: Sequence[int]
    is_enabled: bool

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
        )


class ReceiverIn(In):
    """Somebody to tell; ``options`` depend on the kind. An empty secret keeps the stored one."""

    name: Name
    area_id: Number
    kind: ReceiverKind
    options: Mapping[str, object] = Field(default_factory=dict)
    secret: Annotated[SecretStr, Field(max_length=512)] = SecretStr("")
    is_enabled: bool = True


class ReceiverOut(Out):
    """A receiver; of its secret only whether there is one, of addresses no query."""

    id: int
    name: str
    area_id: int
    kind: ReceiverKind
    options: Mapping[str, object]
    has_secret: bool
    is_enabled: bool

    @classmethod
    def of(cls, receiver: Receiver) -> "ReceiverOut":
        """Show a receiver."""
        return cls(
            id=receiver.id,
            name=receiver.name,
            area_id=receiver.area_id,
            kind=receiver.kind,
            options={key: _masked(value) for key, value in receiver.options.items()},
            has_secret=bool(receiver.secret),
            is_enabled=receiver.is_enabled,
        )


def _masked(value: object) -> object:
    """Chat services put their token into the query of the address."""
    if isinstance(value, str) and "://" in value and "?" in value:
        return value.partition("?")[0] + "?" + MASK
    return value
