"""The background of the map: one PMTiles file (version 3) named by the settings, read in pieces.

Browsers ask for ranges of the file and decode it themselves; no other file can be asked for. A
request is for one range: a header with more of them is refused before it is looked at (T26).
"""

import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Final

from starlette.exceptions import HTTPException

# A page asks for a header of 16 KiB, directories and tiles: none of them is nearly as large.
MOST_RANGE_BYTES: Final = 8 << 20
_LONGEST_RANGE_HEADER: Final = 64
_RANGE: Final = re.compile(r"bytes=([0-9]{1,15})-([0-9]{1,15})?\Z")

_MAGIC: Final = b"PMTiles"
_VERSION: Final = 3
_HEADER: Final = struct.Struct("<7sB11Q6B4iB2i")
_GOOD_COMPRESSIONS: Final = frozenset({1, 2})  # none, gzip: what browsers unpack
_FORMATS: Final[Mapping[int, str]] = MappingProxyType(
    {1: "mvt", 2: "png", 3: "jpeg", 4: "webp", 5: "avif"}
)
_DEEPEST_ZOOM: Final = 24
_DEGREES: Final = 1e7


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOptions:
    """The background: a PMTiles file (None: a plain one) and whose data it is."""

    tiles: Path | None = None
    attribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileArchive:
    """What the header of a file says. ``bounds`` is west, south, east, north."""

    format: str
    min_zoom: int
    max_zoom: int
    bounds: tuple[float, float, float, float]
    etag: str
    size: int


class TilesUnusable(Exception):
    """The file cannot be a background; the sentence says why and never where it lies."""


def read_archive(path: Path) -> TileArchive:
    """Read the header of a file.

    Raises:
        TilesUnusable: it is away, cut short, or no PMTiles file that browsers can show.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            raw = file.read(_HEADER.size)
    except OSError as error:
        msg = f"{path.name} cannot be read: {error.strerror}"
        raise TilesUnusable(msg) from error
    if len(raw) < _HEADER.size or not raw.startswith(_MAGIC):
        msg = f"{path.name} is no PMTiles file"
        raise TilesUnusable(msg)
    return _parse(raw, path.name, found)


def _parse(raw: bytes, name: str, found: os.stat_result) -> TileArchive:
    _, version, *rest = _HEADER.unpack(raw)
    if version != _VERSION:
        msg = f"{name} is a PMTiles file of version {version}: convert it to version {_VERSION}"
        raise TilesUnusable(msg)
    _, inner, outer, tile_type, low, high = rest[11:17]
    # Offset and length of root directory, metadata, leaf directories and tiles.
    if any(
        start + length > found.st_size
        for start, length in zip(rest[0:8:2], rest[1:8:2], strict=True)
    ):
        msg = f"{name} is cut short: copy it again"
        raise TilesUnusable(msg)
    if not {inner, outer} <= _GOOD_COMPRESSIONS:
        msg = f"{name} is compressed in a way browsers do not unpack: use gzip or none"
        raise TilesUnusable(msg)
    west, south, east, north = (degrees / _DEGREES for degrees in rest[17:21])
    is_sane = (
        low <= high <= _DEEPEST_ZOOM and -180 <= west < east <= 180 and -90 <= south < north <= 90
    )
    if tile_type not in _FORMATS or not is_sane:
        msg = f"{name} has a header that makes no sense: its tiles, zooms or bounds"
        raise TilesUnusable(msg)
    return TileArchive(
        format=_FORMATS[tile_type],
        min_zoom=low,
        max_zoom=high,
        bounds=(west, south, east, north),
        etag=f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
        size=found.st_size,
    )


def parse_range(header: str | None, size: int) -> tuple[int, int]:
    """First and last byte of the one range that is asked for.

    Raises:
        HTTPException: 416: there is none, several, one that is too large or beyond the end.
    """
    wanted = _RANGE.match(header) if header and len(header) <= _LONGEST_RANGE_HEADER else None
    if wanted is not None:
        first = int(wanted[1])
        last = min(int(wanted[2] or size - 1), size - 1)
        if first <= last and last - first < MOST_RANGE_BYTES:
            return first, last
    raise HTTPException(
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers={"Content-Range": f"bytes */{size}"}
    )


def read_range(path: Path, first: int, last: int) -> bytes:
    """Read a part of the file."""
    with path.open("rb") as file:
        return os.pread(file.fileno(), last - first + 1, first)
