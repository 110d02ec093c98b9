"""The simulated camera's memory card (Profile G), searched by a library nobody here wrote."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import zeep.exceptions
from onvif import ONVIFCamera  # type: ignore[import-untyped]  # ships no types

from hub.simulators.camera import Camera
from hub.simulators.camera_state import MemoryCard
from hub.simulators.faults import Fault
from hub.simulators.onvif_search import MAX_SEARCHES, PAGE
from tests.protocol.simulated import PASSWORD, USER, simulated_camera, utc_now

KEEP = {"KeepAliveTime": dt.timedelta(seconds=10), "Scope": {}}
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _keep_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library deletes these variables of the process; so they come back."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def searching() -> AsyncIterator[tuple[Camera, MemoryCard, Any]]:
    async with simulated_camera() as camera:
        client = ONVIFCamera("127.0.0.1", camera.state.http_port, USER, PASSWORD, no_cache=True)
        assert camera.state.card is not None
        try:
            await client.update_xaddrs()
            yield camera, camera.state.card, await client.create_onvif_service("search")
        finally:
            await client.close()


async def find_events(search: Any, since: dt.datetime, until: dt.datetime) -> str:
    asked = {
        **KEEP,
        "StartPoint": since,
        "EndPoint": until,
        "SearchFilter": {},
        "IncludeStartState": True,
    }
    return str(await search.FindEvents(asked))


async def test_the_card_holds_a_month_of_one_recording() -> None:
    async with searching() as (camera, _, search):
        summary = await search.GetRecordingSummary()
        assert summary.NumberRecordings == 1
        assert abs(utc_now() - summary.DataFrom - dt.timedelta(days=30)) < HOUR
        token = await search.FindRecordings(KEEP)
        answer = await search.GetRecordingSearchResults({"SearchToken": token})
        assert answer.SearchState == "Completed"
        (kept,) = answer.RecordingInformation
        assert [track.TrackType for track in kept.Track] == ["Video", "Audio"]
        assert kept.RecordingStatus == "Recording"
        assert camera.searches == 1
        await search.EndSearch({"SearchToken": token})
        assert camera.searches == 0


async def test_holes_show_as_changes_of_state_in_pages() -> None:
    async with searching() as (_, card, search):
        since = utc_now().replace(microsecond=0) - dt.timedelta(days=3)
        for number in range(PAGE):
            at = since + number * dt.timedelta(minutes=10)
            card.holes.append((at, at + dt.timedelta(minutes=5)))
        token = await find_events(search, since - HOUR, utc_now())
        pages: list[Any] = []
        while not pages or pages[-1].SearchState == "Searching":
            pages.append(await search.GetEventSearchResults({"SearchToken": token}))
        found = [one for page in pages for one in page.Result]
        assert len(pages) == 3
        assert len(found) == 1 + 2 * PAGE
        assert found[0].StartStateEvent
        assert [one.Time for one in found[1:3]] == [since, since + dt.timedelta(minutes=5)]
        assert not any(one.StartStateEvent for one in found[1:])


async def test_few_searches_are_allowed_and_unknown_ones_are_refused() -> None:
    async with searching() as (_, _card, search):
        for _ in range(MAX_SEARCHES):
            token = await search.FindRecordings(KEEP)
        with pytest.raises(zeep.exceptions.Fault, match="Too many searches"):
            await search.FindRecordings(KEEP)
        with pytest.raises(zeep.exceptions.Fault, match="does not exist"):
            await search.GetRecordingSearchResults({"SearchToken": "search_99"})
        with pytest.raises(zeep.exceptions.Fault, match="does not exist"):
            await search.GetEventSearchResults({"SearchToken": token})
        await search.EndSearch({"SearchToken": token})
        await search.FindRecordings(KEEP)


async def test_without_a_card_there_is_no_profile_g() -> None:
    async with searching() as (camera, _, search):
        camera.state.card = None
        with pytest.raises(zeep.exceptions.Fault, match="not supported"):
            await search.GetRecordingSummary()


@pytest.mark.parametrize("fault", [Fault.POWER_CUT, Fault.STORAGE_FAILED, Fault.RECORDING_STOPPED])
async def test_a_camera_that_does_not_record_has_a_hole_for_ever(fault: Fault) -> None:
    async with simulated_camera() as camera:
        card = camera.state.card
        assert card is not None
        await camera.set_fault(fault)
        assert card.stopped_at is not None
        later = utc_now() + HOUR
        assert card.recorded(later)[-1][1] == card.stopped_at
        await camera.clear_fault()
        ((begin, end),) = card.holes
        assert begin < end
        assert card.recorded(later)[-1] == (end, later)


def test_the_card_forgets_what_is_older_than_it_reaches() -> None:
    now = utc_now()
    card = MemoryCard(kept_s=3600, holes=[(now - 3 * HOUR, now - 2 * HOUR)])
    assert card.recorded(now) == [(now - HOUR, now)]
    card.stopped_at = now - 2 * HOUR
    assert card.recorded(now) == []
    card = MemoryCard(kept_s=3600, holes=[(now - 2 * HOUR, now - HOUR / 2)])
    assert card.recorded(now) == [(now - HOUR / 2, now)]
