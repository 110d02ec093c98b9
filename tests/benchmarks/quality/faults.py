"""Every fault of a picture at four strengths, in physical terms.

``GRADES`` says what each strength is; the names are what people see of it: at BARELY one has to
look for it, at VISIBLE one sees it and can work, at CLEAR the maintenance team is called, at
EXTREME little can be made out. Lengths are pixels of a picture 1920 wide.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Final

import cv2
import numpy as np

from hub.domain.quality import Index
from tests.benchmarks.quality.camera import Light, Rng, Step, Treatment, grid, noise_field, scale


class Strength(IntEnum):
    """How bad a fault is, as people see it."""

    BARELY = 0
    VISIBLE = 1
    CLEAR = 2
    EXTREME = 3


GRADES: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "defocus": (2, 4, 8, 16),  # radius of the disc a point becomes, px
    "grease": (0.3, 0.5, 0.75, 0.93),  # share of the light a smeared dome scatters over 14 px
    "dark": (-1.5, -2.8, -4.2, -6),  # stops from the right exposure
    "bright": (1, 1.8, 2.8, 4.2),  # stops from the right exposure
    "milky": (0.7, 0.45, 0.22, 0.1),  # contrast of the light that is left
    "cast": (1.2, 1.8, 4, 8),  # gain of the strong channels over that of the weak ones
    "grain": (5, 10, 22, 45),  # standard deviation, grey levels
    "snow": (0.003, 0.012, 0.05, 0.3),  # share of the picture covered by dashes
    "hum": (4, 10, 28, 60),  # amplitude of rolling bars, grey levels
    "interference": (3, 8, 22, 50),  # amplitude of fine slanted lines, grey levels
    "columns": (4, 10, 26, 55),  # amplitude of columns of the sensor, grey levels
}
GRADES_AT_NIGHT: Final[Mapping[str, tuple[float, float, float, float]]] = {
    **GRADES,
    "dark": (-2.8, -4.2, -6, -7.5),  # nobody expects the light of day
}
_TINTS: Final = (  # which of blue, green, red stay strong
    (1.0, 0.0, 1.0),  # the infrared filter stuck out: purple
    (1.0, 0.3, 0.0),
    (0.0, 1.0, 0.15),
    (0.0, 0.4, 1.0),
)
_BARS: Final = (
    (235, 235, 235), (16, 235, 235), (235, 235, 16), (16, 235, 16),
    (235, 16, 235), (16, 16, 235), (235, 16, 16), (16, 16, 16),
)  # fmt: skip


def defocus(light: Light, rng: Rng, radius_px: float) -> Light:
    """A lens out of focus."""
    del rng
    radius = radius_px * scale(light)
    reach = int(np.ceil(radius))
    across = np.arange(-reach, reach + 1, dtype=np.float32)
    distance = np.hypot(across[:, None], across[None, :])
    disc = np.clip(radius + 0.5 - distance, 0, 1)
    return np.asarray(
        cv2.filter2D(light, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT), dtype=np.float32
    )


def grease(light: Light, rng: Rng, share: float) -> Light:
    """A smeared dome: a part of the light is scattered."""
    del rng
    scattered = cv2.GaussianBlur(light, (0, 0), 14 * scale(light))
    return np.asarray(light * (1 - share) + scattered * share, dtype=np.float32)


def meter(light: Light, rng: Rng) -> Light:
    """Expose rightly: the mean to 18 % grey, so that stops mean the same for every scene."""
    del rng
    return np.asarray(light * (0.18 / max(float(light.mean()), 1e-4)), dtype=np.float32)


def expose(light: Light, rng: Rng, stops: float) -> Light:
    """Expose by so many stops more."""
    del rng
    return np.asarray(light * 2**stops, dtype=np.float32)


def veil(light: Light, rng: Rng, left: float) -> Light:
    """A dome gone milky: scattered light over everything, the exposure follows it."""
    level, mean = float(rng.uniform(0.15, 0.4)), max(float(light.mean()), 1e-4)
    return np.asarray(level * (1 + (light / mean - 1) * left), dtype=np.float32)


def tint(light: Light, rng: Rng, ratio: float) -> Light:
    """A white balance that is far off."""
    strong = np.array(_TINTS[int(rng.integers(len(_TINTS)))], np.float32)
    gains = ratio**strong
    gains /= gains @ np.array([0.11, 0.59, 0.30], np.float32)
    return np.asarray(light * gains, dtype=np.float32)


def snow(line: Light, rng: Rng, share: float) -> Light:
    """Dashes of noise on the line, black and white, as a bad contact makes them."""
    height, width = line.shape[:2]
    length = max(2, round(8 * scale(line)))
    small = (height // max(1, round(2 * scale(line))), width // length)
    hit = (rng.random(small) < share).astype(np.float32)
    value = rng.uniform(0, 255, small).astype(np.float32)
    cover, dashes = (
        cv2.resize(field, (width, height), interpolation=cv2.INTER_NEAREST)[..., None]
        for field in (hit, value)
    )
    return np.asarray(line * (1 - cover) + dashes * cover, dtype=np.float32)


def hum(line: Light, rng: Rng, amplitude: float) -> Light:
    """Broad bars that roll through the picture: a ground loop."""
    rows, _ = grid(line)
    wave = np.sin(2 * np.pi * (rows * rng.uniform(2, 9) + rng.random()))
    return np.asarray(line + np.float32(amplitude) * wave[..., None], dtype=np.float32)


def interference(line: Light, rng: Rng, amplitude: float) -> Light:
    """Fine slanted lines: a transmitter or a power supply nearby."""
    rows, columns = grid(line)
    angle, period = rng.uniform(-1.2, 1.2), rng.uniform(10, 48)
    aspect = line.shape[0] / line.shape[1]
    along = columns * math.cos(angle) + rows * (aspect * math.sin(angle))
    wave = np.sin(2 * np.pi * 1920 / period * along)
    return np.asarray(line + np.float32(amplitude) * wave[..., None], dtype=np.float32)


def columns(line: Light, rng: Rng, amplitude: float) -> Light:
    """Upright lines that stand still: a sensor that fails column by column."""
    width = line.shape[1]
    count = max(16, round(width / scale(line) / rng.uniform(6, 24)))
    steps = cv2.resize(
        rng.standard_normal((1, count), dtype=np.float32),
        (width, 1),
        interpolation=cv2.INTER_NEAREST,
    )
    return np.asarray(line + np.float32(amplitude) * steps[..., None], dtype=np.float32)


def lose(line: Light, rng: Rng, card: str) -> Light:
    """What a recorder or a camera shows when there is no picture."""
    height, width = line.shape[:2]
    picture = np.zeros((height, width, 3), np.uint8)
    if card == "blue":
        picture[:] = (int(rng.integers(150, 256)), int(rng.integers(0, 40)), 0)
    elif card == "bars":
        edges = np.linspace(0, width, len(_BARS) + 1).astype(int)
        for left, right, colour in zip(edges, edges[1:], _BARS, strict=False):
            picture[:, left:right] = colour
    elif card == "grey":
        picture[:] = int(rng.integers(90, 170))
    elif card != "black":
        picture[:] = ((0, 0, 0), (90, 20, 10), (40, 40, 40))[int(rng.integers(3))]
        size = round(height / rng.uniform(6, 14))
        left = (width - round(len(card) * size * (0.55 if card.isascii() else 1))) // 2
        cv2.putText(
            picture, card, (left, height // 2), (255, 255, 255), cv2.FontFace("uni"), size, 500
        )
    return picture.astype(np.float32) + noise_field((height, width), 1, rng)[..., None]


CARDS: Final = ("black", "blue", "bars", "grey", "NO VIDEO", "无信号", "VIDEO LOSS", "信号丢失")

Make = Callable[[float], Treatment]


def _bind(step: Callable[[Light, Rng, float], Light], value: float) -> Step:
    return lambda picture, rng: step(picture, rng, value)


def _on_lens(step: Callable[[Light, Rng, float], Light]) -> Make:
    return lambda value: Treatment(lens=(_bind(step, value),))


def _on_line(step: Callable[[Light, Rng, float], Light]) -> Make:
    return lambda value: Treatment(line=(_bind(step, value),))


def _exposed(value: float) -> Treatment:
    return Treatment(light=(meter, _bind(expose, value)))


def _grainy(value: float) -> Treatment:
    return Treatment(noise=value)


FAULTS: Final[Mapping[str, tuple[Index, Make]]] = {
    "defocus": (Index.BLUR, _on_lens(defocus)),
    "grease": (Index.BLUR, _on_lens(grease)),
    "dark": (Index.DARK, _exposed),
    "bright": (Index.BRIGHT, _exposed),
    "milky": (Index.CONTRAST, _on_lens(veil)),
    "cast": (Index.CAST, _on_lens(tint)),
    "grain": (Index.NOISE, _grainy),
    "snow": (Index.NOISE, _on_line(snow)),
    "hum": (Index.STRIPES, _on_line(hum)),
    "interference": (Index.STRIPES, _on_line(interference)),
    "columns": (Index.STRIPES, _on_line(columns)),
}


def fault(
    name: str, strength: Strength, grades: Mapping[str, Sequence[float]] = GRADES
) -> Treatment:
    """The treatment that gives a picture this fault."""
    return FAULTS[name][1](grades[name][strength])


def lost(card: str) -> Treatment:
    """The treatment that takes the picture away."""
    return Treatment(line=(lambda line, rng: lose(line, rng, card),))
