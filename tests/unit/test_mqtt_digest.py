"""Sessions and silence together: what goes to the hub for a row of messages."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from adapters.mqtt.digest import Digest
from adapters.mqtt.options import MqttOptions
from adapters.mqtt.payloads import Message
from hub.domain.devices import Json
from hub.domain.events import DeviceDescribed, Event, Reading, StatusReported
from hub.domain.health import Layer, Status

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Station:
    """A digest and one device's messages to it."""

    def __init__(self) -> None:
        self.digest = Digest(options=MqttOptions(silence_factor=3), clock=lambda: NOW)

    def send(
        self, leaf: str, document: dict[str, Json], *, at: float = 0, is_retained: bool = False
    ) -> Sequence[Event]:
        raw = json.dumps(document).encode()
        message = Message(
            topic=f"gengfu/v1/s1/{leaf}", payload=raw, size=len(raw), is_retained=is_retained
        )
        return self.digest.digest(message, at)


def statuses(events: Sequence[Event]) -> list[tuple[Status, int | None]]:
    return [(e.status, e.session) for e in events if isinstance(e, StatusReported)]


def test_late_will_is_ignored() -> None:
    station = Station()
    assert statuses(station.send("status", {"online": True, "session": 7})) == [(Status.ONLINE, 7)]
    assert statuses(station.send("status", {"online": True, "session": 8})) == [(Status.ONLINE, 8)]
    assert station.send("status", {"online": False, "session": 7}) == ()
    assert statuses(station.send("status", {"online": False, "session": 8})) == [
        (Status.OFFLINE, 8)
    ]


def test_of_two_clients_with_one_identity_the_higher_session_is_believed() -> None:
    station = Station()
    station.send("status", {"online": True, "session": 9, "name": "real"})
    assert station.send("status", {"online": True, "session": 3, "name": "other"}) == ()


def test_status_without_a_session_counts_as_it_comes() -> None:
    station = Station()
    station.send("status", {"online": True, "session": 7})
    assert statuses(station.send("status", {"online": False})) == [(Status.OFFLINE, None)]


def test_silence_makes_offline_and_a_reading_brings_back() -> None:
    station = Station()
    station.send("status", {"online": True, "session": 7, "interval": 10})
    (offline,) = station.digest.fallen_silent(30)
    assert offline == StatusReported(
        device="s1",
        status=Status.OFFLINE,
        layer=Layer.PROTOCOL,
        detail="silent for 30 s",
        session=7,
    )
    back, reading = station.send("reading", {"values": {"t": 1}}, at=31)
    assert statuses([back]) == [(Status.ONLINE, 7)]
    assert isinstance(reading, Reading)
    assert statuses(station.send("reading", {"values": {"t": 1}}, at=32)) == []


def test_retained_messages_are_no_sign_of_life() -> None:
    station = Station()
    station.send("status", {"online": True, "session": 7, "interval": 10})
    station.digest.fallen_silent(30)
    events = station.send("status", {"online": True, "session": 7}, at=31, is_retained=True)
    assert [type(event) for event in events] == [DeviceDescribed]
    assert len(station.send("reading", {"values": {"t": 1}}, at=32, is_retained=True)) == 1


def test_rubbish_is_no_sign_of_life() -> None:
    station = Station()
    station.send("status", {"online": True, "interval": 10})
    station.digest.fallen_silent(30)
    assert statuses(station.send("reading", {"values": 5}, at=31)) == []


def test_signed_off_device_does_not_fall_silent() -> None:
    station = Station()
    station.send("status", {"online": True, "session": 7, "interval": 10})
    station.send("status", {"online": False, "session": 7})
    assert station.digest.fallen_silent(10_000) == ()


def test_on_a_new_link_the_first_message_of_a_device_says_that_it_is_there() -> None:
    station = Station()
    station.send("status", {"online": True, "session": 7})
    station.digest.begin(100)
    back, reading = station.send("reading", {"values": {"t": 1}}, at=101)
    assert statuses([back]) == [(Status.ONLINE, 7)]
    assert isinstance(reading, Reading)
    assert statuses(station.send("reading", {"values": {"t": 1}}, at=102)) == []


def test_on_a_new_link_what_the_broker_kept_is_no_first_message() -> None:
    station = Station()
    station.send("status", {"online": True, "session": 7})
    station.digest.begin(100)
    assert statuses(station.send("reading", {"values": {"t": 1}}, at=101, is_retained=True)) == []
    kept = station.send("status", {"online": True, "session": 7}, at=102, is_retained=True)
    assert statuses(kept) == [(Status.ONLINE, 7)]
    assert statuses(station.send("reading", {"values": {"t": 1}}, at=103)) == []


def test_a_late_reading_of_a_device_that_signed_off_does_not_bring_it_back() -> None:
    station = Station()
    station.send("status", {"online": True, "session": 7})
    station.send("status", {"online": False, "session": 7})
    station.digest.begin(100)
    assert statuses(station.send("reading", {"values": {"t": 1}}, at=101)) == []


def test_a_device_that_never_says_it_is_online_is_not_said_to_be() -> None:
    station = Station()
    assert statuses(station.send("reading", {"values": {"t": 1}})) == []
    station.digest.begin(100)
    assert statuses(station.send("reading", {"values": {"t": 1}}, at=101)) == []


def test_who_was_silent_before_the_link_was_lost_is_offline_again_after_it() -> None:
    station = Station()
    station.send("status", {"online": True, "session": 7, "interval": 10})
    assert len(station.digest.fallen_silent(30)) == 1
    station.digest.begin(1_000)
    kept = station.send("status", {"online": True, "session": 7}, at=1_001, is_retained=True)
    assert statuses(kept) == []
    (offline,) = station.digest.fallen_silent(1_030)
    assert statuses([offline]) == [(Status.OFFLINE, 7)]
