"""What a reply or a failure means: HTTP status, SOAP fault, broken XML, broken network."""

import os
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
from lxml import etree  # type: ignore[import-untyped]  # ships no types

from adapters.onvif.documents import decode_document, parse_tree
from adapters.onvif.exchange import RefusedEndpoint, Reply
from adapters.onvif.faults import build_error, parse_fault
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)


def translate(error: Exception, *, doing: str) -> DeviceError:
    """Return the DeviceError that a foreign exception stands for."""
    if isinstance(error, aiohttp.ServerFingerprintMismatch | aiohttp.ClientSSLError):
        return ProtocolViolation(f"{doing}: {_certificate_text(error)}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return _connect_error(error, doing=doing)
    if isinstance(error, TimeoutError):
        return DeviceUnreachable(f"{doing}: no answer in time")
    if isinstance(error, aiohttp.ClientResponseError):
        return ProtocolViolation(f"{doing}: the answer is not HTTP ({_reason(error)})")
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError | OSError):
        return DeviceUnreachable(f"{doing}: the connection failed ({_reason(error)})")
    return ProtocolViolation(f"{doing}: the answer cannot be read ({_reason(error)})")


def _connect_error(error: aiohttp.ClientConnectorError, *, doing: str) -> DeviceError:
    if isinstance(error.os_error, RefusedEndpoint):
        return AddressRefused(f"{doing}: {error.os_error.reason}")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return DeviceUnreachable(f"{doing}: the name {error.host} cannot be resolved")
    code = error.os_error.errno
    why = os.strerror(code).lower() if code else "no connection"
    return DeviceUnreachable(f"{doing}: {error.host}:{error.port} cannot be reached: {why}")


def accept_reply(reply: Reply, *, doing: str, is_device: bool) -> str:
    """Return the reply's text; raise what its status or its fault stands for."""
    if reply.status == 401:
        msg = f"{doing}: the camera refuses the user name or password (HTTP 401)"
        raise AuthRejected(msg)
    if reply.status in {429, 503}:
        msg = f"{doing}: the camera is busy (HTTP {reply.status})"
        raise DeviceBusy(msg)
    if 300 <= reply.status < 400:
        msg = f"{doing}: the camera redirects elsewhere; use its final address"
        raise ProtocolViolation(msg, evidence=reply.content)
    if reply.status != 200:
        raise _error_of_status(reply, doing=doing, is_device=is_device)
    text = decode_document(reply.content)
    if "Fault" in text:
        fault = parse_fault(read_tree(text))
        if fault is not None:
            raise build_error(fault, doing=doing, evidence=reply.content)
    return text


def read_tree(text: str) -> ET.Element:
    """Parse an envelope strictly, and when that fails forgivingly."""
    try:
        return parse_tree(text)
    except ProtocolViolation:
        return _copy(read_lenient(text))


def read_lenient(text: str) -> Any:
    """Parse XML that may be broken; entities and DTDs are long refused by decode_document."""
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, remove_comments=True
    )
    root = etree.fromstring(text.encode(), parser)
    if root is None:
        msg = "the answer is not XML"
        raise ProtocolViolation(msg, evidence=text[:2048].encode())
    return root


def _copy(element: Any) -> ET.Element:  # lxml's element, untyped; at most 256 deep
    """Return a tree as the standard library's; names with undeclared prefixes stay as they are."""
    copy = ET.Element(element.tag, {str(key): str(value) for key, value in element.items()})
    copy.text = element.text
    copy.extend(_copy(child) for child in element if isinstance(child.tag, str))
    return copy


def _error_of_status(reply: Reply, *, doing: str, is_device: bool) -> DeviceError:
    """Return the error of a reply with another status: its fault's, if it holds one."""
    try:
        fault = parse_fault(read_tree(decode_document(reply.content)))
    except ProtocolViolation:
        fault = None
    if fault is not None:
        return build_error(fault, doing=doing, evidence=reply.content)
    msg = f"{doing}: the camera answers HTTP {reply.status}"
    if reply.status == 403:
        return AuthRejected(msg)
    if reply.status in {404, 405, 501} and not is_device:
        return UnsupportedByDevice(msg)
    return ProtocolViolation(msg, evidence=reply.content)


def _certificate_text(error: aiohttp.ServerFingerprintMismatch | aiohttp.ClientSSLError) -> str:
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return (
            "the camera shows another certificate than the pinned one "
            f"(SHA-256 {error.got.hex()}); check the camera before pinning that one"
        )
    return (
        f"the camera's certificate does not verify ({_reason(error)}); give the site's "
        "authority (ca_file) or pin the certificate (verify = pinned)"
    )


def _reason(error: Exception) -> str:
    """Return the error's kind and the first line of its text, bounded."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
