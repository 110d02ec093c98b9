"""The slow look at cameras over real sockets: simulated ones, odd ones and hostile ones."""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.onvif.inspection import inspect_camera, last_full_day
from adapters.onvif.searches import MAX_RESULTS
from hub.domain.addresses import AddressPolicy
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.health import Inspection
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera import Camera as SimulatedCamera
from hub.simulators.camera_state import FIRMWARE, MemoryCard
from hub.simulators.faults import CLOCK_FAULT_S, Fault
from tests.protocol.onvif_camera import Camera, fault, serve, soap
from tests.protocol.onvif_recorder import Recorder, page, recording, reply, result, said
from tests.protocol.onvif_run import LOOPBACK, PASSWORD
from tests.protocol.simulated import LOGIN, simulated_camera, utc_now
from tests.protocol.test_onvif_hostile import BOMB, grows_less_than, raw_server

DAY_S = 86_400.0
SHANGHAI = ZoneInfo("Asia/Shanghai")
SEARCHES = ("FindRecordings", "GetRecordingSearchResults", "FindEvents", "GetEventSearchResults")


def target_of(address: str, *, password: str = PASSWORD, **options: str | bool) -> CameraTarget:
    return CameraTarget(
        device_id=1,
        service_address=address,
        credentials=Credentials(username="admin", password=Secret(password)),
        options=options,
    )


async def look_at(
    camera: Camera | SimulatedCamera | CameraTarget,
    *,
    timeout_s: float = 5.0,
    policy: AddressPolicy = LOOPBACK,
    clock: Callable[[], datetime] = utc_now,
) -> Inspection:
    if isinstance(camera, Camera):
        camera = target_of(camera.base)
    elif isinstance(camera, SimulatedCamera):
        camera = replace(target_of(camera.state.service_address()), credentials=LOGIN)
    started = time.monotonic()
    try:
        return await inspect_camera(camera, timeout_s=timeout_s, policy=policy, clock=clock)
    finally:
        assert time.monotonic() - started < timeout_s + 1


def card_of(camera: SimulatedCamera) -> MemoryCard:
    assert camera.state.card is not None
    return camera.state.card


def yesterday() -> datetime:
    return last_full_day(utc_now(), UTC)[0]


def seconds_off(found: Inspection) -> float:
    assert found.clock_offset_s is not None
    return found.clock_offset_s


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
    assert found.recording is None
    assert found.notes == ("recordings: the camera keeps none",)


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


@pytest.mark.threat("T28")
async def test_a_wrong_password_is_tried_once_in_a_look() -> None:
    camera = Recorder(auth="wsse")
    async with serve(camera):
        found = await look_at(target_of(camera.base, password="wrong-Pa55"))
    with_password = [body for body in camera.bodies if "UsernameToken" in body]
    assert len(with_password) == 1
    assert found.clock_offset_s is not None, "the clock is told to everybody"
    assert found.firmware == ""
    (note,) = found.notes
    assert "refuses the user name or password" in note
    assert "wrong-Pa55" not in repr(found)


@pytest.mark.threat("T28")
async def test_a_wrong_password_over_http_digest_is_tried_once_in_a_look() -> None:
    camera = Recorder(auth="http-digest")
    tried: list[str] = []
    refuse = camera.refusal

    def count(request: web.Request, body: str) -> web.Response | None:
        if "Authorization" in request.headers:
            tried.append(body)
        return refuse(request, body)

    camera.refusal = count  # type: ignore[method-assign]  # one camera of this test
    async with serve(camera):
        found = await look_at(target_of(camera.base, password="wrong-Pa55"))
    assert len(tried) == 1
    assert found.clock_offset_s is not None


async def test_a_user_without_rights_to_recordings_sees_the_rest() -> None:
    camera = Recorder(auth="wsse")
    camera.say("GetRecordingSummary", lambda: fault("NotAuthorized", "Sender not Authorized"))
    async with serve(camera):
        found = await look_at(camera)
    assert found.firmware == "1.0"
    assert found.recording is None
    assert camera.calls.count("GetRecordingSummary") == 1
    assert "FindRecordings" not in camera.calls


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (Fault.POWER_CUT, DeviceUnreachable),
        (Fault.CABLE_CUT, DeviceUnreachable),
        (Fault.SLOW_ANSWERS, DeviceUnreachable),
        (Fault.GARBAGE, ProtocolViolation),
    ],
)
async def test_a_camera_that_tells_nothing_is_an_error(
    broken: Fault, kind: type[DeviceError]
) -> None:
    async with simulated_camera() as camera:
        await camera.set_fault(broken)
        with pytest.raises(kind):
            await look_at(camera, timeout_s=1.0)
        await camera.clear_fault()


