"""Photographs for the proof of the picture indices, taken from Debian packages where they lie.

Nothing of them is copied or committed. The packages are looked for where they install, or below
``GENGFU_PHOTOGRAPHS``, a folder into which they were unpacked
(``apt-get download P && dpkg-deb -x P*.deb FOLDER``).
"""

import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.quality.catalogue import CATALOGUE, Half, Photograph

Image = NDArray[np.uint8]
"""Rows x columns x blue, green, red."""

MOST_ENLARGED: Final = 1.5  # beyond that a photograph looks out of focus by itself
SIZES: Final = ((1920, 1080), (3840, 2160), (1280, 720), (704, 576))
SHARES: Final = (1.0, 0.78, 0.62)  # of the largest window that fits, view by view
SKY: Final = (236, 226, 214)  # behind landscapes that come without one: overcast


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A part of a photograph as a camera of a usual size would see it, before lens and sensor."""

    photograph: Photograph
    number: int
    image: Image

    @property
    def seed(self) -> int:
        """The same number for the same view, on every machine and in every run."""
        return zlib.crc32(f"{self.photograph.name}/{self.number}".encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """What was found of the catalogue, and the packages that are not here."""

    root: Path
    photographs: Sequence[Photograph]
    missing: Sequence[str]

    def read(self, photograph: Photograph) -> Image:
        """The part of a photograph that is used, in full size."""
        path = self.root / photograph.path
        if not path.exists():
            path = Path("/") / photograph.path
        picture = _read_frame(path, photograph.frame) if path.suffix == ".avi" else _read(path)
        height, width = picture.shape[:2]
        left, top, right, bottom = photograph.box
        return np.ascontiguousarray(
            picture[
                round(top * height) : round(bottom * height),
                round(left * width) : round(right * width),
            ]
        )


def find_photographs(half: Half, root: Path | None = None) -> Album:
    """Look for the photographs of one half below ``root`` and where packages install."""
    root = root or Path(os.environ.get("GENGFU_PHOTOGRAPHS", "/"))
    wanted = [photograph for photograph in CATALOGUE if photograph.half is half]
    here = [
        photograph
        for photograph in wanted
        if (root / photograph.path).exists() or (Path("/") / photograph.path).exists()
    ]
    missing = sorted({photograph.package for photograph in wanted if photograph not in here})
    return Album(root=root, photographs=here, missing=missing)


def views(photograph: Photograph, picture: Image, count: int) -> Iterator[View]:
    """Cut ``count`` different views, from the widest to narrower ones; every other one mirrored."""
    for number in range(count):
        rng = np.random.default_rng(zlib.crc32(f"{photograph.name}/{number}/cut".encode()))
        image = _cut(picture, SHARES[number % len(SHARES)], number, rng)
        if number % 2:
            image = np.ascontiguousarray(image[:, ::-1])
        yield View(photograph=photograph, number=number, image=image)


def _cut(picture: Image, share: float, number: int, rng: np.random.Generator) -> Image:
    height, width = picture.shape[:2]
    size = _size(width * share, number)
    # A picture of 704 x 576 shows 4:3: its pixels are no squares.
    aspect = 4 / 3 if size == SIZES[-1] else 16 / 9
    window = min(width, height * aspect)
    window = max(window * share, min(window, size[0] / MOST_ENLARGED))
    across, down = int(window), int(window / aspect)
    left = int(rng.integers(0, width - across + 1))
    top = int(rng.integers(0, height - down + 1))
    part = picture[top : top + down, left : left + across]
    shrinks = across > size[0]
    return np.asarray(
        cv2.resize(part, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC),
        dtype=np.uint8,
    )


def _size(width: float, number: int) -> tuple[int, int]:
    """A size that does not enlarge the photograph much; one in seven of the large ones is 4K."""
    if width * 1.0 >= 3600 and number % 4 == 3:
        return SIZES[1]
    for size in (SIZES[0], SIZES[2]):
        if size[0] <= width * MOST_ENLARGED:
            return size
    return SIZES[-1]


def _read(path: Path) -> Image:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        reason = f"{path} is no picture"
        raise ValueError(reason)
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    if picture.shape[2] == 4:
        cover = picture[..., 3:].astype(np.float32) / 255
        picture = picture[..., :3] * cover + np.array(SKY, np.float32) * (1 - cover)
    return np.asarray(picture, dtype=np.uint8)


def _read_frame(path: Path, number: int) -> Image:
    film = cv2.VideoCapture(str(path))
    for _ in range(number):
        film.grab()
    is_read, picture = film.read()
    film.release()
    if not is_read:
        reason = f"{path} has no frame {number}"
        raise ValueError(reason)
    return np.asarray(picture, dtype=np.uint8)
