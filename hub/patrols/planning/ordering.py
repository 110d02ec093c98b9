"""In which order a round visits its cameras. Pure; 2,000 stops take less than a second."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from hub.domain.patrols import StopOrder
from hub.domain.places import EARTH_KM
from hub.store.patrol_candidates import Candidate

# Beyond so many the table of distances grows too large: they follow a curve that fills the map.
MOST_IN_TABLE: Final = 3000
# Rounds of exchanging pieces of the way; after a few of them little is gained.
PASSES: Final = 12
CURVE_LEVELS: Final = 16

Floats = NDArray[np.float64]


def arrange(
    found: Sequence[Candidate],
    order: StopOrder,
    listed: Sequence[int] | None,
    rng: random.Random,
) -> list[Candidate]:
    """Return the cameras in the order of the round.

    ``listed`` is the plan's own list of cameras: the fixed order, where there is one. ``rng``
    must be one that nobody can foresee: a shuffled order is drawn from it and nothing else.
    """
    match order:
        case StopOrder.FIXED:
            return sorted(found, key=_place_in(listed))
        case StopOrder.BY_AREA:
            return sorted(found, key=_by_area)
        case StopOrder.SHORTEST:
            return _shortest(found)
        case StopOrder.SHUFFLED:
            shuffled = sorted(found, key=_by_area)
            rng.shuffle(shuffled)
            return shuffled
        case _ as never:
            assert_never(never)


def measure_way(found: Sequence[Candidate]) -> float:
    """The length of the way from camera to camera in metres; those without a place add none."""
    placed = _places([one for one in found if _is_placed(one)])
    if len(placed) < 2:
        return 0.0
    return float(_haversine(placed[:-1], placed[1:]).sum())


def _shortest(found: Sequence[Candidate]) -> list[Candidate]:
    """A short way over all that have coordinates, from the north-west; then the others by area."""
    placed = sorted((one for one in found if _is_placed(one)), key=_by_area)
    others = sorted((one for one in found if not _is_placed(one)), key=_by_area)
    if len(placed) > 2:
        points = _places(placed)
        way = _short_way(points) if len(placed) <= MOST_IN_TABLE else _curve(points)
        placed = [placed[number] for number in way]
    return placed + others


def _short_way(points: Floats) -> list[int]:
    """The nearest next one each time, then pieces turned round while that makes it shorter."""
    table = _chords(points)
    way = _nearest_next(table, int(np.argmin(points[:, 0] - points[:, 1])))
    for _ in range(PASSES):
        if not _turn_pieces(way, table):
            break
    return [int(number) for number in way]


def _nearest_next(table: Floats, start: int) -> NDArray[np.intp]:
    count = len(table)
    way = np.empty(count, dtype=np.intp)
    is_open = np.ones(count, dtype=np.bool_)
    here = start
    for step in range(count):
        way[step] = here
        is_open[here] = False
        if step + 1 < count:
            here = int(np.argmin(np.where(is_open, table[here], np.inf)))
    return way


def _turn_pieces(way: NDArray[np.intp], table: Floats) -> bool:
    """One pass of 2-opt over an open way, in place; tells whether anything was gained."""
    is_better = False
    for first in range(len(way) - 2):
        here, after = way[first], way[first + 1]
        ends, beyond = way[first + 2 :], way[first + 3 :]
        gain = table[here, after] - table[here, ends]
        # The last piece has no way on behind it.
        gain[:-1] += table[ends[:-1], beyond] - table[after, beyond]
        best = int(np.argmax(gain))
        if gain[best] > 1e-6:
            last = first + 2 + best
            way[first + 1 : last + 1] = way[first + 1 : last + 1][::-1].copy()
            is_better = True
    return is_better


def _curve(points: Floats) -> list[int]:
    """The order along a Hilbert curve: neighbours on it are neighbours on the map."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = float(max(high - low)) or 1.0
    cells = ((points - low) / side * (2**CURVE_LEVELS - 1)).astype(np.int64)
    keys = [_hilbert(int(x), int(y)) for x, y in cells]
    return sorted(range(len(points)), key=keys.__getitem__)


def _hilbert(x: int, y: int) -> int:
    """How far along the curve a cell lies."""
    key, size = 0, 2 ** (CURVE_LEVELS - 1)
    while size:
        right, up = int(bool(x & size)), int(bool(y & size))
        key += size * size * ((3 * right) ^ up)
        if not up:
            if right:
                x, y = 2 * size - 1 - x, 2 * size - 1 - y
            x, y = y, x
        x, y = x & (size - 1), y & (size - 1)
        size //= 2
    return key


def _chords(points: Floats) -> Floats:
    """Straight distances in metres between all points: within a county as good as over the ground.

    A tenth of the cost, and right to a metre and less.
    """
    longitude, latitude = points[:, 0], points[:, 1]
    on_ball = np.stack(
        (
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        )
    )
    squares = np.clip(2 - 2 * (on_ball.T @ on_ball), 0.0, None)
    return np.asarray(1000 * EARTH_KM * np.sqrt(squares))


def _haversine(here: Floats, there: Floats) -> Floats:
    """Distances in metres between points (longitude, latitude) in radians, row by row."""
    half = (there - here) / 2
    chord = (
        np.sin(half[:, 1]) ** 2 + np.cos(here[:, 1]) * np.cos(there[:, 1]) * np.sin(half[:, 0]) ** 2
    )
    return np.asarray(2 * 1000 * EARTH_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))))


def _places(found: Sequence[Candidate]) -> Floats:
    return np.array(
        [[math.radians(one.longitude or 0.0), math.radians(one.latitude or 0.0)] for one in found]
    ).reshape(-1, 2)


def _is_placed(one: Candidate) -> bool:
    return one.longitude is not None and one.latitude is not None


def _by_area(one: Candidate) -> tuple[str, str, int]:
    return one.area_path, one.name, one.device_id


def _place_in(listed: Sequence[int] | None) -> Callable[[Candidate], tuple[int, int]]:
    places = {number: place for place, number in enumerate(dict.fromkeys(listed or ()))}
    return lambda one: (places.get(one.device_id, len(places)), one.device_id)
