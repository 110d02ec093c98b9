"""Translates what goes wrong with a broker into the errors the supervisor knows.

Reason codes are those of MQTT 5 (§2.4); paho gives 3.1.1's return codes in the same numbers.
"""

import ssl

from adapters.mqtt.tls import PinMismatch
from hub.domain.errors import (
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.secrets import Secret

_AUTH = {134, 135, 138, 140}  # password, not authorised, banned, bad authentication method
_BUSY = {137, 151, 159}  # server busy, quota exceeded, connection rate exceeded
_UNSUPPORTED = {132, 155, 158, 161, 162}  # version, QoS, shared, ids, wildcard subscriptions
_TAKEN_OVER = 142
_OUR_FAULT = {129, 130, 133, 143, 144, 147, 148, 149, 153}  # malformed … payload format


def refusal(code: int, name: str, *, step: str) -> DeviceError:
    """The error for a reason code with which the broker refused ``step`` or ended the session."""
    text = f"the broker {step}: {name} ({code})"
    if code in _AUTH:
        return AuthRejected(f"{text}; look at the user name, password and access list")
    if code in _BUSY:
        return DeviceBusy(text)
    if code in _UNSUPPORTED:
        return UnsupportedByDevice(f"{text}; try version 3.1.1, or shared_group empty")
    if code == _TAKEN_OVER:
        return DeviceUnreachable(f"{text}; another client uses this client_id")
    if code in _OUR_FAULT:
        return ProtocolViolation(text)
    return DeviceUnreachable(text)


def connect_failure(error: OSError | ValueError, *, endpoint: str) -> DeviceError:
    """The error for a socket that could not be opened."""
    if isinstance(error, PinMismatch):
        return ProtocolViolation(f"{endpoint}: {error.args[0]}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProtocolViolation(
            f"{endpoint}: the certificate does not verify: {error.verify_message}; "
            "set tls.ca_file or tls.pinned_sha256"
        )
    if isinstance(error, ssl.SSLError):
        return ProtocolViolation(f"{endpoint}: no TLS: {error.reason or 'handshake failed'}")
    if isinstance(error, TimeoutError):
        return DeviceUnreachable(f"{endpoint}: no answer in time")
    return DeviceUnreachable(f"{endpoint}: {getattr(error, 'strerror', None) or 'cannot connect'}")


def not_a_broker(first: bytes, *, endpoint: str, password: Secret) -> ProtocolViolation | None:
    """The error when the first byte of an answer cannot begin an MQTT answer to CONNECT.

    A server that echoes has our CONNECT in its answer, and the password in it.
    """
    if not first or first[0] in {0x20, 0xE0, 0xF0}:  # CONNACK, DISCONNECT, AUTH
        return None
    hint = "it speaks TLS: use mqtts://" if first[0] in {0x15, 0x16} else "it is no MQTT broker"
    secret = password.reveal().encode()
    evidence = first.replace(secret, b"***") if secret else first
    return ProtocolViolation(f"{endpoint}: {hint}", evidence=evidence[:256])
