"""Asking strangers: what speaks ONVIF at an address, what it is, and whose password it takes.

A stranger may be anybody. Passwords go to him as digests alone (WS-Security, HTTP Digest), each
once; what he says of himself is kept short and printable; an address he gives is not followed.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from adapters.onvif.answers import pick_list, pick_text
from adapters.onvif.client import OnvifClient
from adapters.onvif.discovery import discover_multicast
from adapters.onvif.options import OnvifOptions
from adapters.onvif.probe_matches import MAX_NAME, scope_value
from adapters.onvif.references import device_address
from hub.domain.addresses import Address, AddressPolicy, parse_address
from hub.domain.devices import Connection
from hub.domain.discovery import Find, Login
from hub.domain.errors import AuthRejected, DeviceError
from hub.domain.ports import Clock
from hub.domain.secrets import Credentials

CONNECT_S = 1.0
CALL_S = 5.0
WHOLE_S = 30.0
_NOBODY = Credentials()


async def ask_endpoint(
    address: str, credentials: Sequence[Credentials], *, policy: AddressPolicy, clock: Clock
) -> Find | None:
    """Return what speaks ONVIF there, None when nothing does; see AskEndpoint."""
    service = device_address(address)
    if policy.refusal(service.host, service.port) is not None:
        return None
    if not await _is_open(service):
        return None
    visit = _Visit(service, policy, clock)
    try:
        async with asyncio.timeout(WHOLE_S):
            await visit.measure()
            return await visit.identify(credentials)
    except (DeviceError, TimeoutError):
        return visit.find if visit.has_answered else None


async def ask_address(
    address: str, credentials: Credentials, *, policy: AddressPolicy, clock: Clock
) -> Find:
    """Return what answers at an address that a person wrote.

    Raises:
        DeviceError: why nothing does.
    """
    visit = _Visit(device_address(address), policy, clock)
    await visit.measure()
    return await visit.identify([credentials] if credentials.username else [])


async def hear_multicast(*, timeout_s: float, policy: AddressPolicy) -> Sequence[Find]:
    """Return who answers a multicast probe; who must not be connected to is named as such."""
    found = []
    for one in await discover_multicast(timeout_s=timeout_s):
        address = parse_address(one.address)
        find = _blank(address)
        refusal = policy.refusal(address.host, address.port)
        found.append(replace(find, name=one.name, model=one.hardware, trouble=refusal or ""))
    return found


class _Visit:
    """The questions to one stranger. ``find`` grows as he answers."""

    def __init__(self, service: Address, policy: AddressPolicy, clock: Clock) -> None:
        self.find = _blank(service)
        self.has_answered = False
        self._policy = policy
        self._clock = clock
        self._offset = timedelta()

    async def measure(self) -> None:
        """Ask for his time, which ONVIF lets anybody ask; raises a DeviceError."""
        async with self._client(_NOBODY) as client:
            self._offset = await client.measure_clock() or timedelta()
        self.has_answered = True

    async def identify(self, credentials: Sequence[Credentials]) -> Find:
        """Ask for his name plate: without a password, then with each."""
        try:
            await self._read_plate(_NOBODY)
        except AuthRejected:
            self.find = replace(self.find, login=Login.REFUSED if credentials else Login.NEEDED)
        except DeviceError:
            return self.find
        else:
            self.find = replace(self.find, login=Login.OPEN)
            return self.find
        for place, one in enumerate(credentials):
            try:
                await self._read_plate(one)
            except AuthRejected:
                continue
            except DeviceError:
                self.find = replace(self.find, login=Login.UNTRIED)
                break
            self.find = replace(self.find, login=Login.FITS, credential=place)
            break
        return self.find

    async def _read_plate(self, credentials: Credentials) -> None:
        async with self._client(credentials) as client:
            plate = await client.call("devicemgmt", "GetDeviceInformation")
            scopes: list[str] = []
            with contextlib.suppress(DeviceError):
                answer = await client.call("devicemgmt", "GetScopes")
                scopes = [pick_text(item, "ScopeItem") for item in pick_list(answer)]
        self.find = replace(
            self.find,
            name=scope_value(scopes, "name"),
            manufacturer=_plain(pick_text(plate, "Manufacturer")),
            model=_plain(pick_text(plate, "Model")),
            serial=_plain(pick_text(plate, "SerialNumber")),
            firmware=_plain(pick_text(plate, "FirmwareVersion")),
        )

    def _client(self, credentials: Credentials) -> OnvifClient:
        client = OnvifClient(
            connection=Connection(
                id=0,
                protocol="onvif",
                name="",
                address=self.find.address,
                area_id=0,
                credentials=credentials,
            ),
            options=OnvifOptions(
                call_deadline_s=CALL_S, verify="off", reason="a stranger has no known certificate"
            ),
            policy=self._policy,
            clock=self._clock,
        )
        # Known already: a wrong password is not tried a second time on account of clocks.
        client.clock_offset = self._offset
        return client


async def _is_open(service: Address) -> bool:
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(service.host, service.port)
    except OSError:  # TimeoutError too
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _blank(service: Address) -> Find:
    return Find(host=service.host, port=service.port, protocol="onvif", address=service.text)


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:MAX_NAME].strip()
