"""What may lie on or before a lens, how a camera is moved, and how it shakes, at four strengths.

What is near the lens is far out of focus: its edges are soft. Lengths are pixels of a picture
1920 wide.
"""

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import Index
from tests.benchmarks.quality.camera import Light, Rng, grid, noise_field, scale
from tests.benchmarks.quality.photographs import Image

Mask = NDArray[np.float32]

GRADES: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "cloth": (0.08, 0.2, 0.5, 0.95),  # share of the picture
    "spray": (0.06, 0.15, 0.4, 0.85),  # share of the picture
    "leaves": (0.06, 0.15, 0.4, 0.75),  # share of the picture
    "web": (0.04, 0.12, 0.35, 0.7),  # share of the picture, half opaque
    "turned": (0.03, 0.1, 0.35, 0.8),  # share of the width by which the view moved
    "tilted": (1.5, 4, 12, 30),  # degrees
    "shaking": (1, 3, 10, 30),  # px, standard deviation of the place of a frame
}
COVERS: Final = ("cloth", "spray", "leaves", "web")
MOVES: Final = ("turned", "tilted")
INDICES: Final[Mapping[str, Index]] = {
    **dict.fromkeys(COVERS, Index.OCCLUSION),
    **dict.fromkeys(MOVES, Index.SCENE),
    "shaking": Index.JITTER,
    "frozen": Index.FREEZE,
}


def cover(light: Light, rng: Rng, name: str, share: float) -> Light:
    """Lay something over a share of the picture."""
    masks: Mapping[str, Callable[[Light, Rng, float], Mask]] = {
        "cloth": _cloth,
        "spray": _spray,
        "leaves": _leaves,
        "web": _web,
    }
    soft = {"cloth": 45, "spray": 12, "leaves": 18, "web": 5}[name] * scale(light)
    mask = cv2.GaussianBlur(masks[name](light, rng, share), (0, 0), max(soft, 0.6))[..., None]
    mean = float(light.mean())
    colour = np.array(
        {
            "cloth": rng.uniform(0.02, 0.5, 3) * mean,
            "spray": ((0.01, 0.01, 0.01), (0.5, 0.5, 0.5), (0.02, 0.02, 0.4))[int(rng.integers(3))],
            "leaves": np.array([0.1, 0.35, 0.15]) * mean,
            "web": np.full(3, mean * 1.5 + 0.1),
        }[name],
        np.float32,
    )
    grain = 1 + 0.12 * noise_field(light.shape[:2], 60 * scale(light), rng)[..., None]
    opacity = 0.6 if name == "web" else 1.0
    return np.asarray(light * (1 - mask * opacity) + colour * grain * mask * opacity, np.float32)


def _cloth(light: Light, rng: Rng, share: float) -> Mask:
    rows, columns = grid(light)
    slope = float(rng.uniform(-0.25, 0.25))
    ways = (columns + slope * rows, 1 - columns + slope * rows, rows + slope * columns)
    depth = ways[int(rng.integers(3))]
    return np.asarray(depth < np.quantile(depth, share), dtype=np.float32)


def _fill(light: Light, share: float, draw: Callable[[NDArray[np.uint8]], None]) -> Mask:
    mask = np.zeros(light.shape[:2], np.uint8)
    for _ in range(2000):
        if float(mask[::4, ::4].mean()) >= share:
            break
        draw(mask)
    return mask.astype(np.float32)


def _spray(light: Light, rng: Rng, share: float) -> Mask:
    height, width = light.shape[:2]
    middle = rng.uniform(0.25, 0.75, 2) * (width, height)

    def draw(mask: NDArray[np.uint8]) -> None:
        at = rng.normal(middle, (width * share * 0.6, height * share * 0.6))
        radius = max(2, round(float(rng.uniform(20, 130)) * scale(light)))
        cv2.circle(mask, (round(at[0]), round(at[1])), radius, (1,), -1)

    return _fill(light, share, draw)


def _leaves(light: Light, rng: Rng, share: float) -> Mask:
    height, width = light.shape[:2]
    side = int(rng.integers(2))

    def draw(mask: NDArray[np.uint8]) -> None:
        across = abs(float(rng.normal(0, 0.15 + share * 0.5))) * width
        at = (round(width - across) if side else round(across), round(rng.uniform(0, height)))
        long = float(rng.uniform(50, 150)) * scale(light)
        axes = (max(2, round(long)), max(1, round(long * 0.35)))
        cv2.ellipse(mask, at, axes, float(rng.uniform(0, 180)), 0, 360, (1,), -1)

    return _fill(light, share, draw)


def _web(light: Light, rng: Rng, share: float) -> Mask:
    height, width = light.shape[:2]
    middle = (round(width * rng.uniform(0.2, 0.8)), round(height * rng.uniform(0.2, 0.8)))
    thick = max(1, round(9 * scale(light)))

    def draw(mask: NDArray[np.uint8]) -> None:
        angle, reach = rng.uniform(0, 2 * np.pi), float(rng.uniform(0.1, 0.6)) * width
        tip = (round(middle[0] + reach * np.cos(angle)), round(middle[1] + reach * np.sin(angle)))
        cv2.line(mask, middle, tip, (1,), thick)
        cv2.ellipse(
            mask, middle, (round(reach), round(reach * 0.9)), 0,
            float(np.degrees(angle)), float(np.degrees(angle)) + 50, (1,), thick,
        )  # fmt: skip

    return _fill(light, share, draw)


def move(image: Image, rng: Rng, name: str, amount: float) -> Image:
    """What a camera sees once it was turned or tilted."""
    height, width = image.shape[:2]
    sign = 1 if rng.random() < 0.5 else -1
    if name == "turned":
        down = float(rng.uniform(-0.2, 0.2)) * amount * height
        return _shift(image, sign * amount * width, down)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), sign * amount, 1.0)
    return np.asarray(
        cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8
    )


def shake(image: Image, rng: Rng, amplitude: float) -> Image:
    """One frame of a camera that shakes."""
    across, down = rng.normal(0, amplitude * image.shape[1] / 1920, 2)
    return _shift(image, float(across), float(down))


def _shift(image: Image, across: float, down: float) -> Image:
    height, width = image.shape[:2]
    matrix = np.array([[1, 0, across], [0, 1, down]], np.float32)
    return np.asarray(
        cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8
    )
