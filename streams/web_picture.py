"""Fetch a picture from a web address, with Basic or Digest authentication, within size limits.

Nothing is decoded. What aiohttp raises is translated here and nowhere else.
"""

import secrets

import aiohttp

from hub.domain.addresses import Address
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.health import Layer
from hub.domain.secrets import Credentials
from streams.authentication import build_authorization, choose_challenge, parse_challenges
from streams.jpeg import MAX_JPEG_BYTES
from streams.network import Trace, translate

CHUNK_BYTES = 64 * 1024
MAX_REDIRECTS = 3
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None)  # the caller's limit holds


async def fetch_jpeg(
    address: Address, credentials: Credentials, *, client: aiohttp.ClientSession, trace: Trace
) -> bytes:
    """Return what a snapshot address answers, at most MAX_JPEG_BYTES; the caller sets a limit.

    ``client`` enforces the address policy on every connection it opens, redirects included.

    Raises:
        DeviceError: the camera gives no picture; ``trace`` holds the layer that failed.
    """
    try:
        return await _get(address, credentials, client, trace)
    except TimeoutError:
        raise
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _translate_http(error, address) from None


async def _get(
    address: Address, credentials: Credentials, client: aiohttp.ClientSession, trace: Trace
) -> bytes:
    """GET with credentials when asked for them, which are sent to the camera's origin only."""
    headers = {"Accept": "image/jpeg", "Accept-Encoding": "identity"}
    for _ in range(3):  # without password, with it, once more for a stale nonce
        async with client.get(
            address.text, headers=headers, max_redirects=MAX_REDIRECTS, timeout=_NO_TIMEOUT
        ) as response:
            trace.layer = Layer.PROTOCOL
            if response.status != 401:
                _expect_picture(response)
                trace.layer = Layer.FRAMES
                return await _read_bounded(response)
            trace.layer = Layer.CREDENTIALS
            challenge = choose_challenge(
                parse_challenges(response.headers.getall("WWW-Authenticate", []))
            )
            has_answered = "Authorization" in headers
            is_foreign = any(
                step.url.origin() != response.url.origin() for step in response.history
            )
            if is_foreign or (has_answered and not challenge.is_stale):
                break
            if not credentials.username and not credentials.password:
                break
            headers["Authorization"] = build_authorization(
                challenge,
                credentials,
                method="GET",
                uri=response.url.raw_path_qs,
                nonce_use=(secrets.token_hex(8), 1),
            )
    msg = "the camera refuses the user name or the password for its snapshot address"
    raise AuthRejected(msg)


def _expect_picture(response: aiohttp.ClientResponse) -> None:
    if response.status == 403:
        msg = "the camera forbids this user to fetch pictures"
        raise AuthRejected(msg)
    if response.status >= 500:
        msg = f"the snapshot address answers {response.status}: busy, or a fault inside the camera"
        raise DeviceBusy(msg)
    if response.status != 200:
        msg = f"the snapshot address answers {response.status}"
        raise UnsupportedByDevice(msg)
    if (response.content_length or 0) > MAX_JPEG_BYTES:
        msg = f"the picture exceeds {MAX_JPEG_BYTES} bytes"
        raise ProtocolViolation(msg)


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        data += chunk
        if len(data) > MAX_JPEG_BYTES:
            msg = f"the picture exceeds {MAX_JPEG_BYTES} bytes"
            raise ProtocolViolation(msg)
    return bytes(data)


def _translate_http(error: Exception, address: Address) -> DeviceError:
    """Turn what aiohttp raises into ours; a refusal by the client's guard stays a refusal."""
    refusal = _find_refusal(error)
    if refusal is not None:
        return refusal
    if isinstance(error, aiohttp.InvalidURL | aiohttp.TooManyRedirects):
        return AddressRefused("the camera redirects to what is no web address, or in circles")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return ProtocolViolation(f"{address.host}: its certificate does not verify")
    if isinstance(error, aiohttp.ClientConnectorError):
        return translate(error.os_error, address.host, address.port)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | OSError):
        return DeviceUnreachable(f"{address.host}:{address.port}: it cut the connection")
    return ProtocolViolation(f"the answer is not HTTP as it should be ({type(error).__name__})")


def _find_refusal(error: Exception) -> AddressRefused | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return AddressRefused(str(cause))
        cause = cause.__cause__ or cause.__context__
    return None
