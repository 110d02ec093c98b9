"""Shapes of areas: GeoJSON polygons, checked; fewer corners for a map of all. Pure.

Not checked: that a ring does not cross itself, or that neighbours do not overlap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, isfinite, radians
from typing import Final

from hub.domain.devices import Json

Place = tuple[float, float]
Ring = tuple[Place, ...]
Polygon = tuple[Ring, ...]

MOST_CORNERS: Final = 50_000  # of one outline
LEAST_CORNERS: Final = 4  # of a ring, its first place again at the end
# About 20 m: less than a map of a county can show.
TOLERANCE: Final = 0.0002
_DIGITS: Final = 6  # 0.1 m
_PIECE: Final = 200


class ShapeFault(Exception):
    """Why a geometry is no outline; ``kind`` is a word that pages translate."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The polygons of one area, each an outer ring and its holes; degrees, WGS-84."""

    polygons: tuple[Polygon, ...]

    @property
    def corners(self) -> int:
        """How many places all rings have."""
        return sum(len(ring) for polygon in self.polygons for ring in polygon)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        eastings, northings = zip(*self._places(), strict=True)
        return min(eastings), min(northings), max(eastings), max(northings)

    def _places(self) -> Iterator[Place]:
        for polygon in self.polygons:
            yield from polygon[0]


def parse_shape(geometry: Json) -> Shape:
    """Read a GeoJSON geometry.

    Raises:
        ShapeFault: it is no Polygon or MultiPolygon as RFC 7946 has them, or too large.
    """
    if not isinstance(geometry, dict) or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        kind, message = "not-polygon", "the geometry is neither a Polygon nor a MultiPolygon"
        raise ShapeFault(kind, message)
    coordinates = geometry.get("coordinates")
    is_one = geometry["type"] == "Polygon"
    polygons = [coordinates] if is_one else _list(coordinates, "the polygons")
    shape = Shape(polygons=tuple(_polygon(polygon) for polygon in polygons))
    if shape.corners > MOST_CORNERS:
        kind = "too-many-corners"
        raise ShapeFault(kind, f"an outline has at most {MOST_CORNERS} corners")
    return shape


def simplify(shape: Shape, tolerance: float = TOLERANCE) -> Shape:
    """The same shape with fewer corners (Douglas and Peucker, 1973).

    No corner that is left out was farther than ``tolerance`` (degrees of latitude) from the line.
    Islands and holes that are smaller than that vanish; the largest ring of all stays.
    """
    polygons = []
    for polygon in shape.polygons:
        outer, *holes = (_thin(ring, tolerance) for ring in polygon)
        if len(outer) >= LEAST_CORNERS:
            kept = [hole for hole in holes if len(hole) >= LEAST_CORNERS]
            polygons.append((outer, *kept))
    if not polygons:
        largest = max((polygon[0] for polygon in shape.polygons), key=len)
        polygons.append((largest,))
    return Shape(polygons=tuple(polygons))


def _list(value: Json, what: str) -> Sequence[Json]:
    if not isinstance(value, list) or not value:
        kind = "malformed"
        raise ShapeFault(kind, f"{what} are no list, or an empty one")
    return value


def _polygon(value: Json) -> Polygon:
    return tuple(_ring(ring) for ring in _list(value, "the rings of a polygon"))


def _ring(value: Json) -> Ring:
    places = [_place(one) for one in _list(value, "the places of a ring")]
    if places[0] != places[-1]:
        kind, message = "ring-open", "a ring does not end where it begins"
        raise ShapeFault(kind, message)
    # What stands still after rounding is one place.
    ring = tuple(place for n, place in enumerate(places) if n == 0 or place != places[n - 1])
    if len(ring) < LEAST_CORNERS:
        kind, message = "ring-short", "a ring has fewer than three places that differ"
        raise ShapeFault(kind, message)
    return ring


def _place(value: Json) -> Place:
    # A height may follow and says nothing here.
    if isinstance(value, list) and len(value) in {2, 3}:
        longitude, latitude = _degrees(value[0]), _degrees(value[1])
        if longitude is not None and latitude is not None:
            if not -180 <= longitude <= 180 or not -90 <= latitude <= 90:
                kind = "out-of-bounds"
                message = "a place lies outside of longitude ±180 and latitude ±90 degrees"
                raise ShapeFault(kind, message)
            return round(longitude, _DIGITS), round(latitude, _DIGITS)
    kind, message = "malformed", "a place is not a pair of numbers"
    raise ShapeFault(kind, message)


def _degrees(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _thin(ring: Ring, tolerance: float) -> Ring:
    """A ring with fewer corners; looked at in pieces, so that no form of it takes for ever."""
    shrink = cos(radians(ring[0][1]))
    flat = [(east * shrink, north) for east, north in ring]
    end = len(flat) - 1
    cuts = [*range(0, end, _PIECE), end]
    kept = set(cuts)
    waiting = list(pairwise(cuts))
    while waiting:
        first, last = waiting.pop()
        worst, distance = first, tolerance * tolerance
        for n in range(first + 1, last):
            off = _off_line(flat[n], flat[first], flat[last])
            if off > distance:
                worst, distance = n, off
        if worst != first:
            kept.add(worst)
            waiting += [(first, worst), (worst, last)]
    return tuple(ring[n] for n in sorted(kept))


def _square(one: Place, other: Place) -> float:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2


def _off_line(place: Place, begin: Place, end: Place) -> float:
    """The square of the distance of a place from a stretch."""
    run, rise = end[0] - begin[0], end[1] - begin[1]
    length = run * run + rise * rise
    if length == 0:
        return _square(place, begin)
    along = ((place[0] - begin[0]) * run + (place[1] - begin[1]) * rise) / length
    along = min(1.0, max(0.0, along))
    return _square(place, (begin[0] + along * run, begin[1] + along * rise))
