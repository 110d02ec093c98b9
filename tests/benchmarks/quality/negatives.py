"""Pictures that look like faults and are none: what cameras show at night, in weather, at walls.

Each is one treatment of a view of a photograph. Photographs that are hard negatives by themselves
(sky, sunsets, neon, textures …) carry their kind in the catalogue.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.quality.camera import Light, Rng, Treatment, grey, grid, noise_field, scale

COARSE: Final = 4
_COLD: Final = np.array([1.0, 0.85, 0.75], np.float32)
_SODIUM: Final = np.array([0.12, 0.62, 1.0], np.float32)
_NEON: Final = np.array(
    [[1.0, 0.2, 0.9], [1.0, 0.8, 0.1], [0.2, 1.0, 0.4], [0.1, 0.3, 1.0]], np.float32
)
_WALLS: Final = np.array(
    [[0.62, 0.68, 0.70], [0.45, 0.47, 0.47], [0.55, 0.68, 0.72], [0.66, 0.60, 0.50]],
    np.float32,
)


def pool(light: Light, at: tuple[float, float], spread: float) -> NDArray[np.float32]:
    """A round patch of light at (row, column), 1 in the middle; in shares of the width."""
    rows, columns = grid(light)
    aspect = light.shape[0] / light.shape[1]
    squared = ((rows - at[0]) * aspect) ** 2 + (columns - at[1]) ** 2
    return np.asarray(np.exp(-squared / (2 * spread**2)), dtype=np.float32)


def lamps(light: Light, rng: Rng, colours: NDArray[np.float32], ambient: float) -> Light:
    """Night under lamps: little light everywhere, pools of it below each lamp, the lamps burnt."""
    rows, _ = grid(light)
    # The sky of the photograph is dark: nothing up there reflects the lamps.
    height = np.clip(rows * 2.2, 0.12, 1)[..., None]
    pale = 0.5 * light + 0.5 * grey(light)[..., None]
    scene = np.minimum(pale * (0.18 / max(float(light.mean()), 1e-4)), 0.6) * height
    small = light[::COARSE, ::COARSE]  # pools of light have no detail
    lit = np.full(small.shape, ambient, np.float32)
    glow = np.zeros(small.shape, np.float32)
    for number in range(int(rng.integers(3, 6))):
        colour = colours[number % len(colours)]
        at = (float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.05, 0.95)))
        below = (at[0] + 0.35, at[1])
        lit += pool(small, below, float(rng.uniform(0.12, 0.22)))[..., None] * colour
        lamp = pool(small, at, 0.005) * 3 + pool(small, at, 0.03) * 0.12
        glow += lamp[..., None] * colour
    size = (light.shape[1], light.shape[0])
    lit, glow = (np.asarray(cv2.resize(field, size), np.float32) for field in (lit, glow))
    return np.asarray(scene * lit * float(rng.uniform(0.35, 0.75)) + glow, dtype=np.float32)


def night(light: Light, rng: Rng) -> Light:
    """A street at night under white lamps."""
    return lamps(light, rng, _COLD[None], 0.07)


def sodium(light: Light, rng: Rng) -> Light:
    """A street at night under sodium lamps: everything is orange."""
    return lamps(light, rng, _SODIUM[None], 0.06)


def neon(light: Light, rng: Rng) -> Light:
    """A shopping street at night: lights of all colours."""
    return lamps(light, rng, rng.permutation(_NEON), 0.07) * np.float32(1.4)


def beam(light: Light, rng: Rng) -> Light:
    """The camera's own infrared lamp: bright in the middle, falling off to the corners."""
    at = (float(rng.uniform(0.45, 0.6)), float(rng.uniform(0.4, 0.6)))
    spot = pool(light, at, float(rng.uniform(0.2, 0.3)))[..., None]
    scene = light * (0.18 / max(float(light.mean()), 1e-4))
    return np.asarray(scene * (0.05 + spot) * float(rng.uniform(0.5, 1)), dtype=np.float32)


def headlights(light: Light, rng: Rng) -> Light:
    """A car that comes towards the camera at night."""
    scene = night(light, rng)
    row, column = float(rng.uniform(0.5, 0.75)), float(rng.uniform(0.25, 0.7))
    for side in (0.0, float(rng.uniform(0.05, 0.09))):
        at = (row, column + side)
        scene += (pool(light, at, 0.012) * 4 + pool(light, at, 0.06) * 0.5)[..., None]
        rows, columns = grid(light)
        streak = np.exp(-(((rows - at[0]) / 0.006) ** 2) - ((columns - at[1]) / 0.16) ** 2)
        scene += streak[..., None].astype(np.float32) * 0.35
    return scene


