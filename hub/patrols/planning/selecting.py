"""Which of the candidates lie where the plan looks on the map. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from hub.domain.patrol_details import Selection
from hub.store.patrol_candidates import Candidate

Corner = tuple[float, float]


def select(found: Sequence[Candidate], chosen: Selection) -> list[Candidate]:
    """Return the cameras inside the selection's polygon, all of them without one."""
    if not chosen.polygon:
        return list(found)
    return [one for one in found if _lies_within(one, chosen.polygon)]


def is_inside(longitude: float, latitude: float, polygon: Sequence[Corner]) -> bool:
    """Tell whether a point lies in a polygon, by the even-odd rule; it may cut itself."""
    inside = False
    for (west, south), (east, north) in pairwise([*polygon, polygon[0]]):
        if (south > latitude) != (north > latitude):
            crossing = west + (latitude - south) / (north - south) * (east - west)
            inside ^= longitude < crossing
    return inside


def _lies_within(one: Candidate, polygon: Sequence[Corner]) -> bool:
    if one.longitude is None or one.latitude is None:
        return False
    return is_inside(one.longitude, one.latitude, polygon)
