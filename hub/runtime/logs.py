"""Logging: one line an event, secrets masked whatever a library writes."""

import logging
import re
import sys
from typing import Final

# user:password@ in any address; key=value and "key": "value" of anything that is a secret;
# HTTP Authorization; the secret parts of WS-Security and of digest answers.
_PATTERNS: Final = (
    (re.compile(r"(?<=://)[^/@\s:]*:[^/@\s]*(?=@)"), "***:***"),
    (
        re.compile(
            r"(?i)([\"']?\b(?:password|passwd|pwd|secret|token|api_?key|authorization)\b[\"']?\s*"
            r"[=:]\s*)(?:bearer\s+|basic\s+|digest\s+)?([\"'][^\"']*[\"']|[^\s,;&)}\]]+)"
        ),
        r"\1***",
    ),
    (re.compile(r"(?i)(<(?:\w+:)?(?:Password|Nonce)\b[^>]*>)[^<]*"), r"\1***"),
    (re.compile(r'(?i)\b(response|nonce|cnonce)="[^"]*"'), r'\1="***"'),
)


def mask(text: str) -> str:
    """Hide what looks like a secret."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class MaskingFormatter(logging.Formatter):
    """Masks the finished line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the masked line; line breaks of foreign text become visible."""
        line = mask(super().format(record))
        first, *rest = line.splitlines() or [""]
        return "\n".join([first, *(f"    {more}" for more in rest)])


def set_up_logs(level: str) -> None:
    """Send all logs to standard error, masked."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskingFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Libraries that narrate every request.
    for chatty in ("aiohttp.access", "uvicorn.access", "zeep", "procrastinate", "httpx", "amqtt"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
    # While the database is away these write many lines a second; our own parts say it once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    logging.getLogger("procrastinate.utils").setLevel(logging.CRITICAL)
