"""Basic and Digest authentication (RFC 7617, RFC 7616, RFC 2069), as RTSP and HTTP share it.

Pure: the client nonce is passed in. MD5 is what cameras ask for, not a choice of ours; the
strongest scheme offered is used.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hub.domain.errors import AuthRejected, UnsupportedByDevice
from hub.domain.secrets import Credentials

MAX_CHALLENGE_CHARACTERS = 4096

# A parameter (name = "quoted" or token), or a bare word: the name of the next scheme.
_PART = re.compile(
    r'[\s,]*(?:([A-Za-z0-9_-]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.){0,1024})"|([^\s,"]{1,1024}))'
    r"|([A-Za-z0-9_-]{1,32})(?=[\s,]|\Z))"
)
_ESCAPED = re.compile(r"\\(.)")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


_HASHES: dict[str, Callable[[str], str]] = {
    "md5": _md5,
    "md5-sess": _md5,
    "sha-256": _sha256,
    "sha-256-sess": _sha256,
}
_STRENGTH = {"sha-256": 4, "sha-256-sess": 4, "md5": 3, "md5-sess": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way in that the device offers; ``scheme`` and parameter names are lower case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def algorithm(self) -> str:
        """The digest algorithm in lower case; MD5 when the device names none."""
        return self.parameters.get("algorithm", "md5").lower()

    @property
    def is_stale(self) -> bool:
        """Whether only the nonce was too old, not the password wrong."""
        return self.parameters.get("stale", "").lower() == "true"

    @property
    def strength(self) -> int:
        """How good it is; 0 means that we cannot answer it."""
        if self.scheme == "basic":
            return 1
        if self.scheme != "digest" or not self.parameters.get("nonce"):
            return 0
        offered = _offered_qop(self)
        if offered and "auth" not in offered:
            return 0
        return _STRENGTH.get(self.algorithm, 0)


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Parse WWW-Authenticate values; one value may carry several challenges. Never raises."""
    challenges: list[Challenge] = []
    for value in values:
        text, position = value[:MAX_CHALLENGE_CHARACTERS], 0
        while match := _PART.match(text, position):
            position = match.end()
            name, quoted, token, scheme = match.groups()
            if scheme is not None:
                challenges.append(Challenge(scheme=scheme.lower()))
            elif challenges:
                plain = token if quoted is None else _ESCAPED.sub(r"\1", quoted)
                challenges[-1].parameters.setdefault(name.lower(), plain)
    return tuple(challenges)


def choose_challenge(challenges: Iterable[Challenge]) -> Challenge:
    """Return the strongest challenge we can answer; raises UnsupportedByDevice without one."""
    best = max(challenges, key=lambda challenge: challenge.strength, default=None)
    if best is None or best.strength == 0:
        msg = "the camera asks for a password in a way that is neither Basic nor a known Digest"
        raise UnsupportedByDevice(msg)
    return best


def build_authorization(
    challenge: Challenge,
    credentials: Credentials,
    *,
    method: str,
    uri: str,
    nonce_use: tuple[str, int],
) -> str:
    """Build the Authorization header's value for one request.

    ``nonce_use`` is a fresh client nonce, and how often the device's nonce was used, from 1.

    Raises:
        AuthRejected: the user name cannot be sent in this scheme.
    """
    if re.search(r"[^ -~]", credentials.username) and challenge.scheme == "digest":
        msg = "the user name holds characters that cannot be sent to a camera"
        raise AuthRejected(msg)
    if challenge.scheme == "basic":
        return _build_basic(credentials)
    return _build_digest(challenge, credentials, method=method, uri=uri, nonce_use=nonce_use)


def _build_basic(credentials: Credentials) -> str:
    if ":" in credentials.username:
        msg = "the user name holds a colon, which Basic authentication cannot send"
        raise AuthRejected(msg)
    plain = f"{credentials.username}:{credentials.password.reveal()}"
    return "Basic " + base64.b64encode(plain.encode("utf-8")).decode("ascii")


def _build_digest(
    challenge: Challenge,
    credentials: Credentials,
    *,
    method: str,
    uri: str,
    nonce_use: tuple[str, int],
) -> str:
    cnonce, count = nonce_use
    digest = _HASHES[challenge.algorithm]
    realm = challenge.parameters.get("realm", "")
    nonce = challenge.parameters["nonce"]
    ha1 = digest(f"{credentials.username}:{realm}:{credentials.password.reveal()}")
    if challenge.algorithm.endswith("-sess"):
        ha1 = digest(f"{ha1}:{nonce}:{cnonce}")
    ha2 = digest(f"{method}:{uri}")
    has_qop = "auth" in _offered_qop(challenge)
    middle = f"{nonce}:{count:08x}:{cnonce}:auth" if has_qop else nonce
    fields = [
        f"username={_quote(credentials.username)}",
        f"realm={_quote(realm)}",
        f"nonce={_quote(nonce)}",
        f"uri={_quote(uri)}",
        f'response="{digest(f"{ha1}:{middle}:{ha2}")}"',
    ]
    if "algorithm" in challenge.parameters:
        fields.append(f"algorithm={challenge.parameters['algorithm']}")
    if has_qop:
        fields.append(f'qop=auth, nc={count:08x}, cnonce="{cnonce}"')
    elif challenge.algorithm.endswith("-sess"):
        fields.append(f'cnonce="{cnonce}"')
    if "opaque" in challenge.parameters:
        fields.append(f"opaque={_quote(challenge.parameters['opaque'])}")
    return "Digest " + ", ".join(fields)


def _offered_qop(challenge: Challenge) -> set[str]:
    offered = challenge.parameters.get("qop", "").lower()
    return {part.strip() for part in offered.split(",")} - {""}


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
