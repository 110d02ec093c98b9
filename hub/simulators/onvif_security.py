"""Who may call a camera's ONVIF services: WS-Security UsernameToken or HTTP Digest.

The token's time is compared with the *camera's* clock, as cameras do: whoever ignores that the
camera's clock is wrong is refused.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hub.domain.secrets import Credentials
from hub.simulators.digest import Gate, Verdict
from hub.simulators.soap import SoapFault

TOKEN_LIFE = timedelta(minutes=5)
# ONVIF core section 5.9.1: these need no credentials.
OPEN_ACTIONS = frozenset(
    {
        "tds:GetSystemDateAndTime",
        "tds:GetServices",
        "tds:GetCapabilities",
        "tds:GetServiceCapabilities",
        "tds:GetHostname",
        "tds:GetWsdlUrl",
    }
)


class Unauthorised(SoapFault):
    """The caller is refused; without any credentials HTTP asks for them (401)."""

    def __init__(self, reason: str, *, verdict: Verdict) -> None:
        status = 400 if verdict is Verdict.REFUSED else 401
        super().__init__(subcodes=("ter:NotAuthorized",), reason=reason, status=status)
        self.is_stale = verdict is Verdict.STALE


def check_caller(
    header: Mapping[str, str],
    authorization: str,
    *,
    credentials: Credentials,
    gate: Gate,
    now: datetime,
) -> None:
    """Pass callers that prove themselves in the envelope or by HTTP Digest.

    Raises:
        Unauthorised: for everybody else.
    """
    if "UsernameToken/Username" in header:
        problem = token_problem(header, credentials=credentials, now=now)
        if problem:
            raise Unauthorised(problem, verdict=Verdict.REFUSED)
        return
    verdict = gate.judge(authorization, method="POST", credentials=credentials, now=now)
    if verdict is not Verdict.ACCEPTED:
        # A wrong HTTP Digest is asked for again by 401, unlike a wrong token.
        again = Verdict.STALE if verdict is Verdict.STALE else Verdict.MISSING
        reason = "Sender not authorized"
        raise Unauthorised(reason, verdict=again)


def token_problem(
    header: Mapping[str, str], *, credentials: Credentials, now: datetime
) -> str | None:
    """Judge a UsernameToken of the kind PasswordDigest; None means it is good."""
    token = "UsernameToken/"  # noqa: S105 - the name of an element
    if not header.get(f"{token}Password@Type", "").endswith("#PasswordDigest"):
        return "Only UsernameToken with PasswordDigest is accepted"
    created = header.get(f"{token}Created", "")
    try:
        nonce = base64.b64decode(header.get(f"{token}Nonce", ""), validate=True)
        made_at = datetime.fromisoformat(created)
    except (binascii.Error, ValueError):
        return "The token's nonce or time cannot be read"
    secret = credentials.password.reveal().encode()
    digest = hashlib.sha1(nonce + created.encode() + secret, usedforsecurity=False).digest()
    expected = base64.b64encode(digest).decode()
    is_right = hmac.compare_digest(
        expected.encode(), header.get(f"{token}Password", "").encode()
    ) and (header[f"{token}Username"] == credentials.username)
    if not is_right:
        return "Sender not authorized"
    aware = made_at if made_at.tzinfo else made_at.replace(tzinfo=UTC)
    if abs(aware - now) > TOKEN_LIFE:
        return "The token's time differs too much from the device's clock"
    return None
