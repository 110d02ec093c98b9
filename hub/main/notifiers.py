"""The ways out to people, each with what it needs."""

from collections.abc import Mapping

from adapters.mqtt.publishing import BrokerPublisher
from alerts.notifier import Notifier
from alerts.notify.mqtt import MqttNotifier
from alerts.notify.smtp import SmtpNotifier
from alerts.notify.webhook import WebhookNotifier
from hub.domain.notifications import ReceiverKind
from hub.main.assembly import Parts
from hub.main.surroundings import utc_now


def make_notifiers(parts: Parts) -> Mapping[ReceiverKind, Notifier]:
    """One notifier per kind of receiver."""
    publish = BrokerPublisher(
        address=parts.servers.broker_address,
        credentials=parts.servers.broker_credentials,
        options=parts.servers.broker_options(parts.settings),
    )
    return {
        ReceiverKind.WEBHOOK: WebhookNotifier(parts.receivers_client, utc_now, parts.zone),
        ReceiverKind.SMTP: SmtpNotifier(parts.receiver_policy, parts.zone),
        ReceiverKind.MQTT: MqttNotifier(publish, parts.zone),
    }
