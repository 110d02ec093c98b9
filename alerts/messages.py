"""The words and the JSON of a notification, in Chinese and English. Pure.

Names come from users *and from devices*: they are never a template, never markup, never more
than one line. There is no secret in here: a message knows the alert, not the receiver.
"""

import json
import math
import unicodedata
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

from hub.domain.alerts import Alert, Step
from hub.domain.conditions import DeviceDegraded, DeviceOffline, EventOfKind, PointBeyond
from hub.domain.devices import Json
from hub.domain.events import Severity
from hub.domain.notifications import Notification

LONGEST_NAME = 128
LONGEST_REASON = 400
# Control, format (among them bidirectional overrides), surrogate and private characters.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Language(StrEnum):
    """What a receiver reads."""

    ZH = "zh"
    EN = "en"


_SEVERITY: Final = {
    Language.ZH: {Severity.INFO: "提示", Severity.WARNING: "警告", Severity.CRITICAL: "严重"},
    Language.EN: {
        Severity.INFO: "Info",
        Severity.WARNING: "Warning",
        Severity.CRITICAL: "Critical",
    },
}
_STEP: Final = {
    Language.ZH: {Step.FIRED: "告警", Step.RESOLVED: "已恢复"},
    Language.EN: {Step.FIRED: "Firing", Step.RESOLVED: "Resolved"},
}
_WHAT: Final = {
    Language.ZH: {
        DeviceOffline.type: "设备离线",
        DeviceDegraded.type: "设备异常",
        PointBeyond.type: "读数越限",
        EventOfKind.type: "事件",
    },
    Language.EN: {
        DeviceOffline.type: "device offline",
        DeviceDegraded.type: "device degraded",
        PointBeyond.type: "reading beyond its limit",
        EventOfKind.type: "event",
    },
}
_LABELS: Final = {
    Language.ZH: ("规则", "级别", "区域", "设备", "测点", "原因", "开始", "恢复", "处理人", "编号"),
    Language.EN: (
        "Rule",
        "Severity",
        "Area",
        "Device",
        "Point",
        "Reason",
        "Since",
        "Resolved",
        "By",
        "Alert",
    ),
}


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """Make a foreign text harmless in one line: no control characters, no line breaks."""
    seen = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    short = " ".join(seen.split())
    return short if len(short) <= longest else short[: longest - 1] + "…"


def write_subject(notification: Notification, language: Language) -> str:
    """One line: what, how bad, where."""
    alert = notification.alert
    step = _STEP[language].get(notification.step.step, notification.step.step.value)
    severity = _SEVERITY[language][alert.severity]
    what = _WHAT[language].get(alert.condition, alert.condition)
    names = [clean(name) for name in (alert.device_name, alert.area_name) if name]
    is_chinese = language is Language.ZH
    where = " · ".join(names)
    rule = clean(alert.rule_name)
    if is_chinese:
        return f"【{severity}】{step}:{rule}({what}){where}"  # Chinese
    return f"[{severity}] {step}: {rule} ({what}), {where}"


def write_text(notification: Notification, language: Language, zone: tzinfo) -> str:
    """The whole message as plain text."""
    alert = notification.alert
    is_resolved = notification.step.step is Step.RESOLVED
    point = ""
    if alert.point:
        value = "" if alert.value is None else f" {alert.value:g}{clean(alert.unit, 16)}"
        point = clean(alert.point) + value
    values = (
        clean(alert.rule_name),
        _SEVERITY[language][alert.severity],
        clean(alert.area_name),
        clean(alert.device_name),
        point,
        clean(notification.step.note or alert.reason, LONGEST_REASON),
        _local(alert.started_at, zone),
        _local(alert.resolved_at, zone) if is_resolved else "",
        clean(notification.step.actor) if is_resolved else "",
        str(alert.id),
    )
    lines = [write_subject(notification, language), ""]
    colon = ":" if language is Language.ZH else ": "  # Chinese
    lines += [
        label + colon + value
        for label, value in zip(_LABELS[language], values, strict=True)
        if value
    ]
    return "\n".join(lines)


def build_payload(notification: Notification, zone: tzinfo) -> bytes:
    """The JSON that webhooks and MQTT subscribers get, ASCII only.

    ``<``, ``>`` and ``&`` are escaped, so that it stays inert where somebody pastes it into a page.
    """
    texts: dict[str, Json] = {
        language.value: write_text(notification, language, zone) for language in Language
    }
    payload: dict[str, Json] = {
        "version": 1,
        "id": notification.message_id,
        "type": f"alert.{notification.step.step.value}",
        "at": notification.step.at.isoformat(),
        "alert": _alert(notification.alert),
        "text": texts,
    }
    text = json.dumps(payload, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode("ascii")


def _alert(alert: Alert) -> dict[str, Json]:
    value = alert.value
    is_finite = value is not None and math.isfinite(value)
    return {
        "id": alert.id,
        "rule": {"id": alert.rule_id, "name": clean(alert.rule_name)},
        "condition": alert.condition,
        "severity": alert.severity.value,
        "area": {"id": alert.area_id, "name": clean(alert.area_name), "path": alert.area_path},
        "device": None
        if alert.device_id is None
        else {"id": alert.device_id, "name": clean(alert.device_name)},
        "channel": clean(alert.channel),
        "point": clean(alert.point),
        "value": value if is_finite else None,
        "unit": clean(alert.unit, 16),
        "reason": clean(alert.reason, LONGEST_REASON),
        "event": alert.event_id,
        "started_at": alert.started_at.isoformat(),
        "fired_at": alert.fired_at.isoformat(),
        "resolved_at": None if alert.resolved_at is None else alert.resolved_at.isoformat(),
        "resolved_by": clean(alert.resolved_by),
        "resolution": clean(alert.resolution, LONGEST_REASON),
    }


def _local(at: datetime | None, zone: tzinfo) -> str:
    return "" if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")
