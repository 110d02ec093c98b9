"""Keeping our credentials out of what a camera sends back: evidence, messages, stored events."""

import re
from xml.sax.saxutils import escape

from hub.domain.secrets import Secret

_SHORTEST = 3  # masking one letter would hide the whole message
_PASSWORD_ELEMENT = re.compile(rb"(<(?:[\w\-]+:)?Password\b[^>]*>)[^<]+")


def mask(content: bytes, password: Secret) -> bytes:
    """Return the content without the password, plain or escaped, and without WS-Security digests.

    Servers built with gSOAP (Reolink, many more) repeat the request's security header.
    """
    plain = password.reveal()
    if len(plain) >= _SHORTEST:
        for form in {plain, escape(plain), escape(plain, {'"': "&quot;"})}:
            content = content.replace(form.encode(), b"***")
    return _PASSWORD_ELEMENT.sub(rb"\1***", content)
