"""ONVIF topics become our kinds; what is not understood is kept, never dropped."""

from datetime import UTC, datetime

import pytest

from adapters.onvif.documents import decode_document, parse_tree
from adapters.onvif.notifications import MAX_ITEMS, Notification, parse_notifications
from adapters.onvif.topics import event_of
from hub.domain.events import Event, Occurrence, Reading, Severity, UnrecognisedEvent

CHANNELS = {"vsc_1": "vs_1", "vs_1": "vs_1"}


def _event(topic: str, operation: str = "Changed", **data: str) -> Event:
    message = Notification(
        topic=topic,
        operation=operation,
        source={"VideoSourceConfigurationToken": "vsc_1"},
        data=data,
        raw=b"<raw/>",
    )
    return event_of(message, device="device", channels=CHANNELS)


@pytest.mark.parametrize(
    ("topic", "item", "begins", "ends"),
    [
        ("VideoSource/MotionAlarm", "State", "motion.started", "motion.stopped"),
        (
            "RuleEngine/CellMotionDetector/Motion",
            "IsMotion",
            "motion.started",
            "motion.stopped",
        ),
        (
            "VideoSource/ImageTooBlurry/ImagingService",
            "State",
            "picture_too_blurry.started",
            "picture_too_blurry.stopped",
        ),
        (
            "VideoSource/ImageTooDark/AnalyticsService",
            "State",
            "picture_too_dark.started",
            "picture_too_dark.stopped",
        ),
        (
            "VideoSource/ImageTooBright",
            "State",
            "picture_too_bright.started",
            "picture_too_bright.stopped",
        ),
        (
            "VideoSource/GlobalSceneChange/ImagingService",
            "State",
            "scene_change.started",
            "scene_change.stopped",
        ),
        ("VideoSource/SignalLoss", "State", "signal.lost", "signal.restored"),
        (
            "Device/HardwareFailure/StorageFailure",
            "Failed",
            "storage_failure.started",
            "storage_failure.stopped",
        ),
        (
            "Device/HardwareFailure/Fan",
            "Failed",
            "fan_failure.started",
            "fan_failure.stopped",
        ),
        (
            "Device/HardwareFailure/TemperatureCritical",
            "Critical",
            "temperature_critical.started",
            "temperature_critical.stopped",
        ),
        (
            "Device/Trigger/DigitalInput",
            "LogicalState",
            "digital_input.started",
            "digital_input.stopped",
        ),
        ("RuleEngine/TamperDetector/Tamper", "IsTamper", "tamper.started", "tamper.stopped"),
    ],
)
def test_states_start_and_stop(topic: str, item: str, begins: str, ends: str) -> None:
    on, off = _event(topic, **{item: "true"}), _event(topic, **{item: "0"})
    assert isinstance(on, Occurrence)
    assert isinstance(off, Occurrence)
    assert (on.kind, on.is_active, on.channel) == (begins, True, "vs_1")
    assert (off.kind, off.is_active, off.severity) == (ends, False, Severity.INFO)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("TRUE", "relay.started"),
        ("1", "relay.started"),
        ("active", "relay.started"),
        ("inactive", "relay.stopped"),
    ],
)
def test_flags_come_in_many_words(word: str, kind: str) -> None:
    event = _event("Device/Trigger/Relay", LogicalState=word)
    assert isinstance(event, Occurrence)
    assert event.kind == kind


def test_initial_state_is_replayed_and_a_deleted_property_is_over() -> None:
    initial = _event("VideoSource/MotionAlarm", "Initialized", State="true")
    assert initial.replayed
    assert not _event("VideoSource/MotionAlarm", State="true").replayed
    gone = _event("VideoSource/MotionAlarm", "Deleted")
    assert isinstance(gone, Occurrence)
    assert (gone.kind, gone.is_active) == ("motion.stopped", False)


