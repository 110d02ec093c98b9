"""From messages to events, with what must be remembered between them: sessions and silence.

No I/O. ``now`` is a steady clock in seconds; the wall clock only judges the devices' times.
"""

import logging
from collections.abc import Sequence

from adapters.mqtt.descriptions import expected_interval
from adapters.mqtt.fields import TimeLimits
from adapters.mqtt.options import MqttOptions
from adapters.mqtt.payloads import Message, parse_message
from adapters.mqtt.sessions import SessionBook
from adapters.mqtt.silence import MAX_DEVICES, SilenceTracker
from hub.domain.events import DeviceDescribed, Event, StatusReported, UnrecognisedEvent
from hub.domain.health import Layer, Status
from hub.domain.ports import Clock

log = logging.getLogger(__name__)


class Digest:
    """What one connection knows of its devices."""

    def __init__(self, *, options: MqttOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._sessions = SessionBook()
        self._silence = SilenceTracker(
            factor=options.silence_factor, default_interval_s=options.default_interval_s
        )
        self._alive: set[str] = set()  # said that they are online, and did not sign off
        self._owed: set[str] = set()  # of them, those not heard on this link yet

    def begin(self, now: float) -> None:
        """A new link to the broker.

        The hub may have given the devices up meanwhile: what each is found to be is told anew.
        """
        self._silence.begin(now)
        self._owed = set(self._alive)

    def hold(self, now: float) -> None:
        """The hub could not listen until now."""
        self._silence.hold(now)

    def fallen_silent(self, now: float) -> tuple[Event, ...]:
        """The offline reports of devices that have been silent for too long."""
        return tuple(
            StatusReported(
                device=device,
                status=Status.OFFLINE,
                layer=Layer.PROTOCOL,
                detail=f"silent for {silent_s:.0f} s",
                session=self._sessions.current(device),
            )
            for device, silent_s in self._silence.fallen_silent(now)
        )

    def digest(self, message: Message, now: float) -> Sequence[Event]:
        """The events to hand over for one message."""
        limits = TimeLimits(now=self._clock(), tolerance_s=self._options.future_tolerance_s)
        events = parse_message(
            message, limits=limits, max_payload_bytes=self._options.max_payload_bytes
        )
        if not events:
            return ()
        status = next((e for e in events if isinstance(e, StatusReported)), None)
        if status is not None:
            return self._digest_status(status, events, now)
        first = events[0]
        if isinstance(first, UnrecognisedEvent) or first.replayed:
            return events
        is_back = self._silence.heard(first.device, now)
        if is_back or first.device in self._owed:
            self._owed.discard(first.device)
            return (self._back(first.device), *events)
        return events

    def _digest_status(
        self, status: StatusReported, events: Sequence[Event], now: float
    ) -> Sequence[Event]:
        device = status.device
        if self._sessions.is_late(device, status.session):
            log.debug("late status of session %s ignored: %s", status.session, device)
            return ()
        self._owed.discard(device)
        if status.status is Status.OFFLINE:
            self._silence.forget(device)
            self._alive.discard(device)
            return events
        if len(self._alive) < MAX_DEVICES:
            self._alive.add(device)
        if status.replayed and self._silence.is_silent(device):
            return [event for event in events if event is not status]
        described = (e.description for e in events if isinstance(e, DeviceDescribed))
        for description in described:
            self._silence.expect(device, expected_interval(description), now)
        if not status.replayed:
            self._silence.heard(device, now)
        return events

    def _back(self, device: str) -> StatusReported:
        return StatusReported(
            device=device,
            status=Status.ONLINE,
            detail="reports again",
            session=self._sessions.current(device),
        )
