"""The ways out to people, each with what it needs."""

from collections.abc import Mapping

from adapters.mqtt.publishing import BrokerPublisher
from alerts.messages import Wording
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
    zone, link_base = parts.zone, parts.settings.http.public_url
    return {
        ReceiverKind.WEBHOOK: WebhookNotifier(
            parts.receivers_client, utc_now, zone, link_base=link_base
        ),
        ReceiverKind.SMTP: SmtpNotifier(parts.receiver_policy, zone, link_base=link_base),
        ReceiverKind.MQTT: MqttNotifier(publish, zone, link_base=link_base),
    }


def make_wording(parts: Parts) -> Wording:
    """What messages need to know of this place."""
    return Wording(zone=parts.zone, link_base=parts.settings.http.public_url)
