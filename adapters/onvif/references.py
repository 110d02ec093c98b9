"""Addresses a camera gives: service, subscription, stream and snapshot.

A hostile or confused camera may point anywhere: at a file, at a database, at another host. What
it gives passes here before anybody connects to it or stores it; it must be on the camera's own
host, unless the connection says that the camera is behind address translation.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from hub.domain.addresses import WEB_SCHEMES, Address, AddressPolicy, parse_address
from hub.domain.errors import AddressRefused

# "http://192.168.1.106:8106:8106/onvif/Subscription?Idx=43": the port twice (Sricam and kin).
_PORT_TWICE = re.compile(r"\A([a-z]+://[^/:\[\]@]+:\d+)(?::\d+)+(?=/|\Z)", re.IGNORECASE)
_CREDENTIAL_KEYS = frozenset({"user", "username", "usr", "pass", "password", "passwd", "pwd"})


DEFAULT_PATH = "/onvif/device_service"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHost:
    """What counts as the camera's own host.

    ``configured`` is the connection's address, ``peers`` the endpoints it turned out to be:
    a camera configured by name gives its addresses by number.
    """

    configured: Address
    peers: frozenset[str] = frozenset()
    rewrite: bool = False


def device_address(text: str) -> Address:
    """Return the address of the device service; without a path it is ONVIF's usual one."""
    address = parse_address(text, schemes=WEB_SCHEMES)
    if address.target != "/":
        return address
    return parse_address(address.text.removesuffix("/") + DEFAULT_PATH, schemes=WEB_SCHEMES)


def accept_reference(
    text: str, *, own: OwnHost, policy: AddressPolicy, schemes: Iterable[str]
) -> Address:
    """Return the address a camera gave, in normal form and without credentials.

    Behind address translation the host becomes the connection's; the port too for web
    addresses, because the device service is the one port known to be forwarded.

    Raises:
        AddressRefused: another scheme or another host, or an endpoint the policy refuses.
    """
    given = parse_address(_PORT_TWICE.sub(r"\1", text.strip()), schemes=schemes)
    address = _without_credentials(given)
    if own.rewrite:
        address = _rewritten(address, own.configured)
    elif _plain_host(address.host) not in {
        _plain_host(host) for host in (own.configured.host, *own.peers)
    }:
        msg = "the camera gives an address on another host; it is refused (see rewrite_host)"
        raise AddressRefused(msg)
    for host in (address.host, *(own.peers if own.rewrite else ())):
        refusal = policy.refusal(host, address.port) if _is_literal(host) else None
        if refusal is not None:
            msg = f"the camera gives an address that is refused: {refusal}"
            raise AddressRefused(msg)
    return address


def _rewritten(address: Address, configured: Address) -> Address:
    host = f"[{configured.host}]" if ":" in configured.host else configured.host
    if address.scheme in WEB_SCHEMES:
        text = f"{configured.scheme}://{host}:{configured.port}{address.target}"
    else:
        text = f"{address.scheme}://{host}:{address.port}{address.target}"
    return parse_address(text)


def _without_credentials(address: Address) -> Address:
    """Drop user name and password from the query, where some cameras repeat them."""
    parts = urlsplit(address.text)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(key, value) for key, value in pairs if key.lower() not in _CREDENTIAL_KEYS]
    if len(kept) == len(pairs):
        return parse_address(address.text)
    return parse_address(parts._replace(query=urlencode(kept)).geturl())


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _plain_host(host: str) -> str:
    """Return one spelling per host: lower case, no final dot, IPv4 out of IPv6."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().rstrip(".")
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)
