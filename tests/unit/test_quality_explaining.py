"""The annotated picture: it holds the picture, its faults, and nothing that is masked."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hub.domain.errors import ProtocolViolation
from hub.domain.quality import CheckOrder, Finding, Index, Mode, PictureCheck, Region
from streams.quality.explaining import PICTURE_WIDTH, TABLE_WIDTH, explain
from tests.encoded_frames import as_frame, build_jpeg, claim_size

WHITE = build_jpeg(np.full((480, 640, 3), 255, np.uint8))
ORDER = CheckOrder(
    frames=(as_frame(WHITE),),
    thresholds=dict.fromkeys(Index, 50.0),
    infrared=dict.fromkeys(Index, 50.0),
)
GOOD = PictureCheck(
    mode=Mode.COLOUR,
    width=640,
    height=480,
    findings=(Finding(index=Index.BLUR, score=10.0, threshold=50.0, why="Edges are sharp."),),
)
FAULT = Finding(
    index=Index.OCCLUSION,
    score=90.0,
    threshold=50.0,
    why="Half of the picture is covered. " * 12,
    region=Region(0.25, 0.25, 0.75, 0.75),
)


def draw(order: CheckOrder, check: PictureCheck) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The annotated picture's two parts: the camera's picture, and the table."""
    whole = cv2.imdecode(np.frombuffer(explain(order, check), np.uint8), cv2.IMREAD_COLOR)
    assert whole is not None
    assert whole.shape[1] == PICTURE_WIDTH + TABLE_WIDTH
    picture = np.asarray(whole[: PICTURE_WIDTH * 3 // 4, :PICTURE_WIDTH], np.uint8)
    return picture, np.asarray(whole[:, PICTURE_WIDTH:], np.uint8)


def count_red(part: NDArray[np.uint8]) -> int:
    blue, _, red = (part[..., channel].astype(int) for channel in range(3))
    return int(np.count_nonzero(red - blue > 90))


def test_good_picture_is_shown_as_it_is() -> None:
    picture, table = draw(ORDER, GOOD)
    assert picture[:-8].min() > 240
    assert count_red(table) == 0
    assert table.max() > 200  # something is written there


def test_fault_is_framed_and_coloured() -> None:
    picture, table = draw(ORDER, replace(GOOD, findings=(*GOOD.findings, FAULT)))
    assert count_red(picture[:, PICTURE_WIDTH // 4 - 4 : PICTURE_WIDTH // 4 + 4]) > 200
    assert picture[200:250, 350:400].min() > 240  # the frame is not filled
    assert count_red(table) > 500


def test_region_at_the_edge_stays_in_the_picture() -> None:
    fault = replace(FAULT, region=Region(0.95, 0.99, 1.0, 1.0))
    picture, _ = draw(ORDER, replace(GOOD, findings=(fault,)))
    assert count_red(picture) > 100


@pytest.mark.parametrize("scale", [1e-9, 1.0])
def test_scores_and_thresholds_at_their_ends(scale: float) -> None:
    findings = tuple(
        Finding(index=index, score=100.0 * scale, threshold=threshold, why="x" * 400)
        for index, threshold in zip(Index, [0.0, 100.0, -50.0, 1e12, *[50.0] * 9], strict=True)
    )
    _, table = draw(ORDER, replace(GOOD, findings=findings))
    assert table.max() > 200


def test_masks_are_painted_over() -> None:
    mask = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    picture, _ = draw(replace(ORDER, masks=(mask,)), GOOD)
    assert picture[:-8, : PICTURE_WIDTH // 2 - 4].max() < 20
    assert picture[:-8, PICTURE_WIDTH // 2 + 8 :].min() > 240


def test_camera_that_was_sent_elsewhere_shows_the_view_that_was_judged() -> None:
    black = as_frame(build_jpeg(np.zeros((480, 640, 3), np.uint8)))
    order = replace(ORDER, frames=(as_frame(WHITE), black))
    assert draw(replace(order, moved=True), GOOD)[0][:-8].min() > 240
    assert draw(order, GOOD)[0][:-8].max() < 20


@pytest.mark.threat("T27")
def test_what_is_no_picture_is_not_explained() -> None:
    order = replace(ORDER, frames=(as_frame(claim_size(WHITE, 30_000, 30_000)),))
    with pytest.raises(ProtocolViolation):
        explain(order, GOOD)
