"""Finds what moves a channel of a camera: its PTZ service, in a short session.

A session of its own for each call, so that it works wherever it runs. Nothing is retried, and a
password that is refused is not tried again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from adapters.onvif.client import OnvifClient
from adapters.onvif.profiles import parse_profiles
from adapters.onvif.registration import References, read_services
from adapters.onvif.visits import build_client, read_options
from hub.domain.addresses import Address, AddressPolicy
from hub.domain.devices import Json
from hub.domain.errors import DeviceUnreachable, UnsupportedByDevice
from hub.domain.ports import CameraTarget, Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where the motor of a channel was found, and how the camera's clock differed then."""

    service: Address
    profile: str
    clock_offset: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Motor:
    """The PTZ service of one channel, in an open session."""

    client: OnvifClient
    service: Address
    profile: str

    async def call(self, operation: str, **parameters: object) -> Json:
        """Call an operation of the PTZ service; raises DeviceError."""
        return await self.client.call(
            "ptz", operation, at=self.service, ProfileToken=self.profile, **parameters
        )

    @property
    def found(self) -> Found:
        """Where it is, for the next session."""
        return Found(
            service=self.service, profile=self.profile, clock_offset=self.client.clock_offset
        )


@asynccontextmanager
async def open_motor(
    target: CameraTarget,
    *,
    timeout_s: float,
    policy: AddressPolicy,
    clock: Clock,
    known: Found | None = None,
) -> AsyncIterator[Motor]:
    """Open a session and find what moves the channel; all of it within ``timeout_s``.

    ``known`` is where it was found a moment ago: then nothing is asked.

    Raises:
        UnsupportedByDevice: the camera cannot be moved, or this channel of it cannot.
        DeviceError: it does not answer as it should.
    """
    if not target.service_address:
        msg = "the camera has no ONVIF service: it cannot be moved"
        raise UnsupportedByDevice(msg)
    options = read_options(target.options, timeout_s)
    client = build_client(target, options=options, policy=policy, clock=clock)
    references = References(client, policy, rewrite=options.rewrite_host)
    try:
        async with asyncio.timeout(timeout_s), client:
            if known is None:
                yield await _find_motor(client, references, target.channel)
            else:
                client.clock_offset = known.clock_offset
                yield Motor(client=client, service=known.service, profile=known.profile)
    except TimeoutError as error:
        msg = "no answer in time"
        raise DeviceUnreachable(msg) from error


async def _find_motor(client: OnvifClient, references: References, channel: str) -> Motor:
    await client.measure_clock()
    services = await read_services(client, references, ("media", "ptz"))
    if "ptz" not in services or "media" not in services:
        msg = "the camera offers no PTZ service"
        raise UnsupportedByDevice(msg)
    profiles = parse_profiles(await client.call("media", "GetProfiles", at=services["media"]))
    for profile in profiles:
        if profile.has_ptz and channel in {"", profile.source}:
            return Motor(client=client, service=services["ptz"], profile=profile.token)
    msg = "this channel of the camera cannot be moved"
    raise UnsupportedByDevice(msg)
