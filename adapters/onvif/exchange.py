"""HTTP to one camera: bounded, verified, and only to endpoints the policy allows.

It owns the camera's HTTP connections. It knows no SOAP; it follows no redirects, keeps no
cookies and uses no proxy.
"""

import functools
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohappyeyeballs import AddrInfoType

from adapters.onvif.documents import MAX_DOCUMENT_BYTES
from adapters.onvif.options import OnvifOptions
from hub.domain.addresses import Address, AddressPolicy, parse_address
from hub.domain.errors import AddressRefused, DeviceUnreachable, ProtocolViolation
from hub.domain.secrets import Credentials

_CHUNK_BYTES = 64 * 1024
_KEEPALIVE_S = 30.0
_CONNECTIONS = 2  # one holds a request for events open, one is for commands

TlsChoice = ssl.SSLContext | aiohttp.Fingerprint | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: at most ``MAX_DOCUMENT_BYTES`` of body."""

    status: int
    content: bytes


@functools.lru_cache(maxsize=16)
def _verifying_context(ca_file: str | None) -> ssl.SSLContext:
    """Return one context for all cameras under the same authority: each takes about 1 MB."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        msg = f"the certificate authority {ca_file} (ca_file) cannot be read: {error}"
        raise DeviceUnreachable(msg) from error


def tls_choice(options: OnvifOptions) -> TlsChoice:
    """Return how certificates are verified, in aiohttp's terms.

    Raises:
        DeviceUnreachable: the authority's file cannot be read (yet).
    """
    if options.verify == "off":
        return False
    if options.verify == "pinned" and options.fingerprint is not None:
        return aiohttp.Fingerprint(bytes.fromhex(options.fingerprint.replace(":", "")))
    return _verifying_context(str(options.ca_file) if options.ca_file else None)


class Exchange:
    """The HTTP connections to one camera; an async context manager."""

    def __init__(
        self, *, credentials: Credentials, policy: AddressPolicy, options: OnvifOptions
    ) -> None:
        self._credentials = credentials
        self._policy = policy
        self._options = options
        self._session: aiohttp.ClientSession | None = None
        self._digests: dict[tuple[str, str, int], aiohttp.DigestAuthMiddleware] = {}
        self._peers: set[str] = set()

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=_CONNECTIONS,
            keepalive_timeout=_KEEPALIVE_S,
            happy_eyeballs_delay=None,
            socket_factory=self._open_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # the caller's deadline covers all
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def peers(self) -> frozenset[str]:
        """The addresses the camera was reached at, resolved."""
        return frozenset(self._peers)

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one request and read the whole reply, bounded.

        Raises:
            AddressRefused: the policy refuses the endpoint the address resolves to.
            ProtocolViolation: the reply does not end, or unpacks to too much.
            aiohttp.ClientError, OSError: the network or the peer failed.
        """
        target = parse_address(address, schemes={"http", "https"})
        if self._session is None:
            msg = "the connection to the camera is closed"
            raise aiohttp.ClientConnectionError(msg)
        async with self._session.post(
            target.text,
            data=body,
            headers={**headers, "Accept-Encoding": "identity"},
            allow_redirects=False,
            ssl=tls_choice(self._options) if target.scheme == "https" else True,
            middlewares=self._middlewares(target),
        ) as response:
            content = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                content += chunk
                if len(content) > MAX_DOCUMENT_BYTES:
                    response.close()
                    msg = "the answer does not end: more than 4 MiB"
                    raise ProtocolViolation(msg, evidence=bytes(content[:2048]))
            return Reply(status=response.status, content=bytes(content))

    def _middlewares(self, target: Address) -> tuple[aiohttp.DigestAuthMiddleware, ...]:
        """Return HTTP Digest for the origin; it answers only when the camera asks for it."""
        user = self._credentials.username
        if not user or ":" in user:  # RFC 7616 §3.4.4 allows no colon
            return ()
        origin = (target.scheme, target.host, target.port)
        if origin not in self._digests:
            secret = self._credentials.password.reveal()
            self._digests[origin] = aiohttp.DigestAuthMiddleware(user, secret)
        return (self._digests[origin],)

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        """Open a socket for one resolved endpoint; the policy has the last word here."""
        family, kind, protocol, _, endpoint = info
        host, port = str(endpoint[0]), int(endpoint[1])
        refusal = self._policy.refusal(host, port)
        if refusal is not None:
            raise RefusedEndpoint(refusal)
        self._peers.add(host.partition("%")[0])
        return socket.socket(family, kind, protocol)


class RefusedEndpoint(AddressRefused, OSError):
    """An endpoint the policy refuses; an OSError so that the next one of the name is tried."""

    @property
    def reason(self) -> str:
        """Why, with the endpoint."""
        return str(self.args[0])

    def __str__(self) -> str:
        """Return one text for all: when every endpoint fails alike, the connector says so."""
        return "the settings do not allow this endpoint"
