"""The slow look at cameras that are hostile, broken or gone."""

import asyncio
import ipaddress
import time
from datetime import timedelta

import pytest
from aiohttp import web

from adapters.onvif.searches import MAX_RESULTS
from hub.domain.addresses import AddressPolicy
from hub.domain.errors import (
    AddressRefused,
    DeviceUnreachable,
    ProtocolViolation,
)
from tests.protocol.onvif_camera import serve, soap
from tests.protocol.onvif_look import DAY_S, look_at, target_of, yesterday
from tests.protocol.onvif_recorder import Recorder, page, recording, reply, result, said
from tests.protocol.onvif_run import LOOPBACK
from tests.protocol.test_onvif_hostile import BOMB, grows_less_than, raw_server

SEARCHES = ("FindRecordings", "GetRecordingSearchResults", "FindEvents", "GetEventSearchResults")


@pytest.mark.threat("T21")
@pytest.mark.parametrize("operation", [*SEARCHES, "GetRecordingSummary", "GetServices"])
@pytest.mark.parametrize(
    "body", [BOMB, b"", b"\xff\xd8 JPEG", b"<html/>", b"<a>" * 1000, b"<a b='c'/>" * 90_000]
)
async def test_nonsense_in_any_search_costs_the_recordings_alone(
    operation: str, body: bytes
) -> None:
    camera = Recorder()
    nonsense = bytes(body)
    camera.say(operation, lambda: web.Response(body=nonsense, content_type="text/xml"))
    with grows_less_than(96):
        async with serve(camera):
            found = await look_at(camera)
    assert found.firmware == "1.0"
    assert found.clock_offset_s is not None
    is_told = operation in {"FindEvents", "GetEventSearchResults"}
    assert (found.recording is not None) is is_told
    assert found.notes
    begun = sum(camera.calls.count(name) for name in ("FindRecordings", "FindEvents"))
    failed = camera.calls.count(operation) if operation.startswith("Find") else 0
    assert camera.calls.count("EndSearch") == begun - failed


@pytest.mark.threat("T21")
async def test_a_bomb_for_a_clock_is_an_error_of_the_device() -> None:
    camera = Recorder()
    camera.say("GetSystemDateAndTime", lambda: web.Response(body=BOMB, content_type="text/xml"))
    async with serve(camera):
        with pytest.raises(ProtocolViolation, match="DOCTYPE"):
            await look_at(camera)


@pytest.mark.threat("T22")
async def test_endless_results_are_read_to_a_bound_and_say_nothing() -> None:
    camera, begin = Recorder(), yesterday()
    many = "".join(
        result(said(begin + timedelta(seconds=n)), value="true" if n % 2 else "false")
        for n in range(500)
    )
    answer = page("GetEventSearchResults", many, state="Searching").body
    camera.say("GetEventSearchResults", lambda: web.Response(body=answer, content_type="text/xml"))
    with grows_less_than(96):
        async with serve(camera):
            found = await look_at(camera, timeout_s=10)
    assert found.recording is None
    assert found.oldest_recording_at is not None
    assert found.notes == ("recordings: the day holds more changes than are read",)
    assert camera.calls.count("GetEventSearchResults") == MAX_RESULTS // 500 + 1
    assert camera.calls.count("EndSearch") == 2


@pytest.mark.threat("T22")
async def test_a_search_that_never_ends_meets_the_deadline_and_is_ended() -> None:
    camera = Recorder()
    camera.say("GetEventSearchResults", lambda: page("GetEventSearchResults", state="Searching"))
    async with serve(camera):
        found = await look_at(camera, timeout_s=1.0)
        assert camera.calls.count("GetEventSearchResults") < 15, "it is not asked without a pause"
    assert found.clock_offset_s is not None
    assert found.recording is None
    assert found.notes == ("no answer in time",)
    assert camera.calls[-1] == "EndSearch"


