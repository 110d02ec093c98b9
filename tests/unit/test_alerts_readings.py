"""The readings that are worth a second look."""

from datetime import UTC, datetime, timedelta

from alerts.readings import LIMIT, ReadingInbox
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.conditions import DeviceOffline, Direction, PointBeyond
from hub.domain.devices import DeviceKind
from hub.store.events import ReadingRow
from hub.store.present import PointPlace

T0 = datetime(2026, 11, 22, tzinfo=UTC)
HOT = Rule(
    id=1,
    name="hot",
    area_id=1,
    area_path="a",
    condition=PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25),
)
PLACE = PointPlace(
    point_id=7,
    point="temp",
    device_id=3,
    device_kind=DeviceKind.SENSOR,
    area_id=2,
    area_path="a.b",
)


def row(value: float, seconds: float, point: int = 7, device: int = 3) -> ReadingRow:
    at = T0 + timedelta(seconds=seconds)
    return ReadingRow(device_id=device, point_id=point, at=at, value=value)


def inbox() -> ReadingInbox:
    made = ReadingInbox()
    made.reset([HOT], [])
    made.offer([row(20, 0)], T0)
    made.place([PLACE])
    return made


def values(made: ReadingInbox) -> list[float]:
    return [crossing.value for crossing in made.take(100)]


def test_only_crossings_are_kept() -> None:
    made = inbox()
    assert not made.offer([row(21, 1), row(22, 2)], T0)
    assert made.offer([row(31, 3), row(32, 4), row(29, 5), row(24, 6), row(20, 7)], T0)
    assert values(made) == [31, 24]


def test_a_reading_of_an_unknown_point_waits_for_its_place() -> None:
    made = ReadingInbox()
    made.reset([HOT], [])
    assert made.offer([row(31, 0), row(5, 1)], T0)
    assert made.unknown_points() == [7]
    made.place([PLACE])
    assert values(made) == [31, 5]
    assert made.unknown_points() == []


def test_a_point_without_a_place_is_asked_for_once_until_its_device_changes() -> None:
    made = ReadingInbox()
    made.reset([HOT], [])
    made.offer([row(31, 0)], T0)
    made.place([])
    assert not made.offer([row(32, 1)], T0)
    made.forget_places([3])
    assert made.offer([row(33, 2)], T0)
    assert made.unknown_points() == [7]


def test_redelivered_readings_count_once() -> None:
    made = inbox()
    batch = [row(31, 1), row(24, 2)]
    made.offer(batch, T0)
    made.offer(batch, T0)
    assert values(made) == [31, 24]


def test_a_clock_set_back_does_not_silence_a_sensor() -> None:
    made = inbox()
    made.offer([row(20, 7200)], T0)
    made.offer([row(31, 3600)], T0)
    assert values(made) == [31]


def test_what_the_database_remembers_counts() -> None:
    made = inbox()
    firing = RuleState(
        rule_id=1,
        subject="device:3/point:7",
        area_id=2,
        device_id=3,
        point_id=7,
        phase=Phase.FIRING,
    )
    made.remember([firing])
    made.offer([row(31, 1), row(24, 2)], T0)
    assert values(made) == [24]


def test_without_rules_about_points_nothing_is_kept() -> None:
    made = ReadingInbox()
    made.reset([Rule(id=1, name="r", area_id=1, area_path="a", condition=DeviceOffline())], [])
    assert not made.offer([row(99, 1)], T0)
    assert made.unknown_points() == []


def test_an_overflow_drops_all_and_says_so_once() -> None:
    made = ReadingInbox()
    made.reset([HOT], [])
    made.offer([row(31, n, point=n) for n in range(LIMIT + 1)], T0)
    assert made.unknown_points() == []
    assert made.take_overflow()
    assert not made.take_overflow()
