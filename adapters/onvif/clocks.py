"""The camera's clock: GetSystemDateAndTime and the times in events; and ours beside it."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from adapters.onvif.documents import find_local, text_of
from hub.domain.ports import Clock

JUMP_S = 1.0
PLAUSIBLE_YEARS = range(1970, 2100)  # a clock outside says nothing, not even an offset

_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T \-]+(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?"
    r"\s*(Z|[+\-]\d{2}:?\d{2})?\Z",
    re.ASCII,
)


class Stopwatch:
    """Tells the middle of a request by our clock, unless that was set meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._started_at, self._started = clock(), self._loop.time()

    def middle(self) -> datetime | None:
        """Return the moment half-way between the start and now; None: our clock jumped."""
        elapsed = self._clock() - self._started_at
        jump_s = elapsed.total_seconds() - (self._loop.time() - self._started)
        return None if abs(jump_s) > JUMP_S else self._started_at + elapsed / 2


def parse_time(text: str) -> datetime | None:
    """Parse a time stamp (xs:dateTime); None when it says nothing.

    A time without a zone is UTC (ONVIF's attribute is called UtcTime).
    """
    match = _TIME.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, zone = match.group(7), match.group(8)
    moment = _moment((year, month, day), (hour, minute, second))
    if moment is None:
        return None
    try:
        moment += timedelta(seconds=float(fraction or 0))
        if zone and zone != "Z":
            hours, minutes = int(zone[1:3]), int(zone[-2:])
            shift = timedelta(hours=hours, minutes=minutes)
            moment += shift if zone[0] == "-" else -shift
    except OverflowError:
        return None
    return moment


def parse_date_and_time(root: ET.Element) -> datetime | None:
    """Return the UTC time in a GetSystemDateAndTimeResponse; None when it is unusable."""
    utc = find_local(root, "UTCDateTime")
    if utc is None:
        return None
    numbers = [text_of(find_local(utc, name)) for name in ("Year", "Month", "Day")]
    numbers += [text_of(find_local(utc, name)) for name in ("Hour", "Minute", "Second")]
    if not all(number.isascii() and number.isdigit() and len(number) <= 4 for number in numbers):
        return None
    year, month, day, hour, minute, second = (int(number) for number in numbers)
    if year not in PLAUSIBLE_YEARS:
        return None
    return _moment((year, month, day), (hour, minute, second))


def _moment(date: tuple[int, int, int], time: tuple[int, int, int]) -> datetime | None:
    """Return the moment, or None for a clock that was never set.

    Hikvision sends 0000-00-00T00:00:00Z, and month 00 before its clock is set. Seconds and
    minutes beyond 59 ("00:61:16", seen with Dahua) overflow into the next minute and hour.
    """
    try:
        midnight = datetime(*date, tzinfo=UTC)
        return midnight + timedelta(hours=time[0], minutes=time[1], seconds=time[2])
    except (ValueError, OverflowError):
        return None
