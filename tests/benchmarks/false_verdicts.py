"""24 simulated hours on a bad network: how many cameras are called dead that are not?

The prober's own parts run in virtual time against a network that loses 1 % of the packets (with
TCP's retransmissions) and answers 1 % of the questions seconds late. Prints figures, judges
nothing:

    python -m tests.benchmarks.false_verdicts [cameras] [hours] [loss] [slow]
"""

import random
import sys
import time
from dataclasses import dataclass

from hub.domain.health import OFFLINE_LAYERS, DeviceStatusReport
from tests.simulated_county import County, Network
from tests.virtual_time import run


@dataclass(slots=True)
class Tally:
    """What was said in vain."""

    offline: int = 0
    degraded: int = 0

    def count(self, report: DeviceStatusReport) -> None:
        """Count one report; every camera is well all the time."""
        if report.layer in OFFLINE_LAYERS:
            self.offline += 1
        elif report.layer is not None:
            self.degraded += 1


def simulate(county: County, hours: float) -> Tally:
    """Let a county of healthy cameras live for some hours."""
    tally = Tally()
    county.on_told = tally.count
    run(county.live(hours * 3600))
    return tally


def main(cameras: int, hours: float, loss: float, slow: float) -> None:
    """Let them live, and say what was said."""
    county = County(cameras, network=Network(loss=loss, slow=slow), rng=random.Random(11))
    began = time.perf_counter()
    tally = simulate(county, hours)
    sys.stdout.write(
        f"{cameras} cameras, {hours:g} h, loss {loss:.1%}, slow {slow:.1%}:"
        f" {len(county.asked)} probes in {time.perf_counter() - began:.0f} s\n"
        f"  not answered in time: {county.lost}; each would be a false alert if it were believed\n"
        f"  called offline: {tally.offline}, called degraded: {tally.degraded} (budget 0)\n"
    )


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    size, length, losing, slowly = [*given, *(200.0, 24.0, 0.01, 0.01)[len(given) :]]
    main(int(size), length, losing, slowly)
