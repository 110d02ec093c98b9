"""What goes wrong with simulated cameras: covered, sprayed, leaves, webs, moved; drawn on pictures.

What lies on the lens or near it is out of focus: its edges are soft. A freeze is not drawn: the
camera repeats a picture, see days.py.
"""

from collections.abc import Callable
from enum import StrEnum

import cv2
import numpy as np

from hub.domain.quality import Index
from tests.benchmarks.quality.day_world import (
    HEIGHT,
    MARGIN,
    WIDTH,
    Camera,
    Floats,
    Picture,
    cut_view,
    cut_window,
    find_window,
)


class Fault(StrEnum):
    """What is wrong."""

    FREEZE = "freeze"
    COVERED = "covered"  # wholly
    CLOTH = "cloth"  # from one side
    STICKER = "sticker"
    SPRAY = "spray"
    LEAVES = "leaves"
    WEB = "web"
    TURNED = "turned"
    TILTED = "tilted"
    ELSEWHERE = "elsewhere"  # shows another camera's view


MOVED = frozenset({Fault.TURNED, Fault.TILTED, Fault.ELSEWHERE})


def expected(fault: Fault) -> Index:
    """Return the index that must find a fault."""
    if fault is Fault.FREEZE:
        return Index.FREEZE
    return Index.SCENE if fault in MOVED else Index.OCCLUSION


def move(camera: Camera, fault: Fault, seed: int, photographs: list[Picture]) -> list[Picture]:
    """Return the views of a camera that was moved (a dome: its mount was)."""
    rng = np.random.default_rng([camera.seed, seed, 6])
    if fault is Fault.ELSEWHERE:
        other = (camera.seed + 1 + int(rng.integers(len(photographs) - 1))) % len(photographs)
        return [cut_view(photographs[other], rng)]
    if fault is Fault.TURNED and len(camera.views) == 1:
        return [_turn(camera, rng, photographs)]
    angle = float(rng.choice([-1, 1]) * rng.uniform(8, 30))
    shift = rng.uniform(-0.15, 0.15, 2)
    if fault is Fault.TURNED:
        angle, shift = 0.0, rng.choice([-1, 1], 2) * rng.uniform(0.12, 0.3, 2)
    return [_tilt(view, angle, (float(shift[0]), float(shift[1]))) for view in camera.views]


def draw(fault: Fault, picture: Floats, seed: int, at: tuple[float, bool, float]) -> Floats:
    """Draw what covers the lens into a lit picture.

    ``at``: the hour, whether the camera's own infrared light shines on it, brightness 0..1.
    """
    hour, is_dark, brightness = at
    rng = np.random.default_rng([seed, 8])
    if fault is Fault.WEB:
        strands = (_web(rng) * np.float32(0.95 if is_dark else 0.4))[..., None]
        return np.asarray(picture * (1.0 - strands) + strands * np.float32(230.0), np.float32)
    masks: dict[Fault, Callable[[], Floats]] = {
        Fault.COVERED: lambda: np.ones((HEIGHT, WIDTH), np.float32),
        Fault.CLOTH: lambda: _cloth(rng),
        Fault.STICKER: lambda: _sticker(rng),
        Fault.SPRAY: lambda: _spray(rng),
        Fault.LEAVES: lambda: _leaves(rng, hour),
    }
    mask = masks.get(fault)
    return picture if mask is None else _cover(picture, mask(), rng, brightness)


def _turn(camera: Camera, rng: np.random.Generator, photographs: list[Picture]) -> Picture:
    own = photographs[camera.seed % len(photographs)]
    again = np.random.default_rng([camera.seed, 1])
    if camera.seed % 7 == 3:
        again.integers(3, 7)
    left, top, scale = find_window(own, again)
    rows, columns = own.shape[:2]
    room_x = columns - int(scale * (WIDTH + 2 * MARGIN)) - 1
    room_y = rows - int(scale * (HEIGHT + 2 * MARGIN)) - 1
    least = 0.12 * WIDTH * scale
    for _ in range(200):
        x, y = int(rng.integers(0, room_x + 1)), int(rng.integers(0, room_y + 1))
        if abs(x - left) + abs(y - top) >= least:
            return cut_window(own, x, y, scale)
    return _tilt(camera.views[0], 0.0, (0.2, 0.0))


