"""Streets drawn with a pen, for tests of what compares pictures: houses, windows, kerbs, poles."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streams.quality.sample import Sample, make_sample

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 360


def draw_street(seed: int = 1) -> Picture:
    """Draw a street; another seed is another street."""
    rng = np.random.default_rng(seed)
    street = np.full((HEIGHT, WIDTH, 3), (190, 180, 170), np.uint8)
    kerb = int(rng.integers(190, 290))
    left = 0
    while left < WIDTH:
        wide, top = int(rng.integers(50, 120)), int(rng.integers(30, 120))
        wall = tuple(int(level) for level in rng.integers(60, 150, 3))
        cv2.rectangle(street, (left, top), (left + wide, kerb), wall, -1)
        for y in range(top + 12, kerb - 20, int(rng.integers(28, 44))):
            for x in range(left + 8, left + wide - 14, int(rng.integers(22, 34))):
                cv2.rectangle(street, (x, y), (x + 12, y + 16), (40, 35, 30), -1)
        left += wide
    cv2.rectangle(street, (0, kerb), (WIDTH, HEIGHT), (110, 110, 112), -1)
    for _ in range(14):
        ends = rng.integers(0, WIDTH, 2)
        cv2.line(street, (int(ends[0]), kerb), (int(ends[1]), HEIGHT), (200, 200, 200), 2)
    for x in rng.integers(0, WIDTH, 5):
        cv2.line(street, (int(x), 60), (int(x), 300), (20, 20, 20), 4)
    for _ in range(6):  # roofs and wires
        ends, heights = rng.integers(0, WIDTH, 2), rng.integers(0, HEIGHT, 2)
        near, far = (int(ends[0]), int(heights[0])), (int(ends[1]), int(heights[1]))
        cv2.line(street, near, far, (30, 30, 60), 3)
    return street


def take(picture: Picture, moment: int = 0, noise: float = 2.0) -> Sample:
    """Take a picture with a living sensor; every moment has noise of its own."""
    grain = np.random.default_rng(moment).normal(0.0, noise, (HEIGHT, WIDTH, 1))
    return sample_of(np.clip(picture + grain, 0, 255).astype(np.uint8))


def sample_of(picture: Picture) -> Sample:
    """Make a sample of a picture as it is."""
    return make_sample(picture, 1920, 1080)


def shift(picture: Picture, right: int, down: int = 0) -> Picture:
    """Move what is seen; what comes in from the side is more of the same."""
    way = np.array([[1, 0, right], [0, 1, down]], np.float32)
    moved = cv2.warpAffine(picture, way, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def relight(picture: Picture, gain: float, veil: float = 0.0) -> Picture:
    """Change the light, and draw a veil of fog (share) over everything."""
    lit = picture.astype(np.float32) * gain * (1.0 - veil) + 190.0 * veil
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


def cover(picture: Picture, box: tuple[int, int, int, int], level: int = 90) -> Picture:
    """Lay something plain on the lens: left, top, right, bottom; its edges are out of focus."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.rectangle(mask, box[:2], box[2:], 1.0, -1)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), 8.0), np.float32)[..., None]
    covered = picture.astype(np.float32) * (1.0 - soft) + level * soft
    return np.asarray(np.clip(covered, 0, 255), np.uint8)


def park_lorry(picture: Picture, box: tuple[int, int, int, int]) -> Picture:
    """Park a lorry before the houses: in focus, with seams, a window and wheels."""
    left, top, right, bottom = box
    parked = picture.copy()
    cv2.rectangle(parked, (left, top), (right, bottom), (215, 220, 225), -1)
    for x in range(left, right, 24):
        cv2.line(parked, (x, top), (x, bottom), (90, 90, 95), 1)
    cv2.rectangle(parked, (left + 8, top + 10), (left + 50, top + 50), (30, 30, 30), -1)
    for x in (left + 30, right - 30):
        cv2.circle(parked, (x, bottom), 18, (10, 10, 10), -1)
    return parked


def write_clock(picture: Picture, text: str) -> Picture:
    """Write a time into the corner, as cameras do."""
    written = picture.copy()
    cv2.putText(written, text, (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
    return written
