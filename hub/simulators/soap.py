"""SOAP 1.2 as cameras speak it: requests parsed without entities, replies and faults built.

The only module that knows lxml. Replies are built as text; everything that is not already
``Xml`` is escaped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no type hints

NAMESPACES = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wstop": "http://docs.oasis-open.org/wsn/t-1",
    "wsrfr": "http://docs.oasis-open.org/wsrf/r-2",
    "d": "http://schemas.xmlsoap.org/ws/2005/04/discovery",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "dn": "http://www.onvif.org/ver10/network/wsdl",
    "tt": "http://www.onvif.org/ver10/schema",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tse": "http://www.onvif.org/ver10/search/wsdl",
    "ter": "http://www.onvif.org/ver10/error",
    "tns1": "http://www.onvif.org/ver10/topics",
    "xs": "http://www.w3.org/2001/XMLSchema",
}
_PREFIXES = {uri: prefix for prefix, uri in NAMESPACES.items()}
MAX_DEPTH = 24  # elements within each other in the body; the deepest request has six
_DECLARATIONS = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())


class Xml(str):
    """Text that is XML already."""

    __slots__ = ()


class BadSoap(Exception):
    """What arrived is no SOAP request."""


class SoapFault(Exception):
    """A fault to send back: ``code`` is ``Sender`` or ``Receiver``, then ONVIF's subcodes."""

    def __init__(
        self, *, reason: str, subcodes: Sequence[str], code: str = "Sender", status: int = 400
    ) -> None:
        super().__init__(reason)
        self.subcodes, self.reason, self.code, self.status = subcodes, reason, code, status


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A SOAP request: ``action`` is the body's first element as ``prefix:Name``.

    ``values`` holds the first text found for each element name, path-like from the body's
    element down ("ProfileToken", "StreamSetup/Transport/Protocol"), ``header`` the same for
    the header's blocks, from the block down ("UsernameToken/Username").
    """

    action: str
    values: Mapping[str, str]
    header: Mapping[str, str]


def parse_request(data: bytes) -> Request:
    """Parse an envelope.

    Raises:
        BadSoap: not XML, a document type declaration, not a SOAP envelope, or nested too deeply.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        msg = "not well-formed XML"
        raise BadSoap(msg) from error
    if root.getroottree().docinfo.doctype:
        msg = "document type declarations are refused"
        raise BadSoap(msg)
    body = root.find("{*}Body")
    first = next((e for e in body if isinstance(e.tag, str)), None) if body is not None else None
    if first is None:
        msg = "no operation in the body"
        raise BadSoap(msg)
    name = etree.QName(first)
    prefix = _PREFIXES.get(name.namespace or "", "?")
    header = root.find("{*}Header")
    return Request(
        action=f"{prefix}:{name.localname}",
        values=_collect(first, {}),
        header={} if header is None else _collect(header, {}),
    )


def _collect(
    element: object, found: dict[str, str], path: str = "", depth: int = 0
) -> dict[str, str]:
    """Collect texts by path; of repeated paths the first wins."""
    if depth > MAX_DEPTH:
        msg = "elements are nested too deeply"
        raise BadSoap(msg)
    for child in element:  # type: ignore[attr-defined]  # an lxml element
        if not isinstance(child.tag, str):
            continue
        name = etree.QName(child).localname
        here = f"{path}/{name}" if path and path != "Security" else name
        found.setdefault(here, (child.text or "").strip())
        for attribute, value in child.attrib.items():
            found.setdefault(f"{here}@{etree.QName(attribute).localname}", str(value))
        _collect(child, found, here, depth + 1)
    return found


def el(name: str, *content: str, attributes: Mapping[str, str] | None = None) -> Xml:
    """Build one element; content that is not ``Xml`` is escaped."""
    inner = "".join(c if isinstance(c, Xml) else escape(c) for c in content)
    given = "".join(f" {k}={quoteattr(v)}" for k, v in (attributes or {}).items())
    return Xml(f"<{name}{given}>{inner}</{name}>" if inner else f"<{name}{given}/>")


def build_envelope(body: Xml, *, header: Xml | None = None) -> bytes:
    """Build a whole message."""
    parts = el("env:Header", header) if header else ""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<env:Envelope{_DECLARATIONS}>{parts}{el('env:Body', body)}</env:Envelope>"
    )
    return text.encode()


def build_fault(fault: SoapFault) -> bytes:
    """Build the reply that reports a fault, subcodes nested as ONVIF core section 5.8.2 asks."""
    subcode = Xml("")
    for value in reversed(fault.subcodes):
        subcode = el("env:Subcode", el("env:Value", value), subcode)
    return build_envelope(
        el(
            "env:Fault",
            el("env:Code", el("env:Value", f"env:{fault.code}"), subcode),
            el("env:Reason", el("env:Text", fault.reason, attributes={"xml:lang": "en"})),
        )
    )
