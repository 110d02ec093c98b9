"""HTTP and RTSP authentication, the server's side: Digest (SHA-256 and MD5) and Basic.

Nonces carry their own age and a keyed checksum, so that nothing needs to be remembered and a
client that waited too long is told so by ``stale`` (RFC 7616 section 3.3).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from hub.domain.secrets import Credentials

NONCE_LIFE_S = 300
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


class Verdict(Enum):
    """What became of the credentials offered."""

    ACCEPTED = auto()
    MISSING = auto()
    REFUSED = auto()
    STALE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Asks for credentials and judges them. ``key`` signs the nonces of one device."""

    realm: str
    key: bytes
    offers_basic: bool = False

    def challenges(self, now: datetime, *, is_stale: bool = False) -> tuple[str, ...]:
        """Build the values of ``WWW-Authenticate``; MD5 last, as simple clients keep the last."""
        nonce = self._nonce(int(now.timestamp()))
        stale = ", stale=true" if is_stale else ""
        basic = (f'Basic realm="{self.realm}"',) if self.offers_basic else ()
        digests = tuple(
            f'Digest realm="{self.realm}", nonce="{nonce}", qop="auth", algorithm={name}{stale}'
            for name in ("SHA-256", "MD5")
        )
        return basic + digests

    def judge(
        self, authorization: str, *, method: str, credentials: Credentials, now: datetime
    ) -> Verdict:
        """Judge an ``Authorization`` header; empty means none was sent."""
        if not authorization:
            return Verdict.MISSING
        # Header bytes that were no UTF-8 arrive as surrogates, which nothing below can encode.
        authorization = authorization.encode(errors="replace").decode()
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() == "basic" and self.offers_basic:
            return _judge_basic(rest, credentials)
        if scheme.lower() != "digest":
            return Verdict.REFUSED
        return self._judge_digest(parse_parameters(rest), method, credentials, now)

    def _judge_digest(
        self, given: Mapping[str, str], method: str, credentials: Credentials, now: datetime
    ) -> Verdict:
        digest = _HASHES.get(given.get("algorithm", "MD5").upper())
        if digest is None:
            return Verdict.REFUSED
        expected = expected_response(given, method, credentials, digest)
        is_right = hmac.compare_digest(
            expected.encode(), given.get("response", "").lower().encode()
        )
        if not is_right or not self._is_ours(given.get("nonce", "")):
            return Verdict.REFUSED
        age = now.timestamp() - int(given["nonce"].partition("-")[0], 16)
        return Verdict.ACCEPTED if abs(age) <= NONCE_LIFE_S else Verdict.STALE

    def _nonce(self, second: int) -> str:
        stamp = f"{second:x}"
        return f"{stamp}-{hmac.new(self.key, stamp.encode(), 'sha256').hexdigest()[:32]}"

    def _is_ours(self, nonce: str) -> bool:
        stamp = nonce.partition("-")[0]
        if not re.fullmatch(r"[0-9a-f]{1,12}", stamp):
            return False
        return hmac.compare_digest(self._nonce(int(stamp, 16)).encode(), nonce.encode())


def parse_parameters(text: str) -> dict[str, str]:
    """Read ``name=value`` and ``name="value"`` pairs."""
    return {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(text)}


def expected_response(
    given: Mapping[str, str],
    method: str,
    credentials: Credentials,
    digest: Callable[[bytes], str],
) -> str:
    """Compute the response a client with these credentials sends (RFC 7616 section 3.4)."""
    if given.get("username") != credentials.username:
        return "-"
    secret = credentials.password.reveal()
    first = digest(f"{credentials.username}:{given.get('realm', '')}:{secret}".encode())
    second = digest(f"{method}:{given.get('uri', '')}".encode())
    middle = [given.get("nonce", "")]
    if given.get("qop"):
        middle += [given.get("nc", ""), given.get("cnonce", ""), given["qop"]]
    return digest(":".join((first, *middle, second)).encode())


def _judge_basic(encoded: str, credentials: Credentials) -> Verdict:
    try:
        given = base64.b64decode(encoded, validate=True)
    except ValueError:
        return Verdict.REFUSED
    wanted = f"{credentials.username}:{credentials.password.reveal()}".encode()
    return Verdict.ACCEPTED if hmac.compare_digest(given, wanted) else Verdict.REFUSED