async def test_a_cancelled_look_ends_its_search_within_a_second() -> None:
    camera = Recorder()
    is_asked = asyncio.Event()

    async def hang() -> web.Response:
        is_asked.set()
        await asyncio.sleep(30)
        return web.Response()

    camera.say("GetEventSearchResults", hang)
    async with serve(camera):
        look = asyncio.create_task(look_at(camera, timeout_s=20))
        await is_asked.wait()
        started = time.monotonic()
        look.cancel()
        await asyncio.gather(look, return_exceptions=True)
        assert time.monotonic() - started < 1
    assert look.cancelled()
    assert camera.calls[-1] == "EndSearch"


@pytest.mark.threat("T21")
async def test_an_answer_that_drips_meets_the_deadline() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with raw_server(talk) as address:
        with pytest.raises(DeviceUnreachable, match="no answer in time"):
            await look_at(target_of(address), timeout_s=1.0)


@pytest.mark.parametrize(
    ("year", "is_told"),
    [("0", False), ("1969", False), ("1970", True), ("2099", True), ("9999", False), ("", False)],
)
async def test_absurd_clocks_are_not_told_and_huge_offsets_are(year: str, *, is_told: bool) -> None:
    camera = Recorder()
    camera.say(
        "GetSystemDateAndTime",
        lambda: soap(
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time>"
            "<tt:Hour>0</tt:Hour><tt:Minute>0</tt:Minute><tt:Second>0</tt:Second></tt:Time>"
            f"<tt:Date><tt:Year>{year}</tt:Year><tt:Month>1</tt:Month><tt:Day>1</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        ),
    )
    async with serve(camera):
        found = await look_at(camera)
    assert (found.clock_offset_s is not None) is is_told
    assert ("clock: it says nothing usable" in found.notes) is not is_told
    assert found.firmware == "1.0"


@pytest.mark.parametrize(
    "dates",
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("2999-01-01T00:00:00Z", "3999-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"),
        ("99999999999999-01-01T00:00:00Z", "-1"),
    ],
)
async def test_absurd_dates_of_recordings_are_no_error(dates: tuple[str, str]) -> None:
    camera = Recorder()
    summary = (
        f"<tse:Summary><tt:DataFrom>{dates[0]}</tt:DataFrom>"
        "<tt:NumberRecordings>1</tt:NumberRecordings></tse:Summary>"
    )
    camera.say("GetRecordingSummary", lambda: reply("GetRecordingSummary", summary))
    camera.say(
        "GetRecordingSearchResults",
        lambda: page("GetRecordingSearchResults", recording(*dates)),
    )
    events = result(dates[0]) + result(dates[1], value="false")
    camera.say("GetEventSearchResults", lambda: page("GetEventSearchResults", events))
    async with serve(camera):
        found = await look_at(camera)
    assert found.oldest_recording_at is None
    assert found.recording is not None
    assert 0 <= found.recording.recorded_s <= DAY_S


@pytest.mark.threat("T4")
@pytest.mark.parametrize(
    "xaddr",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://203.0.113.7/onvif/search",
        "http://127.0.0.1:5432/",
        "http://localhost/onvif/search",
        "file:///etc/passwd",
        "http://[::ffff:127.0.0.1]:5432/",
    ],
)
async def test_a_search_service_elsewhere_is_never_called(
    xaddr: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = (ipaddress.ip_address("127.0.0.1"), 5432)
    policy = AddressPolicy(allowed=LOOPBACK.allowed, own_endpoints=frozenset({database}))
    camera = Recorder(xaddr=xaddr)
    async with serve(camera):
        found = await look_at(camera, policy=policy)
    assert found.recording is None
    assert "recordings: the camera does not tell of any" in found.notes
    assert "GetRecordingSummary" not in camera.calls
    assert "refused the search service address" in caplog.text


@pytest.mark.threat("T13")
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_an_endpoint_the_policy_refuses_is_never_connected_to(scheme: str) -> None:
    is_connected = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_connected.set()

    async with raw_server(talk) as address:
        with pytest.raises(AddressRefused, match="not in a network that the settings allow"):
            await look_at(
                target_of(address.replace("http", scheme)), policy=AddressPolicy(), timeout_s=2
            )
    assert not is_connected.is_set()
