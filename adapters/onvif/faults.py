"""SOAP faults (SOAP 1.1 §4.4, SOAP 1.2 part 1 §5.4) and what each asks of us."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from adapters.onvif.documents import find_local, local_name, text_of
from hub.domain.errors import (
    AuthRejected,
    DeviceBusy,
    DeviceError,
    ProtocolViolation,
    UnsupportedByDevice,
)

# ONVIF Core Specification §5.8.2.3, generic faults, and what cameras send in their place.
_AUTH_CODES = frozenset({"notauthorized", "failedauthentication", "invalidsecurity"})
_AUTH_WORDS = ("not authorized", "unauthorized", "authentication", "authority failure")
_UNSUPPORTED_CODES = frozenset(
    {"actionnotsupported", "optionalactionnotimplemented", "notsupported", "unknownaction"}
)
_UNSUPPORTED_WORDS = ("not implemented", "not supported", "unknown action", "no such operation")
_BUSY_CODES = frozenset(
    {"outofmemory", "criticalerror", "maxnotificationproducers", "subscribecreationfailedfault"}
)
_BUSY_WORDS = ("too many", "maximum number", "out of memory", "resource", "busy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault as the device sent it; ``codes`` are local names in lower case."""

    codes: tuple[str, ...]
    reason: str


def parse_fault(root: ET.Element) -> Fault | None:
    """Return the fault in an envelope's body, or None when there is none."""
    body = next((child for child in root if local_name(child.tag) == "Body"), None)
    fault = None if body is None else next((f for f in body if local_name(f.tag) == "Fault"), None)
    if fault is None:
        return None
    codes = [
        text_of(element).rpartition(":")[2].lower()
        for element in fault.iter()
        if local_name(element.tag) in {"Value", "faultcode"}
    ]
    # WS-BaseNotification names its faults by the element inside the detail.
    detail = find_local(fault, "Detail")
    codes += [local_name(child.tag).lower() for child in (detail if detail is not None else ())]
    reason = text_of(find_local(fault, "Text")) or text_of(find_local(fault, "faultstring"))
    return Fault(codes=tuple(codes), reason=" ".join(reason.split())[:200])


def build_error(fault: Fault, *, doing: str, evidence: bytes) -> DeviceError:
    """Build the error that names the reaction a fault asks for."""
    said = fault.reason or ", ".join(fault.codes) or "no reason given"
    msg = f"{doing}: the camera refused ({said})"
    codes, words = set(fault.codes), fault.reason.lower()
    if codes & _AUTH_CODES or any(word in words for word in _AUTH_WORDS):
        return AuthRejected(f"{doing}: the camera refuses the user name or password ({said})")
    if codes & _UNSUPPORTED_CODES or any(word in words for word in _UNSUPPORTED_WORDS):
        return UnsupportedByDevice(msg)
    if codes & _BUSY_CODES or any(word in words for word in _BUSY_WORDS):
        return DeviceBusy(msg)
    return ProtocolViolation(msg, evidence=evidence)
