"""How right the indices are that compare: ``python -m tests.benchmarks.quality.compared``.

A camera is seen good ten times, at other exposures, shades and passers-by; then once more with
something on its lens, moved, shaking, or with its picture frozen, at four strengths; and, good, in
weather it was not seen in before. By day and by infrared light. Every verdict is one visit's,
before any confirmation by a second look; for what comes of it over days see ``days``. Prints
figures, judges nothing.
"""

import argparse
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from hub.domain.quality import BandKey, CheckOrder, Codec, EncodedFrame, Index
from hub.domain.quality_profiles import DAY, NIGHT
from streams.quality.judging import judge
from tests.benchmarks.quality.accuracy import TAKEN_AT
from tests.benchmarks.quality.camera import (
    Light,
    Rng,
    Step,
    Treatment,
    expose_automatically,
    grid,
    take,
)
from tests.benchmarks.quality.catalogue import Half, Place
from tests.benchmarks.quality.covers import COVERS, GRADES, INDICES, MOVES, cover, move, shake
from tests.benchmarks.quality.faults import Strength
from tests.benchmarks.quality.negatives import BY_DAY, beam
from tests.benchmarks.quality.photographs import Image, View, find_photographs, views
from tests.benchmarks.quality.tables import (
    Judged,
    tell_confusion,
    tell_faults,
    tell_indices,
    tell_negatives,
    tell_trade,
)

COMPARED: Final = (Index.FREEZE, Index.OCCLUSION, Index.SCENE, Index.JITTER)
SEEN: Final = 10
BAND: Final = 2
GOOD_VISITS: Final = 3
WEATHER: Final = ("rain", "fog", "snow", "low sun", "wet road", "truck", "dusk", "low bitrate")
WEATHER_INDOORS: Final = ("dusk", "low bitrate")
FRAMES: Final = 3  # of a visit that looks for shaking
SWAYING_PX: Final = 0.4  # what wind does to a pole


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A camera of the proof, and what is learnt of it."""

    view: View
    situation: str
    light: Treatment
    baselines: Mapping[BandKey, bytes] = field(default_factory=dict)
    previous: bytes = b""
    last: bytes = b""

    def rng(self, *marks: object) -> Rng:
        """Chance that is the same in every run."""
        text = "/".join(str(mark) for mark in (self.view.seed, self.situation, *marks))
        return np.random.default_rng(zlib.crc32(text.encode()))

    def shoot(
        self,
        mark: str,
        image: Image | None = None,
        more: Treatment | None = None,
        frame: int = 0,
    ) -> bytes:
        """One JPEG of a moment named by the mark; its frames differ in noise and in the clock."""
        moment = Treatment(light=(_fixed(_moment, self.rng(mark)),))
        treatment = moment.after(self.light)
        if more is not None:
            treatment = more.after(treatment)
        shown = replace(self.view, image=self.view.image if image is None else image)
        return take(shown, treatment, self.rng(mark, "noise", frame), self.view.seed)

    def order(self, *pictures: bytes) -> CheckOrder:
        """The order of a visit that fetched these pictures, a second and a half apart."""
        frames = tuple(
            EncodedFrame(
                codec=Codec.JPEG, data=data, taken_at=TAKEN_AT + timedelta(seconds=1.5 * number)
            )
            for number, data in enumerate(pictures)
        )
        return CheckOrder(
            frames=frames,
            thresholds=DAY,
            infrared=NIGHT,
            band=BAND,
            previous=self.previous,
            baselines=self.baselines,
        )


def _fixed(step: Step, rng: Rng) -> Step:
    return lambda light, _: step(light, rng)


def _moment(light: Light, rng: Rng) -> Light:
    """Another hour: other exposure, shade and white balance, and people and cars somewhere."""
    rows, columns = grid(light)
    slope = rng.uniform(-0.5, 0.5, 2)
    shade = np.exp2(slope[0] * (rows - 0.5) + slope[1] * (columns - 0.5) + rng.normal(0, 0.3))
    scene = light * shade[..., None].astype(np.float32)
    scene = scene * rng.normal(1, 0.03, 3).astype(np.float32)
    height, width = light.shape[:2]
    for _ in range(int(rng.integers(0, 5))):
        tall = float(rng.uniform(0.04, 0.18)) * height
        size = (round(tall * float(rng.uniform(0.4, 1.8))), round(tall))
        left = int(rng.integers(0, max(1, width - size[0])))
        top = int(rng.integers(height // 3, max(height // 3 + 1, height - size[1])))
        scene[top : top + size[1], left : left + size[0]] = rng.uniform(0.01, 0.4, 3)
    return np.asarray(scene, dtype=np.float32)


def get_to_know(view: View, situation: str, light: Treatment) -> Camera:
    """See a camera good some times and keep what was learnt."""
    camera = Camera(view=view, situation=situation, light=light)
    for number in range(SEEN):
        data = camera.shoot(f"seen {number}")
        check = judge(replace(camera.order(data), wants_learnt=True))
        learnt = {**camera.baselines, (BAND, check.mode): check.learnt}
        camera = replace(camera, baselines=learnt, previous=check.fingerprint, last=data)
    return camera


def settings_of(view: View) -> Iterator[Camera]:
    """The same place by day and by the camera's own infrared lamp."""
    if view.photograph.place is not Place.GREY:
        yield get_to_know(view, "day", Treatment(light=(expose_automatically,)))
    lit = Treatment(light=(_at_home(beam, view.seed),), noise=3.5, infrared=True)
    yield get_to_know(view, "infrared", lit)


