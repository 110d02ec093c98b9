"""An RTSP client over TCP interleaved: describe, set up, play, receive (RFC 2326).

It raises DeviceErrors only, follows no redirect (a hostile camera would choose where to), and
retries nothing but a request whose nonce was stale. The trace tells how far it came.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from hub.domain.addresses import Address, AddressPolicy
from hub.domain.errors import (
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.health import Layer
from hub.domain.secrets import Credentials
from streams.authentication import (
    Challenge,
    build_authorization,
    choose_challenge,
    parse_challenges,
)
from streams.network import OutOfTime, Trace, build_timeout, connect, translate
from streams.rtsp.connection import RtspConnection
from streams.rtsp.messages import Packet, Response, build_request
from streams.rtsp.sdp import Description, Media, parse_sdp
from streams.urls import redact

MAX_ATTEMPTS = 3  # of one request: without password, with it, once more for a stale nonce
DEFAULT_SESSION_S = 60.0  # RFC 2326 section 12.37
SHORTEST_KEEP_S = 1.0
KEEP_SHARE = 0.4  # of the time after which a camera forgets a session
MAX_UNRELATED_ITEMS = 2_000  # packets and late replies skipped while waiting for one reply

_INTERLEAVED = re.compile(r"interleaved=(\d{1,3})")
_KEPT = re.compile(r";\s*timeout\s*=\s*(\d{1,5})")
_SESSION = re.compile(r"[!-:<-~]{1,128}")  # printable, up to the first semicolon


class Patience:
    """How long a camera is waited for; whoever watches for long renews it as pictures come."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.limit = asyncio.timeout(seconds)

    def renew(self, seconds: float) -> None:
        """Wait so long from now on."""
        self.seconds = seconds
        self.limit.reschedule(asyncio.get_running_loop().time() + seconds)


