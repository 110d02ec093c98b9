"""Answers to a WS-Discovery probe: who answered, at which address of its own.

Whoever answers is a stranger: an address is believed only when it is the sender's own.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from adapters.onvif.documents import decode_document, find_local, local_name, parse_tree, text_of
from hub.domain.addresses import WEB_SCHEMES, parse_address
from hub.domain.errors import AddressRefused, ProtocolViolation

MAX_REPLY_BYTES = 16_384
MAX_MATCHES = 16
MAX_NAME = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A camera that answered; what it did not say is empty."""

    address: str
    name: str = ""
    hardware: str = ""
    endpoint_reference: str = ""


def parse_probe_matches(content: bytes, *, sender: str, asked: Iterable[str]) -> list[Found]:
    """Return the cameras in one answer.

    Args:
        content: The datagram.
        sender: The address it came from; only service addresses on it are believed.
        asked: The ids of our probes.

    Raises:
        ProtocolViolation: it is no answer to one of our probes.
    """
    if len(content) > MAX_REPLY_BYTES:
        msg = "an answer to discovery is too large"
        raise ProtocolViolation(msg)
    root = parse_tree(decode_document(content))
    if text_of(find_local(root, "RelatesTo")) not in set(asked):
        msg = "an answer to somebody else's discovery"
        raise ProtocolViolation(msg)
    found = []
    matches = [one for one in root.iter() if local_name(one.tag) == "ProbeMatch"]
    for match in matches[:MAX_MATCHES]:
        address = _own_address(text_of(find_local(match, "XAddrs")), sender)
        scopes = text_of(find_local(match, "Scopes")).split()
        if address:
            found.append(
                Found(
                    address=address,
                    name=scope_value(scopes, "name"),
                    hardware=scope_value(scopes, "hardware"),
                    endpoint_reference=text_of(find_local(match, "Address"))[:MAX_NAME],
                )
            )
    return found


def _own_address(text: str, sender: str) -> str:
    """Return the first service address on the sender itself; empty when there is none."""
    for candidate in text.split()[:8]:
        try:
            address = parse_address(candidate, schemes=WEB_SCHEMES)
        except AddressRefused:
            continue
        if address.host == sender or (_is_loopback(address.host) and _is_loopback(sender)):
            return address.text
    return ""


def _is_loopback(host: str) -> bool:
    """Return whether it is this machine, where one sender has many addresses (simulators)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def scope_value(scopes: Sequence[str], name: str) -> str:
    """Return the value of an onvif://www.onvif.org/name/value scope, without controls."""
    prefix = f"onvif://www.onvif.org/{name}/"
    value = next((one[len(prefix) :] for one in scopes if one.lower().startswith(prefix)), "")
    return "".join(c for c in unquote(value) if c.isprintable())[:MAX_NAME].strip()
