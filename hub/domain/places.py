"""Distances on the earth. Pure."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

EARTH_KM: Final = 6371.0


def distance_km(
    longitude: float, latitude: float, other_longitude: float, other_latitude: float
) -> float:
    """The great-circle distance of two places in kilometres (haversine; degrees in)."""
    east, north = radians(other_longitude - longitude), radians(other_latitude - latitude)
    chord = (
        sin(north / 2) ** 2
        + cos(radians(latitude)) * cos(radians(other_latitude)) * sin(east / 2) ** 2
    )
    return 2 * EARTH_KM * asin(min(1.0, sqrt(chord)))
