"""Low contrast: a milky dome, a failing sensor or gain; everything is nearly the same grey.

Unit: Michelson's contrast, 0 to 1: the difference between the brightest and the darkest hundredth
of the picture as a share of their sum (A. Michelson, Studies in Optics, 1927), strips with clock
and name left out. A share, because a veil lifts the dark parts: a milky dome takes the blacks away
first. An ordinary picture has 0.7 to 0.9, one in moderate fog 0.3 to 0.5, one behind a dome that
lets a fifth of the contrast through 0.1 to 0.24. What is plain by itself, without contours that
stand out from its own grain, has no contrast to lose: a bare wall, boards, or an overcast sky.
Practice: range and deviation of the histogram are what products use; no standard gives a limit.
"""

import numpy as np

from hub.domain.quality import Score
from streams.quality.grading import Scale
from streams.quality.sample import Sample, measure_contours

_SCALE = Scale(nothing=0.6, visible=0.25, worst=0.02)
_NOISE = 8.0  # levels added to the sum: black is never quite black
_PLAIN = (1.8, 2.5)  # times the grain: the strongest contours of what is plain, and of what is not


def measure(sample: Sample) -> Score:
    """Score the loss of contrast; 50 at a contrast of 0.25."""
    dark, bright = sample.level(0.01), sample.level(0.99)
    contrast = (bright - dark) / (bright + dark + _NOISE)
    score = _SCALE.grade(contrast)
    why = (
        f"Luma goes from {dark} to {bright} of 255, a contrast of {contrast:.2f}"
        f" ({_SCALE.visible:.2f} is needed)."
    )
    if score == 0.0 or not sample.is_large_enough:
        return Score(value=0.0, why=why)
    stands_out = _stand_out(sample)
    share = min(1.0, max(0.0, (stands_out - _PLAIN[0]) / (_PLAIN[1] - _PLAIN[0])))
    if share < 1.0:
        why = (
            f"Luma goes from {dark} to {bright} of 255, but what is in view is plain: its strongest"
            f" contours are {stands_out:.1f} times its grain."
        )
    return Score(value=score * share, why=why)


def _stand_out(sample: Sample) -> float:
    """How much stronger the contours of the busiest twentieth are than those of the plainest."""
    low, high = np.percentile(measure_contours(sample.body), (10, 95))
    return float(high / max(float(low), 0.5))
