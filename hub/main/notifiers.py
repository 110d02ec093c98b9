"""The ways out to people, each with what it needs."""

from adapters.mqtt.publishing import BrokerPublisher
from alerts.notify.apprise.notifier import AppriseNotifier
from alerts.notify.mqtt import MqttNotifier
from alerts.notify.smtp import SmtpNotifier
from alerts.notify.webhook import WebhookNotifier
from alerts.telling.delivery import Delivery
from alerts.telling.messages import Wording
from alerts.telling.notifier import Notifier
from alerts.telling.noting import NoteSender
from alerts.telling.pictures import AlertPictures, PictureFiles, camera_finder
from alerts.telling.sending import Sender
from hub.domain.notifications import ReceiverKind
from hub.main.assembly import Parts
from hub.main.surroundings import utc_now

PICTURES_EVERY_S = 3600.0


class Delivering:
    """Everything that brings messages to people in this process."""

    def __init__(self, parts: Parts) -> None:
        zone, link_base = parts.zone, parts.settings.http.public_url
        publish = BrokerPublisher(
            address=parts.servers.broker_address,
            credentials=parts.servers.broker_credentials,
            options=parts.servers.broker_options(parts.settings),
        )
        policy = parts.receiver_policy
        self._jobs = parts.jobs
        self._apprise = AppriseNotifier(policy, utc_now, zone, link_base=link_base)
        files = PictureFiles(parts.settings.data_dir.absolute())
        find = camera_finder(parts.database)
        self._pictures = AlertPictures(find, parts.snapshot, files, utc_now)
        wording = Wording(zone=zone, link_base=link_base)
        notifiers: dict[ReceiverKind, Notifier] = {
            ReceiverKind.WEBHOOK: WebhookNotifier(
                parts.receivers_client, utc_now, zone, link_base=link_base
            ),
            ReceiverKind.SMTP: SmtpNotifier(policy, zone, link_base=link_base),
            ReceiverKind.MQTT: MqttNotifier(publish, zone, link_base=link_base),
            ReceiverKind.APPRISE: self._apprise,
        }
        self._delivery = Delivery(
            parts.database, utc_now, notifiers, wording=wording, picture=self._pictures
        )
        self.send_note = NoteSender(
            database=parts.database, clock=utc_now, sender=Sender(notifiers, wording)
        )

    def register(self) -> None:
        """Take the jobs that deliver. Call before they run."""
        self._delivery.register(self._jobs)
        self._jobs.every("alerts.pictures", PICTURES_EVERY_S, self._pictures.forget_old)

    async def close(self) -> None:
        """End what runs beside this process."""
        await self._apprise.close()
