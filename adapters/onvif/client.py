"""SOAP to one camera: the only module that imports ``onvif`` and ``zeep``.

From onvif-zeep-async it takes the WSDL files, the forgiving time types, the WS-Security token
and the WS-Addressing rule; zeep builds requests and reads replies by the WSDL. Its ONVIFCamera
is not used: it never verifies TLS, waits 90 s and removes the process's proxy variables. Our
own transport beneath (``exchange.py``, ``documents.py``) adds what is missing. Everything that
can go wrong leaves as a DeviceError, through :func:`translate`.
"""

import asyncio
import contextlib
import functools
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.etree import ElementTree as ET

import aiohttp

from adapters.onvif.clocks import Stopwatch, parse_date_and_time
from adapters.onvif.documents import find_local
from adapters.onvif.exchange import Exchange, Reply
from adapters.onvif.masking import mask
from adapters.onvif.options import OnvifOptions
from adapters.onvif.references import device_address
from adapters.onvif.replies import accept_reply, read_lenient, read_tree, translate
from hub.domain.addresses import Address, AddressPolicy
from hub.domain.devices import Connection, Json
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceError,
    ProtocolViolation,
)
from hub.domain.ports import Clock


@contextlib.contextmanager
def _root_logger_untouched() -> Iterator[None]:
    """Undo ``logging.basicConfig``, which the library calls when it is imported."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


with _root_logger_untouched():
    import onvif  # type: ignore[import-untyped]  # ships no types
    import zeep
    from lxml import etree  # type: ignore[import-untyped]  # ships no types
    from onvif.client import UsernameDigestTokenDtDiff  # type: ignore[import-untyped]  # no types
    from onvif.transport import ASYNC_TRANSPORT  # type: ignore[import-untyped]  # no types
    from onvif.types import FastDateTime, ForgivingTime  # type: ignore[import-untyped]  # no types
    from onvif.wsa import WsAddressingIfMissingPlugin  # type: ignore[import-untyped]  # no types
    from zeep.helpers import serialize_object
    from zeep.wsdl import Document

# It logs a traceback for every value of a reply that is not of its type; cameras send many.
logging.getLogger("zeep.xsd").setLevel(logging.CRITICAL)

_WSDL_FOLDER = Path(onvif.__file__).parent / "wsdl"
_XSD = "http://www.w3.org/2001/XMLSchema"
_RAW_REPLIES = zeep.Settings(strict=False, raw_response=True)
_LARGE_REPLY = 64 * 1024  # characters; parsing more would hold up the event loop
_CLOCK = "GetSystemDateAndTime"
_CLOCK_TOLERANCE = timedelta(seconds=3)  # cameras allow 5 s and more
_CLOCK_TRIES = 3
_REPEATABLE = (aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError)

# service -> WSDL file and binding
_SERVICES = {name: (entry["wsdl"], f"{{{entry['ns']}}}{entry['binding']}")
             for name, entry in onvif.SERVICES.items()}  # fmt: skip
NAMESPACES = {
    name: str(onvif.SERVICES[name]["ns"]) for name in ("media", "ptz", "events", "search")
}
_CONCRETE = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
_TOPICS = "http://www.onvif.org/ver10/topics"

# What the library, the parsers and the network were seen to raise on odd replies.
FOREIGN_ERRORS = (
    aiohttp.ClientError,
    zeep.exceptions.Error,
    etree.LxmlError,
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


class _Wsdl(Document):
    """A WSDL document whose times forgive what cameras send."""

    def load(self, location: str) -> None:
        """Replace the time types, then load."""
        schema = self.types.documents.get_by_namespace(_XSD, False)[0]  # noqa: FBT003 - zeep's
        for forgiving, name in ((FastDateTime, "dateTime"), (ForgivingTime, "time")):
            schema.register_type(etree.QName(_XSD, name), forgiving(is_global=True))
        super().load(location)  # type: ignore[no-untyped-call]  # zeep is untyped


_wsdl_lock = threading.Lock()


@functools.cache
def _wsdl(name: str) -> Document:
    return _Wsdl(str(_WSDL_FOLDER / name), ASYNC_TRANSPORT, settings=zeep.Settings(strict=False))


def load_descriptions() -> None:
    """Load the WSDL files that a connection needs, once per process: 0.2 s and about 22 MB."""
    with _wsdl_lock:
        for name in ("devicemgmt.wsdl", "media.wsdl", "ptz.wsdl", "events.wsdl"):
            _wsdl(name)


def load_search_description() -> None:
    """Load the WSDL file of the search service, once per process: 0.1 s and about 6 MB."""
    with _wsdl_lock:
        _wsdl("search.wsdl")


def build_topic_filter(topics: str) -> dict[str, object]:
    """Build the filter that lets only these topics through ("tns1:A/B|tns1:C")."""
    name = etree.QName("http://docs.oasis-open.org/wsn/b-2", "TopicExpression")
    expression = etree.Element(name, nsmap={"tns1": _TOPICS}, Dialect=_CONCRETE)
    expression.text = topics
    return {"_value_1": [expression]}


class _Transport:
    """What zeep asks of a transport: send one envelope, hand back the raw reply."""

    def __init__(self, exchange: Exchange, *, is_repeatable: bool) -> None:
        self._exchange = exchange
        self._is_repeatable = is_repeatable

    async def post_xml(self, address: str, envelope: object, headers: Mapping[str, str]) -> Reply:
        """Send, and send once more when the kept connection turns out to be closed.

        Cameras close idle connections between requests; RFC 9112 §9.5 lets a client repeat
        requests that can be repeated.
        """
        body: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        try:
            return await self._exchange.post(address, body, headers)
        except _REPEATABLE:
            if not self._is_repeatable:
                raise
            return await self._exchange.post(address, body, headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    service: str
    operation: str
    at: Address | None
    parameters: Mapping[str, object]
    wait_s: float = 0.0
    is_anonymous: bool = False


class OnvifClient:
    """SOAP calls to one camera; an async context manager.

    ``clock_offset`` is the camera's clock minus ours; it goes into WS-Security time stamps.
    """

    def __init__(
        self, *, connection: Connection, options: OnvifOptions, policy: AddressPolicy, clock: Clock
    ) -> None:
        self.address = device_address(connection.address)
        self.clock_offset = timedelta()
        self._credentials = connection.credentials
        self._deadline_s = options.call_deadline_s
        self._clock = clock
        self._exchange = Exchange(
            credentials=connection.credentials, policy=policy, options=options
        )

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(load_descriptions)
        await self._exchange.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exchange.__aexit__(kind, error, trace)

    @property
    def peers(self) -> frozenset[str]:
        """The addresses the camera was reached at, resolved."""
        return self._exchange.peers

    async def measure_clock(self) -> timedelta | None:
        """Ask for the camera's time, without credentials first, and remember the offset.

        Returns None, and leaves the offset, when the camera's clock says nothing usable, or when
        ours is set again and again while it is asked.
        """
        is_anonymous = True
        for _ in range(_CLOCK_TRIES):
            watch = Stopwatch(self._clock)
            try:
                root = await self.call_tree("devicemgmt", _CLOCK, is_anonymous=is_anonymous)
            except AuthRejected:  # against the specification; older Axis, some Uniview
                if not is_anonymous:
                    raise
                is_anonymous = False
                continue
            now = parse_date_and_time(root)
            if now is None:
                return None
            middle = watch.middle()
            if middle is not None:
                self.clock_offset = now - middle
                return self.clock_offset
        return None

    async def call(
        self, service: str, operation: str, *, at: Address | None = None, **parameters: object
    ) -> Json:
        """Call an operation and return its reply, read by the WSDL, as nested dicts and lists.

        Raises:
            DeviceError: whatever went wrong, named for the reaction it asks for.
        """
        with self._translated(operation):
            request = _Request(service=service, operation=operation, at=at, parameters=parameters)
            text = await self._send(request)
            if len(text) > _LARGE_REPLY:
                return await asyncio.to_thread(_read_reply, service, operation, text)
            return _read_reply(service, operation, text)

    async def call_tree(
        self,
        service: str,
        operation: str,
        *,
        at: Address | None = None,
        headers: Sequence[ET.Element] = (),
        wait_s: float = 0.0,
        is_anonymous: bool = False,
        **parameters: object,
    ) -> ET.Element:
        """Call an operation and return the reply's envelope, read without the WSDL.

        ``headers`` are the reference parameters of a subscription; ``wait_s`` is how long the
        camera may think before it answers, on top of the deadline.
        """
        with self._translated(operation):
            parameters["_soapheaders"] = [etree.fromstring(ET.tostring(one)) for one in headers]
            request = _Request(
                service=service,
                operation=operation,
                at=at,
                wait_s=wait_s,
                is_anonymous=is_anonymous,
                parameters=parameters,
            )
            text = await self._send(request)
            root = read_tree(text)
            if find_local(root, f"{operation}Response") is None:
                msg = f"{operation}: the answer is to something else"
                raise ProtocolViolation(msg, evidence=text[:2048].encode())
            return root

    def mask(self, content: bytes) -> bytes:
        """Return what a camera sent without our credentials, should it echo them."""
        return mask(content, self._credentials.password)

    async def _send(self, request: _Request) -> str:
        """Send a request, once more if it was refused because a clock was set meanwhile."""
        try:
            return await self._send_once(request)
        except AuthRejected:
            if request.is_anonymous or request.operation == _CLOCK:
                raise
            before = self.clock_offset
            await self.measure_clock()
            if abs(self.clock_offset - before) < _CLOCK_TOLERANCE:
                raise
        return await self._send_once(request)

    async def _send_once(self, request: _Request) -> str:
        """Send a request; return the body of a reply that is no fault."""
        binding = _binding(request.service)
        client = zeep.AsyncClient(  # type: ignore[no-untyped-call]  # zeep is untyped
            binding.wsdl,
            wsse=None if request.is_anonymous else self._token(),
            transport=_Transport(
                self._exchange, is_repeatable=request.operation != "CreatePullPointSubscription"
            ),
            plugins=[WsAddressingIfMissingPlugin()],
            settings=_RAW_REPLIES,
        )
        options = {"address": (request.at or self.address).text}
        async with asyncio.timeout(self._deadline_s + request.wait_s):
            reply = await binding.send_async(
                client, options, request.operation, (), dict(request.parameters)
            )
        return accept_reply(
            reply, doing=request.operation, is_device=request.service == "devicemgmt"
        )

    def _token(self) -> UsernameDigestTokenDtDiff | None:
        """Return a WS-Security UsernameToken for now, by the camera's clock."""
        if not self._credentials.username:
            return None
        return UsernameDigestTokenDtDiff(
            self._credentials.username,
            self._credentials.password.reveal(),
            dt_diff=self.clock_offset,
            created=self._clock(),
            use_digest=True,
        )

    @contextlib.contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Let nothing but masked DeviceErrors out."""
        try:
            yield
        except DeviceError as error:
            raise self._masked(error) from None
        except FOREIGN_ERRORS as error:
            translated = translate(error, doing=doing)
            raise self._masked(translated) from error

    def _masked(self, error: DeviceError) -> DeviceError:
        text = self.mask(str(error).encode()).decode(errors="replace")
        if isinstance(error, ProtocolViolation):
            return ProtocolViolation(text, evidence=self.mask(error.evidence))
        return AddressRefused(text) if isinstance(error, AddressRefused) else type(error)(text)


def _binding(service: str) -> Any:
    file, name = _SERVICES[service]
    return _wsdl(file).bindings[name]


def _read_reply(service: str, operation: str, text: str) -> Json:
    """Read a reply by the WSDL."""
    reply = _binding(service).get(operation).process_reply(read_lenient(text))
    answer: Json = serialize_object(reply, dict)  # type: ignore[no-untyped-call]  # untyped
    return answer
