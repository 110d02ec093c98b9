"""A simulated camera visited every hour: what it sends, and what the indices say of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import cv2
import numpy as np

from hub.domain.quality import (
    HOURS_A_BAND,
    BandKey,
    Finding,
    Index,
    PictureCheck,
    PictureState,
)
from hub.domain.quality_profiles import DAY, DOME_ON_TOUR
from hub.maintenance.pictures import learning
from hub.maintenance.pictures.transitions import Step, step
from streams.quality import baseline, freeze, occlusion, scene
from streams.quality.sample import Sample, make_sample
from streams.quality.stillness import fingerprint
from tests.benchmarks.quality.day_faults import MOVED, Fault, draw, expected, move
from tests.benchmarks.quality.day_world import (
    HEIGHT,
    MARGIN,
    WIDTH,
    Camera,
    Floats,
    Picture,
    add_clock,
    add_headlights,
    add_noise,
    add_passers,
    add_weather,
    cover_with_snow,
    elevation,
    is_infrared,
    light,
    make_weather,
)

START: Final = datetime(2026, 11, 1, tzinfo=UTC)
HOURS_A_DAY: Final = 24


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A fault from one hour (since the start) to another."""

    fault: Fault
    start: int
    end: int


class Lens:
    """What one camera sends at a moment."""

    def __init__(self, camera: Camera, photographs: list[Picture], episode: Episode | None) -> None:
        self._camera = camera
        self._episode = episode
        self._moved: list[Picture] = []
        self._frozen = b""
        if episode is not None and episode.fault in MOVED:
            self._moved = move(camera, episode.fault, episode.start, photographs)

    def take(self, at_s: float, frame: int) -> Picture:
        """Take a frame of the visit at a time since the start; frames are two seconds apart."""
        fault = self._fault(at_s / 3600.0)
        if fault is Fault.FREEZE:
            if not self._frozen:
                self._frozen = self._encode(self._draw(at_s, 0, None))
            return _decode(self._repeat())
        self._frozen = b""
        return _decode(self._encode(self._draw(at_s, frame, fault)))

    def _fault(self, hours: float) -> Fault | None:
        episode = self._episode
        if episode is None or not episode.start <= hours < episode.end:
            return None
        return episode.fault

    def _repeat(self) -> bytes:
        """Every second camera encodes the frozen picture anew each time."""
        if self._camera.seed % 2 == 0:
            self._frozen = self._encode(_decode(self._frozen))
        return self._frozen

    def _encode(self, picture: Picture) -> bytes:
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._camera.quality]
        return cv2.imencode(".jpg", picture, quality)[1].tobytes()

    def _draw(self, at_s: float, frame: int, fault: Fault | None) -> Picture:
        camera = self._camera
        rng = np.random.default_rng([camera.seed, int(at_s), frame, 9])
        visit = np.random.default_rng([camera.seed, int(at_s), 10])
        hour = at_s / 3600.0 % HOURS_A_DAY
        weather = make_weather(camera.seed % 50, int(at_s // 86400.0))
        view = self._view(int(at_s), fault, rng)
        if not camera.is_indoor:
            view = cover_with_snow(view, weather.snow)
        add_passers(view, camera, at_s / 3600.0, rng)
        picture = light(camera, view, hour, weather)
        if not camera.is_indoor:
            picture = add_weather(picture, hour, weather, rng)
            if elevation(hour) <= 0.03 and visit.random() < 0.15:
                add_headlights(picture, rng)
        picture = self._expose(picture, visit)
        if fault is not None and self._episode is not None:
            at = (hour, is_infrared(camera, hour), self._shine(hour))
            picture = draw(fault, picture, camera.seed + self._episode.start, at)
        noise = camera.noise * (2.5 if elevation(hour) <= 0.03 and not camera.is_indoor else 1.0)
        out = add_noise(picture, noise, rng)
        if is_infrared(camera, hour):
            out = np.repeat(out[..., 1:2], 3, axis=2)
        if camera.has_clock:
            add_clock(out, at_s + 2.0 * frame)
        return out

    def _view(self, seconds: int, fault: Fault | None, rng: np.random.Generator) -> Floats:
        views: Sequence[Picture] = self._moved if fault in MOVED else self._camera.views
        which = 0
        if len(views) > 1:
            which = int(
                np.random.default_rng([self._camera.seed, seconds, 11]).integers(len(views))
            )
        sway = rng.normal(0.0, 1.0, 2) * self._camera.sway
        x, y = np.clip(np.rint(sway), -MARGIN, MARGIN).astype(int) + MARGIN
        return views[which][y : y + HEIGHT, x : x + WIDTH].astype(np.float32)

    def _expose(self, picture: Floats, rng: np.random.Generator) -> Floats:
        """Automatic exposure: towards a mean of 110 levels, as far as its gain goes."""
        mean = float(cv2.mean(cv2.resize(picture, (32, 18), interpolation=cv2.INTER_AREA))[1])
        gain = float(np.clip((110.0 / max(mean, 1.0)) ** 0.7, 0.5, 3.0))
        if not self._camera.is_indoor:
            gain *= float(rng.uniform(0.93, 1.07))
        return picture * np.float32(gain)

    def _shine(self, hour: float) -> float:
        """Return how much light falls on what lies before the lens, 0..1."""
        if is_infrared(self._camera, hour):
            return 1.0
        return 0.7 if self._camera.is_indoor else max(0.08, elevation(hour) ** 0.4)


@dataclass(kw_only=True)
class Memory:
    """What is kept of a camera between visits."""

    state: PictureState
    lessons: dict[BandKey, learning.Lesson]


def visit(lens: Lens, camera: Camera, memory: Memory, at_s: float) -> Step:
    """Look at the camera as the rounds do, and keep what they keep.

    A second frame is taken only when the first looks suspicious.
    """
    at = START + timedelta(seconds=at_s)
    samples = [_sample(lens.take(at_s, 0))]
    if freeze.is_suspicious(samples[0], memory.state.fingerprint):
        samples.append(_sample(lens.take(at_s, 1)))
    key = (int(at_s // 3600) % HOURS_A_DAY // HOURS_A_BAND, samples[-1].mode)
    check = learning.trusted(_judge(samples, camera, memory, key), memory.lessons)
    stepped = step(memory.state, check, at)
    memory.state = stepped.state
    lesson = learning.learn(stepped.state, check, memory.lessons.get(key), at)
    if lesson is not None:
        memory.lessons[key] = lesson
    return stepped


def _judge(samples: Sequence[Sample], camera: Camera, memory: Memory, key: BandKey) -> PictureCheck:
    previous, last, (band, mode) = memory.state.fingerprint, samples[-1], key
    baselines = learning.baselines_of(memory.lessons)
    thresholds = DOME_ON_TOUR if len(camera.views) > 1 else DAY
    measured = {
        Index.FREEZE: freeze.measure(samples, previous, baselines, band),
        Index.OCCLUSION: occlusion.measure(last, baselines, band),
        Index.SCENE: scene.measure(last, baselines, band),
    }
    findings = tuple(
        Finding(index=index, score=score.value, threshold=threshold, why=score.why)
        for index, score in measured.items()
        if score is not None and (threshold := thresholds.get(index)) is not None
    )
    return PictureCheck(
        mode=mode,
        width=last.width,
        height=last.height,
        findings=findings,
        fingerprint=fingerprint(last),
        learnt=baseline.learn(baselines.get(key, b""), last, previous),
    )


def is_found(episode: Episode, index: Index) -> bool:
    """Tell whether an index is the one that must find an episode's fault."""
    return expected(episode.fault) is index


def _sample(picture: Picture) -> Sample:
    return make_sample(picture, 1920, 1080)


def _decode(data: bytes) -> Picture:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        reason = "the simulated camera sent no picture"
        raise ValueError(reason)
    return np.asarray(picture, np.uint8)
