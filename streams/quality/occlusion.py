"""Occlusion: covered, sprayed, leaves, a spider web, a sticker on part of the lens."""

from collections.abc import Mapping

from hub.domain.quality import BandKey, Score
from streams.quality.sample import Sample


def measure(sample: Sample, baselines: Mapping[BandKey, bytes], band: int) -> Score | None:
    """Score the share of the picture where what is always there has gone, with its region.

    None: too little is learnt yet, or the picture is too dark to tell.
    """
    del sample, baselines, band
    return None
