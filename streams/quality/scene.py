"""Scene change: has the camera been turned, tilted, knocked, or does it show another's view?"""

from collections.abc import Mapping

from hub.domain.quality import BandKey, Score
from streams.quality.sample import Sample


def measure(sample: Sample, baselines: Mapping[BandKey, bytes], band: int) -> Score | None:
    """Score how little the picture resembles any view learnt of this camera.

    None: too little is learnt yet, or the picture shows too little to be compared.
    """
    del sample, baselines, band
    return None
