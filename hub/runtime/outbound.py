"""The one HTTP client for everything that goes out: it asks the policy at every connect."""

import socket
from typing import Final

import aiohttp
from aiohttp import AddrInfoType

from hub.domain.addresses import AddressPolicy
from hub.domain.errors import AddressRefused

USER_AGENT: Final = "gengfu"


class EndpointRefused(AddressRefused, OSError):
    """The policy refuses this endpoint; aiohttp shows it as a connection error."""

    def __init__(self, refusal: str) -> None:
        super().__init__(refusal)
        self.strerror = refusal  # what aiohttp's own error shows


def open_client(policy: AddressPolicy, *, timeout_s: float = 10.0) -> aiohttp.ClientSession:
    """Open a client that connects to nothing the policy refuses, whatever DNS or a redirect says.

    No cookies are kept, no proxy is used, and every request has a deadline.
    """

    def guarded_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _name, endpoint = info
        refusal = policy.refusal(str(endpoint[0]), int(endpoint[1]))
        if refusal is not None:
            raise EndpointRefused(refusal)
        made = socket.socket(family, kind, protocol)
        made.settimeout(0)  # non-blocking, as the event loop needs it
        return made

    connector = aiohttp.TCPConnector(
        limit=200, limit_per_host=8, socket_factory=guarded_socket, enable_cleanup_closed=False
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=timeout_s, connect=min(5.0, timeout_s)),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT},
        trust_env=False,
    )