def rain(light: Light, rng: Rng) -> Light:
    """Streaks of rain, and what they take of the contrast."""
    height, width = light.shape[:2]
    drops = (rng.random((height, width), dtype=np.float32) < 0.0004 / scale(light)).astype(
        np.float32
    )
    length = max(5, round(rng.uniform(30, 60) * scale(light)))
    kernel = np.zeros((length, length), np.float32)
    lean = round(length * float(rng.uniform(-0.3, 0.3)) / 2)
    middle = length // 2
    cv2.line(kernel, (middle - lean, 0), (middle + lean, length - 1), 1.0, 1, cv2.LINE_AA)
    streaks = np.clip(cv2.filter2D(drops, -1, kernel), 0, 1)[..., None]
    dim = light * 0.75 + 0.05
    return np.asarray(dim * (1 - 0.3 * streaks) + 0.25 * streaks, dtype=np.float32)


def fog(light: Light, rng: Rng) -> Light:
    """Morning fog: what is near is clear, what is far is lost."""
    rows, _ = grid(light)
    near = np.clip((rows - 0.15) / 0.85, 0, 1) ** float(rng.uniform(0.7, 1.1))
    through = (0.25 + 0.65 * near)[..., None]
    return np.asarray(light * through + 0.5 * (1 - through), dtype=np.float32)


def snowfall(light: Light, rng: Rng) -> Light:
    """Snow on the ground and in the air."""
    rows, _ = grid(light)
    height, width = light.shape[:2]
    pale = grey(light)[..., None]
    covers = np.clip((rows - rng.uniform(0.3, 0.5)) * 6, 0, 1)[..., None] * 0.7
    bright = np.array([0.62, 0.58, 0.56], np.float32) * (
        0.85 + pale / max(float(pale.max()), 1e-4) * 0.8
    )
    covered = light * (1 - covers) + bright * covers
    flakes = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(150, 400))):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(flakes, at, max(1, round(rng.uniform(1, 5) * scale(light))), 1.0, -1)
    soft = cv2.GaussianBlur(flakes, (0, 0), max(0.7, 1.5 * scale(light)))[..., None]
    return np.asarray(covered * (1 - 0.7 * soft) + 0.65 * soft, dtype=np.float32)


def wall(light: Light, rng: Rng) -> Light:
    """A camera that looks along an empty wall: paint, a skirting, a door's edge at one side."""
    height, width = light.shape[:2]
    rows, columns = grid(light)
    paint = np.broadcast_to(_WALLS[int(rng.integers(len(_WALLS)))], light.shape).copy()
    if rng.random() < 0.5:  # the lower half in green or blue oil paint, as in stairwells
        lower = np.array([[0.30, 0.42, 0.22], [0.55, 0.38, 0.20]], np.float32)[int(rng.integers(2))]
        paint[round(height * rng.uniform(0.45, 0.6)) :] = lower
    shade = 0.55 + 0.5 * pool(light, (0.2, float(rng.uniform(0.2, 0.8))), 0.5)
    plaster = 1 + 0.02 * noise_field((height, width), 3 * scale(light), rng)
    wide = float(rng.uniform(0.72, 0.88))
    is_wall = ((columns < wide) & (rows < 0.93))[..., None]
    return np.asarray(np.where(is_wall, paint * (shade * plaster)[..., None], light), np.float32)


def sky(light: Light, rng: Rng) -> Light:
    """A camera that looks far over the land: four fifths are sky, clear or overcast."""
    height, width = light.shape[:2]
    horizon = round(height * float(rng.uniform(0.7, 0.82)))
    zenith, rim = (
        (np.array([0.70, 0.40, 0.20], np.float32), np.array([0.80, 0.68, 0.55], np.float32))
        if rng.random() < 0.5
        else (np.array([0.55, 0.54, 0.52], np.float32), np.array([0.70, 0.70, 0.69], np.float32))
    )
    rows, _ = grid(light[:horizon])
    clouds = 1 + 0.03 * noise_field((horizon, width), 150 * scale(light), rng)
    heaven = (zenith * (1 - rows[..., None]) + rim * rows[..., None]) * clouds[..., None]
    land = cv2.resize(light, (width, height - horizon), interpolation=cv2.INTER_AREA)
    return np.asarray(np.vstack([heaven, land]), dtype=np.float32)


def fence(light: Light, rng: Rng) -> Light:
    """Upright bars of a gate between the camera and the scene."""
    _, columns = grid(light)
    count, share = rng.uniform(12, 36), rng.uniform(0.15, 0.35)
    phase = (columns * count + rng.random()) % 1
    paint = np.float32(rng.uniform(0.02, 0.5)) * np.array([1, 1, 1], np.float32)
    shade = (0.5 + np.sin(np.pi * np.clip(phase / share, 0, 1)))[..., None]
    is_bar = (phase < share)[..., None] & np.ones(light.shape, bool)
    return np.asarray(np.where(is_bar, paint * shade, light), dtype=np.float32)


def blinds(light: Light, rng: Rng) -> Light:
    """Slats of a window blind over a part of the picture."""
    rows, columns = grid(light)
    phase = (rows * rng.uniform(20, 45) + rng.random()) % 1
    left = float(rng.uniform(0.0, 0.4))
    is_slat = (phase < 0.72) & (columns > left) & (columns < left + rng.uniform(0.45, 0.6))
    slat = (0.25 + 0.35 * np.sin(np.pi * np.clip(phase / 0.72, 0, 1)))[..., None]
    return np.asarray(
        np.where(is_slat[..., None], slat * np.array([0.9, 0.97, 1.0], np.float32), light),
        np.float32,
    )


