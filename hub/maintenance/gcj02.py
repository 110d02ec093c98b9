"""The offset of Chinese web maps (GCJ-02, 国测局坐标) against the earth (WGS-84). Pure.

Outlines taken from such maps lie about 500 m beside what GPS and the asset record say. The
formula is the one that open geodata tools have published for years; its inverse is found by
steps, to less than a centimetre.
"""

from math import cos, pi, sin, sqrt
from typing import Final

Place = tuple[float, float]

# Krasovsky 1940.
_AXIS_M: Final = 6_378_245.0
_FLATNESS: Final = 0.00669342162296594323
_STEPS: Final = 4
# Outside of this the offset is not applied.
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271


def to_gcj02(longitude: float, latitude: float) -> Place:
    """Where a place of the earth is drawn on a Chinese web map; degrees."""
    if not (_WEST <= longitude <= _EAST and _SOUTH <= latitude <= _NORTH):
        return longitude, latitude
    x, y = longitude - 105.0, latitude - 35.0
    ripple = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + ripple
    north_m += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north_m += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + ripple
    east_m += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east_m += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    angle = latitude / 180.0 * pi
    bulge = 1 - _FLATNESS * sin(angle) ** 2
    north = north_m * 180.0 / (_AXIS_M * (1 - _FLATNESS) / (bulge * sqrt(bulge)) * pi)
    east = east_m * 180.0 / (_AXIS_M / sqrt(bulge) * cos(angle) * pi)
    return longitude + east, latitude + north


def from_gcj02(longitude: float, latitude: float) -> Place:
    """Where on the earth a place of a Chinese web map is; degrees."""
    east, north = longitude, latitude
    for _ in range(_STEPS):
        drawn_east, drawn_north = to_gcj02(east, north)
        east, north = east + longitude - drawn_east, north + latitude - drawn_north
    return east, north
