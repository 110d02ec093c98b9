"""Judge the frames of one visit: decode, measure, compare, and hold it against the thresholds.

Pure: the same order gives the same check. Runs in a confined process, see ``judges``.

A lost signal suppresses every other index, freeze as well: what a recorder or an encoder puts in
the place of the picture (black, blue, a card "no video") always stands still and never resembles
the camera's view, so that all of them would tell the one fault again, in misleading words. For
the same reason nothing is learnt from it.

What is compared with other visits, and so kept, is the picture with its masks painted over: a
fingerprint is a small picture. Who changes the masks of a camera forgets its baselines.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from hub.domain.quality import (
    MAX_SCORE,
    CheckOrder,
    Finding,
    Index,
    Mode,
    PictureCheck,
    Polygon,
    Score,
)
from streams.quality import (
    baseline,
    blur,
    brightness,
    cast,
    contrast,
    darkness,
    freeze,
    jitter,
    motion,
    noise,
    obeying,
    occlusion,
    scene,
    signal,
    stripes,
)
from streams.quality.decoding import Decoded, decode
from streams.quality.masks import paint_over
from streams.quality.sample import Sample, make_sample
from streams.quality.stillness import fingerprint

EVIDENCE_QUALITY: Final = 80  # of JPEG
LONGEST_WHY: Final = 400  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What the indices see: ``samples`` all show the same view, the last one is judged.

    ``covered`` are the same with the masks painted over. ``elsewhere`` is what the camera showed
    after it was sent away, if it was.
    """

    samples: Sequence[Sample]
    covered: Sequence[Sample]
    elsewhere: Sample | None
    order: CheckOrder

    @property
    def sample(self) -> Sample:
        """The picture that is judged by itself."""
        return self.samples[-1]

    @property
    def kept(self) -> Sample:
        """The picture that is compared and learnt."""
        return self.covered[-1]


def _judge_scene(visit: Visit) -> Score | None:
    return scene.measure(visit.kept, visit.order.baselines, visit.order.band)


def _judge_occlusion(visit: Visit) -> Score | None:
    return occlusion.measure(visit.kept, visit.order.baselines, visit.order.band)


def _judge_freeze(visit: Visit) -> Score | None:
    order = visit.order
    return freeze.measure(visit.covered, order.previous, order.baselines, order.band)


def _judge_jitter(visit: Visit) -> Score | None:
    return jitter.measure(visit.samples)


def _judge_obeying(visit: Visit) -> Score | None:
    return None if visit.elsewhere is None else obeying.measure(visit.sample, visit.elsewhere)


ALONE: Final[Mapping[Index, Callable[[Sample], Score]]] = MappingProxyType(
    {
        Index.SIGNAL: signal.measure,
        Index.DARK: darkness.measure,
        Index.BRIGHT: brightness.measure,
        Index.CONTRAST: contrast.measure,
        Index.BLUR: blur.measure,
        Index.CAST: cast.measure,
        Index.NOISE: noise.measure,
        Index.STRIPES: stripes.measure,
    }
)
"""What one picture tells by itself."""

COMPARED: Final[Mapping[Index, Callable[[Visit], Score | None]]] = MappingProxyType(
    {
        Index.FREEZE: _judge_freeze,
        Index.OCCLUSION: _judge_occlusion,
        Index.SCENE: _judge_scene,
        Index.JITTER: _judge_jitter,
        Index.PTZ: _judge_obeying,
    }
)
"""What takes a second picture, or what is learnt of the camera."""


def judge(order: CheckOrder) -> PictureCheck:
    """Judge the frames of one visit.

    The last frame is judged, with the earlier ones for comparison; where the camera was sent
    elsewhere in between, the first is, and the last only shows whether it went.

    Raises:
        ProtocolViolation: a frame is no picture.
        ValueError: there is no frame, or a mask is no polygon.
    """
    if not order.frames:
        msg = "there is no frame to judge"
        raise ValueError(msg)
    pictures = [decode(frame) for frame in order.frames[:-1]]
    pictures.append(decode(order.frames[-1], detail_width=order.evidence_width))
    samples = [make_sample(one.bgr, one.width, one.height) for one in pictures]
    stayed = samples[:1] if order.moved else samples
    visit = Visit(
        samples=stayed,
        covered=[_cover(one, order.masks) for one in stayed],
        elsewhere=samples[-1] if order.moved and len(samples) > 1 else None,
        order=order,
    )
    findings = _find(visit)
    kept = visit.kept
    known = order.baselines.get((order.band, kept.mode), b"")
    is_lost = any(one.index is Index.SIGNAL and one.is_fault for one in findings)
    is_learnt = order.wants_learnt and not is_lost
    moved = motion.measure(visit.covered) if order.wants_movement and not is_lost else None
    return PictureCheck(
        mode=kept.mode,
        width=kept.width,
        height=kept.height,
        findings=findings,
        fingerprint=fingerprint(kept),
        learnt=baseline.learn(known, kept, order.previous) if is_learnt else b"",
        evidence=build_evidence(pictures[-1], order.masks, order.evidence_width),
        moved=None if moved is None else moved.share,
        moving=() if moved is None else moved.regions,
    )


def build_evidence(picture: Decoded, masks: Sequence[Polygon], width: int) -> bytes:
    """Return a masked JPEG of at most this width, empty for a width of 0.

    It is made from what was decoded to be judged: decoding once more would cost as much as
    judging.
    """
    if width <= 0:
        return b""
    detail = picture.detail
    rows, columns = detail.shape[:2]
    if columns > width:
        size = (width, max(1, round(rows * width / columns)))
        # Down to a half, two pixels make one: a quarter of the cost of exact areas.
        way = cv2.INTER_LINEAR if 2 * width >= columns else cv2.INTER_AREA
        bgr = np.asarray(cv2.resize(detail, size, interpolation=way), np.uint8)
    else:
        bgr = detail.copy()
    paint_over(bgr, masks)
    return encode_jpeg(bgr)


def encode_jpeg(bgr: cv2.typing.MatLike) -> bytes:
    """Return a picture as JPEG."""
    is_encoded, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, EVIDENCE_QUALITY])
    if not is_encoded:
        msg = "the picture cannot be encoded"
        raise ValueError(msg)
    return jpeg.tobytes()


def _cover(sample: Sample, masks: Sequence[Polygon]) -> Sample:
    if not masks:
        return sample
    bgr = sample.bgr.copy()
    paint_over(bgr, masks)
    return Sample(bgr=bgr, width=sample.width, height=sample.height)


def _find(visit: Visit) -> tuple[Finding, ...]:
    """Return the findings in the order of Index; a lost signal stands alone."""
    order = visit.order
    is_infrared = visit.kept.mode is Mode.INFRARED
    thresholds = order.infrared if is_infrared else order.thresholds
    findings: list[Finding] = []
    for index in Index:
        threshold = thresholds.get(index)
        score = None if threshold is None else _measure(index, visit)
        if score is None or threshold is None:
            continue
        finding = Finding(
            index=index,
            score=_bound(score.value, index),
            threshold=threshold,
            why=score.why[:LONGEST_WHY],
            region=score.region,
        )
        if index is Index.SIGNAL and finding.is_fault:
            return (finding,)
        findings.append(finding)
    return tuple(findings)


def _measure(index: Index, visit: Visit) -> Score | None:
    if index in ALONE:
        return ALONE[index](visit.sample)
    return COMPARED[index](visit)


def _bound(value: float, index: Index) -> float:
    if not math.isfinite(value):
        msg = f"{index} is not a number"
        raise ValueError(msg)
    return min(max(value, 0.0), MAX_SCORE)
