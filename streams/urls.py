"""The only place that puts credentials into a URL, and the place that hides them in text."""

import base64
import re
from urllib.parse import quote

from hub.domain.addresses import Address
from hub.domain.secrets import Credentials

SHORTEST_SECRET = 4  # shorter ones would blank out half of every message
_USERINFO = re.compile(r"(?<=://)[^/\s@]*@(?:[^/\s@]*@)*")


def build_stream_url(address: Address, credentials: Credentials, *, host: str = "") -> str:
    """Build a URL with credentials, for a media library or server that takes nothing else.

    ``host`` replaces the address's own, so that the very IP address that was checked is used.
    The result is a secret: never log it, never put it on a command line.
    """
    name = host or address.host
    shown = f"[{name}]" if ":" in name else name
    userinfo = ""
    if credentials.username or credentials.password:
        user = quote(credentials.username, safe="")
        userinfo = f"{user}:{quote(credentials.password.reveal(), safe='')}@"
    return f"{address.scheme}://{userinfo}{shown}:{address.port}{address.target}"


def mask_urls(text: str) -> str:
    """Return the text with the credentials of every URL in it replaced by ``***``."""
    return _USERINFO.sub("***@", text)


def redact(text: str, credentials: Credentials) -> str:
    """Return foreign text with this password, in any form it is sent, and URL credentials hidden.

    A device that was told a password may echo it in what it answers.
    """
    secret = credentials.password.reveal()
    if len(secret) >= SHORTEST_SECRET:
        basic = base64.b64encode(f"{credentials.username}:{secret}".encode()).decode("ascii")
        for form in (secret, quote(secret, safe=""), basic):
            text = text.replace(form, "***")
    return mask_urls(text)
