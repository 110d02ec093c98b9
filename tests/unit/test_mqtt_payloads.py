"""MQTT payloads of our convention: what is read, what is refused, and that nothing raises."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mqtt.descriptions import expected_interval
from adapters.mqtt.fields import TimeLimits
from adapters.mqtt.payloads import CommandReply, Message, mask_secrets, parse_message, parse_reply
from hub.domain.devices import DeviceKind, Json
from hub.domain.events import (
    DeviceDescribed,
    Event,
    Occurrence,
    Reading,
    Severity,
    StatusReported,
    UnrecognisedEvent,
)
from hub.domain.health import Layer, Status

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LIMITS = TimeLimits(now=NOW, tolerance_s=600)
MAX_BYTES = 256 * 1024


def read(
    leaf: str, payload: bytes | Json, *, device: str = "s1", is_retained: bool = False
) -> tuple[Event, ...]:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    message = Message(
        topic=f"gengfu/v1/{device}/{leaf}", payload=raw, size=len(raw), is_retained=is_retained
    )
    return parse_message(message, limits=LIMITS, max_payload_bytes=MAX_BYTES)


def refused(leaf: str, payload: bytes | Json, *, device: str = "s1") -> str:
    (event,) = read(leaf, payload, device=device)
    assert isinstance(event, UnrecognisedEvent)
    return event.reason


def test_reading_of_numbers_and_truth_values() -> None:
    events = read("reading", {"at": "2026-11-22T02:59:58.5Z", "values": {"temp": 21.5, "门": True}})
    at = datetime(2026, 11, 22, 2, 59, 58, 500_000, tzinfo=UTC)
    assert events == (
        Reading(device="s1", occurred_at=at, point="temp", value=21.5),
        Reading(device="s1", occurred_at=at, point="门", value=1.0),
    )


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-22T10:59:00+08:00", NOW - timedelta(minutes=1)),
        ("2026-11-22t02:59:00z", NOW - timedelta(minutes=1)),
        (1_795_316_340_000, datetime(2026, 11, 22, 2, 59, tzinfo=UTC)),
        (1_795_316_340_000.0, datetime(2026, 11, 22, 2, 59, tzinfo=UTC)),
        ("2026-11-22T03:09:59Z", NOW + timedelta(seconds=599)),
        (None, None),
    ],
)
def test_times_that_are_believed(at: Json, expected: datetime | None) -> None:
    (event,) = read("reading", {"at": at, "values": {"t": 1}})
    assert event.occurred_at == expected


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("2100-01-01T00:00:00Z", "future"),
        ("2026-11-22T03:10:01Z", "future"),
        (4_102_444_800_000, "future"),
        ("1999-12-31T23:59:59Z", "before 2000"),
        (1_795_316_340, "before 2000"),
        (0, "before 2000"),
        (-1, "before 2000"),
        ("2026-11-22T02:59:00", "neither"),
        ("2026-11-22", "neither"),
        ("2026-W47-7T00:00:00Z", "neither"),
        ("0000-00-00T00:00:00Z", "does not exist"),
        ("2026-02-30T00:00:00Z", "does not exist"),
        ("0001-01-01T00:00:00+14:00", "does not exist"),
        (10**400, "out of every range"),
        (1e300, "out of every range"),
        (True, "neither"),
        ([], "neither"),
    ],
)
def test_times_that_are_refused(at: Json, reason: str) -> None:
    assert reason in refused("reading", {"at": at, "values": {"t": 1}})


def test_bad_values_do_not_lose_the_good_ones() -> None:
    payload = b'{"values": {"a": 1, "b": "x", "c": NaN, "d": null, "e": 1e999, "f": 2, "": 3}}'
    *readings, unrecognised = read("reading", payload)
    assert [(r.point, r.value) for r in readings if isinstance(r, Reading)] == [("a", 1), ("f", 2)]
    assert isinstance(unrecognised, UnrecognisedEvent)
    for point in ("'b'", "'c'", "'d'", "'e'", "''"):
        assert point in unrecognised.reason


def test_many_bad_values_make_one_short_reason() -> None:
    (event,) = read("reading", {"values": {f"p{n}": "x" for n in range(500)}})
    assert isinstance(event, UnrecognisedEvent)
    assert "and 490 more" in event.reason
    assert len(event.reason) < 1_000


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00rubbish", "not UTF-8"),
        (b"\x00\x01\x02", "not JSON"),
        (b"[1]", "list, not an object"),
        (b"7", "int, not an object"),
        (b"[" * 100_000, "nested"),
        (b'{"values": ' * 20_000, "nested"),
        (b'{"values": {"t": ' + b"9" * 5_000 + b"}}", "not JSON"),
        (b'{"values": {"t": ' + b"9" * 4_000 + b"}}", "not finite"),
        (b"{}", "needs values"),
        (b'{"values": [1]}', "needs values"),
        (json.dumps({"values": {f"p{n}": n for n in range(1_001)}}).encode(), "at most 1000"),
    ],
)
@pytest.mark.threat("K8")
def test_readings_that_are_refused(payload: bytes, reason: str) -> None:
    (event,) = read("reading", payload)
    assert isinstance(event, UnrecognisedEvent)
    assert reason in event.reason
    assert event.payload == payload[:2048]


def test_oversized_payload_is_refused_by_its_size_on_the_wire() -> None:
    message = Message(topic="gengfu/v1/s1/reading", payload=b"x" * 2048, size=10_000_000)
    (event,) = parse_message(message, limits=LIMITS, max_payload_bytes=MAX_BYTES)
    assert isinstance(event, UnrecognisedEvent)
    assert "10000000 bytes, more than 262144" in event.reason


@pytest.mark.parametrize(
    "device",
    ["", " ", "a..b", "..", ".", "x" * 129, "a\x07b", "a\u2028b", "a+b", "a#", "a\\b", "%2e%2e"],
)
@pytest.mark.threat("T6")
def test_device_names_that_are_refused(device: str) -> None:
    (event,) = read("reading", {"values": {"t": 1}}, device=device)
    assert isinstance(event, UnrecognisedEvent)
    assert "device name" in event.reason
    assert event.device == ""


@pytest.mark.parametrize("leaf", ["", "readings", "reading/x", "status/", "command/reply/x"])
def test_unknown_topics_are_kept_with_their_device(leaf: str) -> None:
    (event,) = read(leaf, {"values": {"t": 1}})
    assert isinstance(event, UnrecognisedEvent)
    assert (event.device, event.topic) == ("s1", f"gengfu/v1/s1/{leaf}")
    assert "unknown topic" in event.reason


def test_topic_of_another_convention() -> None:
    message = Message(topic="zigbee2mqtt/x", payload=b"{}", size=2)
    (event,) = parse_message(message, limits=LIMITS, max_payload_bytes=MAX_BYTES)
    assert isinstance(event, UnrecognisedEvent)
    assert event.device == ""


def test_our_own_commands_say_nothing() -> None:
    assert read("command", {"id": "1", "do": "relay.set"}) == ()


@pytest.mark.threat("T30")
def test_identity_is_the_topics_not_the_payloads() -> None:
    (event,) = read("reading", {"device": "s2", "id": "s2", "values": {"t": 1}})
    assert event.device == "s1"


def test_status_describes_and_reports() -> None:
    described, status = read(
        "status",
        {
            "online": True,
            "session": 7,
            "name": "Pump <img onerror=x>",
            "area": "330106",
            "interval": 60,
            "points": {
                "temp": {"unit": "°C", "quantity": "temperature"},
                "rain": {"unit": "mm", "interval": 3600},
            },
        },
    )
    assert isinstance(described, DeviceDescribed)
    description = described.description
    assert (description.name, description.area_hint) == ("Pump <img onerror=x>", "330106")
    assert description.kind is DeviceKind.SENSOR
    assert [(p.key, p.unit, p.quantity, p.expected_interval_s) for p in description.points] == [
        ("temp", "°C", "temperature", 60),
        ("rain", "mm", "", 3600),
    ]
    assert expected_interval(description) == 60
    assert status == StatusReported(device="s1", status=Status.ONLINE, session=7)


def test_will_reports_offline_and_describes_nothing() -> None:
    (status,) = read("status", {"online": False, "session": 7})
    assert isinstance(status, StatusReported)
    assert (status.status, status.layer, status.session) == (Status.OFFLINE, Layer.NETWORK, 7)


def test_interval_is_the_fastest_points_without_the_devices_own() -> None:
    points = {"a": {"interval": 30}, "b": {"interval": 5}, "c": {}}
    described, _ = read("status", {"online": True, "points": points})
    assert isinstance(described, DeviceDescribed)
    assert expected_interval(described.description) == 5


def test_a_point_says_between_which_values_it_reads() -> None:
    points: Json = {
        "a": {"low": -40, "high": 60},
        "b": {"high": 5.5},
        "c": {"low": 5, "high": 5},
        "d": {"low": "0"},
        "e": {"high": True},
        "f": {"low": 1e999},
    }
    described, _, unrecognised = read("status", {"online": True, "points": points})
    assert isinstance(described, DeviceDescribed)
    found = [(p.key, p.low, p.high) for p in described.description.points]
    assert found == [("a", -40, 60), ("b", None, 5.5)]
    assert isinstance(unrecognised, UnrecognisedEvent)
    for field in ("points.c", "points.d", "points.e", "points.f"):
        assert f"'{field}'" in unrecognised.reason


@pytest.mark.parametrize(
    "kind", ["point.stuck", "device.offline", "drill.cause", "receiver.failing"]
)
def test_a_device_does_not_speak_for_the_hub(kind: str) -> None:
    assert "hub's own" in refused("event", {"kind": kind})


@pytest.mark.parametrize("payload", [{}, {"online": 1}, {"online": "true"}, {"online": None}])
def test_status_without_online_is_refused(payload: Json) -> None:
    assert "needs online" in refused("status", payload)


@pytest.mark.parametrize("session", ["7", 7.5, True, -1, 2**60, [7]])
def test_status_that_cannot_be_ordered_is_refused(session: Json) -> None:
    assert "session" in refused("status", {"online": False, "session": session})


def test_wrong_fields_of_a_status_do_not_lose_the_rest() -> None:
    payload = {
        "online": True,
        "name": 5,
        "model": "a\u0000b",
        "area": "\ud800",
        "kind": "toaster",
        "interval": 0,
        "points": {"ok": {"unit": "V"}, "bad": 3, "worse": {"unit": ["V"]}},
    }
    described, status, unrecognised = read("status", payload)
    assert isinstance(described, DeviceDescribed)
    assert [p.key for p in described.description.points] == ["ok"]
    assert isinstance(status, StatusReported)
    assert isinstance(unrecognised, UnrecognisedEvent)
    for field in ("name", "model", "area", "kind", "interval", "points.bad", "points.worse"):
        assert f"'{field}'" in unrecognised.reason


def test_retained_is_replayed() -> None:
    events = read("status", {"online": True, "name": 5}, is_retained=True)
    assert len(events) == 3
    assert all(event.replayed for event in events)


def test_event() -> None:
    (event,) = read(
        "event",
        {"kind": "door.opened", "severity": "Warning", "channel": "1", "data": {"by": ["a", 1]}},
    )
    assert event == Occurrence(
        device="s1",
        kind="door.opened",
        severity=Severity.WARNING,
        channel="1",
        data={"by": ["a", 1]},
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "motion.started"}, True),
        ({"kind": "motion.stopped"}, False),
        ({"kind": "door.opened"}, None),
        ({"kind": "door.opened", "active": True}, True),
    ],
)
def test_active_is_said_or_follows_from_the_kind(fields: dict[str, Json], expected: object) -> None:
    (event,) = read("event", fields)
    assert isinstance(event, Occurrence)
    assert event.is_active is expected


@pytest.mark.parametrize(
    "kind",
    ["", "door", "Door.opened", "door opened", "a.b\n", "device.status", "reading", "alert.fired",
     "hub.started", "patrol.missed", "device.described", 7, None, "a." + "b" * 70],
)  # fmt: skip
def test_event_kinds_that_are_refused(kind: Json) -> None:
    refused("event", {"kind": kind})


@pytest.mark.parametrize(
    "data",
    [7, {"a": "\u0000"}, {"\ud800": 1}, {"a": [[[[[[[[[1]]]]]]]]]}, {"a": list(range(1_001))}],
)
def test_data_that_cannot_be_stored_does_not_lose_the_event(data: Json) -> None:
    event, unrecognised = read("event", {"kind": "door.opened", "data": data})
    assert isinstance(event, Occurrence)
    assert event.data == {}
    assert isinstance(unrecognised, UnrecognisedEvent)
    assert "'data'" in unrecognised.reason


def test_reply() -> None:
    raw = b'{"id": "x1", "ok": true, "result": {"relay": 1}}'
    message = Message(topic="gengfu/v1/s1/command/reply", payload=raw, size=len(raw))
    assert parse_reply(message, max_payload_bytes=MAX_BYTES) == CommandReply(
        device="s1", id="x1", body={"ok": True, "result": {"relay": 1}}
    )


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"id": 7}', b"\xff", b'{"id": "a", "x": "\\u0000"}'])
def test_replies_that_are_refused(raw: bytes) -> None:
    message = Message(topic="gengfu/v1/s1/command/reply", payload=raw, size=len(raw))
    assert isinstance(parse_reply(message, max_payload_bytes=MAX_BYTES), UnrecognisedEvent)


def test_secrets_are_masked_in_what_is_kept() -> None:
    raw = b'{"user": "a", "Wifi_Password": "hun\\"ter2", "apiKey": 12345, "token": "cut'
    masked = mask_secrets(raw)
    for secret in (b"hun", b"ter2", b"12345", b"cut"):
        assert secret not in masked
    assert b'"user": "a"' in masked


LEAVES = st.sampled_from(["status", "reading", "event", "command", "command/reply", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["at", "values", "online", "session", "kind", "points", "name", "data", "interval", "severity"]
)


def check_total(topic: str, raw: bytes) -> None:
    message = Message(topic=topic, payload=raw, size=len(raw))
    events = parse_message(message, limits=LIMITS, max_payload_bytes=MAX_BYTES)
    parse_reply(message, max_payload_bytes=MAX_BYTES)
    for event in events:
        if isinstance(event, UnrecognisedEvent):
            assert event.reason
            assert len(event.payload) <= 2048
        elif isinstance(event, Reading):
            assert event.value - event.value == 0  # finite


@pytest.mark.threat("K8")
@given(topic=st.text(max_size=200), raw=st.binary(max_size=4_000))
def test_rubbish_never_raises(topic: str, raw: bytes) -> None:
    check_total(topic, raw)


@pytest.mark.threat("K8")
@given(leaf=LEAVES, document=st.dictionaries(FIELDS, JSON))
def test_wrong_types_never_raise(leaf: str, document: dict[str, Json]) -> None:
    check_total(f"gengfu/v1/s1/{leaf}", json.dumps(document).encode())
