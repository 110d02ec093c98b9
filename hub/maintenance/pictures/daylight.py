"""Is it night at a camera, and in which hours of its day are we? Pure.

Night begins when the sun is 4 degrees below the horizon: between its setting and the end of civil
twilight (6 degrees), about when street lamps burn and cameras change to infrared. Without a
position the clock tells: 18:00 to 6:30 of the site's zone, whatever the month. The site's zone
is one for the hub, not the camera's own.

The sun's place: NOAA, "General Solar Position Calculations" (the short Fourier series), good to
about half a degree, two minutes of time. Refraction is left out.
"""

import math
from datetime import UTC, datetime, time, tzinfo
from typing import Final

from hub.domain.quality import HOURS_A_BAND

NIGHT_BELOW_DEG: Final = -4.0
EVENING: Final = time(18, 0)
MORNING: Final = time(6, 30)


def band_of(at: datetime, zone: tzinfo) -> int:
    """The band of hours of a moment at the site, 0 to 5."""
    return at.astimezone(zone).hour // HOURS_A_BAND


def is_night(
    at: datetime, zone: tzinfo, *, longitude: float | None = None, latitude: float | None = None
) -> bool:
    """Tell whether it is night: by the sun where the position (degrees, WGS 84) is known."""
    if longitude is None or latitude is None or not _is_place(longitude, latitude):
        now = at.astimezone(zone).time()
        return now >= EVENING or now < MORNING
    return sun_elevation_deg(at, longitude, latitude) < NIGHT_BELOW_DEG


def sun_elevation_deg(at: datetime, longitude: float, latitude: float) -> float:
    """The sun's height above the horizon in degrees; east and north are positive."""
    utc = at.astimezone(UTC)
    minutes = utc.hour * 60 + utc.minute + utc.second / 60
    gamma = 2 * math.pi / 365 * (utc.timetuple().tm_yday - 1 + (minutes / 60 - 12) / 24)
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * math.cos(gamma)
        - 0.032077 * math.sin(gamma)
        - 0.014615 * math.cos(2 * gamma)
        - 0.040849 * math.sin(2 * gamma)
    )
    declination = (
        0.006918
        - 0.399912 * math.cos(gamma)
        + 0.070257 * math.sin(gamma)
        - 0.006758 * math.cos(2 * gamma)
        + 0.000907 * math.sin(2 * gamma)
        - 0.002697 * math.cos(3 * gamma)
        + 0.00148 * math.sin(3 * gamma)
    )
    solar_min = minutes + equation_min + 4 * longitude
    hour_angle = math.radians(solar_min / 4 - 180)
    phi = math.radians(latitude)
    sine = math.sin(phi) * math.sin(declination)
    sine += math.cos(phi) * math.cos(declination) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def _is_place(longitude: float, latitude: float) -> bool:
    """Tell whether a position can be meant: 0, 0 is what forms are left at."""
    return abs(longitude) <= 180 and abs(latitude) <= 90 and (longitude, latitude) != (0, 0)
