"""Finding cameras: WS-Discovery (ONVIF Core Specification §7) and address ranges.

Multicast reaches one network segment only and is often filtered; the range scan finds the rest.
Both only report: nothing is registered and no password is sent. Whoever answers a probe is a
stranger, so answers are bounded, and an address is believed only when it is the sender's own.
"""

import asyncio
import contextlib
import fcntl
import functools
import itertools
import logging
import socket
import struct
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from adapters.onvif.client import OnvifClient
from adapters.onvif.options import OnvifOptions
from adapters.onvif.probe_matches import Found, parse_probe_matches
from adapters.onvif.references import DEFAULT_PATH
from hub.domain.addresses import (
    AddressPolicy,
    IPAddress,
    IPNetwork,
    parse_networks,
)
from hub.domain.devices import Connection
from hub.domain.errors import DeviceError, Invalid, ProtocolViolation

__all__ = ["DEFAULT_PORTS", "Found", "discover_multicast", "scan_range"]

log = logging.getLogger(__name__)

MULTICAST = ("239.255.255.250", 3702)
DEFAULT_PORTS = (80, 8000, 8080, 8899, 2020, 443)  # Reolink 8000, XM 8899, TP-Link 2020
TLS_PORTS = frozenset({443, 8443})
MAX_HOSTS = 65_536
MAX_REPLIES = 5_000
_CONNECT_S = 1.0
_SIOCGIFADDR = 0x8915  # netdevice(7): the IPv4 address of an interface
_PROBE_TYPES = ("dn:NetworkVideoTransmitter", "tds:Device")
_PROBE = """<?xml version="1.0" encoding="UTF-8"?>\
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" \
xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" \
xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" \
xmlns:dn="http://www.onvif.org/ver10/network/wsdl" \
xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><e:Header>\
<w:MessageID>{message}</w:MessageID>\
<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>\
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>\
</e:Header><e:Body><d:Probe><d:Types>{types}</d:Types></d:Probe></e:Body></e:Envelope>"""


async def discover_multicast(
    *,
    timeout_s: float,
    interfaces: Sequence[str] | None = None,
    destination: tuple[str, int] = MULTICAST,
) -> list[Found]:
    """Probe by multicast and return who answers within ``timeout_s``, by address.

    Args:
        timeout_s: How long to wait for answers.
        interfaces: Names of network interfaces ("eth0", "lo"); None means all.
        destination: Where the probe goes; a unicast address probes one host.
    """
    names = interfaces if interfaces is not None else [name for _, name in socket.if_nameindex()]
    asked = {f"urn:uuid:{uuid.uuid4()}": types for types in _PROBE_TYPES}
    collector = _Collector(frozenset(asked))
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        transports = []
        for name in names:
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: collector, sock=_open_socket(name)
                )
            except OSError as error:
                log.info("discovery cannot use the interface %s: %s", name, error)
                continue
            stack.callback(transport.close)
            transports.append(transport)
        # Datagrams get lost, so every probe goes out twice.
        for pause_s in (timeout_s / 3, timeout_s * 2 / 3):
            for transport, (message, types) in itertools.product(transports, asked.items()):
                probe = _PROBE.format(message=message, types=types)
                transport.sendto(probe.encode(), destination)
            await asyncio.sleep(pause_s)
    return sorted(collector.found.values(), key=lambda one: one.address)


