"""From a view to the JPEG a surveillance camera would send of it.

The order is that of physics: light of the scene, lens, sensor (noise), tone curve, video line,
overlay, JPEG. So the clock stays sharp in a picture out of focus, and what is wrong with the line
lies over the noise. Lengths are in pixels of a picture 1920 wide; light is linear, 1.0 where the
sensor clips; values on the line are 0 to 255.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.quality.photographs import Image, View

Light = NDArray[np.float32]
"""Rows x columns x blue, green, red."""

Rng = np.random.Generator
Step = Callable[[Light, Rng], Light]

GAMMA: Final = 2.2
REFERENCE_WIDTH: Final = 1920
SENSOR_NOISE: Final = 1.5  # grey levels, standard deviation, a good sensor by day
SOFTNESS_PX: Final = 0.6  # standard deviation of a good lens, in the picture's own pixels
DIM: Final = 0.09  # mean light below which a camera opens up
QUALITIES: Final = (60, 86)
_TO_LIGHT: Final = ((np.arange(256) / 255.0) ** GAMMA).astype(np.float32)
_PLACES: Final = ("东门岗 02", "村委会西侧", "Camera 01", "IPC 南街路口", "鱼塘 3", "CAM-017 仓库")
_INFRARED_BGR: Final = np.array(
    [0.15, 0.35, 0.5], np.float32
)  # what a sensor without its filter weighs


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What happens to a picture on its way; ``after`` joins two."""

    light: Sequence[Step] = ()
    lens: Sequence[Step] = ()
    line: Sequence[Step] = ()
    infrared: bool = False
    noise: float = 0.0
    quality: int = 100
    overlay: bool = True

    def after(self, earlier: "Treatment") -> "Treatment":
        """This treatment of a picture that had the earlier one."""
        return Treatment(
            light=(*earlier.light, *self.light),
            lens=(*earlier.lens, *self.lens),
            line=(*earlier.line, *self.line),
            infrared=earlier.infrared or self.infrared,
            noise=float(np.hypot(earlier.noise, self.noise)),
            quality=min(earlier.quality, self.quality),
            overlay=earlier.overlay and self.overlay,
        )


def take(view: View, treatment: Treatment, rng: Rng, home: int | None = None) -> bytes:
    """The JPEG a camera sends. Pictures of one ``home`` carry the same name in the same size."""
    image = render(view.image, treatment, rng, home)
    quality = min(int(rng.integers(*QUALITIES)), treatment.quality)
    is_encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_encoded:
        reason = "OpenCV could not encode the picture"
        raise ValueError(reason)
    return data.tobytes()


def render(image: Image, treatment: Treatment, rng: Rng, home: int | None = None) -> Image:
    """What the encoder of the camera is given."""
    light = to_light(image)
    for step in treatment.light:
        light = step(light, rng)
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), SOFTNESS_PX), dtype=np.float32)
    for step in treatment.lens:
        light = step(light, rng)
    if treatment.infrared:
        light = np.asarray(cv2.transform(light, np.tile(_INFRARED_BGR, (3, 1))), dtype=np.float32)
    line = _expose(light, float(np.hypot(SENSOR_NOISE, treatment.noise)), rng, treatment.infrared)
    for step in treatment.line:
        line = step(line, rng)
    picture = np.clip(line, 0, 255).astype(np.uint8)
    if treatment.overlay:
        _write_overlay(picture, rng, rng if home is None else np.random.default_rng(home))
    return picture


def expose_automatically(light: Light, rng: Rng) -> Light:
    """What every camera does with a scene in little light: up to two stops more."""
    del rng
    gain = min(max(DIM / max(float(light.mean()), 1e-4), 1.0), 4.0)
    return np.asarray(light * gain, dtype=np.float32)


def to_light(image: Image) -> Light:
    """Undo the tone curve."""
    return np.asarray(cv2.LUT(image, _TO_LIGHT), dtype=np.float32)


def grey(light: Light) -> NDArray[np.float32]:
    """The mean of the channels."""
    return np.asarray(cv2.transform(light, np.full((1, 3), 1 / 3, np.float32)), dtype=np.float32)


def scale(light: Light) -> float:
    """Pixels of this picture for one of a picture 1920 wide."""
    return int(light.shape[1]) / REFERENCE_WIDTH


def grid(light: Light) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel is: shares of the height (a column) and of the width (a row)."""
    height, width = light.shape[:2]
    rows = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
    columns = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / width
    return rows, columns


def noise_field(shape: tuple[int, int], grain: float, rng: Rng) -> NDArray[np.float32]:
    """Noise of deviation 1 whose grains are about ``grain`` pixels wide."""
    if grain <= 1:  # drawn once: a fresh field would be a third of the cost of a picture
        bank = _noise_bank()
        top, left = (
            int(rng.integers(0, have - want)) for have, want in zip(bank.shape, shape, strict=True)
        )
        return bank[top : top + shape[0], left : left + shape[1]]
    small = (max(2, round(shape[0] / grain)), max(2, round(shape[1] / grain)))
    field = cv2.resize(
        rng.standard_normal(small, dtype=np.float32),
        (shape[1], shape[0]),
        interpolation=cv2.INTER_CUBIC,
    )
    return np.asarray(field / max(float(field.std()), 1e-6), dtype=np.float32)


@cache
def _noise_bank() -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal((2500, 4200), dtype=np.float32)


def _expose(light: Light, sigma: float, rng: Rng, is_grey: bool) -> Light:  # noqa: FBT001
    line: Light = np.asarray(255 * cv2.pow(np.clip(light, 0, 1), 1 / GAMMA), dtype=np.float32)
    shape = (light.shape[0], light.shape[1])
    # The tone curve lifts the noise of the shadows; demosaicing makes grains of it.
    strength = sigma * (1.25 - 0.5 * grey(line) / 255)
    grains = 0.8 * noise_field(shape, 1, rng) + 0.6 * noise_field(shape, 2, rng)
    line += (strength * grains)[..., None]
    if not is_grey and sigma > 2:
        for channel, share in ((0, 0.6), (2, 0.5)):
            line[..., channel] += share * strength * noise_field(shape, 3, rng)
    return np.asarray(line, dtype=np.float32)


def _write_overlay(picture: Image, rng: Rng, settings: Rng) -> None:
    height, width = picture.shape[:2]
    font = cv2.FontFace("uni")
    size = max(14, round(height / int(settings.integers(24, 32))))
    clock = (
        f"2026-{rng.integers(1, 13):02}-{rng.integers(1, 29):02} "
        f"{rng.integers(0, 24):02}:{rng.integers(0, 60):02}:{rng.integers(0, 60):02}"
    )
    place = _PLACES[int(settings.integers(len(_PLACES)))]
    right = width - round(size * 0.62 * len(place)) - 2 * size
    for text, at in ((clock, (size, 2 * size)), (place, (right, height - size))):
        for shift, colour in ((max(1, size // 16), (0, 0, 0)), (0, (255, 255, 255))):
            cv2.putText(picture, text, (at[0] + shift, at[1] + shift), colour, font, size, 400)
