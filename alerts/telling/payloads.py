"""The JSON of a message, version 1: what webhooks and MQTT subscribers get. Pure."""

import json
import math
from collections.abc import Mapping

from alerts.telling.messages import (
    LONGEST_REASON,
    Wording,
    clean,
    is_digest,
    tally,
    write_subject,
    write_text,
)
from alerts.telling.words import Language
from hub.domain.alerts import Alert
from hub.domain.devices import Json
from hub.domain.notifications import Message, Notification

VERSION = 1


def build_payload(message: Message, wording: Wording) -> bytes:
    """Write a single notification (``type`` alert.<step>), a digest (alert.digest) or a note."""
    texts: dict[str, Json] = {
        language.value: write_text(message, language, wording) for language in Language
    }
    payload: dict[str, Json] = {
        "version": VERSION,
        "id": message.message_id,
        "text": texts,
        "subject": {language.value: write_subject(message, language) for language in Language},
    }
    if message.text:
        payload["rendered"] = message.text
    if message.note is not None:
        at = message.created_at.isoformat()
        payload |= {"type": "note", "at": at, "link": message.note.link.reveal()}
    elif is_digest(message):
        payload |= _digest(message, wording)
    else:
        payload |= _single(message.notifications[0], message, wording)
    return inert(payload)


def inert(payload: Mapping[str, Json]) -> bytes:
    """JSON in ASCII only; ``<``, ``>`` and ``&`` are escaped for whoever pastes it in a page."""
    text = json.dumps(payload, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode("ascii")


def _single(told: Notification, message: Message, wording: Wording) -> dict[str, Json]:
    return {
        "type": f"alert.{told.step.step.value}",
        "at": told.step.at.isoformat(),
        "exercise": told.alert.drill_id is not None,
        "why": clean(told.why, LONGEST_REASON),
        "picture": wording.picture(told.alert) if message.picture else "",
        "alert": build_alert(told.alert, message, wording),
    }


def _digest(message: Message, wording: Wording) -> dict[str, Json]:
    shown: list[Json] = [
        {
            "step": told.step.step.value,
            "at": told.step.at.isoformat(),
            "why": clean(told.why, LONGEST_REASON),
            "alert": build_alert(told.alert, message, wording),
        }
        for told in message.notifications
    ]
    return {
        "type": "alert.digest",
        "at": message.created_at.isoformat(),
        "exercise": all(told.alert.drill_id is not None for told in message.notifications),
        "count": message.count,
        "steps": {step.value: count for step, count in tally(message).items()},
        "notifications": shown,
        "left_out": message.count - len(shown),
    }


def build_alert(alert: Alert, message: Message, wording: Wording) -> dict[str, Json]:
    """An alert as it stood when the message was made."""
    value = alert.value
    is_finite = value is not None and math.isfinite(value)
    deadline = alert.deadline
    return {
        "id": alert.id,
        "link": wording.link(alert),
        "rule": {"id": alert.rule_id, "name": clean(alert.rule_name)},
        "condition": alert.condition,
        "severity": alert.severity.value,
        "status": alert.status.value,
        "drill": alert.drill_id,
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
        "folded": alert.folded,
        "started_at": alert.started_at.isoformat(),
        "fired_at": alert.fired_at.isoformat(),
        "colour": None if deadline is None else alert.colour(message.created_at).value,
        "deadline": None if deadline is None else deadline.isoformat(),
        "resolved_at": None if alert.resolved_at is None else alert.resolved_at.isoformat(),
        "resolved_by": clean(alert.resolved_by),
        "resolution": clean(alert.resolution, LONGEST_REASON),
    }