def low_sun(light: Light, rng: Rng) -> Light:
    """The sun in the picture, and its light scattered in the lens."""
    at = (float(rng.uniform(0.1, 0.35)), float(rng.uniform(0.2, 0.8)))
    warm = np.array([0.6, 0.85, 1.0], np.float32)
    sun = pool(light, at, 0.02) * 6 + pool(light, at, 0.12) * 0.7 + pool(light, at, 0.45) * 0.12
    return np.asarray(light * 0.7 * (0.4 + 0.6 * warm) + sun[..., None] * warm, dtype=np.float32)


def backlight(light: Light, rng: Rng) -> Light:
    """A bright doorway in a dim room: the door is burnt, the room is dark and can be made out."""
    rows, columns = grid(light)
    left, top = float(rng.uniform(0.3, 0.55)), float(rng.uniform(0.1, 0.25))
    is_door = ((columns > left) & (columns < left + 0.25) & (rows > top) & (rows < top + 0.65))[
        ..., None
    ]
    return np.asarray(np.where(is_door, light * 2.0 + 0.5, light * 0.35 + 0.004), np.float32)


def wet_road(light: Light, rng: Rng) -> Light:
    """A wet road mirrors what stands above it."""
    height = light.shape[0]
    edge = round(height * float(rng.uniform(0.55, 0.65)))
    above = light[edge - (height - edge) : edge][::-1]
    mirrored = cv2.GaussianBlur(above, (0, 0), sigmaX=1, sigmaY=9 * scale(light))
    wet = light.copy()
    wet[edge:] = light[edge:] * 0.45 + mirrored * 0.5
    return wet


def truck(light: Light, rng: Rng) -> Light:
    """A lorry halts before the camera: its side fills half of the picture."""
    height, width = light.shape[:2]
    side = light.copy()
    left = round(width * float(rng.uniform(0.02, 0.4)))
    right = left + round(width * float(rng.uniform(0.45, 0.58)))
    top, bottom = round(height * rng.uniform(0.12, 0.25)), round(height * 0.86)
    colour = np.array([[0.5, 0.5, 0.5], [0.45, 0.16, 0.06], [0.08, 0.10, 0.42]], np.float32)
    panel = side[top:bottom, left:right]
    panel[:] = colour[int(rng.integers(3))] * np.linspace(1.15, 0.8, bottom - top)[:, None, None]
    ribs = np.arange(right - left) % max(8, round(90 * scale(light)))
    panel[:, ribs < 3] *= 0.75
    text = np.ascontiguousarray(panel)
    size = round((bottom - top) / 4)
    at = (round((right - left) * 0.1), round((bottom - top) * 0.55))
    shade = np.zeros(panel.shape[:2], np.uint8)
    cv2.putText(shade, "物流 8-3517", at, (255,), cv2.FontFace("uni"), size, 700)
    panel[:] = np.where(shade[..., None] > 128, np.float32(0.75), text)
    for share in (0.15, 0.8):
        at = (left + round((right - left) * share), bottom)
        cv2.circle(side, at, round(0.09 * height), (0.015, 0.015, 0.015), -1, cv2.LINE_AA)
    return side


def dusk(light: Light, rng: Rng) -> Light:
    """The light goes: bluish and a stop too dark."""
    return np.asarray(light * 2 ** -float(rng.uniform(0.6, 1.2)) * _COLD, dtype=np.float32)


NIGHT: Final = Treatment(light=(night,), noise=4.5)
SODIUM: Final = Treatment(light=(sodium,), noise=4.0)
INFRARED: Final = Treatment(light=(beam,), noise=3.5, infrared=True)

BY_DAY: Final[Mapping[str, Treatment]] = {
    "rain": Treatment(light=(rain,), noise=1.5),
    "fog": Treatment(light=(fog,)),
    "snow": Treatment(light=(snowfall,)),
    "wall": Treatment(light=(wall,)),
    "sky": Treatment(light=(sky,)),
    "fence": Treatment(light=(fence,)),
    "blinds": Treatment(light=(blinds,)),
    "low sun": Treatment(light=(low_sun,)),
    "backlight": Treatment(light=(backlight,), noise=2),
    "wet road": Treatment(light=(wet_road,)),
    "truck": Treatment(light=(truck,)),
    "dusk": Treatment(light=(dusk,), noise=2.5),
    "low bitrate": Treatment(quality=18),
}
AT_NIGHT: Final[Mapping[str, Treatment]] = {
    "night": NIGHT,
    "sodium light": SODIUM,
    "neon": Treatment(light=(neon,), noise=3.5),
    "headlights": Treatment(light=(headlights,), noise=4),
    "infrared": INFRARED,
    "infrared rain": Treatment(light=(beam, rain), noise=4, infrared=True),
}
INDOORS: Final[Sequence[str]] = ("wall", "blinds", "backlight", "low bitrate")
