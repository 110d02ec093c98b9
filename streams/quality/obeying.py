"""PTZ out of control: the camera was sent to another preset, and the view stayed."""

from hub.domain.quality import Score
from streams.quality.sample import Sample


def measure(first: Sample, last: Sample) -> Score | None:
    """Score how little the view changed on the way; 100: nothing moved.

    None: one of the pictures shows too little to tell (dark, fog).
    """
    del first, last
    return None