class RtspClient:
    """One connection to one camera; made by :func:`open_rtsp`."""

    def __init__(
        self,
        address: Address,
        credentials: Credentials,
        connection: RtspConnection,
        *,
        trace: Trace,
        patience: "Patience",
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._trace = trace
        self._connection = connection
        self._sequence = 0
        self._session = ""
        self._channel = 0
        self._requires: tuple[tuple[str, str], ...] = ()
        self._challenge: Challenge | None = None
        self._nonce_count = 0
        self._is_proven = False  # the camera has accepted our credentials on this connection
        self._base = address.text
        self._keeps_s = DEFAULT_SESSION_S
        self.patience = patience

    async def options(self) -> frozenset[str]:
        """Return the methods the camera says it knows."""
        response = await self._request("OPTIONS", self._address.text)
        _expect_success(response)
        return frozenset(part.strip().upper() for part in response.header("public").split(","))

    async def answers(self) -> None:
        """Wait for any answer at all; no credentials are sent, whatever it asks for."""
        self._send("OPTIONS", self._address.text, ())
        response = await self._reply()
        self._trace.note(f"OPTIONS: {response.status}")

    async def describe(self, *, requires: str = "") -> Description:
        """Ask which streams there are; ``requires`` is an extension without which they make none.

        Raises:
            UnsupportedByDevice: the camera does not know the extension.
        """
        self._requires = (("Require", requires),) if requires else ()
        response = await self._request(
            "DESCRIBE", self._address.text, ("Accept", "application/sdp"), *self._requires
        )
        self._trace.layer = Layer.STREAM
        _expect_success(response)
        description = parse_sdp(response.body)
        base = response.header("content-base") or response.header("content-location")
        if base.lower().startswith(("rtsp://", "rtsps://")):
            self._base = base
        self._trace.note(f"described {len(description.media)} streams")
        return description

    async def play(self, description: Description, media: Media) -> None:
        """Set one stream up on the interleaved channel and start it."""
        self._channel = await self.set_up(media)
        await self.start(description)

    async def set_up(self, media: Media, *, first: int = 0) -> int:
        """Set a stream up and return its interleaved channel; ``first`` is the one wished for."""
        transport = f"RTP/AVP/TCP;unicast;interleaved={first}-{first + 1}"
        url = join_control(self._base, media.control)
        response = await self._request("SETUP", url, ("Transport", transport), *self._requires)
        _expect_success(response)
        if "tcp" not in response.header("transport").lower():
            msg = "the camera does not send this stream over TCP"
            raise UnsupportedByDevice(msg)
        chosen = _INTERLEAVED.search(response.header("transport").lower())
        session = _SESSION.match(response.header("session"))
        if session is None:
            msg = "the camera set the stream up without a session"
            raise ProtocolViolation(msg)
        self._session = session.group()
        kept = _KEPT.search(response.header("session"))
        self._keeps_s = float(kept.group(1)) if kept else DEFAULT_SESSION_S
        return int(chosen.group(1)) if chosen else first  # cameras may choose another

    async def start(self, description: Description) -> None:
        """Start all that was set up."""
        whole = join_control(self._base, description.control)
        _expect_success(
            await self._request("PLAY", whole, ("Range", "npt=0.000-"), *self._requires)
        )
        self._trace.layer = Layer.FRAMES
        self._trace.note("playing")

    def listen_to(self, channel: int) -> None:
        """Whose packets :meth:`packets` and :meth:`bursts` yield; -1 for none."""
        self._channel = channel

    def send_packet(self, channel: int, packet: bytes) -> None:
        """Send an RTP packet to the camera; raises a DeviceError when it is gone."""
        self._connection.send(b"$%c%b%b" % (channel, len(packet).to_bytes(2, "big"), packet))

    async def packets(self) -> AsyncGenerator[bytes, None]:
        """Yield the RTP packets of the stream that plays, until the connection ends."""
        while True:
            item = await self._connection.next_item()
            if isinstance(item, Packet) and item.channel == self._channel:
                yield item.data

    async def bursts(self) -> AsyncGenerator[list[bytes], None]:
        """Yield the RTP packets of the stream that plays, all that are there at a time.

        For whoever watches for long: the session is kept alive at the camera meanwhile.
        """
        loop = asyncio.get_running_loop()
        every_s = max(SHORTEST_KEEP_S, self._keeps_s * KEEP_SHARE)
        due, refusals = loop.time() + every_s, 0
        while True:
            found = await self._connection.next_burst(self._channel)
            if isinstance(found, list):
                yield found
            elif isinstance(found, Response) and self._is_ours(found):
                refusals = self._hear(found, refusals)
            if loop.time() >= due:
                due = loop.time() + every_s
                self._send("OPTIONS", self._base, ())

    def _hear(self, response: Response, refusals: int) -> int:
        """Take the answer to a sign of life; returns how often in a row it was refused."""
        if response.status == 454:
            msg = "the camera has ended the session"
            raise DeviceUnreachable(msg)
        if response.status != 401:
            return 0
        if refusals >= MAX_ATTEMPTS:
            msg = "the camera refuses the user name or the password by now"
            raise AuthRejected(msg)
        self._accept_challenge(response)  # the nonce is too old
        self._send("OPTIONS", self._base, ())
        return refusals + 1

    def teardown(self) -> None:
        """Tell the camera that the session is over, without waiting for its answer."""
        if self._session:
            with suppress(DeviceError):  # it is gone already
                self._send("TEARDOWN", self._base, ())

    async def _request(self, method: str, url: str, *headers: tuple[str, str]) -> Response:
        """Send a request, with credentials when the camera asks for them."""
        for _ in range(MAX_ATTEMPTS):
            had_credentials = self._challenge is not None
            self._send(method, url, headers)
            response = await self._reply()
            if response.status != 200:
                response = replace(response, reason=redact(response.reason, self._credentials))
            reason = "OK" if response.status == 200 else response.reason
            self._trace.note(f"{method}: {response.status} {reason}")
            if response.status != 401:
                self._is_proven = had_credentials
                return response
            self._trace.layer = max(self._trace.layer, Layer.CREDENTIALS, key=_LAYERS.index)
            challenge = self._accept_challenge(response)
            # A camera may ask anew for every request without saying that the nonce was stale.
            if had_credentials and not (challenge.is_stale or self._is_proven):
                break
            self._is_proven = False
        msg = "the camera refuses the user name or the password"
        raise AuthRejected(msg)

    def _accept_challenge(self, response: Response) -> Challenge:
        if not self._credentials.username and not self._credentials.password:
            msg = "the camera asks for a user name and a password, and none is stored"
            raise AuthRejected(msg)
        challenge = choose_challenge(parse_challenges(response.all_of("www-authenticate")))
        self._challenge = challenge
        self._nonce_count = 0
        return challenge

    def _send(self, method: str, url: str, headers: tuple[tuple[str, str], ...]) -> None:
        self._sequence += 1
        all_headers = list(headers)
        if self._session:
            all_headers.append(("Session", self._session))
        if self._challenge is not None:
            self._nonce_count += 1
            value = build_authorization(
                self._challenge,
                self._credentials,
                method=method,
                uri=url,
                nonce_use=(secrets.token_hex(8), self._nonce_count),
            )
            all_headers.append(("Authorization", value))
        self._connection.send(
            build_request(method, url, sequence=self._sequence, headers=all_headers)
        )

    async def _reply(self) -> Response:
        """Return the reply to the last request; late replies and packets are skipped."""
        for _ in range(MAX_UNRELATED_ITEMS):
            item = await self._connection.next_item()
            if isinstance(item, Response) and self._is_ours(item):
                return item
        msg = "the camera sends anything but the reply that it owes"
        raise ProtocolViolation(msg)

    def _is_ours(self, response: Response) -> bool:
        sequence = response.header("cseq")
        return not sequence or sequence.lstrip("0") == str(self._sequence)  # some send none


_LAYERS = list(Layer)


@asynccontextmanager
async def open_rtsp(
    address: Address,
    credentials: Credentials,
    *,
    timeout_s: float,
    policy: AddressPolicy,
    trace: Trace,
) -> AsyncIterator[RtspClient]:
    """Connect, and bound all that is done within the block by ``timeout_s``.

    Raises:
        DeviceError: and nothing else, for whatever the camera does, also out of the block.
    """
    connection: RtspConnection | None = None
    patience = Patience(timeout_s)
    try:
        async with patience.limit:
            connection = await connect(address, policy, _factory(address), trace)
            client = RtspClient(address, credentials, connection, trace=trace, patience=patience)
            yield client
            client.teardown()
    except TimeoutError:
        raise _timeout_error(connection, trace, patience.seconds) from None
    except ProtocolViolation as error:
        evidence = redact(error.evidence.decode("utf-8", "replace"), credentials)
        raise ProtocolViolation(str(error), evidence=evidence.encode("utf-8")) from None
    finally:
        if connection is not None:
            connection.close()


def join_control(base: str, control: str) -> str:
    """Return the URL a control attribute means (RFC 2326 appendix C.1.1).

    Relative ones are appended, not resolved: cameras with a query in their address expect
    ``rtsp://host/path?query/trackID=1``.
    """
    if not control or control == "*":
        return base
    if control.lower().startswith(("rtsp://", "rtsps://")):
        return control
    return base.rstrip("/") + "/" + control.lstrip("/")


def _factory(address: Address) -> Callable[[], RtspConnection]:
    return lambda: RtspConnection(lambda error: translate(error, address.host, address.port))


def _timeout_error(
    connection: RtspConnection | None, trace: Trace, timeout_s: float
) -> DeviceError:
    if trace.layer is Layer.FRAMES:
        return OutOfTime(f"it plays, and what was waited for did not come in {timeout_s:g} s")
    return build_timeout(
        timeout_s,
        is_connected=trace.layer is not Layer.NETWORK,
        has_answered=connection is not None and connection.bytes_received > 0,
    )


def _expect_success(response: Response) -> None:
    """Raise the DeviceError a status asks for."""
    status = response.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        msg = "the camera redirects elsewhere, which is not followed: correct its address"
        raise UnsupportedByDevice(msg)
    kind, meaning = _STATUSES.get(status, (_kind_of(status), response.reason))
    msg = f"the camera answers {status}: {meaning}"
    raise kind(msg)


_STATUSES: dict[int, tuple[type[DeviceError], str]] = {
    400: (ProtocolViolation, "it finds the request malformed"),
    403: (AuthRejected, "this user may not see the stream"),
    404: (UnsupportedByDevice, "it knows no stream under this address"),
    453: (DeviceBusy, "too many viewers"),
    501: (UnsupportedByDevice, "it does not know this request"),
    503: (DeviceBusy, "too many viewers, or it is starting up"),
    505: (UnsupportedByDevice, "it does not know this version of RTSP"),
    551: (UnsupportedByDevice, "it does not know this extension"),
}


def _kind_of(status: int) -> type[DeviceError]:
    """A fault inside the camera passes; a refusal stays one."""
    return DeviceBusy if status >= 500 else UnsupportedByDevice
