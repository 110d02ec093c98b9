"""Outlines of areas: which GeoJSON is taken, what is said of the rest, how corners are left out."""

import json
from contextlib import suppress
from itertools import pairwise
from math import cos, pi, radians, sin
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.maintenance.gcj02 import from_gcj02, to_gcj02
from hub.maintenance.outline_files import MOST_FEATURES, Datum, prepare, read_outlines
from hub.maintenance.outline_shapes import (
    MOST_CORNERS,
    TOLERANCE,
    Shape,
    ShapeFault,
    parse_shape,
    simplify,
)

SQUARE = [[120.0, 30.0], [121.0, 30.0], [121.0, 31.0], [120.0, 31.0], [120.0, 30.0]]


def feature(code: object = "330402", geometry: Json = None, **properties: Json) -> dict[str, Json]:
    return {
        "type": "Feature",
        "properties": {"code": code, **properties},
        "geometry": geometry or {"type": "Polygon", "coordinates": [SQUARE]},
    }


def file_of(*features: Json) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def wavy(corners: int) -> list[list[float]]:
    """A shore: a circle of about 5 km with many small bays."""
    ring = []
    for n in range(corners):
        turn = 2 * pi * n / corners
        reach = 0.05 + 0.00005 * sin(97 * turn) + 0.004 * sin(7 * turn)
        ring.append([120.0 + reach * cos(turn), 30.0 + reach * sin(turn)])
    return [*ring, ring[0]]


def test_polygons_are_taken_by_the_property_that_is_named() -> None:
    islands = {"type": "MultiPolygon", "coordinates": [[SQUARE], [[[x + 5, y] for x, y in SQUARE]]]}
    data = file_of(
        feature(330402, adcode=330402), feature("x", islands, adcode=" 330403 "),
    )  # fmt: skip
    first, second = read_outlines(data, "adcode").outlines
    assert (first.code, first.shape.corners, first.shape.box) == ("330402", 5, (120, 30, 121, 31))
    assert (second.code, second.shape.corners, second.shape.box) == (
        "330403",
        10,
        (120, 30, 126, 31),
    )
    stored = prepare(read_outlines(data, "adcode"))[0]
    assert json.loads(stored.shape) == [[SQUARE]] == json.loads(stored.simple)
    by_id = {**feature(), "id": 7, "properties": None}
    assert read_outlines(file_of(by_id), "id").outlines[0].code == "7"


WRONG: dict[str, Json] = {
    "not-polygon": {"type": "Point", "coordinates": [120, 30]},
    "ring-open": {"type": "Polygon", "coordinates": [SQUARE[:-1]]},
    "ring-short": {"type": "Polygon", "coordinates": [[[1, 1], [1, 1], [2, 2], [1, 1]]]},
    "out-of-bounds": {
        "type": "Polygon",
        "coordinates": [[[3339584, 1], [2, 2], [3, 3], [3339584, 1]]],
    },
    "malformed": {"type": "Polygon", "coordinates": [[["120", 30], [1, 1], [2, 2], ["120", 30]]]},
    "too-many-corners": {"type": "Polygon", "coordinates": [wavy(MOST_CORNERS + 1)]},
}


@pytest.mark.parametrize("kind", WRONG)
def test_each_fault_has_a_name_and_its_feature(kind: str) -> None:
    found = read_outlines(file_of(feature("1"), feature("2", WRONG[kind])), "code")
    assert [(fault.feature, fault.kind) for fault in found.faults] == [(1, kind)]
    assert [one.code for one in found.outlines] == ["1"]


def test_features_without_a_code_or_with_one_twice_are_named() -> None:
    nameless: list[Json] = [feature(None), feature([1]), feature(), feature(), 7]
    found = read_outlines(file_of(*nameless), "code")
    assert [(fault.feature, fault.kind) for fault in found.faults] == [
        (0, "no-code"), (1, "no-code"), (3, "code-twice"), (4, "no-code"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xfe", b"[" * 200_000, b"[]", b'{"type":"FeatureCollection"}',
        b'{"type":"FeatureCollection","features":[]}', json.dumps(feature()).encode(),
        file_of(feature()).replace(b"121.0", b"NaN"),
        b'{"type":"FeatureCollection","features":[' + b"1," * MOST_FEATURES + b"1]}",
    ],
)  # fmt: skip
def test_what_is_no_collection_of_features_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        read_outlines(data, "code")


def test_a_number_beyond_every_float_is_refused() -> None:
    huge = file_of(feature()).replace(b"121.0", b"1" + b"0" * 400)
    assert [fault.kind for fault in read_outlines(huge, "code").faults] == ["malformed"]


def test_corners_that_a_map_cannot_show_are_left_out() -> None:
    shape = parse_shape({"type": "Polygon", "coordinates": [wavy(3_000)]})
    few = simplify(shape)
    assert few.corners < shape.corners / 10
    # Each corner that was left out lies within the tolerance of what is left.
    assert max(_off(place, few) for place in shape.polygons[0][0]) <= TOLERANCE


def _off(place: tuple[float, float], shape: Shape) -> float:
    """The distance of a place from the nearest line of a shape, in degrees of latitude."""
    shrink = cos(radians(30))
    x, y = place[0] * shrink, place[1]
    nearest = 1e9
    ring = shape.polygons[0][0]
    flat = [(east * shrink, north) for east, north in ring]
    for (ax, ay), (bx, by) in pairwise(flat):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length if length else 0.0
        along = min(1.0, max(0.0, along))
        far = ((x - ax - along * (bx - ax)) ** 2 + (y - ay - along * (by - ay)) ** 2) ** 0.5
        nearest = min(nearest, far)
    return nearest


def test_what_is_smaller_than_the_tolerance_vanishes_but_never_all() -> None:
    speck = [[120.0, 30.0], [120.00001, 30.0], [120.00001, 30.00001], [120.0, 30.0]]
    only = parse_shape({"type": "Polygon", "coordinates": [speck]})
    assert simplify(only) == only
    both = parse_shape({"type": "MultiPolygon", "coordinates": [[SQUARE], [speck]]})
    assert len(simplify(both).polygons) == 1


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=4),
                    lambda one: st.lists(one, max_size=4), max_leaves=20))  # fmt: skip
def test_no_coordinates_break_the_reader(coordinates: Any) -> None:
    with suppress(ShapeFault):
        parse_shape({"type": "Polygon", "coordinates": coordinates})


def test_chinese_web_maps_are_moved_to_where_places_are() -> None:
    # A pair of the published reference implementations.
    drawn = to_gcj02(121.5272106, 31.1774276)
    assert drawn == pytest.approx((121.531541859215, 31.17530398364597), abs=1e-9)
    assert from_gcj02(*drawn) == pytest.approx((121.5272106, 31.1774276), abs=1e-7)
    assert to_gcj02(2.35, 48.85) == (2.35, 48.85)
    moved = read_outlines(file_of(feature()), "code", Datum.GCJ02).outlines[0].shape.box
    assert 0.002 < 120.0 - moved[0] < 0.01
