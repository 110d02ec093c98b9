"""Bounds what strangers may report: so many a source, so many in all. In memory, one a process."""

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from hub.web.problems import TooManyTries

SPAN: Final = timedelta(minutes=10)
# Many people of a village share one address of their network.
MOST_A_SOURCE: Final = 10
MOST_IN_ALL: Final = 300
KEPT: Final = 10_000


class ReportThrottle:
    """Remembers who reported within the last :data:`SPAN`."""

    def __init__(
        self, *, most_a_source: int = MOST_A_SOURCE, most_in_all: int = MOST_IN_ALL
    ) -> None:
        self._most_a_source = most_a_source
        self._most_in_all = most_in_all
        self._sources: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._all: deque[datetime] = deque()

    def take(self, source: str, now: datetime) -> None:
        """Let one pass and count it.

        Raises:
            TooManyTries: there were too many from there, or in all.
        """
        mine = self._sources.setdefault(source, deque())
        self._sources.move_to_end(source)
        while len(self._sources) > KEPT:
            self._sources.popitem(last=False)
        for times, most in ((mine, self._most_a_source), (self._all, self._most_in_all)):
            while times and now - times[0] >= SPAN:
                times.popleft()
            if len(times) >= most:
                wait_s = max(1, ceil((times[0] + SPAN - now).total_seconds()))
                msg = f"too many reports: wait {wait_s} s, or call the duty room"
                raise TooManyTries(msg, wait_s=wait_s)
        mine.append(now)
        self._all.append(now)
