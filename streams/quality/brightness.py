"""Too bright: overexposed, washed out, or dazzled over a large part.

Unit: share; the mean luma as a share of full scale, and on top the share of pixels that are white
or nearly so (235 levels and more), where nothing is left to be seen. Both must be high: a white
wall and snow are bright without being burnt out, a doorway or a lamp is burnt out in a picture
that is not bright. An ordinary picture has 0.4 to 0.6, a bright one with a white sky 0.8 to 0.9,
one exposed nearly three stops too long 1.0 to 1.4. Practice: products in use alarm at mean luma of
190, 220 or 235 alone, which snow reaches.
"""

from hub.domain.quality import Score
from streams.quality.grading import Scale
from streams.quality.sample import Sample

_SCALE = Scale(nothing=0.6, visible=0.95, worst=1.8)
_WHITE = 235  # levels


def measure(sample: Sample) -> Score:
    """Score the overexposure of a picture; 50 where brightness and white come to 0.95."""
    white = 1.0 - float(sample.shares[_WHITE - 1])
    figure = _mean(sample) / 255.0 + white
    why = (
        f"Mean luma is {_mean(sample):.0f} of 255 and {white:.0%} of the picture is white"
        f" (from {_WHITE} on); together {figure:.2f} of at most {_SCALE.visible:.2f}."
    )
    return Score(value=_SCALE.grade(figure), why=why)


def _mean(sample: Sample) -> float:
    return float(sample.body.mean())
