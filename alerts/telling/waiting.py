"""What HTTP answers mean for a message: now, later or never (RFC 9110, 6585, 8470). Pure."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from hub.domain.errors import Rejected, TryAgain

# Below 500 only these say "later": every other one is a refusal.
LATER: Final = frozenset({408, 421, 425, 429})
# Who asks for more patience is asked again after this.
LONGEST_WAIT_S = 3600.0
_SECONDS: Final = re.compile(r"[0-9]{1,9}\Z")


def judge_status(status: int, retry_after: str, now: datetime) -> str:
    """Return one line when the message was taken.

    Raises:
        TryAgain: with the wait that the server asks for, if any.
        Rejected: for good.
    """
    line = f"HTTP {status}"
    if 200 <= status < 300:
        return line
    if 300 <= status < 400:
        msg = f"{line}: redirects are not followed"
        raise Rejected(msg)
    if status in LATER or status >= 500:
        raise TryAgain(line, after_s=parse_retry_after(retry_after, now))
    raise Rejected(line)


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Seconds from Retry-After (a number of them or an HTTP date), bounded; None for nonsense."""
    text = value.strip()
    if _SECONDS.match(text):
        return min(float(text), LONGEST_WAIT_S)
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        wait_s = (at - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(wait_s, 0.0), LONGEST_WAIT_S)
