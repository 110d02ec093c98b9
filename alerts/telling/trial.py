"""A test message: what a receiver gets when somebody asks whether it can be reached. Pure."""

from dataclasses import replace
from typing import Final

from hub.domain.alerts import Alert, AlertStatus, AlertStep, Step
from hub.domain.events import Severity
from hub.domain.notifications import Message, Notification

NAME: Final = "测试消息 Test message"
# The exercise of no drill: whatever tells exercises from the real thing tells this, too.
NO_DRILL: Final = 0


def write_test(message: Message, test_by: str) -> Message:
    """Fill a test message: an alert that is none, marked as an exercise."""
    reason = f"{test_by} 请求发送,无需处理。Asked for by {test_by}; there is nothing to do."
    receiver, at = message.receiver, message.created_at
    alert = Alert(
        id=0,
        rule_id=0,
        rule_name=NAME,
        condition="test",
        severity=Severity.INFO,
        status=AlertStatus.FIRING,
        area_id=receiver.area_id,
        area_path="",
        area_name=receiver.name,
        device_id=None,
        device_name="",
        point="",
        unit="",
        channel="",
        event_id=None,
        value=None,
        reason=reason,
        started_at=at,
        fired_at=at,
        acknowledged_at=None,
        acknowledged_by="",
        resolved_at=None,
        resolved_by="",
        resolution="",
        drill_id=NO_DRILL,
    )
    step = AlertStep(id=0, alert_id=0, at=at, actor=test_by, step=Step.FIRED, note=reason)
    told = Notification(id=0, alert=alert, step=step, why=f"test by {test_by}")
    return replace(message, notifications=(told,), count=1)
