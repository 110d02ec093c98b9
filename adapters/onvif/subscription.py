"""One pull-point subscription (ONVIF Core Specification §9.2): create, pull, renew, end.

There is one per device: cameras allow few and do not list them. Pulling and renewing take
turns, so a camera has one request at a time to answer.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from adapters.onvif.client import OnvifClient
from adapters.onvif.clocks import parse_time
from adapters.onvif.documents import find_local, text_of
from adapters.onvif.notifications import Notification, parse_notifications
from adapters.onvif.registration import References
from hub.domain.addresses import WEB_SCHEMES, Address
from hub.domain.errors import (
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.ports import Clock

log = logging.getLogger(__name__)

RENEW_AT = 0.8
MESSAGE_LIMIT = 100
# An adapter has one second to stop: to learn of a subscription just asked for, to end it.
CREATE_GRACE_S = 0.4
UNSUBSCRIBE_S = 0.5
MAX_REFERENCE_PARAMETERS = 8
_MIN_LIFE_S = 1.0
_SILENT_S = 0.2  # a camera that answers at once without events is asked no faster than this


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a camera granted: where to pull, what to send along, for how long (None: unsaid)."""

    address: str
    parameters: tuple[ET.Element, ...]
    life_s: float | None


def parse_granted(root: ET.Element) -> Granted:
    """Read a CreatePullPointSubscriptionResponse."""
    reference = find_local(root, "SubscriptionReference")
    address = text_of(find_local(reference, "Address")) if reference is not None else ""
    if reference is None or not address:
        msg = "the camera granted a subscription without an address"
        raise ProtocolViolation(msg, evidence=ET.tostring(root)[:2048])
    parameters = find_local(reference, "ReferenceParameters")
    return Granted(
        address=address,
        # Axis tells subscriptions apart by these, not by address (WS-Addressing §3.3).
        parameters=tuple(parameters if parameters is not None else ())[:MAX_REFERENCE_PARAMETERS],
        life_s=parse_life(root),
    )


def parse_life(root: ET.Element) -> float | None:
    """Return TerminationTime minus CurrentTime in seconds; None when they say nothing."""
    ends_at = parse_time(text_of(find_local(root, "TerminationTime")))
    now = parse_time(text_of(find_local(root, "CurrentTime")))
    if ends_at is None or now is None:
        return None
    return (ends_at - now).total_seconds()


class Subscription:
    """A pull point of one camera."""

    def __init__(
        self,
        client: OnvifClient,
        *,
        service: Address,
        references: References,
        clock: Clock,
        asked_s: float,
        pull_s: float,
    ) -> None:
        self._client = client
        self._service = service
        self._references = references
        self._clock = clock
        self._asked_s = asked_s
        self._pull_s = pull_s
        self._is_absolute = False
        self._at: Address | None = None
        self._headers: Collection[ET.Element] = ()
        self._renew_at = 0.0

    async def create(self) -> None:
        """Ask the camera for a pull point.

        A cancellation waits a moment for the answer: only with it can the point be given back.

        Raises:
            UnsupportedByDevice: the camera has none, or gives it at an address we refuse.
        """
        creation = asyncio.create_task(self._create())
        try:
            await asyncio.shield(creation)
        except asyncio.CancelledError:
            await asyncio.wait([creation], timeout=CREATE_GRACE_S)
            creation.cancel()
            await asyncio.gather(creation, return_exceptions=True)
            raise

    async def _create(self) -> None:
        root = await self._client.call_tree(
            "events",
            "CreatePullPointSubscription",
            at=self._service,
            InitialTerminationTime=self._until(),
        )
        granted = parse_granted(root)
        at = self._references.accept(
            granted.address, what="subscription address", schemes=WEB_SCHEMES
        )
        if at is None:
            msg = "the camera gives its events at an address that is refused"
            raise UnsupportedByDevice(msg)
        self._at = at
        self._headers = granted.parameters
        self._schedule(granted.life_s)
        if granted.life_s is not None and granted.life_s < self._asked_s / 2:
            # The camera misreads relative times (or grants less): ask with its own clock.
            self._is_absolute = True

    async def pull(self) -> tuple[Notification, ...]:
        """Wait for events; renews first when it is time. Raises DeviceError."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._renew_at:
            await self._renew()
        wait_s = max(min(self._pull_s, self._renew_at - loop.time()), 1.0)
        started = loop.time()
        try:
            root = await self._client.call_tree(
                "pullpoint",
                "PullMessages",
                at=self._at,
                headers=tuple(self._headers),
                wait_s=wait_s,
                Timeout=timedelta(seconds=math.ceil(wait_s)),
                MessageLimit=MESSAGE_LIMIT,
            )
        except DeviceUnreachable:
            # Some cameras hold the request longer than asked; a dead one fails here again.
            await self._client.measure_clock()
            log.debug("%s holds requests for events too long", self._service.host)
            return ()
        messages = parse_notifications(root)
        if not messages and loop.time() - started < _SILENT_S:
            await asyncio.sleep(1.0)  # some cameras ignore the time-out and answer at once
        return messages

    async def end(self) -> None:
        """Give the pull point back; a camera that does not answer lets it expire."""
        if self._at is None:
            return
        at, self._at = self._at, None
        with contextlib.suppress(DeviceError, TimeoutError):
            async with asyncio.timeout(UNSUBSCRIBE_S):
                await self._client.call_tree(
                    "subscription", "Unsubscribe", at=at, headers=tuple(self._headers)
                )

    async def _renew(self) -> None:
        try:
            root = await self._client.call_tree(
                "subscription",
                "Renew",
                at=self._at,
                headers=tuple(self._headers),
                TerminationTime=self._until(),
            )
        except (UnsupportedByDevice, ProtocolViolation):
            # Some cameras know no Renew; others forgot the subscription when they restarted.
            await self.end()
            await self.create()
        else:
            self._schedule(parse_life(root))

    def _schedule(self, life_s: float | None) -> None:
        """Set the time of the next renewal from what the camera granted."""
        life_s = life_s if life_s is not None and life_s > 0 else self._asked_s
        life_s = max(min(life_s, self._asked_s), _MIN_LIFE_S)
        self._renew_at = asyncio.get_running_loop().time() + RENEW_AT * life_s

    def _until(self) -> str:
        """Return the end to ask for: relative, or by the camera's clock if it needs that."""
        if not self._is_absolute:
            return f"PT{math.ceil(self._asked_s)}S"
        until: datetime = self._clock() + self._client.clock_offset
        until += timedelta(seconds=self._asked_s)
        return until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
