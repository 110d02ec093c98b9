"""Noise: the grain of a sensor without light, the dashes and the snow of a bad analogue line.

Unit: levels, standard deviation. Two figures, the worse one counts:

* *grain* where the picture is smooth: that of the block that is smoother than four fifths of all
  others, so that texture (grass, gravel) does not count as long as there is anything plain in view.
  Where fine detail is weaker than detail of twice the size it is texture, and counts for less;
  noise is as strong at half the size or weaker. A good sensor by day gives 0.5, night 1.5 to 3;
  20 levels on a picture 1920 wide become 5 here.
* *dashes*: by how much the deviation of the second difference exceeds what its mean size would give
  if it were grain, in half of all blocks. Dashes are rare and strong; contours are so too, but not
  in every block.

After J. Immerkaer, Fast Noise Variance Estimation (1996), by blocks.
"""

import cv2
import numpy as np

from hub.domain.quality import Score
from streams.quality.grading import Scale
from streams.quality.sample import Floats, Sample, crop_blocks, measure_grain
from streams.quality.stripes import find_stripes

_GRAIN = Scale(nothing=1.3, visible=4.15, worst=14.0)
_DASHES = Scale(nothing=0.3, visible=1.75, worst=8.0)
_LEAST_BLOCKS = 9
_LIT = (10, 245)  # levels: darker and brighter blocks have their noise cut off
_PLAIN_SHARE = 20  # percent of the blocks that are the plain ones
_TAILS = 1.1  # times: by as much may the deviations differ in plain grain


def measure(sample: Sample) -> Score:
    """Score the noise of a picture; 50 at a grain of 4.15 or dashes of 1.75 levels."""
    if not sample.is_large_enough:
        return Score(value=0.0, why="The picture is too small to measure noise in.")
    whole = crop_blocks(sample.body, 16)
    body = cv2.resize(whole, sample.grains.means.shape[::-1], interpolation=cv2.INTER_AREA)
    is_lit = (body > _LIT[0]) & (body < _LIT[1])
    if int(is_lit.sum()) < _LEAST_BLOCKS:
        return Score(value=0.0, why="The picture is too dark or too bright to show noise.")
    fine = sample.grains
    strong = fine.deviations[is_lit]
    plain = np.percentile(_without_texture(sample)[is_lit], _PLAIN_SHARE)
    grain = _without_stripes(sample, float(plain))
    excess = strong * strong - (_TAILS * fine.means[is_lit]) ** 2
    dashes = float(np.sqrt(max(0.0, float(np.median(excess)))))
    if _GRAIN.grade(grain) >= _DASHES.grade(dashes):
        why = (
            f"Grain in the plain parts of the picture is {grain:.1f} levels"
            f" ({_GRAIN.visible:.1f} are clearly visible)."
        )
        return Score(value=_GRAIN.grade(grain), why=why)
    why = (
        f"Dashes or specks all over the picture add {dashes:.1f} levels to its grain"
        f" ({_DASHES.visible:.2f} are clearly visible)."
    )
    return Score(value=_DASHES.grade(dashes), why=why)


def _without_texture(sample: Sample) -> Floats:
    fine = sample.grains.means
    whole = crop_blocks(sample.body, 16)
    rows, columns = whole.shape
    half = cv2.resize(whole, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
    coarse = measure_grain(np.asarray(half, np.uint8), 8).means
    if coarse.shape != fine.shape:
        coarse = np.asarray(cv2.resize(coarse, fine.shape[::-1]), np.float32)
    return np.asarray(np.minimum(fine, 1.6 * fine * fine / np.maximum(coarse, 0.1)), np.float32)


def _without_stripes(sample: Sample, grain: float) -> float:
    """Fine slanted stripes look like grain to a second difference: take their part away."""
    stripes = find_stripes(sample).grain
    return float(np.sqrt(max(0.0, grain * grain - stripes * stripes)))
