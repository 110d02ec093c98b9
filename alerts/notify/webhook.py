"""HTTP POST of JSON, signed as Standard Webhooks 1.0 says (HMAC-SHA256 over id, time and body).

The client that is passed in asks the address policy at every connect, so DNS answers and
redirects cannot lead into our own network; redirects are refused on top. Never logs addresses:
they often hold a token.
"""

import base64
import binascii
import hashlib
import hmac
import ssl
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

import aiohttp
from pydantic import field_validator
from yarl import URL

from alerts.telling.alertmanager_payload import build_alertmanager
from alerts.telling.messages import Wording
from alerts.telling.notifier import Options
from alerts.telling.payloads import build_payload
from alerts.telling.waiting import judge_status
from hub.domain.addresses import WEB_SCHEMES, parse_address
from hub.domain.errors import AddressRefused, Rejected, TryAgain
from hub.domain.notifications import Message
from hub.domain.ports import Clock
from hub.domain.secrets import Secret
from hub.runtime.outbound import EndpointRefused

KEY_PREFIX: Final = "whsec_"
TIMEOUT_S = 10.0


class Format(StrEnum):
    """Whose JSON is sent: our own, or what Alertmanager would send."""

    GENGFU = "gengfu"
    ALERTMANAGER = "alertmanager"


class WebhookOptions(Options):
    """Where to POST. The signing key is the receiver's secret; without one nothing is signed."""

    address: str
    format: Format = Format.GENGFU

    @field_validator("address")
    @classmethod
    def _is_usable(cls, value: str) -> str:
        try:
            address = parse_address(value, schemes=WEB_SCHEMES)
        except AddressRefused as error:
            raise ValueError(str(error)) from None
        if address.username or address.password:
            msg = "put no password into the address: it would be stored and shown in the clear"
            raise ValueError(msg)
        return address.text


class WebhookNotifier:
    """POSTs; one request a message, one attempt a call."""

    def __init__(
        self,
        client: aiohttp.ClientSession,
        clock: Clock,
        zone: tzinfo,
        *,
        link_base: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._client = client
        self._clock = clock
        self._wording = Wording(zone=zone, link_base=link_base)
        self._timeout_s = timeout_s

    async def send(self, message: Message) -> str:
        """Deliver one; see :class:`alerts.telling.notifier.Notifier`."""
        options = _options(message)
        is_ours = options.format is Format.GENGFU
        if message.note is not None and not is_ours:
            msg = "a receiver that speaks as Alertmanager takes alerts only"
            raise Rejected(msg)
        build = build_payload if is_ours else build_alertmanager
        body = build(message, self._wording)
        headers = {
            "Content-Type": "application/json",
            **sign(message.message_id, self._clock(), body, message.receiver.secret),
        }
        try:
            async with self._client.post(
                URL(options.address, encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            ) as response:
                # The answer's text is not read at all: a huge one costs nothing.
                return judge_status(
                    response.status, response.headers.get("Retry-After", ""), self._clock()
                )
        except TimeoutError:
            msg = f"no answer within {self._timeout_s:g} s"
            raise TryAgain(msg) from None
        except aiohttp.ClientConnectorCertificateError:
            msg = "the server's certificate does not verify"
            raise TryAgain(msg) from None
        except aiohttp.ClientConnectorError as error:
            raise _connect_error(error) from None
        except aiohttp.InvalidURL:
            msg = "the address cannot be used"
            raise Rejected(msg) from None
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            msg = f"the connection failed: {type(error).__name__}"
            raise TryAgain(msg) from None


def sign(message_id: str, at: datetime, body: bytes, secret: Secret) -> dict[str, str]:
    """The headers by which a receiver knows the message and, with a key, that it is ours."""
    stamp = str(int(at.timestamp()))
    headers = {"Webhook-Id": message_id, "Webhook-Timestamp": stamp}
    if secret:
        content = f"{message_id}.{stamp}.".encode() + body
        digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
        headers["Webhook-Signature"] = "v1," + base64.b64encode(digest).decode("ascii")
    return headers


def _key(secret: Secret) -> bytes:
    """``whsec_`` and base64 as the standard has it; any other text is the key as it stands."""
    text = secret.reveal()
    if text.startswith(KEY_PREFIX):
        try:
            return base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)
        except (ValueError, binascii.Error):
            return text.encode()
    return text.encode()


def _options(message: Message) -> WebhookOptions:
    try:
        return WebhookOptions.model_validate(dict(message.receiver.options))
    except ValueError:
        msg = "the receiver's address cannot be used"
        raise Rejected(msg) from None


def _connect_error(error: aiohttp.ClientConnectorError) -> TryAgain | Rejected:
    if isinstance(error.os_error, EndpointRefused):
        return Rejected(str(error.os_error))
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return TryAgain("the name of the host is not known")
    # Names endpoints only: no path, no query.
    return TryAgain(f"cannot connect: {error.os_error}")