@pytest.mark.parametrize(
    "event",
    [
        _event("Vendor/Thing", State="true"),
        _event("VideoSource/MotionAlarm", State="maybe"),
        _event("VideoSource/MotionAlarm"),
        _event("Monitoring/ProcessorUsage", Value="much"),
        _event("Monitoring/ProcessorUsage", Value="nan"),
        _event("Monitoring/ProcessorUsage", Value="inf"),
        _event(""),
    ],
)
def test_what_is_not_understood_is_kept_with_the_reason(event: Event) -> None:
    assert isinstance(event, UnrecognisedEvent)
    assert event.reason
    assert event.payload == b"<raw/>"


def test_numbers_are_readings_and_moments_have_no_state() -> None:
    usage = _event("Monitoring/ProcessorUsage", Value="37.5")
    assert isinstance(usage, Reading)
    assert (usage.point, usage.value) == ("processor_usage", 37.5)
    crossed = _event("RuleEngine/LineDetector/Crossed", ObjectId="7")
    assert isinstance(crossed, Occurrence)
    assert (crossed.kind, crossed.is_active) == ("line.crossed", None)
    assert crossed.data["ObjectId"] == "7"


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("Monitoring/OperatingTime/LastClockSynchronization", "clock.synchronised"),
        ("Monitoring/OperatingTime/LastReboot", "reboot.reported"),
        ("Monitoring/OperatingTime/LastReset", "reset.reported"),
        ("Monitoring/Backup/Last", "backup.reported"),
    ],
)
def test_what_a_camera_did_last_is_a_moment(topic: str, kind: str) -> None:
    event = _event(topic, Status="2026-11-22T01:00:00Z")
    assert isinstance(event, Occurrence)
    assert (event.kind, event.is_active) == (kind, None)


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("Fan", "fan_failure"),
        ("FanFailure", "fan_failure"),
        ("PowerSupply", "power_supply_failure"),
        ("PowerSupplyFailure", "power_supply_failure"),
        ("Storage", "storage_failure"),
        ("StorageFailure", "storage_failure"),
    ],
)
def test_hardware_goes_by_its_long_and_its_short_name(topic: str, kind: str) -> None:
    for said, state in (("true", "started"), ("false", "stopped")):
        event = _event(f"Device/HardwareFailure/{topic}", Failed=said)
        assert isinstance(event, Occurrence)
        assert (event.kind, event.is_active) == (f"{kind}.{state}", said == "true")


def _reply(body: str) -> tuple[Notification, ...]:
    text = (
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:n="http://docs.oasis-open.org/wsn/b-2" xmlns:tt="http://www.onvif.org/ver10/schema"'
        f"><e:Body>{body}</e:Body></e:Envelope>"
    )
    return parse_notifications(parse_tree(decode_document(text.encode())))


def test_prefixes_in_topics_are_dropped_and_times_are_utc() -> None:
    (message,) = _reply(
        "<n:NotificationMessage><n:Topic>\n tns1:Device/tnsvendor:Trigger/Relay </n:Topic>"
        '<n:Message><tt:Message UtcTime="2026-11-22T01:00:00Z" PropertyOperation="Changed">'
        '<tt:Source><tt:SimpleItem Name="Token" Value="r1"/></tt:Source><tt:Data>'
        '<tt:SimpleItem Name="LogicalState" Value="active"/></tt:Data></tt:Message></n:Message>'
        "</n:NotificationMessage>"
    )
    assert message.topic == "Device/Trigger/Relay"
    assert message.occurred_at == datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert (message.source, message.data) == ({"Token": "r1"}, {"LogicalState": "active"})


def test_messages_without_anything_are_still_messages() -> None:
    (message,) = _reply("<n:NotificationMessage/>")
    assert message.topic == ""
    assert message.occurred_at is None


def test_items_and_texts_are_bounded() -> None:
    items = "".join(f'<tt:SimpleItem Name="n{i}" Value="{"v" * 9999}"/>' for i in range(99))
    (message,) = _reply(
        f"<n:NotificationMessage><n:Topic>{'t' * 9999}</n:Topic><n:Message><tt:Message><tt:Data>"
        f"{items}</tt:Data></tt:Message></n:Message></n:NotificationMessage>"
    )
    assert len(message.data) == MAX_ITEMS
    assert max(len(value) for value in message.data.values()) == 256
    assert len(message.topic) == 256
    assert len(message.raw) == 2048
