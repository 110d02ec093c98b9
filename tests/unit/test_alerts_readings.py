"""The readings that are worth a second look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.judging.readings import LIMIT, ReadingInbox
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.calendars import Calendar, Days, Holiday
from hub.domain.conditions import DeviceOffline, Direction, NothingSeen, PointBeyond
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


SILENT = replace(HOT, id=2, condition=NothingSeen(point="temp", for_s=60))


def test_rules_are_found_by_key_or_role_area_class_and_tag() -> None:
    battery = PointBeyond(point="battery", direction=Direction.BELOW, threshold=20, clear=25)
    rules = [
        HOT,
        replace(HOT, id=3, area_path="a.c"),
        replace(HOT, id=4, classes=("boiler",)),
        replace(HOT, id=5, tags=("school",)),
        replace(
            HOT, id=6, condition=replace(battery, point="temp", device_kinds=(DeviceKind.NVR,))
        ),
        replace(HOT, id=7, condition=battery),
    ]
    made = ReadingInbox()
    made.reset(rules, [])
    made.offer([row(10, 0), row(31, 1)], T0)
    made.place([replace(PLACE, role="battery", tags=frozenset({"school"}))])
    assert [(c.rule.id, c.value) for c in made.take(9)] == [(7, 10), (1, 31), (5, 31), (7, 31)]


def test_a_reading_ends_its_absence_at_once_and_costs_nothing_else() -> None:
    made = ReadingInbox()
    made.reset([SILENT], [])
    made.offer([row(20, 0)], T0)
    made.place([PLACE])
    assert not made.offer([row(20, 1)], T0)
    made.remember(
        [
            RuleState(
                rule_id=2,
                subject="device:3/point:7",
                area_id=2,
                device_id=3,
                point_id=7,
                phase=Phase.FIRING,
            )
        ]
    )
    assert made.offer([row(20, 2), row(20, 3)], T0)
    assert values(made) == [20]


def test_what_is_bad_outside_the_hours_is_left_alone_until_they_begin() -> None:
    hours = Calendar(rrule="FREQ=DAILY;BYHOUR=8", duration_s=3600, time_zone="UTC", days=Days.OFF)
    made = ReadingInbox()
    sunday = Holiday(day=T0.date(), name="worked", is_working=True)
    made.reset([replace(HOT, hours=hours)], [], {sunday.day: sunday})
    made.offer([row(31, 0)], T0)
    made.place([PLACE])
    assert values(made) == []
    assert not made.offer([row(31, 1)], T0 + timedelta(hours=8))
    made.reset([replace(HOT, hours=hours)], [])
    made.offer([row(31, 2)], T0 + timedelta(hours=8))
    made.place([PLACE])
    assert values(made) == [31]


def test_not_a_number_is_never_a_crossing() -> None:
    made = inbox()
    assert not made.offer([row(float("nan"), 1)], T0)
