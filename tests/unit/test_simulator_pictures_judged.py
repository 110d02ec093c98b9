"""Simulated cameras, judged as real ones are: good pictures are good, each fault is that fault."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.quality import CheckOrder, Codec, EncodedFrame, Index, PictureCheck
from hub.domain.quality import Mode as Sight
from hub.domain.quality_profiles import DAY, NIGHT
from hub.simulators.camera_state import STREAM_SHAPES
from hub.simulators.picture import Moment, Scene, build_jpeg, draw_background, draw_picture
from hub.simulators.picture_faults import Mode
from hub.simulators.scenery import Frame
from streams.quality.judging import judge

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
VISITS = 5
EXPECTED = {
    Mode.BLACK: Index.SIGNAL,
    Mode.NO_SIGNAL: Index.SIGNAL,
    Mode.FROZEN: Index.FREEZE,
    Mode.BLURRED: Index.BLUR,
    Mode.BRIGHT: Index.BRIGHT,
    Mode.DARK: Index.DARK,
    Mode.FLAT: Index.CONTRAST,
    Mode.TINTED: Index.CAST,
    Mode.NOISY: Index.NOISE,
    Mode.STRIPED: Index.STRIPES,
    Mode.COVERED: Index.OCCLUSION,
    Mode.ELSEWHERE: Index.SCENE,
    Mode.SHAKING: Index.JITTER,
}


class Watched:
    """A camera that was visited each hour of a day, and what is known of it since."""

    def __init__(self, seed: int, preset: int, size: tuple[int, int]) -> None:
        self.scene = Scene(
            label="东门1 East gate", seed=seed, preset=preset, width=size[0], height=size[1]
        )
        self.background = draw_background(self.scene)
        self.previous = self.baseline = b""
        self.checks = [self.visit(Mode.LIVE, hour * 3600.0 + 7 * hour) for hour in range(VISITS)]

    def frame(self, mode: Mode, seconds: float) -> EncodedFrame:
        scene, background = self.scene, self.background
        if mode is Mode.ELSEWHERE:
            scene = Scene(
                label=scene.label,
                seed=scene.seed ^ 0x5EED,
                preset=scene.preset,
                width=scene.width,
                height=scene.height,
            )
            background = draw_background(scene)
        now = NOON + timedelta(seconds=seconds)
        moment = Moment(elapsed_s=seconds, now=now, chance=int(seconds * 7919) % 2**31)
        return encoded(draw_picture(scene, background, mode, moment), now)

    def visit(self, mode: Mode, seconds: float) -> PictureCheck:
        count = 5 if mode is Mode.SHAKING else 2
        if mode is Mode.FROZEN:
            frames = (self.frame(mode, seconds),) * count
        else:
            frames = tuple(self.frame(mode, seconds + 1.5 * n) for n in range(count))
        check = judge(
            CheckOrder(
                frames=frames,
                thresholds=DAY,
                infrared=NIGHT,
                previous=self.previous,
                baselines={(0, Sight.COLOUR): self.baseline} if self.baseline else {},
            )
        )
        if mode is Mode.LIVE:
            self.baseline = check.learnt
        self.previous = check.fingerprint
        return check


def encoded(frame: Frame, now: datetime) -> EncodedFrame:
    return EncodedFrame(codec=Codec.JPEG, data=build_jpeg(frame), taken_at=now)


PLACES = [(11, 0, 640), (12, 1, 640), (15, 3, 352)]  # seed, preset, width


@pytest.fixture(scope="module", params=PLACES, ids=str)
def watched(request: pytest.FixtureRequest) -> Watched:
    seed, preset, width = request.param
    (size,) = [(one.width, one.height) for one in STREAM_SHAPES if one.width == width]
    return Watched(seed, preset, size)


def test_a_good_picture_is_good_at_every_visit(watched: Watched) -> None:
    for check in watched.checks:
        assert [finding for finding in check.findings if finding.score >= 35] == []


@pytest.mark.parametrize("mode", EXPECTED)
def test_each_fault_is_found_as_what_it_is(watched: Watched, mode: Mode) -> None:
    seconds = 3600.0 * (VISITS + 1)
    if mode is Mode.FROZEN:
        watched.visit(mode, seconds)
    check = watched.visit(mode, seconds)
    found = {finding.index: finding.score for finding in check.faults}
    assert EXPECTED[mode] in found, check.findings


def test_a_camera_that_obeys_shows_another_view(watched: Watched) -> None:
    scene = watched.scene
    other = Watched.__new__(Watched)
    other.scene = Scene(
        label=scene.label,
        seed=scene.seed,
        preset=(scene.preset + 1) % 4,
        width=scene.width,
        height=scene.height,
    )
    other.background = draw_background(other.scene)
    before = watched.frame(Mode.LIVE, 1.0)
    for after, obeys in (
        (other.frame(Mode.LIVE, 9.0), True),
        (watched.frame(Mode.LIVE, 9.0), False),
    ):
        order = CheckOrder(frames=(before, after), thresholds=DAY, infrared=NIGHT, moved=True)
        (finding,) = [one for one in judge(order).findings if one.index is Index.PTZ]
        assert finding.is_fault is not obeys