async def test_a_changed_password_still_tells_the_clock() -> None:
    async with simulated_camera() as camera:
        await camera.set_fault(Fault.WRONG_PASSWORD)
        found = await look_at(camera)
        await camera.clear_fault()
    assert abs(seconds_off(found)) < 2
    assert (found.firmware, found.recording) == ("", None)


async def test_a_clock_that_is_told_only_with_a_password_refuses_a_wrong_one() -> None:
    camera = Recorder(auth="wsse")

    async def guarded(_request: web.Request, body: str) -> web.StreamResponse:
        refusal = camera._refusal_wsse(body) if "UsernameToken" in body else None
        return refusal or fault("NotAuthorized", "Sender not Authorized")

    camera.answers["GetSystemDateAndTime"] = guarded
    async with serve(camera):
        with pytest.raises(AuthRejected):
            await look_at(target_of(camera.base, password="wrong-Pa55"))
    assert sum("UsernameToken" in body for body in camera.bodies) == 1


async def test_without_an_onvif_service_there_is_nothing_to_ask() -> None:
    with pytest.raises(UnsupportedByDevice, match="no ONVIF service"):
        await look_at(CameraTarget(device_id=1, stream_address="rtsp://127.0.0.1/main"))


@pytest.mark.parametrize("address", ["rtsp://127.0.0.1/", "exec:reboot", "file:///etc/passwd"])
async def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        await look_at(target_of(address))


async def test_options_that_do_not_fit_are_said() -> None:
    with pytest.raises(UnsupportedByDevice, match="edit the connection"):
        await look_at(target_of("http://127.0.0.1:1/", verify="off"))


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


def certificate(folder: Path, *, ends: datetime) -> ssl.SSLContext:
    """A server's context with a self-signed certificate for 127.0.0.1 that ends then."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    alternative = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=365))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "camera.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "camera.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "camera.pem", folder / "camera.key")
    return context


ENDS = datetime(2026, 12, 24, 18, tzinfo=UTC)
EXPIRED = datetime(2020, 2, 29, 12, tzinfo=UTC)


async def test_the_end_of_a_trusted_certificate_is_told_with_the_rest(tmp_path: Path) -> None:
    async with serve(Recorder(auth="wsse"), certificate(tmp_path, ends=utc_now())) as camera:
        pass
    ends = (utc_now() + timedelta(days=20)).replace(microsecond=0)
    async with serve(Recorder(auth="wsse"), certificate(tmp_path, ends=ends)) as camera:
        target = target_of(camera.base, verify="ca", ca_file=str(tmp_path / "camera.pem"))
        found = await look_at(target)
    assert found.certificate_expires_at == ends
    assert found.firmware == "1.0"
    assert found.recording is not None
    assert found.notes == ()


async def test_an_expired_certificate_is_told_and_trusted_for_nothing(tmp_path: Path) -> None:
    async with serve(Recorder(auth="wsse"), certificate(tmp_path, ends=EXPIRED)) as camera:
        found = await look_at(target_of(camera.base, ca_file=str(tmp_path / "camera.pem")))
        assert camera.calls == []
    assert found.certificate_expires_at == EXPIRED
    assert (found.firmware, found.clock_offset_s) == ("", None)
    (note,) = found.notes
    assert "does not verify" in note


async def test_an_expired_certificate_may_be_accepted_by_the_connection(tmp_path: Path) -> None:
    async with serve(Recorder(auth="wsse"), certificate(tmp_path, ends=EXPIRED)) as camera:
        found = await look_at(target_of(camera.base, verify="off", reason="old cameras"))
    assert found.certificate_expires_at == EXPIRED
    assert found.firmware == "1.0"


async def test_https_to_a_server_without_tls_is_an_error() -> None:
    async with serve(Recorder()) as camera:
        with pytest.raises(DeviceError):
            await look_at(target_of(camera.base.replace("http", "https")))
