"""Searching what a recorder holds (ONVIF Recording Search Service §5): bounded, and always ended.

Recorders allow few searches at a time, so each one is ended, whatever happens meanwhile.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from xml.etree import ElementTree as ET

from adapters.onvif.client import OnvifClient, build_topic_filter, load_search_description
from adapters.onvif.documents import find_local, text_of
from adapters.onvif.recordings import (
    Kept,
    Page,
    Span,
    StateChange,
    measure_day,
    parse_changes,
    parse_count,
    parse_oldest,
    parse_recordings,
)
from hub.domain.addresses import Address
from hub.domain.errors import DeviceError, ProtocolViolation, UnsupportedByDevice
from hub.domain.health import Recording

T = TypeVar("T")

KEEP_ALIVE = timedelta(seconds=10)  # what every recorder must support at least
WAIT = timedelta(seconds=2)
PAGE = 100
MAX_RECORDINGS = 256
MAX_RESULTS = 4000  # a day of motion recording: one change a minute and track, twice
MAX_PAGES = 60
MAX_SEARCH_TOKEN = 256
END_S = 0.5
_SMALL_OFFSET = timedelta(seconds=2)
# The second is for recorders that know no alternatives in a filter.
_TOPICS = (
    "tns1:RecordingHistory/Track/State|tns1:RecordingHistory/Recording/State",
    "tns1:RecordingHistory/Track/State",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a recorder holds; None: it does not tell. ``notes`` say why."""

    oldest_at: datetime | None = None
    recording: Recording | None = None
    notes: tuple[str, ...] = ()


class _TooMuch(Exception):
    """The search goes on beyond what is read: what was found is not the whole."""


class RecordingSearch:
    """Asks the search service of one recorder. Times go out and come back by our clock."""

    def __init__(self, client: OnvifClient, service: Address) -> None:
        self._client = client
        self._service = service

    async def look(self, day: Span) -> Holdings:
        """Return what is held, and of one day how much; raises DeviceError."""
        await asyncio.to_thread(load_search_description)
        offset = _whole(self._client.clock_offset)
        summary = await self._ask("GetRecordingSummary")
        oldest_at = parse_oldest(summary, offset)
        if parse_count(summary) == 0:
            # Told, and nothing promised: what was wrong before is wrong no more.
            nothing = Recording(recorded_s=0.0, planned_s=0.0)
            return Holdings(recording=nothing, notes=("recordings: the camera keeps none",))
        try:
            recordings = await self._find_recordings(offset)
        except _TooMuch:
            note = f"recordings: more than {MAX_RECORDINGS}"
            return Holdings(oldest_at=oldest_at, notes=(note,))
        begins = [one.held[0] for one in recordings if one.held]
        oldest_at = min(begins, default=None) if oldest_at is None else oldest_at
        notes: tuple[str, ...] = ()
        changes: list[StateChange] = []
        try:
            changes = await self._find_changes(day, offset)
        except _TooMuch:
            note = "recordings: the day holds more changes than are read"
            return Holdings(oldest_at=oldest_at, notes=(note,))
        except (UnsupportedByDevice, ProtocolViolation) as error:
            notes = (f"recordings: holes within one are not told ({error})",)
        return Holdings(
            oldest_at=oldest_at, recording=measure_day(recordings, changes, day), notes=notes
        )

    async def _find_recordings(self, offset: timedelta) -> list[Kept]:
        token = await self._start("FindRecordings", Scope={}, MaxMatches=MAX_RECORDINGS + 1)
        return await self._collect(
            "GetRecordingSearchResults",
            token,
            lambda root: parse_recordings(root, offset),
            MAX_RECORDINGS,
        )

    async def _find_changes(self, day: Span, offset: timedelta) -> list[StateChange]:
        try:
            token = await self._start_events(day, offset, _TOPICS[0])
        except ProtocolViolation:
            token = await self._start_events(day, offset, _TOPICS[1])
        return await self._collect(
            "GetEventSearchResults",
            token,
            lambda root: parse_changes(root, offset),
            MAX_RESULTS,
        )

    async def _start_events(self, day: Span, offset: timedelta, topics: str) -> str:
        return await self._start(
            "FindEvents",
            StartPoint=_theirs(day[0], offset),
            EndPoint=_theirs(day[1], offset),
            Scope={},
            SearchFilter=build_topic_filter(topics),
            IncludeStartState=True,
            MaxMatches=MAX_RESULTS + 1,
        )

    async def _start(self, operation: str, **parameters: object) -> str:
        root = await self._ask(operation, KeepAliveTime=KEEP_ALIVE, **parameters)
        token = text_of(find_local(root, "SearchToken"))
        if not 0 < len(token) <= MAX_SEARCH_TOKEN:
            msg = f"{operation}: the camera named no search"
            raise ProtocolViolation(msg, evidence=ET.tostring(root))
        return token

    async def _collect(
        self, operation: str, token: str, parse: Callable[[ET.Element], Page[T]], most: int
    ) -> list[T]:
        """Read the results of a search page by page, and end it."""
        items: list[T] = []
        count = 0
        try:
            for _ in range(MAX_PAGES):
                root = await self._ask(
                    operation, SearchToken=token, MinResults=1, MaxResults=PAGE, WaitTime=WAIT
                )
                page = parse(root)
                items += page.items
                count += page.count
                if count > most:
                    break
                if page.is_last:
                    return items
                if not page.count:
                    await asyncio.sleep(0.1)  # some answer at once instead of waiting
            raise _TooMuch
        finally:
            await self._end(token)

    async def _end(self, token: str) -> None:
        with contextlib.suppress(DeviceError, TimeoutError):
            async with asyncio.timeout(END_S):
                await self._ask("EndSearch", SearchToken=token)

    async def _ask(self, operation: str, **parameters: object) -> ET.Element:
        wait_s = WAIT.total_seconds() if "WaitTime" in parameters else 0.0
        call: Callable[..., Awaitable[ET.Element]] = self._client.call_tree
        return await call("search", operation, at=self._service, wait_s=wait_s, **parameters)


def _whole(offset: timedelta) -> timedelta:
    """Return an offset in whole seconds, as cameras tell the time; a small one is none."""
    whole = timedelta(seconds=round(offset.total_seconds() + 0.5))
    return whole if abs(whole) > _SMALL_OFFSET else timedelta()


def _theirs(at: datetime, offset: timedelta) -> datetime:
    """Return a moment by the camera's clock."""
    try:
        return at.astimezone(UTC) + offset
    except OverflowError:
        return at.astimezone(UTC)
