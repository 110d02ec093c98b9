"""What happens in a storm, as a script: pure, and the same for the same seed.

Each uplink fails with the cameras behind it, the storm's moments lie at random, and about half of
the cameras are found silent before their uplink is: whoever probes them does not know yet.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from hub.domain.events import Occurrence
from hub.domain.health import DeviceStatusReport, Layer

# What is found within so long is handed over at once, as a shard of the probes does.
TOGETHER_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Numbers of the uplinks, and of the cameras behind each of them."""

    uplinks: Sequence[int]
    children: Sequence[Sequence[int]]

    @property
    def devices(self) -> list[int]:
        """All of them, uplinks first."""
        return [*self.uplinks, *(camera for cameras in self.children for camera in cameras)]


def lay_out(uplinks: int, cameras: int) -> Layout:
    """Cameras shared out evenly; uplinks are numbered first, from 1."""
    first = uplinks + 1
    return Layout(
        uplinks=range(1, first),
        children=[range(first + n, first + cameras, uplinks) for n in range(uplinks)],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A device is found silent, or answering again. ``behind``: the uplink known to be down."""

    at_s: float
    device_id: int
    is_good: bool
    behind: int | None = None

    def report(self, start: datetime) -> DeviceStatusReport:
        """As the pipeline takes it, in a play that began at ``start``."""
        return DeviceStatusReport(
            device_id=self.device_id,
            probed_at=start + timedelta(seconds=self.at_s),
            layer=None if self.is_good else Layer.NETWORK,
            detail="" if self.is_good else "no answer within 4 s",
            behind=self.behind,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is handed over at once. ``acknowledge``: the device whose alert a person takes."""

    at_s: float
    verdicts: tuple[Verdict, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    acknowledge: int | None = None


def found_online(layout: Layout, at_s: float = 0.0) -> list[Moment]:
    """The first round: everything answers."""
    verdicts = [Verdict(at_s=at_s, device_id=n, is_good=True) for n in layout.devices]
    return [Moment(at_s=at_s, verdicts=tuple(verdicts))]


def plan_storm(
    layout: Layout, rng: random.Random, *, lasts_s: float, again_s: float | None = None
) -> list[Moment]:
    """All uplinks fail, and every camera behind them.

    ``again_s`` later a camera that was found silent before its uplink is looked at again: now it
    is known what it is behind.
    """
    verdicts: list[Verdict] = []
    for uplink, cameras in zip(layout.uplinks, layout.children, strict=True):
        begins_s = rng.uniform(0, lasts_s * 0.6)
        found = fail_together(uplink, cameras, rng, begins_s=begins_s, lasts_s=lasts_s * 0.4)
        verdicts += found
        if again_s is not None:
            early = [one for one in found if one.device_id != uplink and one.behind is None]
            verdicts += [replace(v, at_s=v.at_s + again_s, behind=uplink) for v in early]
    return list(together(verdicts))


def plan_recovery(layout: Layout, rng: random.Random, *, lasts_s: float) -> list[Moment]:
    """Everything answers again, cameras and uplinks as it happens."""
    verdicts = [
        Verdict(at_s=rng.uniform(0, lasts_s), device_id=n, is_good=True) for n in layout.devices
    ]
    return list(together(verdicts))


def fail_together(
    uplink: int,
    cameras: Sequence[int],
    rng: random.Random,
    *,
    begins_s: float,
    lasts_s: float,
) -> list[Verdict]:
    """One uplink fails in the middle of its cameras."""
    uplink_s = begins_s + lasts_s * rng.uniform(0.4, 0.6)
    verdicts = [Verdict(at_s=uplink_s, device_id=uplink, is_good=False)]
    for camera in cameras:
        at_s = begins_s + rng.uniform(0, lasts_s)
        is_after = at_s > uplink_s + TOGETHER_S
        behind = uplink if is_after else None
        verdicts.append(Verdict(at_s=at_s, device_id=camera, is_good=False, behind=behind))
    return verdicts


def together(verdicts: Iterable[Verdict]) -> Iterator[Moment]:
    """In the order of time, a tenth of a second at once."""
    ordered = sorted(verdicts, key=lambda verdict: (verdict.at_s, verdict.device_id))
    for slot, found in groupby(ordered, key=lambda verdict: int(verdict.at_s / TOGETHER_S)):
        yield Moment(at_s=(slot + 1) * TOGETHER_S, verdicts=tuple(found))
