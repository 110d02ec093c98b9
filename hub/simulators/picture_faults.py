"""What can be wrong with a simulated camera's picture, and how that looks.

Faults of the optics come before the sensor, whose grain lies over them; faults of the signal
come after it. The camera's name and clock are written over both.
"""

import functools
from enum import StrEnum

import cv2
import numpy as np

from hub.simulators.scenery import Frame

_GRAIN = 2.2  # grey levels (standard deviation), a sensor by day
_PINK = (1.05, 0.55, 1.25)  # gains of blue, green, red
_CLOTH = (72, 78, 84)
_GRAIN_MARGIN = 61  # the grain is one large tile, shifted by less than this: a prime


class Mode(StrEnum):
    """What the picture does."""

    LIVE = "live"
    BLACK = "black"
    NO_SIGNAL = "no-signal"  # the card that encoders show
    FROZEN = "frozen"
    BLURRED = "blurred"
    BRIGHT = "bright"
    DARK = "dark"
    FLAT = "flat"  # hardly any contrast
    TINTED = "tinted"
    NOISY = "noisy"
    STRIPED = "striped"
    COVERED = "covered"
    ELSEWHERE = "elsewhere"  # the camera was turned away
    SHAKING = "shaking"
    MOVING = "moving"  # something goes through the scene


def spoil_optics(frame: Frame, mode: Mode, *, chance: int) -> Frame:
    """Return what reaches the sensor, and add the sensor's own grain."""
    match mode:
        case Mode.BLURRED:
            frame = cv2.GaussianBlur(frame, (0, 0), frame.shape[1] / 160).astype(np.uint8)
        case Mode.BRIGHT:
            frame = _scaled(frame, gain=1.5, lift=120)
        case Mode.DARK:
            frame = _scaled(frame, gain=0.09, lift=0)
        case Mode.FLAT:
            frame = _scaled(frame, gain=0.1, lift=108)
        case Mode.TINTED:  # an infrared filter that is stuck leaves the day pink
            frame = np.clip(frame * np.array(_PINK, np.float32), 0, 255).astype(np.uint8)
        case Mode.COVERED:
            frame = _covered(frame)
        case Mode.SHAKING:
            frame = _shaken(frame, chance)
        case _:
            pass
    return _grained(frame, chance)


def spoil_signal(frame: Frame, mode: Mode, *, chance: int) -> Frame:
    """Return what comes through a bad cable, or a bad power supply."""
    match mode:
        case Mode.NOISY:
            return _noisy(frame, chance)
        case Mode.STRIPED:
            return _striped(frame, chance)
        case _:
            return frame


def _scaled(frame: Frame, *, gain: float, lift: float) -> Frame:
    return cv2.convertScaleAbs(frame, alpha=gain, beta=lift).astype(np.uint8)


@functools.lru_cache(maxsize=8)
def _tile(width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    shape = (height + _GRAIN_MARGIN, width + _GRAIN_MARGIN, 3)
    rng = np.random.default_rng(width)
    luma = rng.normal(0, _GRAIN, (*shape[:2], 1))
    return np.rint(luma + rng.normal(0, _GRAIN / 3, shape)).astype(np.int8)


def _grained(frame: Frame, chance: int) -> Frame:
    height, width = frame.shape[:2]
    down, across = chance % _GRAIN_MARGIN, chance // _GRAIN_MARGIN % _GRAIN_MARGIN
    grain = _tile(width, height)[down : down + height, across : across + width]
    return cv2.add(frame, grain, dtype=cv2.CV_8U).astype(np.uint8)


def _noisy(frame: Frame, chance: int) -> Frame:
    """Snow: strong noise of every pixel, and some that are white or black."""
    rng = np.random.default_rng(chance)
    noise = (42 * rng.standard_normal(frame.shape, dtype=np.float32)).astype(np.int16)
    spoilt = cv2.add(frame, noise, dtype=cv2.CV_8U).astype(np.uint8)
    speck = rng.random(frame.shape[:2], dtype=np.float32)
    spoilt[speck < 0.02] = 0
    spoilt[speck > 0.98] = 255
    return spoilt


def _striped(frame: Frame, chance: int) -> Frame:
    """Bars that roll, as mains hum leaves them."""
    height, width = frame.shape[:2]
    rows = np.arange(height, dtype=np.float32)
    wave = 45 * np.sin(2 * np.pi * (14 * rows / height + chance % 97 / 97))
    bars = np.broadcast_to(wave[:, None, None], (height, width, 3)).astype(np.int16)
    return cv2.add(frame, bars, dtype=cv2.CV_8U).astype(np.uint8)


@functools.lru_cache(maxsize=8)
def _bag(width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """How much of each pixel the bag over the lens hides, 0 to 1."""
    mask = np.zeros((height, width), dtype=np.float32)
    outline = [[0, 0], [85, 0], [72, 40], [90, 75], [80, 100], [0, 100]]
    corners = np.array([[x * width // 100, y * height // 100] for x, y in outline], dtype=np.int32)
    cv2.fillPoly(mask, [corners], 1.0)
    return cv2.GaussianBlur(mask, (0, 0), width / 50)[:, :, None].astype(np.float32)


def _covered(frame: Frame) -> Frame:
    height, width = frame.shape[:2]
    hidden = _bag(width, height)
    folds = np.sin(np.linspace(0, 9, width, dtype=np.float32))[None, :, None] * 6
    cloth = np.array(_CLOTH, np.float32) + folds
    covered: Frame = (frame * (1 - hidden) + cloth * hidden).astype(np.uint8)
    return covered


def _shaken(frame: Frame, chance: int) -> Frame:
    height, width = frame.shape[:2]
    rng = np.random.default_rng(chance)
    across, down = rng.uniform(-0.03, 0.03, 2) * width
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-0.8, 0.8)), 1.0)
    turn[:, 2] += (across, down)
    shaken = cv2.warpAffine(frame, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return shaken.astype(np.uint8)
