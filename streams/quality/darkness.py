"""Too dark: so little light that things can no longer be made out.

Unit: levels (0 to 255) of "light to see by": mean luma of the picture, in which no place counts
for more than 96 so that a few lamps do not hide the dark, and a fifth of the range that is used,
because a dark picture with contrast can still be read. A picture exposed three stops short has
about 55, one of four and a half stops 35. Practice: products in use call 30 to 60 of mean luma
too dark, whatever the contrast; night streets under lamps have 60 to 90 on this scale.
"""

import numpy as np

from hub.domain.quality import Score
from streams.quality.grading import Scale
from streams.quality.sample import Sample

_SCALE = Scale(nothing=80.0, visible=50.0, worst=8.0)
_BRIGHTEST = 96.0  # levels a place counts for at the most
_DARK = 40.0  # levels: darker than this little can be made out


def measure(sample: Sample) -> Score:
    """Score the darkness of a picture; 50 at 50 levels of light to see by."""
    light = float(np.mean(np.minimum(sample.cell_luma, _BRIGHTEST)))
    to_see_by = light + 0.2 * sample.range
    dark = float(np.mean(sample.cell_luma < _DARK))
    why = (
        f"Mean luma is {sample.luma:.0f} of 255, {dark:.0%} of the picture is darker than"
        f" {_DARK:.0f}; light and contrast to see by come to {to_see_by:.0f} levels"
        f" ({_SCALE.visible:.0f} are needed)."
    )
    return Score(value=_SCALE.grade(to_see_by), why=why)
