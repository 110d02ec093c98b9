"""From a host name to an endpoint that may be connected to, and OS errors in our words.

A name is resolved once; every address it has is asked of the AddressPolicy, and the
connection goes to that very IP address: a second look-up could answer something else.
"""

import asyncio
import errno
import functools
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from hub.domain.addresses import Address, AddressPolicy
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
)
from hub.domain.health import Layer

MAX_ADDRESSES = 8  # of one name
MAX_LINES = 32  # a probe's log
MAX_LATE_S = 0.5  # this much after its time limit, a probe was held up by this machine

_REASONS = {
    errno.ECONNREFUSED: "it refuses the connection: nothing listens on this port",
    errno.EHOSTUNREACH: "no way to its network, or it is switched off",
    errno.ENETUNREACH: "no way to its network from this machine",
    errno.ETIMEDOUT: "it does not answer",
    errno.ECONNRESET: "it cut the connection",
    errno.EPIPE: "it cut the connection",
}
_SHORTAGES = {
    errno.EMFILE: "this machine has no file handles left: raise LimitNOFILE",
    errno.ENFILE: "this machine has no file handles left: raise fs.file-max",
    errno.ENOBUFS: "this machine has no network buffers left",
    errno.ENOMEM: "this machine has no memory left",
    errno.EADDRNOTAVAIL: "this machine has no local port left",
    errno.ENOSPC: "this machine can watch no more sockets: raise fs.epoll.max_user_watches",
}

_NOT_BLOCKING = socket.SOCK_STREAM | socket.SOCK_NONBLOCK

AnyProtocol = TypeVar("AnyProtocol", bound=asyncio.BaseProtocol)


class OwnShortage(DeviceUnreachable):
    """This machine lacks something: it says nothing of the camera, which may be well."""


class OutOfTime(DeviceUnreachable):
    """What was waited for did not come within the time limit."""


@dataclass(slots=True, kw_only=True)
class Trace:
    """How far a probe came: the layer it works on, and its log lines (never with a secret)."""

    layer: Layer = Layer.NETWORK
    lines: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def note(self, text: str, *, at: float | None = None) -> None:
        """Add a line with the time since the start, now or as ``time.monotonic`` told it."""
        if len(self.lines) < MAX_LINES:
            since_s = (time.monotonic() if at is None else at) - self.started
            self.lines.append(f"{since_s:.3f} s {self.layer.value}: {text}")

    def enter_protocol(self, ip: str, port: int, *, at: float | None = None) -> None:
        """Note that there is a connection: from now on it is the protocol that works or fails."""
        self.note(f"connected to {ip}:{port}", at=at)
        self.layer = Layer.PROTOCOL


def name_layer(error: DeviceError, trace: Trace) -> Layer:
    """Return the layer that failed, when a probe that came so far ended with this error."""
    if isinstance(error, AuthRejected):
        return Layer.CREDENTIALS
    if isinstance(error, ProtocolViolation) and trace.layer is Layer.NETWORK:
        return Layer.PROTOCOL  # whoever answers nonsense was reached
    return trace.layer


async def resolve(address: Address, policy: AddressPolicy) -> tuple[str, ...]:
    """Return the IP addresses of a host, each of them allowed by the policy.

    Raises:
        AddressRefused: one of them is not; a name that mixes both is refused whole.
        DeviceUnreachable: the name has no address.
    """
    found = [address.host] if _is_ip(address.host) else await _look_up(address)
    for ip in found:
        refusal = policy.refusal(ip, address.port)
        if refusal is not None:
            msg = f"the address is refused: {refusal}"
            raise AddressRefused(msg)
    return tuple(found)


async def connect(
    address: Address, policy: AddressPolicy, factory: Callable[[], AnyProtocol], trace: Trace
) -> AnyProtocol:
    """Connect to the first address that answers, and speak TLS where the scheme asks for it.

    The trace leaves the network's layer as soon as a connection is made.
    """
    failure: DeviceError | None = None
    for ip in await resolve(address, policy):
        try:
            if address.scheme in {"rtsps", "https"}:
                return await _connect_tls(ip, address, factory, trace)
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_connection(factory, host=ip, port=address.port)
        except OSError as error:  # ssl.SSLError and TimeoutError are OSErrors
            failure = translate(error, address.host, address.port)
        else:
            trace.enter_protocol(ip, address.port)
            return protocol
    raise failure or DeviceUnreachable(f"{address.host} has no address")


async def _connect_tls(
    ip: str, address: Address, factory: Callable[[], AnyProtocol], trace: Trace
) -> AnyProtocol:
    loop = asyncio.get_running_loop()
    wire = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, _NOT_BLOCKING)
    try:
        await loop.sock_connect(wire, (ip, address.port))
    except BaseException:
        wire.close()
        raise
    trace.enter_protocol(ip, address.port)
    _, protocol = await loop.create_connection(
        factory, sock=wire, ssl=_tls_context(), server_hostname=address.host
    )
    return protocol


def translate(error: OSError, host: str, port: int) -> DeviceError:
    """Turn an operating system's or a TLS error into ours."""
    where = f"{host}:{port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProtocolViolation(
            f"{where}: its certificate does not verify: {error.verify_message}"
        )
    if isinstance(error, ssl.SSLError):
        return ProtocolViolation(f"{where}: it does not speak TLS here ({error.reason})")
    if error.errno in _SHORTAGES:
        return OwnShortage(_SHORTAGES[error.errno])
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error) or type(error).__name__)
    return DeviceUnreachable(f"{where}: {reason}")


def build_timeout(timeout_s: float, *, is_connected: bool, has_answered: bool) -> DeviceError:
    """Say what did not happen in time."""
    if not is_connected:
        return OutOfTime(f"no connection within {timeout_s:g} s")
    if not has_answered:
        return OutOfTime(f"it accepts the connection and says nothing within {timeout_s:g} s")
    return OutOfTime(f"it answers too slowly: not done within {timeout_s:g} s")


def blame_delay(error: DeviceError, trace: Trace, timeout_s: float) -> DeviceError:
    """Return the error, or our own shortage where this machine looked too late for an answer.

    When the event loop is held up, cameras that answered in time seem not to have.
    """
    late_s = time.monotonic() - trace.started - timeout_s
    if isinstance(error, OutOfTime) and late_s > MAX_LATE_S:
        return OwnShortage(f"this machine was too busy: it looked {late_s:.1f} s too late")
    return error


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _look_up(address: Address) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        rows = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"the name {address.host} cannot be resolved"
        raise DeviceUnreachable(msg) from error
    return list(dict.fromkeys(str(row[4][0]) for row in rows))[:MAX_ADDRESSES]


@functools.cache
def _tls_context() -> ssl.SSLContext:
    """The system's trust, built once: reading its certificates takes 20 ms.

    A site's own authority is added to it by the system, or by ``SSL_CERT_FILE``.
    """
    return ssl.create_default_context()
