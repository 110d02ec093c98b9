"""Faults, statuses and foreign exceptions, each named for the reaction it asks for."""

import aiohttp
import pytest

from adapters.onvif.exchange import RefusedEndpoint, Reply
from adapters.onvif.faults import Fault, build_error, parse_fault
from adapters.onvif.replies import accept_reply, read_tree, translate
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)

SOAP_12 = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code>'
    "<s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:{code}</s:Value></s:Subcode></s:Code>"
    "<s:Reason><s:Text xml:lang='en'>{reason}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"
)
SOAP_11 = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
    "<faultcode>s:Client</faultcode><faultstring>{reason}</faultstring></s:Fault></s:Body>"
    "</s:Envelope>"
)


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        ("NotAuthorized", "Sender not Authorized", AuthRejected),
        ("NotAuthorized", "", AuthRejected),
        ("InvalidArgVal", "Authority failure", AuthRejected),  # wording of older Hikvision
        ("ActionNotSupported", "x", UnsupportedByDevice),
        ("Action", "Optional Action Not Implemented", UnsupportedByDevice),
        ("OutofMemory", "x", DeviceBusy),
        ("Action", "too many subscriptions", DeviceBusy),
        ("InvalidArgVal", "No such profile", ProtocolViolation),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_asks_for_a_reaction(
    code: str, reason: str, kind: type[DeviceError], status: int
) -> None:
    content = SOAP_12.format(code=code, reason=reason).encode()
    with pytest.raises(kind) as caught:
        accept_reply(Reply(status=status, content=content), doing="GetProfiles", is_device=False)
    assert "GetProfiles" in str(caught.value)


def test_soap_11_faults_are_read_too() -> None:
    fault = parse_fault(read_tree(SOAP_11.format(reason="Not Authorized")))
    assert fault == Fault(codes=("client",), reason="Not Authorized")
    assert isinstance(build_error(fault, doing="x", evidence=b""), AuthRejected)


def test_a_fault_that_is_only_mentioned_is_none() -> None:
    text = '<s:Envelope xmlns:s="x"><s:Body><a>Fault</a></s:Body></s:Envelope>'
    assert accept_reply(Reply(status=200, content=text.encode()), doing="x", is_device=True) == text


@pytest.mark.parametrize(
    ("status", "service", "kind"),
    [
        (401, "device", AuthRejected),
        (403, "device", AuthRejected),
        (404, "device", ProtocolViolation),  # no ONVIF at that path, perhaps not yet
        (404, "media", UnsupportedByDevice),
        (302, "device", ProtocolViolation),
        (503, "device", DeviceBusy),
        (429, "media", DeviceBusy),
        (500, "device", ProtocolViolation),
    ],
)
def test_a_status_asks_for_a_reaction(status: int, service: str, kind: type[DeviceError]) -> None:
    with pytest.raises(kind):
        accept_reply(
            Reply(status=status, content=b"<html/>"), doing="x", is_device=service == "device"
        )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), DeviceUnreachable),
        (ConnectionResetError(104, "reset"), DeviceUnreachable),
        (aiohttp.ServerDisconnectedError(), DeviceUnreachable),
        (aiohttp.ClientPayloadError("cut"), DeviceUnreachable),
        (AttributeError("'NoneType' object has no attribute 'find'"), ProtocolViolation),
        (IndexError("list index out of range"), ProtocolViolation),
        (RecursionError(), ProtocolViolation),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "odd"), ProtocolViolation),
    ],
)
def test_foreign_exceptions_are_translated(error: Exception, kind: type[DeviceError]) -> None:
    translated = translate(error, doing="GetProfiles")
    assert type(translated) is kind
    assert str(translated).startswith("GetProfiles: ")


def test_a_refused_endpoint_is_an_os_error_for_the_connector() -> None:
    refused = RefusedEndpoint("10.0.0.1 is not in a network that the settings allow")
    assert isinstance(refused, OSError)
    assert isinstance(refused, AddressRefused)
    assert "10.0.0.1" in refused.reason
    assert str(refused) == str(RefusedEndpoint("10.0.0.2 is one of this hub's own services"))
