"""What a simulated camera sees: a small scene with a moving car, its name and its clock.

The scene depends on the preset the camera looks at and on its seed, so that no two cameras
and no two presets show the same picture. OpenCV's fonts know Latin letters only: of a name
such as "东门 1 / East gate 1" the part that can be drawn is drawn.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]

_SKIES = ((190, 150, 110), (150, 170, 190), (120, 130, 170), (170, 180, 140))
_CAR_SPEED = 0.25  # of the picture's width in a second: the car is back where it was after 4 s


class Mode(StrEnum):
    """What the picture does."""

    LIVE = "live"
    BLACK = "black"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What one camera sees from one preset."""

    label: str
    seed: int
    preset: int
    width: int
    height: int


def draw_background(scene: Scene) -> Frame:
    """Draw all that does not move, as height x width x BGR."""
    width, height = scene.width, scene.height
    rng = np.random.default_rng((scene.seed, scene.preset))
    frame = np.empty((height, width, 3), dtype=np.uint8)
    horizon = int(height * (0.40 + 0.05 * (scene.preset % 4)))
    frame[:horizon] = _SKIES[scene.preset % len(_SKIES)]
    frame[horizon:] = (80, 95, 90)
    for _ in range(7 + scene.preset % 3):
        left, wide = int(rng.integers(0, width)), int(rng.integers(width // 12, width // 5))
        top = int(rng.integers(horizon // 4, horizon - 4))
        colour = tuple(int(c) for c in rng.integers(40, 220, 3))
        cv2.rectangle(frame, (left, top), (left + wide, horizon), colour, -1)
        for x in range(left + 6, left + wide - 8, 14):
            for y in range(top + 6, horizon - 10, 16):
                cv2.rectangle(frame, (x, y), (x + 6, y + 8), (60, 70, 80), -1)
    road = np.array(
        [[0, height], [width, height], [width * 2 // 3, horizon], [width // 3, horizon]],
        dtype=np.int32,
    )
    cv2.fillPoly(frame, [road], (70, 70, 70))
    cv2.line(frame, (width // 2, horizon), (width // 2, height), (220, 220, 220), 2)
    grain = rng.integers(0, 12, (height, width, 1), dtype=np.uint8)
    return cv2.add(frame, np.repeat(grain, 3, axis=2)).astype(np.uint8)


def draw_moving(scene: Scene, background: Frame, elapsed_s: float) -> Frame:
    """Add the car where it is after ``elapsed_s``, and the name of the camera."""
    frame = background.copy()
    width, height = scene.width, scene.height
    left = int((elapsed_s * _CAR_SPEED % 1.0) * (width + width // 6)) - width // 6
    top = int(height * 0.72)
    car = (30, 40, 60 + 60 * (scene.seed % 3))
    cv2.rectangle(frame, (left, top), (left + width // 6, top + height // 10), car, -1)
    for wheel in (left + width // 30, left + width // 8):
        cv2.circle(frame, (wheel, top + height // 10), height // 36, (15, 15, 15), -1)
    _write(frame, f"{drawable(scene.label)}  P{scene.preset + 1}", 22)
    return frame


def draw_tick(frame: Frame, elapsed_s: float) -> None:
    """Draw a second hand into the upper right corner, the moving clock of a looped clip."""
    width = frame.shape[1]
    centre, angle = (width - 30, 30), elapsed_s * np.pi / 2
    cv2.circle(frame, centre, 20, (250, 250, 250), -1)
    tip = (int(centre[0] + 16 * np.sin(angle)), int(centre[1] - 16 * np.cos(angle)))
    cv2.line(frame, centre, tip, (0, 0, 200), 3)


def draw_time(frame: Frame, now: datetime) -> None:
    """Write the camera's own time along the bottom."""
    _write(frame, now.strftime("%Y-%m-%d %H:%M:%S"), frame.shape[0] - 10)


def draw_black(width: int, height: int) -> Frame:
    """The picture of a camera whose sensor died."""
    return np.zeros((height, width, 3), dtype=np.uint8)


def build_jpeg(frame: Frame, *, quality: int = 85) -> bytes:
    """Encode one picture."""
    is_good, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_good:
        msg = "OpenCV could not encode the picture"
        raise RuntimeError(msg)
    return data.tobytes()


def drawable(text: str) -> str:
    """The part of a name that OpenCV's fonts can show."""
    latin = "".join(c if c.isascii() and c.isprintable() else " " for c in text)
    return " ".join(latin.split()).lstrip("/ 0123456789").strip() or "camera"


def _write(frame: Frame, text: str, baseline: int) -> None:
    size = frame.shape[0] / 600
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(frame, text, (10, baseline), cv2.FONT_HERSHEY_SIMPLEX, size, colour, thickness)
