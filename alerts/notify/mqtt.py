"""Publishes to a topic of the hub's own broker, through whatever connection it is given.

Topics of devices are out of bounds: a receiver must not be able to speak in a sensor's name or
to command one.
"""

import asyncio
from datetime import tzinfo
from typing import Final, Protocol

from pydantic import Field, field_validator

from alerts.telling.messages import Wording
from alerts.telling.notifier import Options
from alerts.telling.payloads import build_payload
from hub.domain.errors import DeviceError, Rejected, TryAgain
from hub.domain.notifications import Message

TIMEOUT_S = 10.0
LONGEST_TOPIC = 256
# gengfu/v1 is where devices report and are commanded; Sparkplug and Home Assistant likewise.
DEVICE_TOPICS: Final = ("gengfu/v1", "spbv1.0", "homeassistant", "zigbee2mqtt")


class Publish(Protocol):
    """Publishes one message."""

    async def __call__(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Return once the broker has it (QoS 1: acknowledged); raises DeviceError or OSError."""


class MqttOptions(Options):
    """Where to publish. QoS 1 unless somebody wants less."""

    topic: str = Field(min_length=1, max_length=LONGEST_TOPIC)
    qos: int = Field(default=1, ge=0, le=2)
    retain: bool = False

    @field_validator("topic")
    @classmethod
    def _is_usable(cls, value: str) -> str:
        has_bad = any(c in "+#" or not c.isprintable() for c in value)
        if has_bad or value.startswith(("$", "/")) or value.endswith("/") or "//" in value:
            msg = "a topic has no + or #, no control characters and no empty level"
            raise ValueError(msg)
        lowered = value.lower()
        if any(lowered == own or lowered.startswith(own + "/") for own in DEVICE_TOPICS):
            msg = "this topic belongs to devices: take another one, such as gengfu/alerts"
            raise ValueError(msg)
        return value


class MqttNotifier:
    """Publishes each message once; its id is in the JSON."""

    def __init__(
        self,
        publish: Publish,
        zone: tzinfo,
        *,
        link_base: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._publish = publish
        self._timeout_s = timeout_s
        self._wording = Wording(zone=zone, link_base=link_base)

    async def send(self, message: Message) -> str:
        """Deliver one; see :class:`alerts.telling.notifier.Notifier`."""
        try:
            options = MqttOptions.model_validate(dict(message.receiver.options))
        except ValueError:
            msg = "the receiver's topic cannot be used"
            raise Rejected(msg) from None
        payload = build_payload(message, self._wording)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._publish(options.topic, payload, qos=options.qos, retain=options.retain)
        except TimeoutError:
            msg = f"the broker did not take it within {self._timeout_s:g} s"
            raise TryAgain(msg) from None
        except (DeviceError, OSError) as error:
            msg = f"the broker cannot be reached: {type(error).__name__}"
            raise TryAgain(msg) from None
        return f"published with QoS {options.qos}"
