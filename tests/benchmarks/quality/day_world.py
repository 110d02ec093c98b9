"""Simulated cameras over simulated days: what a camera shows at an hour of a day, well or not.

The world is photographs; a camera is a window on one of them (a dome on tour: several), 640 x 360
pixels, as a camera's picture is when it reaches the indices. Light follows the hour, weather the
day; everything is drawn from generators seeded by camera and day, so a run can be repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

WIDTH: Final = 640
HEIGHT: Final = 360
MARGIN: Final = 6  # pixels round a view: what a mast in the wind moves
SUNRISE, SUNSET = 6.5, 18.0

_NOISE: Final = np.random.default_rng(7).normal(0.0, 1.0, (1024, 1024, 3)).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """One simulated camera: its views (with margin, BGR) and how it is built."""

    seed: int
    views: Sequence[Picture]
    others: Sequence[Picture]  # what passes by is cut from these
    has_infrared: bool
    has_clock: bool
    is_indoor: bool
    noise: float  # levels at daylight
    quality: int  # of its JPEG
    sway: float  # pixels: the mast in the wind
    infrared_weights: tuple[float, float, float]
    lamps: Sequence[tuple[float, float, float]] = field(default=())  # x, y, radius as shares


@dataclass(frozen=True, kw_only=True)
class Weather:
    """One day's weather."""

    sun: float  # 0 overcast .. 1 hard shadows
    fog: tuple[float, float, float]  # from hour, to hour, density 0..1
    rain: tuple[float, float, float]
    snow: float  # cover of the ground, 0..1


def make_camera(seed: int, photographs: Sequence[Picture]) -> Camera:
    """Build a camera that looks at part of one photograph; one in seven is a dome on tour."""
    rng = np.random.default_rng([seed, 1])
    own = photographs[seed % len(photographs)]
    presets = int(rng.integers(3, 7)) if seed % 7 == 3 else 1
    views = [cut_view(own, rng)]
    while len(views) < presets:
        views.append(cut_view(photographs[int(rng.integers(len(photographs)))], rng))
    is_indoor = bool(rng.random() < 0.2)
    weights = rng.dirichlet((3.0, 5.0, 4.0))
    return Camera(
        seed=seed,
        views=views,
        others=photographs,
        has_infrared=bool(rng.random() < 0.7),
        has_clock=bool(rng.random() < 0.8),
        is_indoor=is_indoor,
        sway=0.0 if is_indoor else float(rng.choice([0.0, 0.5, 1.5])),
        noise=float(rng.choice([0.5, 1.0, 2.0, 3.0])),
        quality=int(rng.integers(45, 92)),
        infrared_weights=(float(weights[0]), float(weights[1]), float(weights[2])),
        lamps=tuple(
            (float(rng.random()), float(rng.uniform(0.1, 0.7)), float(rng.uniform(0.15, 0.4)))
            for _ in range(int(rng.integers(1, 4)))
        ),
    )


def cut_view(photograph: Picture, rng: np.random.Generator) -> Picture:
    """Cut a camera's window, with its margin, out of a photograph, somewhere."""
    return cut_window(photograph, *find_window(photograph, rng))


def find_window(photograph: Picture, rng: np.random.Generator) -> tuple[int, int, float]:
    """Choose a window: left, top in pixels of the photograph, and pixels of it per pixel."""
    rows, columns = photograph.shape[:2]
    largest = min(columns / (WIDTH + 2 * MARGIN), rows / (HEIGHT + 2 * MARGIN))
    scale = largest * float(rng.uniform(0.5, 0.7))
    left = rng.uniform(0, columns - scale * (WIDTH + 2 * MARGIN))
    top = rng.uniform(0, rows - scale * (HEIGHT + 2 * MARGIN))
    return int(left), int(top), scale


def cut_window(photograph: Picture, left: int, top: int, scale: float) -> Picture:
    """Cut a window out of a photograph."""
    size = (WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    part = photograph[top : top + int(size[1] * scale), left : left + int(size[0] * scale)]
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)


