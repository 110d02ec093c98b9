"""What a simulated camera shows: its place with a moving car, its name and its clock.

What it sees depends on the preset and on its seed, so that no two cameras and no two presets
show the same picture; the grain of its sensor makes no two pictures alike either. What is wrong
with the picture comes between the place and the writing, as in a real camera.
OpenCV's fonts know Latin letters only: of a name such as "东门 1 / East gate 1" the part that
can be drawn is drawn.
"""

from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np

from hub.simulators.motor import Vector
from hub.simulators.picture_faults import Mode, spoil_optics, spoil_signal
from hub.simulators.scenery import Frame, Place, draw_place

_CAR_SPEED = 0.25  # of the picture's width in a second: the car is back where it was after 4 s
_NEAREST = 3.0  # zoomed in all the way, things are so much larger
_CARD, _CARD_TEXT = (150, 40, 20), "NO VIDEO"
# What never changes while it lasts.
STILL_MODES = frozenset({Mode.BLACK, Mode.NO_SIGNAL, Mode.FROZEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What one camera sees from one preset; without traffic nothing moves there.

    ``view`` is how far it was moved away from the preset: pan, tilt and zoom.
    """

    label: str
    seed: int
    preset: int
    width: int
    height: int
    has_traffic: bool = True
    view: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a picture is taken, and the number that its sensor's noise and its shaking come from.

    ``now`` is the time the camera writes on it.
    """

    elapsed_s: float
    now: datetime
    chance: int


def draw_background(scene: Scene) -> Frame:
    """Draw all that does not move, as height x width x BGR."""
    place = Place(seed=scene.seed, preset=scene.preset, width=scene.width, height=scene.height)
    return _look(draw_place(place), scene.view)


def _look(frame: Frame, view: Vector) -> Frame:
    """Look beside a place, or nearer; beyond its edges it is mirrored."""
    if not any(view):
        return frame
    pan, tilt, zoom = view
    height, width = frame.shape[:2]
    scale = 1.0 + _NEAREST * zoom
    left, top = (1 - scale) * width / 2 - pan * width, (1 - scale) * height / 2 + tilt * height
    way = np.array([[scale, 0, left], [0, scale, top]], dtype=np.float32)
    seen = cv2.warpAffine(frame, way, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    return seen.astype(np.uint8, copy=False)


def draw_picture(scene: Scene, background: Frame, mode: Mode, moment: Moment) -> Frame:
    """Draw the whole picture of a moment; 640x360 takes about 2 ms."""
    if mode is Mode.BLACK:
        return draw_black(scene.width, scene.height)
    if mode is Mode.NO_SIGNAL:
        return _draw_card(scene.width, scene.height)
    frame = background.copy()
    if scene.has_traffic:
        _draw_car(frame, scene, moment.elapsed_s)
    if mode is Mode.MOVING:
        _draw_walker(frame, moment.elapsed_s)
    frame = spoil_optics(frame, mode, chance=moment.chance)
    frame = spoil_signal(frame, mode, chance=moment.chance)
    _write(frame, f"{drawable(scene.label)}  P{scene.preset + 1}", 22)
    _write(frame, moment.now.strftime("%Y-%m-%d %H:%M:%S"), frame.shape[0] - 10)
    return frame


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


def _draw_car(frame: Frame, scene: Scene, elapsed_s: float) -> None:
    width, height = scene.width, scene.height
    left = int((elapsed_s * _CAR_SPEED % 1.0) * (width + width // 6)) - width // 6
    top = int(height * 0.72)
    car = (30, 40, 60 + 60 * (scene.seed % 3))
    cv2.rectangle(frame, (left, top), (left + width // 6, top + height // 10), car, -1)
    for wheel in (left + width // 30, left + width // 8):
        cv2.circle(frame, (wheel, top + height // 10), height // 36, (15, 15, 15), -1)


def _draw_walker(frame: Frame, elapsed_s: float) -> None:
    """Draw something upright that goes the other way and is back after as long as the car."""
    height, width = frame.shape[:2]
    tall, wide = height // 4, width // 24
    x = width + wide - int((elapsed_s * _CAR_SPEED % 1.0) * (width + 2 * wide))
    foot = int(height * 0.86)
    body = (x, foot - tall // 2)
    cv2.ellipse(frame, body, (wide, tall // 2), 0, 0, 360, (28, 26, 30), -1)
    cv2.circle(frame, (x, foot - tall), wide * 2 // 3, (70, 80, 110), -1)


def _draw_card(width: int, height: int) -> Frame:
    """What an encoder shows for a camera that gives it nothing."""
    frame = draw_black(width, height)
    frame[:] = _CARD
    cv2.putText(
        frame, _CARD_TEXT, (width // 3, height // 2), cv2.FONT_HERSHEY_SIMPLEX, height / 300,
        (255, 255, 255), 2,
    )  # fmt: skip
    return frame


def _write(frame: Frame, text: str, baseline: int) -> None:
    size = frame.shape[0] / 600
    for colour, shift in (((0, 0, 0), 1), ((255, 255, 255), 0)):
        place = (10 + shift, baseline + shift)
        cv2.putText(frame, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1)
