"""Freeze: the same picture again and again.

What the score of one visit means:

* 0 to 40: something moved; not frozen.
* 40 to below 50 (``is_suspicious``): one frame, the same as an hour ago, or two frames of one
  visit that are the same while the visit before differs or is unknown. A second frame, or the
  next visit, decides. Never a fault at the default threshold of 50.
* from 80: frames of one visit, at least a second apart, are the same everywhere, the clock on
  the picture included, and so was the visit before.
"""

from collections.abc import Mapping, Sequence

from hub.domain.quality import BandKey, Score
from streams.quality.sample import Sample


def is_suspicious(sample: Sample, previous: bytes) -> bool:
    """Tell whether one frame looks so like the last visit's that a second must be fetched."""
    del sample, previous
    return False


def measure(
    samples: Sequence[Sample], previous: bytes, baselines: Mapping[BandKey, bytes], band: int
) -> Score | None:
    """Score how surely the camera repeats one picture; ``samples``: of one visit, oldest first.

    None: nothing to compare with, or nothing in the picture that could change (all black).
    """
    del samples, previous, baselines, band
    return None
