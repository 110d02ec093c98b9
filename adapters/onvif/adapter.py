"""One ONVIF camera: registers it, reports its events, takes commands. It never retries."""

import asyncio
import dataclasses
import logging
from collections.abc import Mapping

from adapters.onvif.client import OnvifClient
from adapters.onvif.options import OnvifOptions
from adapters.onvif.registration import References, Registered, register
from adapters.onvif.subscription import Subscription
from adapters.onvif.topics import event_of
from hub.domain.addresses import AddressPolicy
from hub.domain.devices import Connection, DeviceDescription, Json
from hub.domain.errors import AuthRejected, DeviceUnreachable, UnsupportedByDevice
from hub.domain.events import DeviceDescribed, Event, UnrecognisedEvent
from hub.domain.ports import Clock, Link

log = logging.getLogger(__name__)

# One connection is one camera. Serial numbers are missing, shared by clones and change with a
# repair; the place on the wall stays, so the device is named by its connection.
DEVICE_KEY = "device"
CLOCK_EVERY_S = 600.0
CLOCK_MOVED_S = 2.0  # cameras tell whole seconds


class OnvifAdapter:
    """Runs one connection to one camera."""

    def __init__(
        self, *, connection: Connection, options: OnvifOptions, policy: AddressPolicy, clock: Clock
    ) -> None:
        self._connection = connection
        self._options = options
        self._policy = policy
        self._clock = clock
        self._client: OnvifClient | None = None
        self._registered: Registered | None = None

    async def run(self, link: Link) -> None:
        """Register the camera and report its events until cancelled; raises DeviceError."""
        client = OnvifClient(
            connection=self._connection,
            options=self._options,
            policy=self._policy,
            clock=self._clock,
        )
        async with client:
            references = References(client, self._policy, rewrite=self._options.rewrite_host)
            registered = await register(client, references)
            self._client, self._registered = client, registered
            try:
                await link.emit(
                    [DeviceDescribed(device=DEVICE_KEY, description=registered.description)]
                )
                watch = _ClockWatch(client, registered.description, link)
                if self._options.events and "events" in registered.services:
                    await self._report_events(references, registered, watch)
                await self._stay(watch)
            finally:
                self._client = self._registered = None

    async def command(self, device: str, do: str, args: Mapping[str, Json]) -> Mapping[str, Json]:
        """Run ``ptz.goto_preset`` with ``preset`` (a registered token) and maybe ``channel``.

        Raises:
            DeviceUnreachable: the camera is not connected now.
            UnsupportedByDevice: another command, or a preset the camera did not register.
        """
        client, registered = self._client, self._registered
        if client is None or registered is None:
            msg = "the camera is not connected"
            raise DeviceUnreachable(msg)
        if do != "ptz.goto_preset" or device != DEVICE_KEY:
            msg = "the camera does not know this command"
            raise UnsupportedByDevice(msg)
        token, profile = _find_preset(registered, args)
        await client.call(
            "ptz",
            "GotoPreset",
            at=registered.services["ptz"],
            ProfileToken=profile,
            PresetToken=token,
        )
        return {"preset": token}

    async def _report_events(
        self, references: References, registered: Registered, watch: "_ClockWatch"
    ) -> None:
        """Pull events until cancelled; returns when the camera turns out to have none."""
        client, link = watch.client, watch.link
        subscription = Subscription(
            client,
            service=registered.services["events"],
            references=references,
            clock=self._clock,
            asked_s=self._options.subscription_s,
            pull_s=self._options.pull_timeout_s,
        )
        try:
            try:
                await subscription.create()
            except (UnsupportedByDevice, AuthRejected) as error:
                if isinstance(error, AuthRejected):  # the password, or only the user's rights?
                    await client.call("devicemgmt", "GetDeviceInformation")
                log.warning("%s reports no events: %s", self._connection.name, error)
                return
            while True:
                messages = await subscription.pull()
                if messages:
                    await link.emit(
                        [
                            _masked(
                                event_of(message, device=DEVICE_KEY, channels=registered.tokens),
                                client,
                            )
                            for message in messages
                        ]
                    )
                await watch.look()
        finally:
            await subscription.end()

    async def _stay(self, watch: "_ClockWatch") -> None:
        """Ask a camera without events for its time now and then, to know that it is there."""
        while True:
            await asyncio.sleep(self._options.poll_interval_s)
            await watch.look(always=True)


class _ClockWatch:
    """Measures the camera's clock from time to time and reports when it moved."""

    def __init__(self, client: OnvifClient, description: DeviceDescription, link: Link) -> None:
        self.client = client
        self.link = link
        self._description = description
        self._next_at = asyncio.get_running_loop().time() + CLOCK_EVERY_S

    async def look(self, *, always: bool = False) -> None:
        """Measure when it is time; describe the device anew when its clock moved."""
        now = asyncio.get_running_loop().time()
        if not always and now < self._next_at:
            return
        self._next_at = now + CLOCK_EVERY_S
        offset = await self.client.measure_clock()
        known = self._description.clock_offset_s
        if offset is None or (
            known is not None and abs(offset.total_seconds() - known) < CLOCK_MOVED_S
        ):
            return
        self._description = dataclasses.replace(
            self._description, clock_offset_s=round(offset.total_seconds(), 3)
        )
        await self.link.emit([DeviceDescribed(device=DEVICE_KEY, description=self._description)])


def _find_preset(registered: Registered, args: Mapping[str, Json]) -> tuple[str, str]:
    """Return the preset's token and the profile to move, both as the camera gave them."""
    wanted, channel = args.get("preset"), args.get("channel", "")
    for one in registered.description.channels:
        if channel in {"", one.key} and one.key in registered.ptz_tokens:
            for preset in one.presets:
                if preset.token == wanted:
                    return preset.token, registered.ptz_tokens[one.key]
    msg = "the camera has no such preset"
    raise UnsupportedByDevice(msg)


def _masked(event: Event, client: OnvifClient) -> Event:
    """Return the event without our password, should the camera echo it."""
    if isinstance(event, UnrecognisedEvent):
        return dataclasses.replace(event, payload=client.mask(event.payload))
    return event
