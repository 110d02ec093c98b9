"""Where a request comes from: only trusted proxies may speak for others (T29)."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from hub.domain.addresses import IPNetwork
from hub.web.services import WebSettings

UNKNOWN = "unknown"
# Headers by which a proxy speaks for somebody; from strangers they only prove a detour.
_FORWARDING = ("x-forwarded-for", "forwarded", "x-real-ip")


def find_source(connection: HTTPConnection, settings: WebSettings) -> str:
    """Return the caller's network address.

    The chain of ``X-Forwarded-For`` is read from its end for as long as the speaker is trusted.
    """
    peer = connection.client.host if connection.client else ""
    if not _is_in(peer, settings.trusted_proxies):
        return peer or UNKNOWN
    chain = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    for hop in reversed([part.strip() for part in chain if part.strip()]):
        if _plain(hop) is None:
            return peer
        if not _is_in(hop, settings.trusted_proxies):
            return hop
        peer = hop
    return peer


def is_loopback(connection: HTTPConnection, settings: WebSettings) -> bool:
    """Tell whether the caller sits on this machine, without any detour we know of."""
    source = find_source(connection, settings)
    ip = _plain(source)
    is_relayed = any(name in connection.headers for name in _FORWARDING)
    return ip is not None and ip.is_loopback and not is_relayed


def is_foreign_origin(connection: HTTPConnection, settings: WebSettings) -> bool:
    """Tell whether a browser says that another site's page made this request."""
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    own = {connection.headers.get("host", ""), urlsplit(settings.public_origin).netloc}
    try:
        named = urlsplit(origin).netloc
    except ValueError:
        return True
    return not named or named not in own


def group_source(source: str) -> str:
    """The unit that is slowed down together: an IPv4 address or an IPv6 /64."""
    ip = _plain(source)
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
    return str(ip) if ip else UNKNOWN


def _plain(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def _is_in(text: str, networks: Sequence[IPNetwork]) -> bool:
    ip = _plain(text)
    return ip is not None and any(ip.version == n.version and ip in n for n in networks)