def make_weather(site: int, day: int) -> Weather:
    """Draw a day's weather; snow lies for days."""
    rng = np.random.default_rng([site, day, 2])
    weeks = np.random.default_rng([site, day // 4, 3])
    start = float(rng.uniform(0, 20))
    fog = rng.random() < 0.15
    rain = rng.random() < 0.2
    return Weather(
        sun=float(np.clip(rng.normal(0.5, 0.5), 0.0, 1.0)),
        fog=(start, start + float(rng.uniform(2, 8)), float(rng.uniform(0.3, 0.9)) * fog),
        rain=(start, start + float(rng.uniform(1, 8)), float(rng.uniform(0.3, 1.0)) * rain),
        snow=float(weeks.uniform(0.3, 0.9)) if weeks.random() < 0.12 else 0.0,
    )


def elevation(hour: float) -> float:
    """Return the height of the sun: 0 at night, 1 at its highest."""
    day = (hour - SUNRISE) / (SUNSET - SUNRISE)
    return float(np.sin(np.pi * day)) if 0.0 < day < 1.0 else 0.0


def is_infrared(camera: Camera, hour: float) -> bool:
    """Tell whether the camera sees by infrared light at this hour."""
    return camera.has_infrared and not camera.is_indoor and elevation(hour) <= 0.03


def light(camera: Camera, view: Floats, hour: float, weather: Weather) -> Floats:
    """Light the view (float, without margin) as at this hour."""
    height = elevation(hour)
    if camera.is_indoor:
        lit = 0.9 if 7.0 < hour < 21.0 else 0.35
        return np.asarray(view * np.float32(lit + 0.15 * height), np.float32)
    if height <= 0.03:
        return _light_night(camera, view, hour)
    gain = 0.45 + 0.6 * height**0.4
    if weather.sun > 0.3:
        view = view * _shadows(camera.seed, hour, weather.sun)[..., None]
    elif weather.sun < 0.1:
        view = view * np.float32(0.8) + np.float32(22.0)
    if height < 0.4:  # the low sun is warm
        warm = np.array([0.8, 0.95, 1.1], np.float32) * np.float32(gain)
        return np.asarray(view * warm, np.float32)
    return np.asarray(view * np.float32(gain), np.float32)


def cover_with_snow(view: Floats, cover: float) -> Floats:
    """Whiten the ground (the lower part) and take its texture away."""
    if cover <= 0.0:
        return view
    depth = np.clip((np.arange(HEIGHT, dtype=np.float32) / HEIGHT - 0.4) * 4.0, 0.0, 1.0)
    share = (depth * np.float32(cover))[:, None, None]
    return np.asarray(view * (1.0 - share) + share * np.float32(225.0), np.float32)


def add_weather(picture: Floats, hour: float, weather: Weather, rng: np.random.Generator) -> Floats:
    """Veil the lit picture in fog and draw rain."""
    fog = _during(weather.fog, hour)
    if fog > 0.0:
        far = np.linspace(1.0, 0.35, HEIGHT, dtype=np.float32)
        veil = (np.float32(fog) * far)[:, None, None]
        picture = picture * (1.0 - veil) + veil * np.float32(60.0 + 130.0 * elevation(hour) ** 0.3)
    rain = _during(weather.rain, hour)
    if rain > 0.0:
        streaks = np.zeros((HEIGHT, WIDTH), np.uint8)
        for x, y in rng.integers(0, WIDTH, (int(150 * rain), 2)):
            cv2.line(streaks, (int(x), int(y)), (int(x) - 3, int(y) + 18), 60, 1, cv2.LINE_AA)
        picture = picture * np.float32(1.0 - 0.25 * rain) + np.float32(20.0 * rain)
        picture = picture + streaks[..., None].astype(np.float32)
    return picture


def add_passers(picture: Floats, camera: Camera, hours: float, rng: np.random.Generator) -> None:
    """Draw what is parked for hours, and what passes at this moment, into the view."""
    parked = np.random.default_rng([camera.seed, int(hours // 6), 4])
    if parked.random() < 0.25:
        _draw_object(picture, camera, parked, (0.02, 0.12))
    for _ in range(int(rng.poisson(0.8))):
        _draw_object(picture, camera, rng, (0.005, 0.08))
    if rng.random() < 0.03:  # a lorry just before the camera
        _draw_object(picture, camera, rng, (0.15, 0.3))


def add_headlights(picture: Floats, rng: np.random.Generator) -> None:
    """Let a car shine into the lens."""
    glow = np.zeros((HEIGHT // 8, WIDTH // 8), np.float32)
    x, y = int(rng.integers(5, WIDTH // 8 - 5)), int(rng.integers(15, HEIGHT // 8))
    cv2.circle(glow, (x, y), int(rng.integers(1, 4)), 400.0, -1)
    glow = np.asarray(cv2.GaussianBlur(glow, (0, 0), 4.0), np.float32) * 2.0 + glow
    picture += cv2.resize(glow, (WIDTH, HEIGHT))[..., None]


def add_noise(picture: Floats, level: float, rng: np.random.Generator) -> Picture:
    """Add the sensor's noise and clip."""
    top, left = int(rng.integers(1024 - HEIGHT)), int(rng.integers(1024 - WIDTH))
    noise = _NOISE[top : top + HEIGHT, left : left + WIDTH]
    return np.clip(picture + noise * np.float32(level) + 0.5, 0.0, 255.0).astype(np.uint8)


def add_clock(picture: Picture, seconds: float) -> None:
    """Write the date, the time and the name, as cameras do."""
    whole = int(seconds)
    text = f"2026-11-{1 + whole // 86400 % 28:02d} {whole // 3600 % 24:02d}:"
    text += f"{whole // 60 % 60:02d}:{whole % 60:02d}"
    for place, words in (((10, 22), text), ((470, 348), "Camera 01")):
        cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 3)
        cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1)


def _light_night(camera: Camera, view: Floats, hour: float) -> Floats:
    y, x = np.mgrid[0:45, 0:80].astype(np.float32)
    if is_infrared(camera, hour):
        grey = view @ np.array(camera.infrared_weights, np.float32)
        falloff = np.exp(-(((x - 40) / 38) ** 2 + ((y - 26) / 22) ** 2)).astype(np.float32)
        beam = 0.15 + 1.05 * np.asarray(cv2.resize(falloff, (WIDTH, HEIGHT)), np.float32)
        return np.asarray(np.repeat((grey * beam)[..., None], 3, axis=2), np.float32)
    lit = np.full((45, 80), 0.12, np.float32)
    for left, top, radius in camera.lamps:
        distance = ((x / 80 - left) ** 2 + (y / 80 - top * 0.56) ** 2) / radius**2
        lit += np.float32(0.75) * np.exp(-distance).astype(np.float32)
    tint = np.array([0.6, 0.85, 1.05], np.float32)
    shine = np.asarray(cv2.resize(lit, (WIDTH, HEIGHT)), np.float32)[..., None]
    return np.asarray(view * shine * tint, np.float32)


def _shadows(seed: int, hour: float, depth: float) -> Floats:
    """Return what of the light is left where houses and trees throw their shade."""
    rng = np.random.default_rng([seed, 5])
    mask = np.full((HEIGHT // 2, WIDTH // 2), 1.0, np.float32)
    for _ in range(4):
        x, y = rng.uniform(0, WIDTH / 2), rng.uniform(60, HEIGHT / 2)
        long = (hour - 12.2) * 22.0
        wide = rng.uniform(20, 90)
        corners = [(x, y), (x + wide, y), (x + wide + long, y - 50), (x + long, y - 50)]
        shade = 1.0 - 0.55 * depth
        cv2.fillPoly(mask, [np.array(corners, np.int32)], shade)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.5), np.float32)
    return np.asarray(cv2.resize(mask, (WIDTH, HEIGHT)), np.float32)


def _during(spell: tuple[float, float, float], hour: float) -> float:
    return spell[2] if spell[0] <= hour <= spell[1] else 0.0


def _draw_object(
    picture: Floats, camera: Camera, rng: np.random.Generator, share: tuple[float, float]
) -> None:
    area = float(rng.uniform(*share)) * WIDTH * HEIGHT
    wide = int(min(WIDTH - 20, np.sqrt(area * rng.uniform(0.6, 2.5))))
    high = int(min(HEIGHT - 20, area / wide))
    source = camera.others[int(rng.integers(len(camera.others)))]
    rows, columns = source.shape[:2]
    top = int(rng.integers(0, rows - rows // 3))
    left = int(rng.integers(0, columns - columns // 3))
    patch = source[top : top + rows // 3, left : left + columns // 3]
    thing = cv2.resize(patch, (wide, max(2, high)), interpolation=cv2.INTER_AREA)
    # A piece of sky is no thing that stands about.
    if rng.random() < 0.5 or float(np.std(thing)) < 30.0:
        thing = _make_van(np.asarray(thing, np.uint8), rng)
    x = int(rng.integers(0, WIDTH - wide))
    y = int(rng.integers(HEIGHT // 6, max(HEIGHT // 6 + 1, HEIGHT - high)))
    spot = picture[y : y + high, x : x + wide]
    spot[:] = thing[: spot.shape[0]]


def _make_van(patch: Picture, rng: np.random.Generator) -> Picture:
    """Return a plain body in the colours of a patch, with a window, wheels and some seams."""
    van = np.asarray(patch * 0.1 + patch.mean(axis=(0, 1)) * 0.9, np.uint8)
    high, wide = van.shape[:2]
    dark = (30, 30, 30)
    left = int(wide * rng.uniform(0.05, 0.6))
    cv2.rectangle(van, (left, high // 8), (left + wide // 4, high // 3), (60, 50, 40), -1)
    for x in rng.integers(0, wide, int(rng.integers(1, 4))):
        cv2.line(van, (int(x), 0), (int(x), high), dark, 1)
    cv2.line(van, (0, high // 2), (wide, high // 2), dark, 1)
    for x in (wide // 5, wide * 4 // 5):
        cv2.circle(van, (x, high), max(2, high // 6), (15, 15, 15), -1)
    return van
