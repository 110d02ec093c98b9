"""Jitter: the whole picture shakes from frame to frame."""

from collections.abc import Sequence

from hub.domain.quality import Score
from streams.quality.sample import Sample


def measure(samples: Sequence[Sample]) -> Score | None:
    """Score the shaking between at least three frames of one visit; None with fewer."""
    del samples
    return None