async def scan_range(
    ranges: Sequence[str],
    *,
    ports: Sequence[int] = DEFAULT_PORTS,
    concurrency: int = 500,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    policy: AddressPolicy,
    deadline_s: float = 5.0,
) -> list[Found]:
    """Try every host of the ranges and return those that speak ONVIF, by address.

    Args:
        ranges: Networks ("192.168.1.0/24") and single addresses.
        ports: The ports tried on each host, all at once.
        concurrency: How many connections are open at most.
        on_progress: Called with the number of hosts done and of all hosts.
        policy: Hosts it refuses are skipped.
        deadline_s: How long a host that accepts the connection may take to answer.

    Raises:
        Invalid: a range cannot be read, or they hold more than 65,536 addresses.
    """
    hosts, total = _plan(ranges)
    found: list[Found] = []
    done = 0
    on_progress(0, total)

    async def work() -> None:
        nonlocal done
        for host in hosts:
            results = await asyncio.gather(
                *(_try_endpoint(host, port, policy, deadline_s) for port in ports)
            )
            found.extend(one for one in results if one is not None)
            done += 1
            on_progress(done, total)

    workers = min(max(concurrency // max(len(ports), 1), 1), total)
    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
    return sorted(found, key=lambda one: one.address)


class _Collector(asyncio.DatagramProtocol):
    """Keeps what answers tell, by address; nonsense is dropped, floods are bounded."""

    def __init__(self, asked: frozenset[str]) -> None:
        self.found: dict[str, Found] = {}
        self._asked = asked
        self._replies = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._replies += 1
        if self._replies > MAX_REPLIES:
            return
        try:
            matches = parse_probe_matches(data, sender=addr[0], asked=self._asked)
        except ProtocolViolation as error:
            log.debug("ignored an answer to discovery from %s: %s", addr[0], error)
            return
        for one in matches:
            self.found.setdefault(one.address, one)

    def error_received(self, exc: Exception) -> None:
        log.debug("discovery: %s", exc)


def _open_socket(interface: str) -> socket.socket:
    """Open a socket on a free port that sends multicast by one interface."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        one.setblocking(False)  # noqa: FBT003 - the standard library's signature
        # By address: by index alone the kernel may send with another interface's address.
        name = struct.pack("256s", interface.encode()[:15])
        own = fcntl.ioctl(one, _SIOCGIFADDR, name)[20:24]
        one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        one.bind(("", 0))
    except OSError:
        one.close()
        raise
    return one


def _plan(ranges: Sequence[str]) -> tuple[Iterator[IPAddress], int]:
    """Return the hosts of the ranges, lazily, and their number."""
    try:
        networks = parse_networks(ranges)
    except ValueError as error:
        msg = f"not a range of addresses: {error}; write it like 192.168.1.0/24"
        raise Invalid(msg, field="range") from error
    total = sum(_host_count(network) for network in networks)
    if total > MAX_HOSTS or not networks:
        msg = f"a scan takes 1 to {MAX_HOSTS:,} addresses (a /16), not {total:,}: split the range"
        raise Invalid(msg, field="range")
    return itertools.chain.from_iterable(network.hosts() for network in networks), total


def _host_count(network: IPNetwork) -> int:
    spare = network.max_prefixlen - network.prefixlen
    if spare < 2:
        return int(network.num_addresses)
    return int(network.num_addresses) - (2 if network.version == 4 else 1)


async def _try_endpoint(
    host: IPAddress, port: int, policy: AddressPolicy, deadline_s: float
) -> Found | None:
    """Return the camera at the endpoint, or None when nothing there speaks ONVIF."""
    if policy.refusal(str(host), port) is not None:
        return None
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(str(host), port)
    except OSError:  # TimeoutError too
        return None
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    shown = f"[{host}]" if host.version == 6 else str(host)
    scheme = "https" if port in TLS_PORTS else "http"
    address = f"{scheme}://{shown}:{port}{DEFAULT_PATH}"
    client = OnvifClient(
        connection=Connection(id=0, protocol="onvif", name=shown, address=address, area_id=0),
        options=OnvifOptions(
            call_deadline_s=deadline_s, verify="off", reason="the scan sends and keeps no secret"
        ),
        policy=policy,
        clock=functools.partial(datetime.now, UTC),
    )
    try:
        async with client:
            await client.call_tree("devicemgmt", "GetSystemDateAndTime", is_anonymous=True)
    except DeviceError:
        return None
    return Found(address=address)
