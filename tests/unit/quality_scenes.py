"""Drawn pictures for the tests of the indices: what cameras see, as arrays, without photographs.

A scene is made of things that hide one another (the "dead leaves" model), in the sizes, contours
and mix of colours that photographs have. All are 640 x 360, the scale of the indices.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from streams.quality.sample import Sample, make_sample

WIDTH, HEIGHT = 640, 360

Floats = NDArray[np.float32]


def take(picture: NDArray[np.floating], *, noise: float = 1.0, seed: int = 0) -> Sample:
    """What a camera makes of it: a little noise, and a JPEG."""
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, noise, picture.shape[:2])[..., None]
    levels = np.clip(picture + grain, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, 85])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return make_sample(decoded, WIDTH, HEIGHT)


def draw_scene(seed: int = 0) -> Floats:
    """Many things, near and far, by day; mean luma about 110."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    for _ in range(700):
        size = min(130.0, 5.0 / float(rng.random()) ** 0.7)
        at = (int(rng.integers(WIDTH)), int(rng.integers(HEIGHT)))
        luma = float(np.clip(rng.normal(112, 52), 12, 240))
        colour = np.clip(luma + rng.normal(0, 9, 3), 0, 250)
        axes = (max(2, int(size * rng.uniform(0.3, 1))), max(2, int(size * rng.uniform(0.3, 1))))
        if rng.random() < 0.6:
            box = cv2.boxPoints((at, axes, float(rng.uniform(-20, 20))))
            cv2.fillConvexPoly(picture, box.astype(np.int32), colour.tolist(), cv2.LINE_AA)
        else:
            turn = float(rng.uniform(0, 180))
            half = (axes[0] // 2 + 1, axes[1] // 2 + 1)
            cv2.ellipse(picture, at, half, turn, 0, 360, colour.tolist(), -1, cv2.LINE_AA)
    return picture.astype(np.float32)


def draw_wall() -> Floats:
    """A plain wall, lit from one side."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = 175 + 35 * np.exp(-((columns - 200) ** 2 + rows**2) / 90_000)
    return np.asarray(light[..., None] * np.array([0.93, 0.97, 1.0], np.float32), np.float32)


def draw_sky() -> Floats:
    """A clear sky above a strip of land."""
    rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    sky = (
        np.array([225, 170, 115], np.float32) * (1 - rows)
        + np.array([232, 215, 195], np.float32) * rows
    )
    picture = np.repeat(sky, WIDTH, axis=1)
    picture[290:] = draw_scene(5)[290:]
    return np.asarray(picture, np.float32)


def draw_snow() -> Floats:
    """A snow-covered ground below a scene."""
    picture = draw_scene(4) * 0.8 + 40
    rows = np.linspace(0, 40, HEIGHT - 150, dtype=np.float32)[:, None, None]
    picture[150:] = picture[150:] * 0.12 + 195 - rows * 0.6
    return picture


def draw_fog(through: float = 0.6) -> Floats:
    """A scene in fog: what is far (above) is nearly gone."""
    near = np.linspace(0.35, 1.3, HEIGHT, dtype=np.float32)[:, None, None]
    left = np.clip(through * near, 0, 1)
    return np.asarray(draw_scene(1) * left + 195 * (1 - left), np.float32)


def draw_night() -> Floats:
    """A dim street under three lamps."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    lit = np.full((HEIGHT, WIDTH), 0.25, np.float32)
    glow = np.zeros((HEIGHT, WIDTH), np.float32)
    for across in (110, 330, 540):
        lit += 0.6 * np.exp(-((columns - across) ** 2 + (rows - 220) ** 2) / 9_000)
        glow += 250 * np.exp(-((columns - across) ** 2 + (rows - 70) ** 2) / 60)
    return np.asarray(draw_scene(2) * lit[..., None] + glow[..., None], np.float32)


def draw_fence(seed: int = 3) -> Floats:
    """Upright bars before a scene."""
    picture = draw_scene(seed)
    bars = (np.arange(WIDTH) % 24) < 7
    picture[:, bars] = 60 + 25 * np.sin(np.arange(WIDTH)[bars] % 24 / 7 * np.pi)[None, :, None]
    return picture


def make_grey(picture: Floats) -> Floats:
    """The same by infrared light."""
    luma = picture @ np.array([0.114, 0.587, 0.299], np.float32)
    return np.repeat(luma[..., None], 3, axis=2)


def defocus(picture: Floats, radius: float) -> Floats:
    """The same out of focus: a point becomes a disc."""
    reach = int(np.ceil(radius))
    across = np.arange(-reach, reach + 1)
    disc = np.clip(radius + 0.5 - np.hypot(across[:, None], across[None, :]), 0, 1)
    return np.asarray(cv2.filter2D(picture, -1, disc / disc.sum()), np.float32)


def write_clock(picture: Floats) -> Floats:
    """Clock and name, as cameras write them."""
    written = np.clip(picture, 0, 255).astype(np.uint8)
    cv2.putText(written, "2026-11-22 03:14:07", (12, 28), 0, 0.8, (255, 255, 255), 2)
    cv2.putText(written, "GATE 02", (500, 345), 0, 0.8, (255, 255, 255), 2)
    return written.astype(np.float32)
