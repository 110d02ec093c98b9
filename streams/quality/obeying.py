"""PTZ out of control: the camera was sent to another preset, and the view stayed."""

from typing import Final

import numpy as np

from hub.domain.quality import Score
from streams.quality.grading import Scale
from streams.quality.sample import Sample
from streams.quality.structure import find_structure
from streams.quality.views import AGREES, agree, see

SCALE: Final = Scale(nothing=0.35, visible=0.6, worst=0.85)
"""Share of the edges that are where they were: by chance a third, past a passing bus 0.7."""

_LEAST_SEEN = 0.05  # share of cells with edges, of the first picture and of the last


def measure(first: Sample, last: Sample) -> Score | None:
    """Score how little the view changed on the way; 100: nothing moved.

    None: one of the pictures shows too little to tell (dark, fog).
    """
    before, after = find_structure(first), find_structure(last)
    view = see(before)
    lasting = view.lasting
    if min(float(lasting.mean()), float(see(after).lasting.mean())) < _LEAST_SEEN:
        return None
    share = float(np.mean((agree(view, after) > AGREES)[lasting]))
    value = SCALE.grade(share)
    return Score(
        value=value, why=f"After the order {share:.0%} of the edges are where they were before it."
    )
