"""An alert and notifications about it, for the tests of words and ways out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from hub.domain.alerts import Alert, AlertStatus, AlertStep, Step
from hub.domain.devices import Json
from hub.domain.events import Severity
from hub.domain.notifications import Message, Notification, Receiver, ReceiverKind
from hub.domain.secrets import Secret

T0 = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
MESSAGE_ID = "5d1f2f0e-3d1c-4a8e-9c1b-2f7f3b1f0a11"
ALERT = Alert(
    id=42,
    rule_id=7,
    rule_name="Camera offline",
    condition="device_offline",
    severity=Severity.CRITICAL,
    status=AlertStatus.FIRING,
    area_id=3,
    area_path="county.village",
    area_name="李家村",
    device_id=9,
    device_name="村口 1",
    point="",
    unit="",
    channel="",
    event_id=1234,
    value=None,
    reason="offline for 30 s",
    started_at=T0,
    fired_at=T0,
    acknowledged_at=None,
    acknowledged_by="",
    resolved_at=None,
    resolved_by="",
    resolution="",
)


def notification(
    *, step: Step = Step.FIRED, alert: Alert = ALERT, number: int = 1, why: str = ""
) -> Notification:
    """Build one; a resolved step also resolves the alert."""
    if step is Step.RESOLVED:
        alert = replace(alert, status=AlertStatus.RESOLVED, resolved_at=T0, resolved_by="hub")
    return Notification(
        id=number,
        alert=alert,
        step=AlertStep(
            id=number, alert_id=alert.id, at=T0, actor="hub.alerts", step=step, note="why"
        ),
        why=why,
    )


def receiver(
    kind: ReceiverKind = ReceiverKind.WEBHOOK,
    options: Mapping[str, Json] | None = None,
    secret: str = "",
) -> Receiver:
    """Build one."""
    return Receiver(
        id=5, name="duty room", area_id=3, kind=kind, options=options or {}, secret=Secret(secret)
    )


def message(
    *told: Notification, to: Receiver | None = None, count: int = 0, picture: bytes = b""
) -> Message:
    """Build one of a single notification, or a digest; ``count`` may exceed what it carries."""
    return Message(
        id=1,
        message_id=MESSAGE_ID,
        receiver=to or receiver(),
        notifications=told or (notification(),),
        count=count or len(told) or 1,
        created_at=T0,
        picture=picture,
    )
