"""Which addresses from outside we accept, and to which endpoints we connect.

Every stream, snapshot, service and webhook address passes :func:`parse_address` (its form)
and, once resolved, :meth:`AddressPolicy.refusal` (its destination). Both are pure; whoever
opens the socket asks the policy about the very address it is about to connect to, so that
neither DNS nor a redirect gets past it.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hub.domain.errors import AddressRefused

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

STREAM_SCHEMES = frozenset({"rtsp", "rtsps", "http", "https"})
WEB_SCHEMES = frozenset({"http", "https"})
# A switch or an uplink is watched by connecting to a port of it.
LINK_SCHEMES = frozenset({"tcp"})
# What has no address of its own has a label: nobody connects to it.
PASSIVE_SCHEMES = frozenset({"passive"})
# Which addresses a connection of each protocol may have: the one list of them.
PROTOCOL_SCHEMES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "onvif": WEB_SCHEMES,
        "rtsp": frozenset({"rtsp", "rtsps"}),
        "mqtt": frozenset({"mqtt", "mqtts"}),
        "uplink": LINK_SCHEMES | PASSIVE_SCHEMES,
    }
)
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}
MAX_ADDRESS_LENGTH = 2048

# Printable ASCII without space, quotes, angle brackets, backslash, braces, caret, backtick, pipe.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[!#-;=?-\[\]_a-z~]+\Z")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-]{0,62}[A-Za-z0-9])?\Z")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9\-.]{0,251}[A-Za-z0-9])?\.?\Z|[0-9A-Fa-f:.]+\Z")


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An accepted address. ``text`` is its normal form and holds no credentials."""

    scheme: str
    host: str
    port: int
    target: str
    text: str
    username: str = ""
    password: str = ""


def parse_address(text: str, *, schemes: Iterable[str] = STREAM_SCHEMES) -> Address:
    """Parse an address from a form, the API, a file or a device.

    Raises:
        AddressRefused: for another scheme, spaces, control characters, a bad host or port.
            The message never repeats the address, which may hold a password.
    """
    allowed = sorted(schemes)
    if len(text) > MAX_ADDRESS_LENGTH or not _ADDRESS.match(text):
        msg = f"not an address: expected {'://, '.join(allowed)}:// and no spaces"
        raise AddressRefused(msg)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        msg = "not an address: its host or port cannot be read"
        raise AddressRefused(msg) from None
    scheme = parts.scheme.lower()
    if scheme not in allowed:
        msg = f"addresses of the form {scheme}: are refused; use {', '.join(allowed)}"
        raise AddressRefused(msg)
    if scheme in PASSIVE_SCHEMES:
        return _passive(scheme, text)
    if scheme in LINK_SCHEMES:
        _check_link(parts)
    host = parts.hostname or ""
    if not _HOST.match(host) or port == 0:
        msg = "not an address: its host or port cannot be used"
        raise AddressRefused(msg)
    number = port or DEFAULT_PORTS[scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if scheme in LINK_SCHEMES:
        target = ""
    shown = f"[{host}]" if ":" in host else host
    suffix = "" if port is None else f":{number}"
    return Address(
        scheme=scheme,
        host=host,
        port=number,
        target=target,
        text=f"{scheme}://{shown}{suffix}{target}",
        username=parts.username or "",
        password=parts.password or "",
    )


def _passive(scheme: str, text: str) -> Address:
    label = text.partition("://")[2].removesuffix("/").lower()
    if not _LABEL.match(label):
        msg = f"not a label: write {scheme}:// and up to 64 letters, digits, dots and dashes"
        raise AddressRefused(msg)
    return Address(scheme=scheme, host=label, port=0, target="", text=f"{scheme}://{label}")


def _check_link(parts: SplitResult) -> None:
    surplus = parts.path.removeprefix("/") + parts.query + parts.fragment
    if not parts.port or surplus or "@" in parts.netloc:
        msg = f"not an address of a port: write {parts.scheme}://host:port and nothing else"
        raise AddressRefused(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """To which endpoints a kind of outgoing connection may go.

    ``allowed`` networks win over the general refusal of loopback, link-local, private and
    other special addresses; ``own_endpoints`` (database, broker, our own listener) are refused
    always.
    """

    allowed: tuple[IPNetwork, ...] = ()
    own_endpoints: frozenset[tuple[IPAddress, int]] = frozenset()

    def __hash__(self) -> int:
        """Cheap, for caches of verdicts: a frozenset keeps its hash, a network does not."""
        return hash((len(self.allowed), self.own_endpoints))

    def refusal(self, ip_text: str, port: int) -> str | None:
        """Return why this endpoint is refused, or None when it may be connected to."""
        ip = _plain(ipaddress.ip_address(ip_text.partition("%")[0]))
        if (ip, port) in self.own_endpoints:
            return f"{ip}:{port} is one of this hub's own services"
        if any(ip.version == network.version and ip in network for network in self.allowed):
            return None
        if ip.is_global and not ip.is_multicast:
            return None
        return f"{ip} is not in a network that the settings allow"


def _plain(ip: IPAddress) -> IPAddress:
    """Unwrap IPv4 addresses hidden in IPv6 ones (mapped, 6to4, Teredo, NAT64)."""
    if not isinstance(ip, ipaddress.IPv6Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    teredo = None if ip.teredo is None else ip.teredo[1]
    return ip.ipv4_mapped or ip.sixtofour or teredo or ip


def parse_networks(texts: Iterable[str]) -> tuple[IPNetwork, ...]:
    """Parse CIDR networks; raises ValueError naming the bad one."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
