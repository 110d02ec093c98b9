"""Outlines of areas as a GeoJSON file: each feature checked, all of them stored or none.

A file is refused with every fault named by the number of its feature, as an inventory's rows are.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.maintenance.gcj02 import from_gcj02
from hub.maintenance.outline_shapes import Shape, ShapeFault, parse_shape, simplify
from hub.store import area_outlines
from hub.store.area_outlines import NewOutline
from hub.store.database import Transaction

MOST_FILE_BYTES: Final = 16 << 20
MOST_FEATURES: Final = 5_000
MOST_CORNERS: Final = 400_000  # of a whole file
MOST_FAULTS: Final = 200  # named; more of them help nobody


class Datum(StrEnum):
    """What the coordinates of a file mean: GPS's earth, or Chinese web maps (国测局坐标)."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a feature was refused; ``feature`` counts from 0, ``kind`` is a word for programs."""

    feature: int
    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One good feature: the code of its area, its shape."""

    feature: int
    code: str
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineFile:
    """What a file holds."""

    outlines: Sequence[Outline] = ()
    faults: Sequence[Fault] = ()


def read_outlines(data: bytes, code_property: str, datum: Datum = Datum.WGS84) -> OutlineFile:
    """Read a FeatureCollection whose features name an area by a property; "id" also by their own.

    Raises:
        Invalid: it is no GeoJSON FeatureCollection, or one that is too large.
    """
    outlines: list[Outline] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    corners = 0
    for number, feature in enumerate(_features(data)):
        try:
            code = _code(feature, code_property)
            _refuse_repeated(code, seen)
            shape = _move(parse_shape(feature.get("geometry")), datum)
        except ShapeFault as fault:
            faults.append(Fault(feature=number, kind=fault.kind, message=str(fault)))
            continue
        corners += shape.corners
        if corners > MOST_CORNERS:
            _refuse(f"the file has more than {MOST_CORNERS} corners: split or simplify it")
        outlines.append(Outline(feature=number, code=code, shape=shape))
    return OutlineFile(outlines=outlines, faults=faults)


def prepare(file: OutlineFile) -> Sequence[NewOutline]:
    """What is stored of each outline; takes a while for a county."""
    return [
        NewOutline(
            code=outline.code,
            shape=json.dumps(outline.shape.polygons, separators=(",", ":")),
            simple=json.dumps(simplify(outline.shape).polygons, separators=(",", ":")),
            corners=outline.shape.corners,
            box=outline.shape.box,
        )
        for outline in file.outlines
    ]


async def import_outlines(
    tx: Transaction,
    scope: Scope,
    file: OutlineFile,
    prepared: Sequence[NewOutline],
    *,
    is_dry_run: bool,
) -> tuple[Sequence[int], Sequence[Fault]]:
    """Store what a file holds, or nothing when it has a fault.

    Returns the areas and the faults: those of the file, and codes of no area of the scope.
    """
    known = await area_outlines.find_areas(tx, scope, [one.code for one in file.outlines])
    message = "no area of yours has this code"
    unknown = [
        Fault(feature=outline.feature, kind="no-area", message=message)
        for outline in file.outlines
        if outline.code not in known
    ]
    faults = sorted([*file.faults, *unknown], key=lambda fault: fault.feature)
    if faults:
        return (), faults[:MOST_FAULTS]
    if not is_dry_run:
        await area_outlines.put_outlines(tx, scope, prepared)
    return [known[outline.code] for outline in file.outlines], ()


def _features(data: bytes) -> Iterator[Mapping[str, Json]]:
    try:
        found: Json = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError):
        _refuse("this is no JSON in UTF-8")
    if not isinstance(found, dict) or found.get("type") != "FeatureCollection":
        _refuse("this is no GeoJSON FeatureCollection")
    features = found.get("features")
    if not isinstance(features, list) or not features:
        _refuse("the collection has no features")
    if len(features) > MOST_FEATURES:
        _refuse(f"the file has more than {MOST_FEATURES} features: split it")
    for feature in features:
        yield feature if isinstance(feature, dict) else {}


def _code(feature: Mapping[str, Json], name: str) -> str:
    properties = feature.get("properties")
    value = properties.get(name) if isinstance(properties, dict) else None
    if value is None and name == "id":
        value = feature.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int):
        kind, message = "no-code", "the feature lacks the property that names its area"
        raise ShapeFault(kind, message)
    return str(value).strip()


def _refuse_repeated(code: str, seen: set[str]) -> None:
    if code in seen:
        kind, message = "code-twice", "another feature before it names the same area"
        raise ShapeFault(kind, message)
    seen.add(code)


def _move(shape: Shape, datum: Datum) -> Shape:
    if datum is Datum.WGS84:
        return shape
    moved = tuple(
        tuple(
            tuple((round(x, 6), round(y, 6)) for x, y in (from_gcj02(*place) for place in ring))
            for ring in polygon
        )
        for polygon in shape.polygons
    )
    return Shape(polygons=moved)


def _no_number(_name: str) -> NoReturn:
    msg = "NaN and Infinity are no JSON"
    raise ValueError(msg)


def _refuse(message: str) -> NoReturn:
    raise Invalid(message, field="file")
