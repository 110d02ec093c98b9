"""One visit's judgement: what is measured, held against which threshold, kept and left out.

What the indices themselves see is tested beside each; here they score what a test tells them.
"""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import CheckOrder, Codec, Index, Mode, Score
from streams.quality import judging
from streams.quality.judging import ALONE, COMPARED, Visit, judge
from streams.quality.sample import Sample
from tests.encoded_frames import as_frame, build_jpeg, build_key_frame, claim_size, paint_scene

FIRST, LAST = (build_jpeg(paint_scene(320, 240, seed=seed)) for seed in (1, 2))
GREY = build_jpeg(np.repeat(paint_scene(320, 240)[..., :1], 3, axis=2))
HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
EVERY = dict.fromkeys(Index, 50.0)
NONE = dict.fromkeys(Index, None)

Measure = Callable[[Sample], Score]


def order(*frames: bytes, codec: Codec = Codec.JPEG) -> CheckOrder:
    return CheckOrder(
        frames=tuple(as_frame(frame, codec) for frame in frames), thresholds=EVERY, infrared=EVERY
    )


def mean(sample: Sample) -> float:
    return float(sample.bgr.mean())


def of(data: bytes) -> float:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return float(image.mean())


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> dict[Index, float]:
    """What each index will score; it tells the mean level of what it was given."""
    told = dict.fromkeys(Index, 10.0)

    def alone(index: Index) -> Measure:
        return lambda sample: Score(value=told[index], why=f"{mean(sample):.6f}")

    def compared(index: Index) -> Callable[[Visit], Score | None]:
        def measure(visit: Visit) -> Score | None:
            seen = [*visit.covered, *([visit.elsewhere] if visit.elsewhere else [])]
            return Score(value=told[index], why=" ".join(f"{mean(one):.6f}" for one in seen))

        return measure

    monkeypatch.setattr(judging, "ALONE", {index: alone(index) for index in ALONE})
    monkeypatch.setattr(judging, "COMPARED", {index: compared(index) for index in COMPARED})
    return told


def test_every_index_has_its_measure() -> None:
    assert ALONE.keys() | COMPARED.keys() == set(Index)
    assert not ALONE.keys() & COMPARED.keys()


@pytest.mark.usefixtures("scores")
def test_findings_come_in_the_order_in_which_people_are_told() -> None:
    check = judge(order(LAST))
    assert [finding.index for finding in check.findings] == list(Index)
    assert not check.faults
    assert (check.mode, check.width, check.height) == (Mode.COLOUR, 320, 240)


def test_score_is_held_against_the_threshold_of_its_index(scores: dict[Index, float]) -> None:
    scores[Index.BLUR], scores[Index.DARK], scores[Index.NOISE] = 60.0, 59.9, 100.0
    thresholds = {**NONE, Index.BLUR: 60.0, Index.DARK: 60.0}
    check = judge(replace(order(LAST), thresholds=thresholds))
    assert [finding.index for finding in check.findings] == [Index.DARK, Index.BLUR]
    assert [finding.index for finding in check.faults] == [Index.BLUR]
    assert judge(replace(order(LAST), thresholds={Index.CAST: 1.0})).findings[0].threshold == 1.0


def test_infrared_picture_has_thresholds_of_its_own(scores: dict[Index, float]) -> None:
    asked = replace(order(GREY), infrared={Index.BLUR: 5.0})
    assert [one.index for one in judge(asked).faults] == [Index.BLUR]
    assert judge(asked).mode is Mode.INFRARED
    colour = replace(asked, frames=order(LAST).frames)
    assert judge(colour).mode is Mode.COLOUR
    assert not judge(colour).faults


def test_lost_signal_suppresses_all_else_and_teaches_nothing(scores: dict[Index, float]) -> None:
    scores.update(dict.fromkeys(Index, 100.0))
    check = judge(replace(order(FIRST, LAST), evidence_width=64))
    assert [finding.index for finding in check.findings] == [Index.SIGNAL]
    assert check.learnt == b""
    assert check.evidence
    scores[Index.SIGNAL] = 49.0
    assert len(judge(order(LAST)).findings) == len(Index)
    unjudged = replace(order(LAST), thresholds={**EVERY, Index.SIGNAL: None})
    scores[Index.SIGNAL] = 100.0
    assert len(judge(unjudged).findings) == len(Index) - 1
    assert judge(unjudged).learnt


@pytest.mark.usefixtures("scores")
def test_last_frame_is_judged_and_all_are_compared() -> None:
    check = judge(order(FIRST, LAST))
    why = {finding.index: finding.why for finding in check.findings}
    assert float(why[Index.BLUR]) == pytest.approx(of(LAST), abs=0.1)
    assert [float(one) for one in why[Index.FREEZE].split()] == pytest.approx(
        [of(FIRST), of(LAST)], abs=0.1
    )
    assert check.fingerprint == judge(order(LAST)).fingerprint
    assert check.fingerprint != judge(order(FIRST)).fingerprint


