"""Slows down guessing of passwords: per source, and sooner for an account under attack (T28).

It never locks an account: a source that made no mistake is always heard. In memory, one a
process; what it forgets is at worst some more guesses.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import TypeVar

MISTAKES_FREE = 5
# So many mistakes over all sources, and every source gets one try instead of MISTAKES_FREE.
ACCOUNT_ALARM = 20
LONGEST_S = 300
# Tries of one source that are still being compared; more would run past the count of mistakes.
AT_ONCE = 3
V = TypeVar("V")
FORGET_AFTER = timedelta(minutes=15)
KEPT = 10_000


@dataclass(slots=True, kw_only=True)
class _Source:
    mistakes: dict[str, int] = field(default_factory=dict)
    last_at: datetime
    free_at: datetime


@dataclass(slots=True, kw_only=True)
class _Account:
    mistakes: int = 0
    last_at: datetime


class LoginThrottle:
    """Remembers mistakes of the last quarter of an hour."""

    def __init__(self) -> None:
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._running: Counter[str] = Counter()

    @contextmanager
    def trying(self, source: str) -> Iterator[None]:
        """Hold one of a source's places while its password is compared."""
        self._running[source] += 1
        try:
            yield
        finally:
            self._running[source] -= 1
            if not self._running[source]:
                del self._running[source]

    def wait_s(self, source: str, now: datetime) -> int:
        """How many seconds this source has still to wait, 0 for none."""
        if self._running[source] >= AT_ONCE:
            return 1
        known = self._sources.get(source)
        if known is None or now >= known.free_at:
            return 0
        return ceil((known.free_at - now).total_seconds())

    def note_mistake(self, source: str, account: str, now: datetime) -> None:
        """A wrong password, or a user that does not exist: both count the same."""
        attacked = self._accounts.get(account)
        if attacked is None or now - attacked.last_at > FORGET_AFTER:
            attacked = _Account(last_at=now)
        attacked.mistakes += 1
        attacked.last_at = now
        _keep(self._accounts, account, attacked)
        known = self._sources.get(source)
        if known is None or now - known.last_at > FORGET_AFTER:
            known = _Source(last_at=now, free_at=now)
        known.mistakes[account] = known.mistakes.get(account, 0) + 1
        known.last_at = now
        allowed = 1 if attacked.mistakes > ACCOUNT_ALARM else MISTAKES_FREE
        beyond = sum(known.mistakes.values()) - allowed
        if beyond >= 0:
            known.free_at = now + timedelta(seconds=min(LONGEST_S, 2 ** min(beyond, 10)))
        _keep(self._sources, source, known)

    def note_success(self, source: str, account: str) -> None:
        """A good login forgives this source its mistakes with this account, with no other."""
        known = self._sources.get(source)
        if known is not None:
            known.mistakes.pop(account, None)


def _keep(table: OrderedDict[str, V], key: str, value: V) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > KEPT:
        table.popitem(last=False)
