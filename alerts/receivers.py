"""Receivers from outside: the one place that knows which options belong to which kind."""

from collections.abc import Mapping
from typing import Final

from alerts.notify.apprise.notifier import AppriseOptions
from alerts.notify.apprise.services import check_addresses
from alerts.notify.mqtt import MqttOptions
from alerts.notify.smtp import SmtpOptions
from alerts.notify.webhook import WebhookOptions
from alerts.telling.notifier import Options, validate
from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.domain.notifications import ReceiverKind

OPTIONS: Final[Mapping[ReceiverKind, type[Options]]] = {
    ReceiverKind.WEBHOOK: WebhookOptions,
    ReceiverKind.SMTP: SmtpOptions,
    ReceiverKind.MQTT: MqttOptions,
    ReceiverKind.APPRISE: AppriseOptions,
}


def validate_options(kind: ReceiverKind, raw: Mapping[str, Json]) -> dict[str, Json]:
    """Check the options of a receiver and return them as ``Receiver.options`` holds them.

    Raises:
        Invalid: naming the field, never repeating its value.
    """
    return validate(OPTIONS[kind], raw)


def validate_secret(kind: ReceiverKind, secret: str) -> None:
    """Check a receiver's secret where its form matters: the addresses of Apprise.

    Raises:
        Invalid: saying which address cannot be used and why, never repeating any of it.
    """
    if kind is not ReceiverKind.APPRISE:
        return
    try:
        check_addresses(secret)
    except ValueError as error:
        raise Invalid(str(error), field="secret") from None
