"""MediaMTX through its API (v3): streams under names that nobody can guess, for one viewer each.

The address of a camera and its password go into MediaMTX's API as JSON, and nowhere else; the
camera's host is resolved here, so that the address policy holds for MediaMTX too. What MediaMTX
answers is bounded and never shown to anybody as it is.
"""

import json
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from hub.domain.addresses import AddressPolicy, parse_address
from hub.domain.devices import Json
from hub.domain.errors import (
    DeviceError,
    DeviceUnreachable,
    NotFound,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.live_video import MediaFile
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials
from streams.describe import RTSP_SCHEMES
from streams.network import resolve
from streams.urls import build_stream_url

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 15.0  # a playlist of LL-HLS is answered when its next part is there
MOST_FILE_BYTES: Final = 16 * 1024 * 1024
MOST_SDP_BYTES: Final = 64 * 1024
START_TIMEOUT: Final = "10s"
CLOSE_AFTER: Final = "5s"
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}\Z")
_QUERY: Final = frozenset({"_HLS_msn", "_HLS_part", "_HLS_skip"})
_NUMBER = re.compile(r"[0-9]{1,12}\Z|YES\Z|v2\Z")
_TYPES: Final = {
    "m3u8": "application/vnd.apple.mpegurl",
    "mp4": "video/mp4",
    "m4s": "video/iso.segment",
}
_NO_REDIRECT: Final = False
MOST_READERS: Final = 4  # of one viewer's name: he may reload


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """What is sent, and as what."""

    data: bytes = field(repr=False)
    content_type: str


def _json(**values: str | bool | int) -> _Body:
    """One JSON object; each value is one scalar, whatever characters it holds."""
    return _Body(data=json.dumps(values).encode(), content_type="application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaMtxOptions:
    """Where MediaMTX is: its API, its WebRTC and its HLS, and the user the hub is there."""

    api: str
    webrtc: str
    hls: str
    credentials: Credentials = field(default_factory=Credentials)


class MediaMtx:
    """One MediaMTX (:class:`hub.domain.live_video.MediaServer`).

    ``client`` may connect to it, which the policy for cameras need not allow.
    """

    def __init__(
        self, options: MediaMtxOptions, *, client: aiohttp.ClientSession, policy: AddressPolicy
    ) -> None:
        self._options, self._client, self._policy = options, client, policy
        given = options.credentials
        self._auth = (
            aiohttp.encode_basic_auth(given.username, given.password.reveal(), encoding="utf-8")
            if given.username
            else ""
        )

    async def open(self, target: CameraTarget) -> str:
        """Make a stream readable under a new name; nothing is pulled until somebody reads it."""
        if target.masks:
            msg = "this camera has privacy masks: its stream is shown to nobody"
            raise UnsupportedByDevice(msg)
        address = parse_address(target.stream_address, schemes=RTSP_SCHEMES)
        # A certificate is the name's: there MediaMTX resolves it again.
        ip = (await resolve(address, self._policy))[0]
        host = ip if address.scheme == "rtsp" else ""
        name = f"gengfu-{secrets.token_hex(16)}"
        await self._ask(
            "POST",
            f"{self._options.api}/v3/config/paths/add/{name}",
            _json(
                source=build_stream_url(address, target.credentials, host=host),
                sourceOnDemand=True,
                sourceOnDemandStartTimeout=START_TIMEOUT,
                sourceOnDemandCloseAfter=CLOSE_AFTER,
                rtspTransport="tcp",
                maxReaders=MOST_READERS,
                record=False,
            ),
        )
        return name

    async def offer(self, name: str, offer: str) -> str:
        """Send the stream by WebRTC (WHEP); returns the answer to an offer."""
        try:
            answer = await self._ask(
                "POST",
                f"{self._options.webrtc}/{name}/whep",
                _Body(data=offer.encode(), content_type="application/sdp"),
            )
        except NotFound as error:
            raise DeviceUnreachable(str(error)) from None
        text = answer.decode("utf-8", "replace")
        if not text.startswith("v=0"):
            msg = "the media server answers no SDP"
            raise ProtocolViolation(msg)
        return text

    async def fetch(self, name: str, file: str, query: Mapping[str, str]) -> MediaFile:
        """Return a file of the stream's LL-HLS."""
        kind = _TYPES.get(file.rpartition(".")[2])
        if kind is None or not _FILE.match(file):
            msg = "there is no such file of a stream"
            raise NotFound(msg)
        asked = {
            key: value for key, value in query.items() if key in _QUERY and _NUMBER.match(value)
        }
        address = f"{self._options.hls}/{name}/{file}"
        data = await self._ask("GET", address, query=asked, most=MOST_FILE_BYTES)
        return MediaFile(content_type=kind, data=data)

    async def count_readers(self, name: str) -> int:
        """How many receive the stream now."""
        text = await self._ask(
            "GET", f"{self._options.api}/v3/paths/get/{name}", most=MOST_FILE_BYTES
        )
        try:
            body: Json = json.loads(text)
        except (ValueError, RecursionError):
            body = None
        readers = body.get("readers") if isinstance(body, Mapping) else None
        return len(readers) if isinstance(readers, list) else 0

    async def close(self, name: str) -> None:
        """Remove the name: whoever reads under it is cut off."""
        try:
            await self._ask("DELETE", f"{self._options.api}/v3/config/paths/delete/{name}")
        except (DeviceError, NotFound) as error:
            log.warning("the media server keeps a stream that it should end: %s", error)

    async def _ask(
        self,
        method: str,
        address: str,
        body: "_Body | None" = None,
        *,
        query: Mapping[str, str] | None = None,
        most: int = MOST_SDP_BYTES,
    ) -> bytes:
        """Ask, and return what was answered.

        Raises:
            NotFound: there is no such thing.
            DeviceError: it does not answer, or not as it should.
        """
        headers = {"Authorization": self._auth} if self._auth else {}
        if body is not None:
            headers["Content-Type"] = body.content_type
        try:
            async with self._client.request(
                method,
                address,
                data=None if body is None else body.data,
                params=query,
                headers=headers,
                allow_redirects=_NO_REDIRECT,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            ) as response:
                _expect(response.status)
                return await _read(response, most)
        except TimeoutError:
            msg = f"the media server does not answer within {TIMEOUT_S:g} s"
            raise DeviceUnreachable(msg) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Its text would hold addresses with names in them.
            msg = f"the media server does not answer as it should ({type(error).__name__})"
            raise DeviceUnreachable(msg) from None


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        data += chunk
        if len(data) > most:
            msg = f"the media server answers more than {most} bytes"
            raise ProtocolViolation(msg)
    return bytes(data)


def _expect(status: int) -> None:
    if 200 <= status < 300:
        return
    if status == 404:
        msg = "the media server has no such stream, or the camera behind it does not answer"
        raise NotFound(msg)
    what = {
        400: "refuses what it was asked",
        401: "refuses the hub's user or password: see [live] in the settings",
        403: "refuses the hub's user or password: see [live] in the settings",
    }.get(status, "could not do it")
    msg = f"the media server {what} ({status})"
    raise ProtocolViolation(msg)
