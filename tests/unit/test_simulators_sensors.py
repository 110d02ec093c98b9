"""What a simulated station measures, whole and broken."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.devices import Json
from hub.simulators.faults import Fault
from hub.simulators.station_values import POINTS, RANGES, Sensors, describe_points

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def measured(sensors: Sensors, fault: Fault | None, times: int = 50) -> list[dict[str, Json]]:
    return [sensors.measure(NOON + timedelta(minutes=n), fault) for n in range(times)]


def is_inside(key: str, value: Json) -> bool:
    low, high = RANGES[key]
    return isinstance(value, int | float) and low <= value <= high


def test_a_whole_station_stays_in_the_ranges_it_tells_and_moves() -> None:
    values = measured(Sensors(random.Random(1)), None)
    assert all(is_inside(key, one[key]) for one in values for key in RANGES)
    assert len({str(one["temp"]) for one in values}) > 10
    assert set(values[0]) == set(POINTS) == set(describe_points())
    assert describe_points()["temp"] == {
        "unit": "°C", "quantity": "temperature", "low": -40.0, "high": 60.0,
    }  # fmt: skip


def test_a_stuck_value_stays_until_the_fault_is_over() -> None:
    sensors = Sensors(random.Random(1))
    stuck = measured(sensors, Fault.STUCK_VALUE)
    assert len({str(one["temp"]) for one in stuck}) == 1
    assert len({str(one["level"]) for one in stuck}) > 1
    assert len({str(one["temp"]) for one in measured(sensors, None)}) > 10


@pytest.mark.parametrize(
    ("fault", "key", "value"),
    [
        (Fault.OUT_OF_RANGE, "temp", -127.0),
        (Fault.LOW_BATTERY, "battery", 7),
        (Fault.WEAK_SIGNAL, "rssi", -97),
    ],
)
def test_a_fault_shows_in_its_own_point_only(fault: Fault, key: str, value: Json) -> None:
    broken = measured(Sensors(random.Random(1)), fault)
    whole = measured(Sensors(random.Random(1)), None)
    assert broken == [{**one, key: value} for one in whole]
