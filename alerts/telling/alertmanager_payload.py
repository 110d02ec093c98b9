"""A message as Alertmanager's webhook has it (version "4"), for programs that read that. Pure.

Every alert is a group of its own, so that the end of one never closes another; a digest is a
group without labels. The state of an alert is the last that the message tells of.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from alerts.telling.messages import (
    LONGEST_REASON,
    Wording,
    clean,
    is_digest,
    reading,
    write_headline,
)
from alerts.telling.payloads import inert
from alerts.telling.words import Language
from hub.domain.alerts import Alert, Step
from hub.domain.devices import Json
from hub.domain.notifications import Message, Notification

VERSION = "4"
# What Go writes for a time that is not set: the alert is not over.
NOT_OVER = "0001-01-01T00:00:00Z"


def build_alertmanager(message: Message, wording: Wording) -> bytes:
    """Write the JSON that Alertmanager would POST."""
    last = {told.alert.id: told for told in message.notifications}
    has_picture = bool(message.picture)
    alerts = [_alert(told, wording, has_picture=has_picture) for told in last.values()]
    labels = [_labels(told.alert) for told in last.values()]
    annotations = [_annotations(told, wording, has_picture=has_picture) for told in last.values()]
    is_over = all(_is_over(told) for told in last.values())
    group = {} if is_digest(message) else {"alert_id": labels[0]["alert_id"]}
    payload: dict[str, Json] = {
        "version": VERSION,
        "groupKey": "{}:" + json.dumps(group),
        "truncatedAlerts": max(0, message.count - len(message.notifications)),
        "status": "resolved" if is_over else "firing",
        "receiver": clean(message.receiver.name),
        "groupLabels": dict(group),
        "commonLabels": _common(labels),
        "commonAnnotations": _common(annotations),
        "externalURL": wording.link_base.rstrip("/"),
        "alerts": list(alerts),
    }
    return inert(payload)


def _alert(told: Notification, wording: Wording, *, has_picture: bool) -> dict[str, Json]:
    alert = told.alert
    labels = _labels(alert)
    canonical = json.dumps(sorted(labels.items())).encode()
    ended_at = alert.resolved_at or told.step.at
    return {
        "status": "resolved" if _is_over(told) else "firing",
        "labels": {**labels},
        "annotations": {**_annotations(told, wording, has_picture=has_picture)},
        "startsAt": alert.started_at.isoformat(),
        "endsAt": ended_at.isoformat() if _is_over(told) else NOT_OVER,
        "generatorURL": wording.link(alert),
        "fingerprint": hashlib.sha256(canonical).hexdigest()[:16],
    }


def _is_over(told: Notification) -> bool:
    return told.step.step is Step.RESOLVED


def _labels(alert: Alert) -> dict[str, str]:
    """What tells this alert from others; what is empty is absent, as Prometheus has it."""
    labels = {
        "alertname": clean(alert.rule_name),
        "alert_id": str(alert.id),
        "severity": alert.severity.value,
        "condition": alert.condition,
        "area": clean(alert.area_name),
        "area_path": alert.area_path,
        "device": clean(alert.device_name),
        "device_id": "" if alert.device_id is None else str(alert.device_id),
        "channel": clean(alert.channel),
        "point": clean(alert.point),
        "exercise": "" if alert.drill_id is None else "true",
    }
    return {name: value for name, value in labels.items() if value}


def _annotations(told: Notification, wording: Wording, *, has_picture: bool) -> dict[str, str]:
    alert = told.alert
    annotations = {
        "summary": write_headline(told, Language.ZH),
        "summary_en": write_headline(told, Language.EN),
        "description": clean(alert.reason, LONGEST_REASON),
        "reading": reading(alert),
        "step": told.step.step.value,
        "why": clean(told.why, LONGEST_REASON),
        "link": wording.link(alert),
        "picture": wording.picture(alert) if has_picture else "",
    }
    return {name: value for name, value in annotations.items() if value}


def _common(sets: Sequence[Mapping[str, str]]) -> dict[str, Json]:
    """What all of them share."""
    first, *others = sets
    shared = {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in others)
    }
    return {**shared}
