"""Is it night at a camera?"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from hub.maintenance.pictures.daylight import band_of, is_night, sun_elevation_deg

SHANGHAI = ZoneInfo("Asia/Shanghai")
JIAXING = {"longitude": 120.76, "latitude": 30.75}


def local(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("at", "longitude", "latitude", "elevation"),
    [
        # Noon at the equator on the equinox; the solstices at the tropics: the sun overhead.
        (datetime(2026, 3, 20, 12, 7, tzinfo=UTC), 0.0, 0.0, 90.0),
        (datetime(2026, 6, 21, 12, 2, tzinfo=UTC), 0.0, 23.44, 90.0),
        (datetime(2026, 12, 21, 11, 58, tzinfo=UTC), 0.0, -23.44, 90.0),
        # At the poles the declination is the height.
        (datetime(2026, 6, 21, 0, 0, tzinfo=UTC), 50.0, 90.0, 23.44),
        (datetime(2026, 12, 21, 0, 0, tzinfo=UTC), 0.0, 90.0, -23.44),
        # Midnight at 30.75 N at the solstice: declination minus co-latitude.
        (datetime(2026, 6, 20, 15, 58, tzinfo=UTC), 120.76, 30.75, 23.44 - 59.25),
    ],
)
def test_the_sun_stands_where_it_is_known_to(
    at: datetime, longitude: float, latitude: float, elevation: float
) -> None:
    assert sun_elevation_deg(at, longitude, latitude) == pytest.approx(elevation, abs=0.6)


def test_the_moment_counts_and_not_the_zone_it_is_written_in() -> None:
    at = local(6, 21, 12)
    assert sun_elevation_deg(at, 120.0, 30.0) == sun_elevation_deg(at.astimezone(UTC), 120.0, 30.0)


def test_night_follows_the_seasons_where_the_position_is_known() -> None:
    """Sunset in Jiaxing: about 16:58 in December, 19:03 in June."""
    assert not is_night(local(12, 21, 17, 5), SHANGHAI, **JIAXING)
    assert is_night(local(12, 21, 17, 35), SHANGHAI, **JIAXING)
    assert not is_night(local(6, 21, 19, 10), SHANGHAI, **JIAXING)
    assert is_night(local(6, 21, 19, 45), SHANGHAI, **JIAXING)
    assert is_night(local(12, 21, 6, 20), SHANGHAI, **JIAXING)
    assert not is_night(local(12, 21, 6, 45), SHANGHAI, **JIAXING)


def test_a_day_has_one_night_and_its_length_is_right() -> None:
    start = local(12, 21, 12)
    dark = [is_night(start + timedelta(minutes=m), SHANGHAI, **JIAXING) for m in range(1_440)]
    assert sum(a is not b for a, b in pairwise(dark)) == 2
    assert sum(dark) == pytest.approx(13 * 60 + 8, abs=12)


def test_in_the_far_north_the_sun_stays_up_or_down_all_day() -> None:
    tromso = {"longitude": 18.96, "latitude": 69.65}
    hours = range(24)
    june = [is_night(datetime(2026, 6, 21, h, tzinfo=UTC), UTC, **tromso) for h in hours]
    assert not any(june)
    december = [is_night(datetime(2026, 12, 21, h, tzinfo=UTC), UTC, **tromso) for h in hours]
    assert sum(december) >= 18, "a little twilight at noon"


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"longitude": 120.0},
        {"longitude": 0.0, "latitude": 0.0},
        {"longitude": 220.0, "latitude": 30.0},
        {"longitude": 30.0, "latitude": 120.0},
    ],
)
def test_without_a_position_that_can_be_meant_the_clock_tells(place: dict[str, float]) -> None:
    for hour, minute, dark in [(6, 29, True), (6, 30, False), (17, 59, False), (18, 0, True)]:
        assert is_night(local(6, 21, hour, minute), SHANGHAI, **place) is dark


def test_bands_are_four_hours_of_the_site() -> None:
    assert [band_of(local(6, 21, hour), UTC) for hour in (7, 8, 11, 12)] == [5, 0, 0, 1]
    assert [band_of(local(6, 21, hour), SHANGHAI) for hour in (0, 3, 4, 23)] == [0, 0, 1, 5]
