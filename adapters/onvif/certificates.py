"""When a camera's certificate ends: read from the TLS connection, never trusted for anything.

An expired or self-signed certificate is one whose end must be known, so nothing is verified here
and nothing is sent: the connection is closed once the handshake is done.
"""

import asyncio
import contextlib
import functools
import socket
import ssl
import warnings
from datetime import datetime

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from hub.domain.addresses import Address, AddressPolicy
from hub.domain.errors import AddressRefused, DeviceUnreachable, ProtocolViolation

MAX_CERTIFICATE_BYTES = 64 * 1024
HANDSHAKE_S = 5.0
_FIRST_YEAR = 1988  # of X.509


@functools.cache
def _blind_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # the small keys of old cameras
    return context


async def read_expiry(address: Address, *, policy: AddressPolicy) -> datetime | None:
    """Return the end of the certificate that an https address shows; None when it shows none.

    Raises:
        AddressRefused: the policy refuses every endpoint the address resolves to.
        DeviceUnreachable: nobody answers, or not in TLS.
        ProtocolViolation: the certificate cannot be read.
    """
    host, port = await _endpoint(address, policy)
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            _, writer = await asyncio.open_connection(
                host, port, ssl=_blind_context(), server_hostname=address.host
            )
    except (OSError, ValueError) as error:  # SSLError and TimeoutError are OSErrors
        reason = " ".join(str(error).split())[:200]
        msg = f"the certificate cannot be had: {reason or type(error).__name__}"
        raise DeviceUnreachable(msg) from error
    try:
        tls = writer.get_extra_info("ssl_object")
        shown: bytes | None = None if tls is None else tls.getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return parse_expiry(shown) if shown else None


def parse_expiry(certificate: bytes) -> datetime:
    """Return the end of a certificate (DER); raises ProtocolViolation."""
    if len(certificate) > MAX_CERTIFICATE_BYTES:
        msg = "the certificate is larger than any camera's"
        raise ProtocolViolation(msg)
    try:
        with warnings.catch_warnings():
            # Of small sins against RFC 5280, such as the serial number 0 of cheap cameras.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            ends = x509.load_der_x509_certificate(certificate).not_valid_after_utc
    except (ValueError, OverflowError, x509.InvalidVersion) as error:
        msg = f"the certificate cannot be read: {' '.join(str(error).split())[:200]}"
        raise ProtocolViolation(msg) from error
    if ends.year < _FIRST_YEAR:
        msg = "the certificate ended before there were any"
        raise ProtocolViolation(msg)
    return ends


async def _endpoint(address: Address, policy: AddressPolicy) -> tuple[str, int]:
    """Return the first resolved endpoint that the policy allows."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        msg = f"the name {address.host} cannot be resolved"
        raise DeviceUnreachable(msg) from error
    refusal = None
    for *_, endpoint in found:
        host, port = str(endpoint[0]), int(endpoint[1])
        refusal = policy.refusal(host, port)
        if refusal is None:
            return host, port
    raise AddressRefused(refusal or f"the name {address.host} has no address")
