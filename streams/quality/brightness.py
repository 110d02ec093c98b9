"""Too bright: overexposed, washed out, or dazzled over a large part.

Unit: share; the mean luma as a share of full scale, and on top one and a half times the share of
pixels that are burnt out (245 levels and more), where nothing is left to be seen. Both must be
high: a white wall and snow are bright without being burnt out, a doorway or a lamp is burnt out in
a picture that is not bright. An ordinary picture has 0.4 to 0.6, a bright one with a white sky up
to 0.9, one exposed nearly three stops too long 0.95 to 1.5. Practice: products in use alarm at mean
luma of 190, 220 or 235 alone, which snow reaches.
"""

from hub.domain.quality import Score
from streams.quality.grading import Scale
from streams.quality.sample import Sample

_SCALE = Scale(nothing=0.6, visible=0.92, worst=1.8)
_BURNT = 245  # levels
_COUNTS = 1.5


def measure(sample: Sample) -> Score:
    """Score the overexposure of a picture; 50 where brightness and burnt parts come to 0.92."""
    mean = float(sample.body.mean())
    burnt = 1.0 - float(sample.shares[_BURNT - 1])
    figure = mean / 255.0 + _COUNTS * burnt
    why = (
        f"Mean luma is {mean:.0f} of 255 and {burnt:.0%} of the picture is white and burnt out"
        f" (from {_BURNT} on); that comes to {figure:.2f} of at most {_SCALE.visible:.2f}."
    )
    return Score(value=_SCALE.grade(figure), why=why)
