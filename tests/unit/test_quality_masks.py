"""Masks cover what they should, and an unclear one is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.quality.masks import MOST_CORNERS, paint_over


def white(width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 255, np.uint8)


def test_mask_covers_its_part_and_no_more() -> None:
    picture = white(200, 100)
    paint_over(picture, [((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0))])
    assert picture[50:, 100:].max() == 0
    assert picture[:47].min() == 255
    assert picture[:, :97].min() == 255


def test_several_masks_and_none() -> None:
    picture = white(100, 100)
    paint_over(picture, [])
    assert picture.min() == 255
    paint_over(picture, [((0, 0), (0.2, 0), (0, 0.2)), ((1, 1), (0.8, 1), (1, 0.8))])
    assert picture[0, 0].max() == 0
    assert picture[99, 99].max() == 0
    assert picture[50, 50].min() == 255


def test_corners_may_lie_outside_the_picture() -> None:
    picture = white(64, 48)
    paint_over(picture, [((-1.0, -1.0), (2.0, -1.0), (2.0, 2.0), (-1.0, 2.0))])
    assert picture.max() == 0


share = st.floats(0, 1)


@settings(max_examples=50, deadline=None)
@given(
    corners=st.lists(st.tuples(share, share), min_size=3, max_size=3),
    weights=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.01, 1)),
    size=st.tuples(st.integers(32, 200), st.integers(32, 200)),
)
def test_every_point_of_a_mask_is_covered(
    corners: list[tuple[float, float]],
    weights: tuple[float, float, float],
    size: tuple[int, int],
) -> None:
    picture = white(*size)
    paint_over(picture, [corners])
    x, y = (
        sum(w * corner[axis] for w, corner in zip(weights, corners, strict=True)) / sum(weights)
        for axis in (0, 1)
    )
    column, row = (min(int(at * side), side - 1) for at, side in ((x, size[0]), (y, size[1])))
    assert picture[row, column].max() == 0


@pytest.mark.parametrize(
    "mask",
    [
        (),
        ((0.1, 0.1), (0.5, 0.5)),
        ((0.1, 0.1), (0.5, float("nan")), (0.5, 0.9)),
        ((0.1, 0.1), (0.5, float("inf")), (0.5, 0.9)),
        ((0.1, 0.1), (1e300, 0.1), (0.5, 0.9)),
        ((0.1, 0.1),) * (MOST_CORNERS + 1),
        ((0.1, 0.1, 0.1),) * 3,
    ],
)
def test_unclear_mask_is_refused(mask: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="mask"):
        paint_over(white(64, 48), [mask])
