"""A slow look at one camera: clock, firmware, recordings, certificate. It measures, never judges.

It opens a short ONVIF session of its own, so that it works wherever it runs, and changes nothing
at the camera. Each part fails alone; only a camera that tells nothing at all is an error. A
password that is refused is not tried again within a look.
"""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo

from adapters.onvif.answers import pick_text
from adapters.onvif.certificates import read_expiry
from adapters.onvif.client import OnvifClient
from adapters.onvif.recordings import Span
from adapters.onvif.references import device_address
from adapters.onvif.registration import References, read_services
from adapters.onvif.searches import RecordingSearch
from adapters.onvif.visits import build_client, read_options
from hub.domain.addresses import AddressPolicy
from hub.domain.errors import (
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    UnsupportedByDevice,
)
from hub.domain.health import Inspection
from hub.domain.ports import CameraTarget, Clock

log = logging.getLogger(__name__)

# After one of these nothing else is asked: the camera is gone, busy, or would lock the account.
_FATAL = (AuthRejected, DeviceBusy, DeviceUnreachable)


async def inspect_camera(
    target: CameraTarget,
    *,
    timeout_s: float,
    policy: AddressPolicy,
    clock: Clock,
    zone: tzinfo = UTC,
) -> Inspection:
    """Return what a camera tells of itself; recordings are of yesterday, by ``zone``.

    Raises:
        UnsupportedByDevice: the camera has no ONVIF service, or tells nothing.
        DeviceError: nothing could be learnt; it says why.
    """
    if not target.service_address:
        msg = "the camera has no ONVIF service: clock and recordings cannot be asked"
        raise UnsupportedByDevice(msg)
    look = _Look(target, policy=policy, clock=clock, zone=zone, timeout_s=timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            await look.take()
    except TimeoutError as error:
        look.stopped_by(DeviceUnreachable("no answer in time"), cause=error)
    except DeviceError as error:
        look.stopped_by(error)
    return look.found


def last_full_day(now: datetime, zone: tzinfo) -> Span:
    """Return the last 24 hours, begun at midnight in ``zone``, that are over; in UTC."""
    day = now.astimezone(zone).date() - timedelta(days=1)
    begin = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    if begin + timedelta(days=1) > now:  # that day had 23 hours, and it is not one o'clock yet
        begin -= timedelta(days=1)
    return begin, begin + timedelta(days=1)


class _Look:
    """One look; ``found`` grows while it is taken, so that a late failure loses nothing."""

    def __init__(
        self,
        target: CameraTarget,
        *,
        policy: AddressPolicy,
        clock: Clock,
        zone: tzinfo,
        timeout_s: float,
    ) -> None:
        self.found = Inspection(inspected_at=clock())
        self._blank = self.found
        self._policy = policy
        self._clock = clock
        self._day = last_full_day(clock(), zone)
        self._options = read_options(target.options, timeout_s)
        self._target = target

    async def take(self) -> None:
        """Ask for everything, what matters most first."""
        address = device_address(self._target.service_address)
        if address.scheme == "https":
            try:
                expires_at = await read_expiry(address, policy=self._policy)
                self.found = replace(self.found, certificate_expires_at=expires_at)
            except DeviceError as error:
                self._note("certificate", error)
        client = build_client(
            self._target, options=self._options, policy=self._policy, clock=self._clock
        )
        async with client:
            await self._ask_clock(client)
            await self._ask_firmware(client)
            await self._ask_recordings(client)

    def stopped_by(self, error: DeviceError, cause: BaseException | None = None) -> None:
        """Keep what was found before an error; raise it when that is nothing."""
        if replace(self.found, notes=()) == self._blank:
            raise error from cause
        self._note("", error)

    async def _ask_clock(self, client: OnvifClient) -> None:
        offset = await client.measure_clock()
        if offset is None:
            self._note("clock", "it says nothing usable")
        else:
            self.found = replace(self.found, clock_offset_s=round(offset.total_seconds(), 3))

    async def _ask_firmware(self, client: OnvifClient) -> None:
        try:
            answer = await client.call("devicemgmt", "GetDeviceInformation")
        except _FATAL:
            raise
        except DeviceError as error:
            self._note("firmware", error)
        else:
            self.found = replace(self.found, firmware=pick_text(answer, "FirmwareVersion"))

    async def _ask_recordings(self, client: OnvifClient) -> None:
        references = References(client, self._policy, rewrite=self._options.rewrite_host)
        services = await read_services(client, references, ("search",))
        if "search" not in services:
            self._note("recordings", "the camera does not tell of any")
            return
        try:
            held = await RecordingSearch(client, services["search"]).look(self._day)
        except DeviceError as error:
            # The password was right a moment ago: it is the user's rights that do not reach.
            self._note("recordings", error)
            return
        self.found = replace(
            self.found,
            recording=held.recording,
            recording_day=None if held.recording is None else self._day[0],
            oldest_recording_at=_past(held.oldest_at, self.found.inspected_at),
            notes=(*self.found.notes, *held.notes),
        )

    def _note(self, part: str, why: object) -> None:
        text = f"{part}: {why}" if part else str(why)
        self.found = replace(self.found, notes=(*self.found.notes, text))


def _past(at: datetime | None, now: datetime) -> datetime | None:
    """Return a time unless it lies in the future, where no recording is."""
    return at if at is not None and at <= now else None
