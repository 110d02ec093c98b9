"""Receivers from outside: the one place that knows which options belong to which kind."""

from collections.abc import Mapping
from typing import Final

from alerts.notifier import Options, validate
from alerts.notify.mqtt import MqttOptions
from alerts.notify.smtp import SmtpOptions
from alerts.notify.webhook import WebhookOptions
from hub.domain.devices import Json
from hub.domain.notifications import ReceiverKind

OPTIONS: Final[Mapping[ReceiverKind, type[Options]]] = {
    ReceiverKind.WEBHOOK: WebhookOptions,
    ReceiverKind.SMTP: SmtpOptions,
    ReceiverKind.MQTT: MqttOptions,
}


def validate_options(kind: ReceiverKind, raw: Mapping[str, Json]) -> dict[str, Json]:
    """Check the options of a receiver and return them as ``Receiver.options`` holds them.

    Raises:
        Invalid: naming the field, never repeating its value.
    """
    return validate(OPTIONS[kind], raw)
