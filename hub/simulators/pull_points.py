"""The ONVIF event service of a simulated camera: properties, subscriptions, pull points.

A subscription first receives the present state of every property (``Initialized``), then each
change (``Changed``). Like real cameras it allows few subscriptions and lists none.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from hub.simulators.camera_state import CameraState
from hub.simulators.event_properties import build_event_properties, build_service_capabilities
from hub.simulators.soap import Request, SoapFault, Xml, el

DEFAULT_LIFE_S, LONGEST_LIFE_S = 60.0, 3600.0
LONGEST_PULL_S = 60.0
QUEUE_LENGTH = 200  # messages kept for a client that does not pull; the oldest go first
_DIALECT = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?\Z", re.ASCII)


class Property(StrEnum):
    """The properties a camera reports, by topic (ONVIF Core and Imaging specifications)."""

    MOTION = "tns1:VideoSource/MotionAlarm"
    TOO_DARK = "tns1:VideoSource/ImageTooDark/ImagingService"
    TOO_BRIGHT = "tns1:VideoSource/ImageTooBright/ImagingService"
    TOO_BLURRY = "tns1:VideoSource/ImageTooBlurry/ImagingService"
    SCENE_CHANGE = "tns1:VideoSource/GlobalSceneChange/ImagingService"
    SIGNAL_LOSS = "tns1:VideoSource/SignalLoss"
    INPUT = "tns1:Device/Trigger/DigitalInput"
    FAN = "tns1:Device/HardwareFailure/FanFailure"
    POWER_SUPPLY = "tns1:Device/HardwareFailure/PowerSupplyFailure"
    STORAGE = "tns1:Device/HardwareFailure/StorageFailure"
    TEMPERATURE = "tns1:Device/HardwareFailure/TemperatureCritical"


CLOCK_SET = "tns1:Monitoring/OperatingTime/LastClockSynchronization"  # a moment, no state

_PICTURE = ("Source", "video_source_1", "State")
_ITEMS = {
    Property.INPUT: ("InputToken", "input_1", "LogicalState"),
    Property.FAN: ("Token", "fan_1", "Failed"),
    Property.POWER_SUPPLY: ("Token", "supply_1", "Failed"),
    Property.STORAGE: ("Token", "card_1", "Failed"),
    Property.TEMPERATURE: ("Token", "board_1", "Critical"),
}


@dataclass(slots=True, kw_only=True)
class _Subscription:
    ends_at_s: float
    messages: deque[Xml] = field(default_factory=lambda: deque(maxlen=QUEUE_LENGTH))
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def push(self, message: Xml) -> None:
        self.messages.append(message)
        self.news.set()


def parse_duration(text: str) -> float | None:
    """Parse an xs:duration in seconds; None when it is not one."""
    found = _DURATION.match(text)
    if found is None or len(text) < 3:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


class PullPoints:
    """All subscriptions of one camera, and the properties they tell of."""

    def __init__(self, state: CameraState) -> None:
        self._state = state
        self._values = dict.fromkeys(Property, False)
        self._subscriptions: dict[str, _Subscription] = {}
        self._last_number = 0

    @property
    def count(self) -> int:
        """How many subscriptions live now."""
        self._purge()
        return len(self._subscriptions)

    def set_property(self, name: Property, *, is_active: bool) -> None:
        """Change a property and tell the subscribers, unless it is so already."""
        if self._values[name] is is_active:
            return
        self._values[name] = is_active
        self._purge()
        for subscription in self._subscriptions.values():
            subscription.push(self._message(name, "Changed"))

    def report_clock_set(self) -> None:
        """Tell the subscribers that the clock was set just now."""
        data = _item("Status", self._time())
        self._purge()
        for subscription in self._subscriptions.values():
            subscription.push(self._notification(CLOCK_SET, Xml(""), data, "Changed"))

    def forget(self) -> None:
        """Lose all subscriptions, as a reboot does."""
        for subscription in self._subscriptions.values():
            subscription.ends_at_s = 0.0
            subscription.news.set()
        self._subscriptions.clear()

    async def answer(self, request: Request, subscription_id: str) -> Xml:
        """Answer a request to the event service or, with an id, to a subscription.

        Raises:
            SoapFault: unknown operation or subscription, or too many of them.
        """
        if subscription_id:
            return await self._answer_subscriber(request, subscription_id)
        match request.action:
            case "tev:CreatePullPointSubscription":
                return self._create(request)
            case "tev:GetEventProperties":
                return build_event_properties((*Property, CLOCK_SET), dialect=_DIALECT)
            case "tev:GetServiceCapabilities":
                return build_service_capabilities(self._state.options.max_subscriptions)
            case _:
                raise not_supported(request.action)

    async def _answer_subscriber(self, request: Request, key: str) -> Xml:
        match request.action:
            case "tev:PullMessages":
                return await self._pull(request, key)
            case "tev:SetSynchronizationPoint":
                self._initialise(self._find(key))
                return el("tev:SetSynchronizationPointResponse")
            case "wsnt:Renew":
                return self._renew(request, key)
            case "wsnt:Unsubscribe":
                self._find(key).news.set()
                del self._subscriptions[key]
                return el("wsnt:UnsubscribeResponse")
            case _:
                raise not_supported(request.action)

    def _create(self, request: Request) -> Xml:
        life_s = self._life_s(request.values.get("InitialTerminationTime", ""))
        if self.count >= self._state.options.max_subscriptions:
            reason = "Maximum number of subscriptions reached"
            raise SoapFault(
                subcodes=(
                    "ter:Action",
                    "ter:MaxPullPoints",
                ),
                reason=reason,
                code="Receiver",
            )
        self._last_number += 1
        key = str(self._last_number)
        subscription = _Subscription(ends_at_s=_monotonic() + life_s)
        self._subscriptions[key] = subscription
        self._initialise(subscription)
        address = self._state.service_address(f"subscription/{key}")
        return el(
            "tev:CreatePullPointSubscriptionResponse",
            el("tev:SubscriptionReference", el("wsa:Address", address)),
            *self._times(life_s, "wsnt"),
        )

    async def _pull(self, request: Request, key: str) -> Xml:
        subscription = self._find(key)
        timeout_s = parse_duration(request.values.get("Timeout", ""))
        limit = request.values.get("MessageLimit", "1")
        if timeout_s is None or not limit.isdecimal() or not 0 < len(limit) < 5:
            raise _invalid(reason="Timeout or MessageLimit cannot be read")
        try:
            async with asyncio.timeout(min(timeout_s, LONGEST_PULL_S)):
                await subscription.news.wait()
        except TimeoutError:
            pass
        self._find(key)
        batch = [
            subscription.messages.popleft()
            for _ in range(min(int(limit), len(subscription.messages)))
        ]
        if not subscription.messages:
            subscription.news.clear()
        left_s = subscription.ends_at_s - _monotonic()
        return el("tev:PullMessagesResponse", *self._times(left_s, "tev"), *batch)

    def _renew(self, request: Request, key: str) -> Xml:
        subscription = self._find(key)
        life_s = self._life_s(request.values.get("TerminationTime", ""))
        subscription.ends_at_s = _monotonic() + life_s
        return el("wsnt:RenewResponse", *reversed(self._times(life_s, "wsnt")))

    def _life_s(self, asked: str) -> float:
        """Read a termination time: a duration, or a time by the camera's clock."""
        life_s = parse_duration(asked) if asked else DEFAULT_LIFE_S
        if life_s is None:
            try:
                life_s = (datetime.fromisoformat(asked) - self._state.now()).total_seconds()
            except (ValueError, TypeError):
                life_s = 0.0
        if life_s <= 0:
            raise _invalid(reason="The termination time is unacceptable")
        return min(life_s, LONGEST_LIFE_S)

    def _times(self, life_s: float, prefix: str) -> tuple[Xml, Xml]:
        now = self._state.now()
        end = now + timedelta(seconds=life_s)
        return (
            el(f"{prefix}:CurrentTime", f"{now:%Y-%m-%dT%H:%M:%SZ}"),
            el(f"{prefix}:TerminationTime", f"{end:%Y-%m-%dT%H:%M:%SZ}"),
        )

    def _find(self, key: str) -> _Subscription:
        self._purge()
        subscription = self._subscriptions.get(key)
        if subscription is None:
            reason = "The subscription does not exist or has ended"
            raise SoapFault(
                subcodes=(
                    "ter:InvalidArgVal",
                    "wsrfr:ResourceUnknownFault",
                ),
                reason=reason,
            )
        return subscription

    def _purge(self) -> None:
        now_s = _monotonic()
        for key in [k for k, s in self._subscriptions.items() if s.ends_at_s <= now_s]:
            del self._subscriptions[key]

    def _initialise(self, subscription: _Subscription) -> None:
        for name in Property:
            subscription.push(self._message(name, "Initialized"))

    def _message(self, name: Property, operation: str) -> Xml:
        source, token, state = _ITEMS.get(name, _PICTURE)
        value = "true" if self._values[name] else "false"
        return self._notification(name.value, _item(source, token), _item(state, value), operation)

    def _notification(self, topic: str, source: Xml, data: Xml, operation: str) -> Xml:
        return el(
            "wsnt:NotificationMessage",
            el("wsnt:Topic", topic, attributes={"Dialect": _DIALECT}),
            el(
                "wsnt:Message",
                el(
                    "tt:Message",
                    el("tt:Source", source),
                    el("tt:Data", data),
                    attributes={"UtcTime": self._time(), "PropertyOperation": operation},
                ),
            ),
        )

    def _time(self) -> str:
        return self._state.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def not_supported(action: str) -> SoapFault:
    """The fault for an operation this camera does not have."""
    return SoapFault(
        subcodes=("ter:ActionNotSupported",), reason=f"{action} is not supported", code="Receiver"
    )


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def _invalid(*, reason: str) -> SoapFault:
    return SoapFault(subcodes=("ter:InvalidArgVal",), reason=reason)


def _item(name: str, value: str) -> Xml:
    return el("tt:SimpleItem", attributes={"Name": name, "Value": value})
