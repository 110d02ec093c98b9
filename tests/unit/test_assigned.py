"""Which threshold of a profile a verdict was made by, whatever was corrected since."""

import pytest

from hub.domain.quality import Finding, Index
from hub.maintenance.pictures.assigned import Applied
from hub.maintenance.pictures.corrections import apply
from hub.maintenance.pictures.profiles import Chosen

TWO = Applied(chosen=Chosen(day={Index.NOISE: 50, Index.PTZ: None}, night={Index.NOISE: 70}))


def judged(index: Index, threshold: float) -> Finding:
    return Finding(index=index, score=60, threshold=threshold, why="")


@pytest.mark.parametrize("points", [0, 12.5, -12.5, 40, -25])
@pytest.mark.parametrize("base", [50.0, 70.0])
def test_the_profile_that_judged_is_recognised(base: float, points: float) -> None:
    corrected = apply({Index.NOISE: base}, {Index.NOISE: points})[Index.NOISE]
    assert corrected is not None
    assert TWO.uncorrected(judged(Index.NOISE, corrected), points) == base
    # The correction was made after this verdict.
    assert TWO.uncorrected(judged(Index.NOISE, base), points) == base


def test_a_verdict_of_another_profile_counts_as_that_of_the_nearest() -> None:
    assert TWO.uncorrected(judged(Index.NOISE, 64), 0) == 70
    assert TWO.uncorrected(judged(Index.PTZ, 64), 0) == 64