def _tilt(view: Picture, angle: float, shift: tuple[float, float]) -> Picture:
    rows, columns = view.shape[:2]
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, 1.0)
    turn[:, 2] += (shift[0] * columns, shift[1] * rows)
    moved = cv2.warpAffine(view, turn, (columns, rows), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def _cover(picture: Floats, mask: Floats, rng: np.random.Generator, brightness: float) -> Floats:
    """Blend a soft, almost plain surface over the picture."""
    colour = rng.uniform(20, 190, 3) * (0.15 + 0.85 * brightness)
    surface = rng.normal(1.0, 0.12, (5, 8)).astype(np.float32)
    surface = np.asarray(cv2.resize(surface, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))
    painted = surface[..., None] * colour.astype(np.float32)
    share = mask[..., None]
    return np.asarray(picture * (1.0 - share) + painted * share, np.float32)


def _soft(mask: Floats, sigma: float) -> Floats:
    small = cv2.resize(mask, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / 2)
    return np.asarray(cv2.resize(small, (WIDTH, HEIGHT)), np.float32)


def _cloth(rng: np.random.Generator) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    angle, share = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.7)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    along = (x / WIDTH - 0.5) * np.cos(angle) + (y / HEIGHT - 0.5) * np.sin(angle)
    mask[along > np.quantile(along, 1.0 - share)] = 1.0
    return _soft(mask, float(rng.uniform(6, 18)))


def _sticker(rng: np.random.Generator) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    area = rng.uniform(0.15, 0.3) * WIDTH * HEIGHT
    wide = float(np.sqrt(area * rng.uniform(0.8, 2.2)))
    centre = (float(rng.uniform(0.3, 0.7)) * WIDTH, float(rng.uniform(0.35, 0.65)) * HEIGHT)
    box = cv2.boxPoints((centre, (wide, area / wide), float(rng.uniform(0, 180))))
    cv2.fillPoly(mask, [box.astype(np.int32)], 1.0)
    return _soft(mask, float(rng.uniform(4, 10)))


def _spray(rng: np.random.Generator) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    x, y = rng.uniform(0.3, 0.7) * WIDTH, rng.uniform(0.3, 0.7) * HEIGHT
    least = rng.uniform(0.2, 0.5)
    while float(mask.mean()) < least:
        spot = (int(x + rng.normal(0, 110)), int(y + rng.normal(0, 60)))
        cv2.circle(mask, spot, int(rng.uniform(35, 80)), 1.0, -1)
    return _soft(mask, float(rng.uniform(4, 9))) * np.float32(rng.uniform(0.9, 1.0))


def _leaves(rng: np.random.Generator, hour: float) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    sway = np.random.default_rng(int(hour * 3600)).normal(0, 8, 2)
    edge = rng.uniform(0, WIDTH)
    least = rng.uniform(0.2, 0.4)
    while float(mask.mean()) < least:
        centre = (edge + rng.normal(0, 140) + sway[0], rng.uniform(0, 0.75) * HEIGHT + sway[1])
        axes = (float(rng.uniform(110, 190)), float(rng.uniform(45, 80)))
        turn = float(rng.uniform(0, 180))
        cv2.ellipse(mask, ((float(centre[0]), float(centre[1])), axes, turn), 1.0, -1)
    return _soft(mask, float(rng.uniform(4, 8)))


def _web(rng: np.random.Generator) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    centre = np.array([rng.uniform(0.2, 0.8) * WIDTH, rng.uniform(0.2, 0.8) * HEIGHT])
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(9, 15))))
    for angle in angles:
        far = centre + 700 * np.array([np.cos(angle), np.sin(angle)])
        thick = int(rng.integers(12, 30))
        cv2.line(mask, _point(centre), _point(far), 1.0, thick)
    for radius in range(50, 600, int(rng.integers(45, 80))):
        points = [centre + radius * np.array([np.cos(a), np.sin(a)]) for a in angles]
        ring = np.array(points, np.int32)
        cv2.polylines(mask, [ring], isClosed=True, color=1.0, thickness=int(rng.integers(8, 22)))
    return _soft(mask, float(rng.uniform(4, 8)))


def _point(at: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[int, int]:
    return int(at[0]), int(at[1])
