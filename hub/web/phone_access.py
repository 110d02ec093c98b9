"""Who holds a link to a phone page: its token comes in a header, never in an address.

Tokens are 256 random bits: nobody guesses one. Those who try are slowed down all the same, by
source; a phone whose token was good is heard also behind such a source (many share an address).
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from fastapi import Request

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.domain.secrets import Secret
from hub.patrols.phone.links import OVER, find_past
from hub.store.phone_links import PhoneLink, Purpose
from hub.web.problems import SignInNeeded, TooManyTries
from hub.web.services import Services
from hub.web.source import find_source, group_source
from hub.web.throttle import LoginThrottle

LINK_HEADER: Final = "X-Phone-Token"
LONGEST_TOKEN: Final = 128
MOST_KNOWN: Final = 10_000
# A busy phone asks every few seconds and sends what it gathered while it had no line.
MOST_A_MINUTE: Final = 240
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody with a good link, and from where."""

    link: PhoneLink
    source: str

    @property
    def scope(self) -> Scope:
        """The scope of what he does: the area of his matter, in the unit's name."""
        return self.link.scope(self.source)


class PhoneThrottle:
    """Remembers mistakes by source, and which tokens were good. In memory, one a process."""

    def __init__(self) -> None:
        self._mistakes = LoginThrottle()
        self._known: OrderedDict[bytes, tuple[datetime, int]] = OrderedDict()

    def check(self, source: str, token: Secret, now: datetime) -> None:
        """Let a request pass.

        Raises:
            TooManyTries: too many wrong tokens from there, or too many requests with this one.
        """
        key = _key(token)
        known = self._known.get(key)
        if known is None:
            wait_s = self._mistakes.wait_s(source, now)
            if wait_s:
                msg = f"too many wrong links: wait {wait_s} s"
                raise TooManyTries(msg, wait_s=wait_s)
            return
        begun_at, count = known
        if now - begun_at >= MINUTE:
            begun_at, count = now, 0
        if count >= MOST_A_MINUTE:
            wait_s = max(1, round((begun_at + MINUTE - now).total_seconds()))
            msg = f"too many requests by this link: wait {wait_s} s"
            raise TooManyTries(msg, wait_s=wait_s)
        self._known[key] = (begun_at, count + 1)

    def note_good(self, token: Secret, now: datetime) -> None:
        """Remember a token that is or was somebody's."""
        key = _key(token)
        self._known.setdefault(key, (now, 1))
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def note_mistake(self, source: str, token: Secret, now: datetime) -> None:
        """Count a token that never was. Each is an account of its own: none is under attack."""
        self._mistakes.note_mistake(source, _key(token).hex(), now)


@dataclass(frozen=True, slots=True)
class RequiresLink:
    """A dependency that turns a token into who holds it; ``is_past_good``: also one that is over.

    The latter is for what a phone repeats because the answer to its last word got lost.
    """

    purpose: Purpose
    is_past_good: bool = False

    async def __call__(self, request: Request, services: Services) -> Holder:
        """Return the holder.

        Raises:
            SignInNeeded: there is no token.
            NotFound: it is over, or for something else.
            TooManyTries: see :class:`PhoneThrottle`.
        """
        token = Secret(request.headers.get(LINK_HEADER, ""))
        if not token:
            msg = "open the link that you were sent"
            raise SignInNeeded(msg)
        if len(token.reveal()) > LONGEST_TOKEN:
            raise NotFound(OVER)
        source = find_source(request, services.settings)
        now = services.clock()
        throttle = cast("PhoneThrottle", request.app.state.phone_throttle)
        throttle.check(group_source(source), token, now)
        try:
            async with services.database.transaction() as tx:
                link = await find_past(tx, token, now)
        except NotFound:
            throttle.note_mistake(group_source(source), token, now)
            raise
        throttle.note_good(token, now)
        if link.purpose is not self.purpose or not (link.is_open or self.is_past_good):
            raise NotFound(OVER)
        return Holder(link=link, source=source)


def _key(token: Secret) -> bytes:
    return hashlib.sha256(token.reveal().encode()).digest()
