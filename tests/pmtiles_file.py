"""A PMTiles file (version 3) of one tile: the whole world at zoom 0."""

import struct

PNG = 2
_ROOT, _TILE_OF_ALL = 127, 0


def build_pmtiles(
    tile: bytes = bytes(64),
    *,
    version: int = 3,
    inner: int = 1,
    kind: int = PNG,
    zooms: tuple[int, int] = (0, 0),
) -> bytes:
    """Header, root directory, metadata, tile; nothing is compressed unless ``inner`` claims so."""
    # One entry: its number, how many tiles alike, its length, its offset plus one.
    directory = b"".join(_varint(number) for number in (1, _TILE_OF_ALL, 1, len(tile), 1))
    metadata = b"{}"
    at_metadata = _ROOT + len(directory)
    at_tiles = at_metadata + len(metadata)
    sections = (_ROOT, len(directory), at_metadata, len(metadata), at_tiles, 0, at_tiles, len(tile))
    header = struct.pack(
        "<7sB11Q6B4iB2i", b"PMTiles", version, *sections, 1, 1, 1, 1, inner, 1, kind, *zooms,
        -1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000, 0, 0, 0,
    )  # fmt: skip
    return header + directory + metadata + tile


def _varint(number: int) -> bytes:
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
