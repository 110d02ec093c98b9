"""Looking for devices that nobody has registered yet: what is asked, and what answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from hub.domain.addresses import IPNetwork
from hub.domain.secrets import Credentials

# A /16: what one look may ask of the network at most.
MOST_HOSTS: Final = 65_536
MOST_RANGES: Final = 64
MOST_PORTS: Final = 12
# Cameras lock accounts after a few wrong passwords.
MOST_CREDENTIALS: Final = 3
ONVIF_PORTS: Final = (80, 8000, 8080, 8899, 2020)  # Reolink 8000, XM 8899, TP-Link 2020
RTSP_PORTS: Final = (554, 8554)


class Login(StrEnum):
    """What came of the credentials that were to be tried."""

    OPEN = "open"  # it tells what it is without any
    FITS = "fits"
    REFUSED = "refused"  # it asks for some, and none that was tried fits
    NEEDED = "needed"  # it asks for some, and none was to be tried
    UNTRIED = "untried"  # the device could not be asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """A device that answered. Every text is the device's own: a stranger's.

    ``stream`` says what flows ("h264 1920x1080") where that was asked. ``credential`` is the
    place of the one that fits among those tried. ``trouble`` says why it cannot be added.
    """

    host: str
    port: int
    protocol: str
    address: str
    name: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    stream: str = ""
    login: Login = Login.UNTRIED
    credential: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What to ask: every host of the ranges at every port, and whoever answers by multicast."""

    ranges: Sequence[IPNetwork] = ()
    is_multicast: bool = False
    onvif_ports: Sequence[int] = ONVIF_PORTS
    rtsp_ports: Sequence[int] = RTSP_PORTS
    credentials: Sequence[Credentials] = ()


class AskEndpoint(Protocol):
    """Ask a stranger at one address what he is; no password goes out in a form he could read."""

    async def __call__(self, address: str, credentials: Sequence[Credentials]) -> Find | None:
        """Return what answered, None when nothing there speaks the protocol; never raises."""


class HearMulticast(Protocol):
    """Ask this machine's own networks by multicast."""

    async def __call__(self, *, timeout_s: float) -> Sequence[Find]:
        """Return who answered, not asked further."""


class AskAddress(Protocol):
    """Ask one service or stream address, as a person wrote it, what it is."""

    async def __call__(self, protocol: str, address: str, credentials: Credentials) -> Find:
        """Return what answered, or raise a DeviceError that says why nothing did."""


def host_count(network: IPNetwork) -> int:
    """How many hosts of a network are asked: network and broadcast address are none."""
    spare = network.max_prefixlen - network.prefixlen
    if spare < 2:
        return int(network.num_addresses)
    return int(network.num_addresses) - (2 if network.version == 4 else 1)


def outside(ranges: Sequence[IPNetwork], allowed: Sequence[IPNetwork]) -> IPNetwork | None:
    """Return the first range that lies in none of the allowed networks, None when all do."""
    for one in ranges:
        if not any(_holds(network, one) for network in allowed):
            return one
    return None


def _holds(network: IPNetwork, one: IPNetwork) -> bool:
    if network.version != one.version:
        return False
    return one.network_address in network and one.broadcast_address in network