@pytest.mark.usefixtures("scores")
def test_camera_that_was_sent_elsewhere_is_judged_by_what_it_showed_before() -> None:
    check = judge(replace(order(FIRST, LAST), moved=True, evidence_width=320))
    why = {finding.index: finding.why for finding in check.findings}
    assert float(why[Index.BLUR]) == pytest.approx(of(FIRST), abs=0.1)
    assert [float(one) for one in why[Index.PTZ].split()] == pytest.approx(
        [of(FIRST), of(LAST)], abs=0.1
    )
    assert check.fingerprint == judge(order(FIRST)).fingerprint
    assert of(check.evidence) == pytest.approx(of(LAST), abs=1)


def test_obeying_is_judged_of_cameras_that_were_sent_elsewhere_only() -> None:
    asked = replace(order(FIRST, LAST), thresholds={Index.PTZ: 0.0})
    assert judge(asked).findings == ()
    assert judge(replace(asked, moved=True, frames=asked.frames[:1])).findings == ()


@pytest.mark.usefixtures("scores")
def test_masks_hide_from_what_is_kept_but_not_from_what_is_judged() -> None:
    asked = replace(order(LAST), masks=(HALF,), evidence_width=320)
    check = judge(asked)
    why = {finding.index: finding.why for finding in check.findings}
    assert float(why[Index.BLUR]) == pytest.approx(of(LAST), abs=0.1)
    assert float(why[Index.FREEZE]) < 0.8 * of(LAST)
    assert check.fingerprint != judge(order(LAST)).fingerprint
    evidence = cv2.imdecode(np.frombuffer(check.evidence, np.uint8), cv2.IMREAD_COLOR)
    assert evidence is not None
    assert evidence[:, :150].max() < 25  # levels; JPEG rings beside an edge
    other = paint_scene(320, 240, seed=2)
    other[:, :160] = paint_scene(320, 240, seed=3)[:, :160]
    hidden = judge(replace(asked, frames=(as_frame(build_jpeg(other)),)))
    assert (hidden.fingerprint, hidden.learnt) == (check.fingerprint, check.learnt)


@pytest.mark.parametrize(("asked", "width"), [(0, 0), (100, 100), (320, 320), (4000, 320)])
def test_evidence_is_no_wider_than_asked(asked: int, width: int) -> None:
    check = judge(replace(order(LAST), evidence_width=asked))
    if not width:
        assert check.evidence == b""
        return
    image = cv2.imdecode(np.frombuffer(check.evidence, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (round(240 * width / 320), width, 3)


def test_baseline_grows_by_the_band_and_mode_of_the_picture() -> None:
    first = judge(replace(order(LAST), band=2))
    assert first.learnt
    assert not judge(replace(order(LAST), wants_learnt=False)).learnt
    again = replace(order(LAST), band=2, baselines={(2, Mode.COLOUR): first.learnt})
    elsewhere = replace(order(LAST), band=3, baselines={(2, Mode.COLOUR): first.learnt})
    assert judge(again).learnt != first.learnt
    assert judge(elsewhere).learnt == first.learnt


def test_same_order_gives_the_same_check() -> None:
    asked = replace(order(FIRST, LAST), evidence_width=64)
    assert judge(asked) == judge(asked)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_key_frame_is_judged_as_a_picture_is(codec: Codec) -> None:
    frame = build_key_frame(codec, paint_scene(320, 240, seed=2))
    check, expected = judge(order(frame, codec=codec)), judge(order(LAST))
    assert [one.index for one in check.findings] == [one.index for one in expected.findings]
    assert (check.mode, check.width, check.height) == (expected.mode, 320, 240)


def test_infinite_score_is_an_error_and_others_are_bounded(scores: dict[Index, float]) -> None:
    scores[Index.BLUR], scores[Index.DARK] = 1e9, -5.0
    check = judge(order(LAST))
    values = {finding.index: finding.score for finding in check.findings}
    assert (values[Index.BLUR], values[Index.DARK]) == (100.0, 0.0)
    scores[Index.BLUR] = float("nan")
    with pytest.raises(ValueError, match="blur is not a number"):
        judge(order(LAST))


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    "frames",
    [
        (claim_size(LAST, 30_000, 30_000),),
        (LAST, LAST[: len(LAST) // 2]),
        (b"<html>", LAST),
    ],
)
def test_visit_with_what_is_no_picture_is_refused(frames: tuple[bytes, ...]) -> None:
    with pytest.raises(ProtocolViolation):
        judge(order(*frames))


def test_visit_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="no frame"):
        judge(order())


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize(("width", "height"), [(32, 32), (48, 400), (400, 48), (1922, 1082)])
def test_pictures_of_any_shape_and_light_are_judged(level: int, width: int, height: int) -> None:
    frame = as_frame(build_jpeg(np.full((height, width, 3), level, np.uint8)))
    asked = CheckOrder(frames=(frame, frame, frame), thresholds=EVERY, infrared=EVERY)
    first = judge(asked)
    known = replace(asked, previous=first.fingerprint, baselines={(0, first.mode): first.learnt})
    assert all(0 <= one.score <= 100 for one in judge(known).findings)
