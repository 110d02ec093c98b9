"""The slow look at cameras over real sockets: simulated ones and odd ones."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from adapters.onvif.inspection import inspect_camera, last_full_day
from hub.domain.health import Recording
from hub.simulators.camera_state import FIRMWARE
from hub.simulators.faults import CLOCK_FAULT_S
from tests.protocol.onvif_camera import Camera, fault, serve, soap
from tests.protocol.onvif_look import DAY_S, card_of, look_at, seconds_off, target_of, yesterday
from tests.protocol.onvif_recorder import Recorder, page, recording, reply, result, said
from tests.protocol.onvif_run import LOOPBACK
from tests.protocol.simulated import LOGIN, simulated_camera, utc_now

SHANGHAI = ZoneInfo("Asia/Shanghai")


async def test_everything_is_told_by_a_camera_with_a_memory_card() -> None:
    async with simulated_camera() as camera:
        begin = yesterday()
        hole = (begin + timedelta(hours=3), begin + timedelta(hours=5))
        card_of(camera).holes.append(hole)
        found = await look_at(camera)
        assert camera.searches == 0, "both searches were ended"
        assert camera.subscriptions == 0
    assert found.recording is not None
    assert (found.recording.recorded_s, found.recording.planned_s) == (DAY_S - 7200, DAY_S)
    assert found.recording.holes == (hole,)
    assert found.recording_day == begin
    assert found.oldest_recording_at is not None
    assert abs(utc_now() - found.oldest_recording_at - timedelta(days=30)) < timedelta(minutes=1)
    assert abs(seconds_off(found)) < 2
    assert (found.firmware, found.certificate_expires_at, found.notes) == (FIRMWARE, None, ())


async def test_the_day_is_the_places_own() -> None:
    async with simulated_camera() as camera:
        target = replace(target_of(camera.state.service_address()), credentials=LOGIN)
        begin, end = last_full_day(utc_now(), SHANGHAI)
        card_of(camera).holes.append((end, end + timedelta(hours=1)))
        card_of(camera).holes.append((begin - timedelta(hours=1), begin))
        found = await inspect_camera(
            target, timeout_s=5, policy=LOOPBACK, clock=utc_now, zone=SHANGHAI
        )
    assert found.recording_day == begin
    assert begin.hour == 16
    assert found.recording is not None
    assert found.recording.recorded_s == DAY_S


@pytest.mark.parametrize(
    ("now", "begin"),
    [
        ("2026-11-22T15:59:59+00:00", "2026-11-20T16:00:00+00:00"),
        ("2026-11-22T16:00:00+00:00", "2026-11-21T16:00:00+00:00"),
    ],
)
def test_a_day_is_over_at_midnight(now: str, begin: str) -> None:
    day = last_full_day(datetime.fromisoformat(now), SHANGHAI)
    assert day[0] == datetime.fromisoformat(begin)
    assert day[1] - day[0] == timedelta(days=1)


def test_a_day_of_23_hours_is_asked_for_when_24_have_passed() -> None:
    berlin = ZoneInfo("Europe/Berlin")  # 29 March 2026 has 23 hours
    early = datetime(2026, 3, 30, 0, 30, tzinfo=berlin)
    begin, end = last_full_day(early, berlin)
    assert end <= early
    later_begin, later_end = last_full_day(early + timedelta(hours=1), berlin)
    assert (later_begin - begin, later_end - later_begin) == (timedelta(days=1),) * 2


async def test_a_camera_without_recordings_tells_the_rest() -> None:
    async with serve(Camera()) as camera:
        found = await look_at(camera)
        assert not {"GetRecordingSummary", "FindRecordings"} & set(camera.calls)
    assert (found.recording, found.recording_day, found.oldest_recording_at) == (None, None, None)
    assert found.firmware == "1.0"
    assert found.clock_offset_s is not None
    assert found.notes == ("recordings: the camera does not tell of any",)


@pytest.mark.parametrize("offset_s", [CLOCK_FAULT_S, -7200.0, 86_400.0 * 700])
async def test_a_wrong_clock_is_measured_and_moves_no_recording(offset_s: float) -> None:
    async with simulated_camera() as camera:
        begin = yesterday()
        hole = (begin + timedelta(hours=23), begin + timedelta(hours=24))
        card_of(camera).holes.append(hole)
        camera.set_clock(offset_s)
        found = await look_at(camera)
    assert seconds_off(found) == pytest.approx(offset_s, abs=2)
    assert found.recording is not None
    assert found.recording.recorded_s == pytest.approx(DAY_S - 3600, abs=2)
    ((hole_begin, _),) = found.recording.holes
    assert abs(hole_begin - hole[0]) < timedelta(seconds=2)


async def test_a_card_that_holds_nothing_recorded_nothing() -> None:
    async with simulated_camera() as camera:
        card = card_of(camera)
        card.stopped_at = utc_now() - timedelta(days=31)
        found = await look_at(camera)
    assert found.recording is not None
    assert (found.recording.recorded_s, found.recording.planned_s) == (0, DAY_S)
    assert found.oldest_recording_at is None


async def test_many_changes_are_read_page_by_page() -> None:
    async with simulated_camera() as camera:
        begin = yesterday()
        for number in range(700):
            at = begin + timedelta(minutes=2 * number)
            card_of(camera).holes.append((at, at + timedelta(minutes=1)))
        found = await look_at(camera, timeout_s=10)
    assert found.recording is not None
    assert found.recording.recorded_s == DAY_S - 700 * 60
    assert len(found.recording.holes) == 100


async def test_a_recorder_that_tells_no_changes_is_believed_by_its_bounds() -> None:
    async with serve(Recorder()) as camera:
        assert isinstance(camera, Recorder)
        half = yesterday() + timedelta(hours=12)
        answer = page("GetRecordingSearchResults", recording(said(half), said(utc_now())))
        camera.say("GetRecordingSearchResults", lambda: answer)
        camera.say("FindEvents", lambda: fault("ActionNotSupported", "no", 500))
        found = await look_at(camera)
    assert found.recording is not None
    assert found.recording.recorded_s == DAY_S / 2
    assert [note.partition(" (")[0] for note in found.notes] == [
        "recordings: holes within one are not told"
    ]


async def test_other_events_and_pages_still_being_searched_do_no_harm() -> None:
    """A recorder that understands no filter sends all its events, in no order."""
    begin = yesterday()
    pages = [
        result(said(begin + timedelta(hours=9)), value="true")
        + result(said(begin), topic="tns1:VideoSource/MotionAlarm", value="false")
        + result("0000-00-00T00:00:00Z", value="false"),
        "",
        result(said(begin), value="true", is_start="true")
        + result(said(begin + timedelta(hours=8)), value="false"),
    ]
    camera = Recorder()
    camera.say(
        "GetEventSearchResults",
        lambda: page(
            "GetEventSearchResults", pages.pop(0), state="Searching" if pages else "Completed"
        ),
    )
    async with serve(camera):
        found = await look_at(camera)
    assert found.recording is not None
    hole = (begin + timedelta(hours=8), begin + timedelta(hours=9))
    assert found.recording.holes == (hole,)
    assert camera.calls.count("EndSearch") == 2


async def test_a_recorder_without_recordings_promised_none() -> None:
    camera = Recorder()
    none = "<tse:Summary><tt:NumberRecordings>0</tt:NumberRecordings></tse:Summary>"
    camera.say("GetRecordingSummary", lambda: reply("GetRecordingSummary", none))
    async with serve(camera):
        found = await look_at(camera)
    assert found.recording == Recording(recorded_s=0.0, planned_s=0.0)
    assert found.recording_day == yesterday()
    assert found.notes == ("recordings: the camera keeps none",)


async def test_a_filter_with_alternatives_that_is_not_understood_is_made_simple() -> None:
    camera = Recorder()
    begin = yesterday()
    asked: list[str] = []

    async def find(_request: web.Request, body: str) -> web.Response:
        asked.append(body)
        if "|" in body:
            return fault("InvalidFilterFault", "cannot read the filter")
        return reply("FindEvents", "<tse:SearchToken>2</tse:SearchToken>")

    camera.answers["FindEvents"] = find
    change = result(said(begin + timedelta(hours=6)), value="false")
    camera.say("GetEventSearchResults", lambda: page("GetEventSearchResults", change))
    async with serve(camera):
        found = await look_at(camera)
    assert len(asked) == 2
    assert found.recording is not None
    assert found.recording.recorded_s == DAY_S / 4


async def test_the_older_capabilities_name_the_search_too() -> None:
    camera = Recorder()
    camera.say("GetServices", lambda: fault("ActionNotSupported", "no", 500))
    camera.say(
        "GetCapabilities",
        lambda: soap(
            "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Extension><tt:Search>"
            f"<tt:XAddr>{camera.base}/onvif/search</tt:XAddr></tt:Search></tt:Extension>"
            "</tds:Capabilities></tds:GetCapabilitiesResponse>"
        ),
    )
    async with serve(camera):
        found = await look_at(camera)
    assert found.recording is not None
    assert found.recording.recorded_s == DAY_S


class JumpingClock:
    """Our own clock, set to another time each time it is asked, for as often as is left."""

    def __init__(self, *, jumps: int, by: timedelta) -> None:
        self.jumps, self.by, self.shift = jumps, by, timedelta()

    def __call__(self) -> datetime:
        if self.jumps:
            self.jumps -= 1
            self.shift += self.by
        return utc_now() + self.shift


@pytest.mark.threat("K10")
@pytest.mark.parametrize("by", [timedelta(hours=5), timedelta(hours=-5)])
async def test_our_clock_set_during_the_question_is_noticed(by: timedelta) -> None:
    async with serve(Recorder()) as camera:
        # The beginning of the look asks twice, then the first measurement is spoiled.
        clock = JumpingClock(jumps=4, by=by)
        found = await look_at(camera, clock=clock)
        assert camera.calls.count("GetSystemDateAndTime") == 2
    assert seconds_off(found) == pytest.approx(-4 * by.total_seconds(), abs=2)


@pytest.mark.threat("K10")
async def test_a_clock_of_ours_that_never_stands_still_measures_nothing() -> None:
    async with serve(Recorder()) as camera:
        found = await look_at(camera, clock=JumpingClock(jumps=999, by=timedelta(hours=1)))
    assert found.clock_offset_s is None
    assert found.firmware == "1.0"