def _at_home(step: Step, seed: int) -> Step:
    """The step as it always is at this camera: its lamp does not wander."""
    return lambda light, _: step(light, np.random.default_rng(seed))


def faulty_visits(camera: Camera, other: Image) -> Iterator[tuple[str, Strength, CheckOrder]]:
    """Visits to a camera with a fault."""
    for strength in Strength:
        for name in COVERS:
            lies = _covering(name, GRADES[name][strength], camera.rng(name))
            more = Treatment(lens=(lies,))
            yield name, strength, camera.order(camera.shoot(f"{name} {strength}", more=more))
        for name in MOVES:
            moved = move(camera.view.image, camera.rng(name), name, GRADES[name][strength])
            if strength is Strength.EXTREME and name == "turned":
                moved = other
            yield name, strength, camera.order(camera.shoot(f"{name} {strength}", moved))
        yield "shaking", strength, camera.order(*_shaken(camera, GRADES["shaking"][strength]))
    yield "frozen", Strength.CLEAR, camera.order(camera.last, camera.last)


def _covering(name: str, share: float, rng: Rng) -> Step:
    seed = int(rng.integers(1 << 30))
    return lambda light, _: cover(light, np.random.default_rng(seed), name, share)


def _shaken(camera: Camera, amplitude: float) -> Sequence[bytes]:
    rng = camera.rng("shaking", amplitude)
    return [
        camera.shoot(f"shaken {amplitude}", shake(camera.view.image, rng, amplitude), frame=number)
        for number in range(FRAMES)
    ]


def good_visits(camera: Camera) -> Iterator[tuple[str, CheckOrder]]:
    """Visits to a camera without a fault."""
    for number in range(GOOD_VISITS):
        yield "good", camera.order(camera.shoot(f"good {number}"))
    yield "swaying", camera.order(*_shaken(camera, SWAYING_PX))
    yield "nothing moves", camera.order(*(camera.shoot("still", frame=one) for one in range(2)))
    if camera.situation == "day":
        is_outside = camera.view.photograph.place is Place.OUTDOOR
        for kind in WEATHER if is_outside else WEATHER_INDOORS:
            yield kind, camera.order(camera.shoot(kind, more=BY_DAY[kind]))


def judge_camera(camera: Camera, other: Image) -> Iterator[Judged]:
    """Judge all visits to one camera."""

    def label(
        order: CheckOrder, kind: str, fault: str = "", strength: Strength = Strength.CLEAR
    ) -> Judged:
        check = judge(order)
        return Judged(
            name=camera.view.photograph.name,
            situation=camera.situation,
            kind=kind,
            fault=fault,
            index=INDICES.get(fault),
            strength=strength,
            accepted=frozenset(),
            margins={
                one.index: one.score - one.threshold
                for one in check.findings
                if one.index in COMPARED
            },
        )

    for fault, strength, order in faulty_visits(camera, other):
        yield label(order, "", fault, strength)
    for kind, order in good_visits(camera):
        yield label(order, kind)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--split", type=Half, choices=list(Half), default=Half.REPORT)
    parser.add_argument("--pictures", type=int, default=1, help="views of each photograph")
    parser.add_argument("--photographs", type=Path, help="root of the unpacked packages")
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    arguments = parse_arguments()
    cv2.setNumThreads(1)
    say = sys.stdout.write
    album = find_photographs(arguments.split, arguments.photographs)
    if album.missing:
        say("not here, and left out: " + " ".join(album.missing) + "\n")
    seen = [
        view
        for photograph in album.photographs
        if not photograph.kind
        for view in views(photograph, album.read(photograph), arguments.pictures)
    ]
    began = time.perf_counter()
    judged = [
        one
        for number, view in enumerate(seen)
        for camera in settings_of(view)
        for one in judge_camera(camera, _resize(seen[number - 1].image, view.image))
    ]
    say(f"{len(judged)} visits to {len(seen)} places, {time.perf_counter() - began:.0f} s\n")
    for table in (
        tell_indices(judged, COMPARED),
        tell_faults(judged),
        tell_negatives(judged),
        tell_trade(judged, COMPARED),
        tell_confusion(judged, COMPARED),
    ):
        say("\n" + "\n".join(table) + "\n")
    return 0


def _resize(image: Image, like: Image) -> Image:
    size = (like.shape[1], like.shape[0])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


if __name__ == "__main__":
    sys.exit(main())
