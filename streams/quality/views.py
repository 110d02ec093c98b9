"""Views a camera is known to show, as bytes and as arrays, and how like one a picture is.

A state is a header and up to MAX_VIEWS views. Lengths and counts are checked before anything is
read; bytes that are not exactly a state are no state at all.
"""

import struct
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from streams.quality.structure import CELLS, COLUMNS, ROWS, Directions, Flags, Floats, Structure

MAX_VIEWS: Final = 7  # presets of a tour; also one place by lamplight and by day

_MAGIC: Final = b"GV"
_VERSION: Final = 1
_HEADER: Final = struct.Struct("<2sBBIBBH")  # magic, version, views, pictures, novelty, still, -
_VIEW: Final = struct.Struct("<HHI")  # pictures, -, number of the last picture that showed it
_DIRECTION_STEPS: Final = 200.0  # steps of a stored direction; magnitudes above 0.6 are rare
_SHARE_STEPS: Final = 255.0
_STRENGTH_STEPS: Final = 24.0  # steps of a stored strength, a doubling each
_LAYERS: Final = 4  # bytes a cell
_BYTES_A_VIEW: Final = _VIEW.size + _LAYERS * CELLS

_AROUND: Final = 3  # cells: agreement is that of a cell and its neighbours

LASTING = 0.08  # magnitude from which on a mean direction is a lasting edge
ALWAYS = 0.85  # share of pictures
AGREES = 0.5  # agreement from which on an edge is the one that was there


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """One view: means over the pictures that showed it; arrays are ROWS x COLUMNS.

    ``presence``: share of pictures in which a cell showed anything; ``strength``: log2 of one
    more than the gradient (levels a canvas pixel).
    """

    directions: Directions
    presence: Floats
    strength: Floats
    pictures: int
    last: int

    @property
    def lasting(self) -> Flags:
        """Which cells hold an edge that was there in most pictures."""
        return (np.abs(self.directions) >= LASTING) & (self.presence >= 0.6)

    @property
    def expected(self) -> Flags:
        """Which cells show something as good as always."""
        return self.lasting | (self.presence >= ALWAYS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """What is learnt, oldest view first.

    ``novelty`` is the share of late pictures that showed an unknown view, ``still`` the share of
    late visits at which nothing had moved since the visit before.
    """

    views: tuple[View, ...] = ()
    pictures: int = 0
    novelty: float = 1.0
    still: float = 0.0


NOTHING: Final = State()


def read_state(data: bytes) -> State:
    """Read a state; whatever is not one is nothing learnt."""
    if len(data) < _HEADER.size:
        return NOTHING
    magic, version, count, pictures, novelty, still, _ = _HEADER.unpack_from(data)
    whole = _HEADER.size + count * _BYTES_A_VIEW
    if magic != _MAGIC or version != _VERSION or count > MAX_VIEWS or len(data) != whole:
        return NOTHING
    starts = range(_HEADER.size, whole, _BYTES_A_VIEW)
    return State(
        views=tuple(_read_view(data, start) for start in starts),
        pictures=pictures,
        novelty=novelty / _SHARE_STEPS,
        still=still / _SHARE_STEPS,
    )


def write_state(state: State) -> bytes:
    """Write a state of at most MAX_VIEWS views."""
    header = _HEADER.pack(
        _MAGIC,
        _VERSION,
        len(state.views),
        min(state.pictures, 2**32 - 1),
        round(state.novelty * _SHARE_STEPS),
        round(state.still * _SHARE_STEPS),
        0,
    )
    return header + b"".join(_write_view(view) for view in state.views)


def _read_view(data: bytes, start: int) -> View:
    pictures, _, last = _VIEW.unpack_from(data, start)
    start += _VIEW.size
    signed = np.frombuffer(data, np.int8, 2 * CELLS, start).astype(np.float32)
    shares = np.frombuffer(data, np.uint8, 2 * CELLS, start + 2 * CELLS).astype(np.float32)
    signed = signed.reshape(2, ROWS, COLUMNS) / np.float32(_DIRECTION_STEPS)
    shares = shares.reshape(2, ROWS, COLUMNS)
    directions = np.empty((ROWS, COLUMNS), np.complex64)
    directions.real, directions.imag = signed[0], signed[1]
    return View(
        directions=directions,
        presence=shares[0] / np.float32(_SHARE_STEPS),
        strength=shares[1] / np.float32(_STRENGTH_STEPS),
        pictures=pictures,
        last=last,
    )


def _write_view(view: View) -> bytes:
    signed = np.stack([view.directions.real, view.directions.imag]) * _DIRECTION_STEPS
    shares = np.stack([view.presence * _SHARE_STEPS, view.strength * _STRENGTH_STEPS])
    return b"".join(
        (
            _VIEW.pack(min(view.pictures, 65535), 0, view.last),
            np.clip(np.rint(signed), -127, 127).astype(np.int8).tobytes(),
            np.clip(np.rint(shares), 0, 255).astype(np.uint8).tobytes(),
        )
    )


def see(structure: Structure, last: int = 0) -> View:
    """Return the view one picture shows."""
    return View(
        directions=structure.directions,
        presence=structure.seen.astype(np.float32),
        strength=np.log2(structure.strength + np.float32(1.0)),
        pictures=1,
        last=last,
    )


def compare(view: View, structure: Structure, where: Flags) -> float:
    """Return how alike the directions are in some cells, -1 to 1; 0: not at all.

    The mean is taken out: upright and level edges are everywhere where people build.
    """
    ours = view.directions[where]
    theirs = structure.directions[where]
    if ours.size == 0:
        return 0.0
    return correlate(ours - ours.mean(), theirs - theirs.mean())


def correlate(ours: Directions, theirs: Directions) -> float:
    """Return the real part of the normalised product, -1 to 1; 0 where there is nothing."""
    norm = float(np.sqrt(np.vdot(ours, ours).real * np.vdot(theirs, theirs).real))
    return float(np.vdot(ours, theirs).real) / norm if norm > 0.0 else 0.0


def agree(view: View, structure: Structure) -> Floats:
    """Return for every cell how well the directions around it agree, -1 to 1."""
    product = np.asarray((view.directions * structure.directions.conj()).real, np.float32)
    size = np.abs(view.directions) * np.abs(structure.directions)
    around = cv2.blur(size, (_AROUND, _AROUND)) + np.float32(1e-4)
    return np.asarray(cv2.blur(product, (_AROUND, _AROUND)) / around, np.float32)
