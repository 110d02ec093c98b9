"""What is fed while a hub is killed: recorded once by its seed, the same for every play. Pure.

The uplinks take turns. Of each kind of failure some are *told in order* (the uplink first, then
its cameras, each known to be behind it) and some *mixed* (cameras before and after, at random).
What comes of a mixed camera depends on when somebody looked: it fires and is folded, or is held
back at once. All else must come to the same whoever was killed when.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hub.domain.events import Occurrence
from tests.system.storm_county import ExtraRule, Size
from tests.system.storm_script import (
    Layout,
    Moment,
    Verdict,
    fail_together,
    lay_out,
    together,
)

CAMERAS_EACH = 12
# The first uplink and its cameras never fail: doors open and shut there.
DOORS = 0
WAVE_S = 1.5
# The extra rule waits for four seconds; what is shorter never fires, and never by little.
SHORT_S = 1.5
LONG_S = 8.0
OFFLINE_FOR_S = 4.0

EXTRA = (
    ExtraRule(
        name="uplink away for long",
        condition={
            "type": "device_offline",
            "for_s": OFFLINE_FOR_S,
            "device_kinds": ["uplink"],
        },
    ),
    ExtraRule(
        name="forced three times",
        condition={
            "type": "event_count",
            "kind": "door.forced",
            "count": 3,
            "within_s": 12.0,
            "clear_s": 10.0,
        },
    ),
    ExtraRule(
        name="opened and motion",
        condition={
            "type": "combination",
            "events": [{"kind": "door.opened"}, {"kind": "motion.started"}],
            "within_s": 30.0,
            "clear_s": 3600.0,
            "clear_kind": "door.closed",
        },
    ),
)


class Fate(StrEnum):
    """What happens to an uplink: back soon, back later, or down to the end and taken by a person.

    CLOSED: a person resolves its alert by hand although it is still down.
    """

    SHORT = "short"
    LONG = "long"
    TAKEN = "taken"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KillScript:
    """Two acts: everything fails and some comes back; then the rest comes back.

    ``taken`` and ``closed`` are uplinks whose alert a person deals with between the acts.
    ``mixed`` are the cameras of which only so much is certain that nobody forgets them.
    """

    size: Size
    layout: Layout
    first: Sequence[Moment]
    second: Sequence[Moment]
    taken: Sequence[int]
    closed: Sequence[int]
    mixed: frozenset[int]


@dataclass(slots=True, kw_only=True)
class _Plan:
    layout: Layout
    rng: random.Random
    verdicts: list[Verdict] = field(default_factory=list)
    later: list[Verdict] = field(default_factory=list)
    mixed: set[int] = field(default_factory=set)

    def fail(self, number: int, at_s: float, fate: Fate, *, is_mixed: bool) -> None:
        """Let uplink and cameras fail, and come back as their fate is."""
        uplink, cameras = self.layout.uplinks[number], self.layout.children[number]
        if is_mixed:
            self.mixed.update(cameras)
            self.verdicts += fail_together(uplink, cameras, self.rng, begins_s=at_s, lasts_s=1.0)
        else:
            self.verdicts.append(Verdict(at_s=at_s, device_id=uplink, is_good=False))
            self.verdicts += [
                Verdict(
                    at_s=at_s + self.rng.uniform(0.2, 1.0),
                    device_id=camera,
                    is_good=False,
                    behind=uplink,
                )
                for camera in cameras
            ]
        if fate in {Fate.TAKEN, Fate.CLOSED}:
            self._return(self.later, uplink, cameras, 0.0)
        else:
            after_s = SHORT_S if fate is Fate.SHORT else LONG_S
            self._return(self.verdicts, uplink, cameras, at_s + 1.0 + after_s)

    def _return(
        self, into: list[Verdict], uplink: int, cameras: Sequence[int], at_s: float
    ) -> None:
        """The uplink, and then its cameras, one after the other."""
        into.append(Verdict(at_s=at_s, device_id=uplink, is_good=True))
        into += [
            Verdict(at_s=at_s + self.rng.uniform(0.2, 1.5), device_id=camera, is_good=True)
            for camera in cameras
        ]


def write_script(waves: int, seed: int) -> KillScript:
    """So many waves, an uplink each."""
    size = Size(
        uplinks=waves + 1,
        cameras=(waves + 1) * CAMERAS_EACH,
        villages=waves + 1,
        most_a_minute=600,
    )
    layout = lay_out(size.uplinks, size.cameras)
    plan = _Plan(layout=layout, rng=random.Random(seed))
    fates: dict[Fate, list[int]] = {fate: [] for fate in Fate}
    order = list(Fate)
    for wave in range(waves):
        fate = order[wave % len(order)]
        fates[fate].append(layout.uplinks[wave + 1])
        plan.fail(wave + 1, wave * WAVE_S, fate, is_mixed=(wave // len(order)) % 2 == 1)
    first = [*together(plan.verdicts), *_doors(waves)]
    return KillScript(
        size=size,
        layout=layout,
        first=sorted(first, key=lambda moment: moment.at_s),
        second=[*together(plan.later), *_shut(waves)],
        taken=fates[Fate.TAKEN],
        closed=fates[Fate.CLOSED],
        mixed=frozenset(plan.mixed),
    )


def _doors(waves: int) -> Iterator[Moment]:
    """At one camera after the other a door is forced often enough, or not, or opened."""
    for wave in range(waves):
        at_s = wave * WAVE_S + 0.05
        camera = _door(wave, waves)
        match wave % 3:
            case 0:
                for number in range(3):
                    yield _happen(at_s + 0.3 * number, camera, "door.forced", wave, number)
            case 1:
                for number in range(2):
                    yield _happen(at_s + 0.3 * number, camera, "door.forced", wave, number)
            case _:
                yield _happen(at_s, camera, "door.opened", wave, 0)
                yield _happen(at_s + 0.9, camera, "motion.started", wave, 1)


def _shut(waves: int) -> Iterable[Moment]:
    for wave in range(2, waves, 3):
        yield _happen(2.0 + wave * 0.01, _door(wave, waves), "door.closed", wave, 2)


def _door(wave: int, waves: int) -> str:
    """The key of the camera a wave's door is at: camera n hangs on uplink n modulo all."""
    return f"camera-{(wave % CAMERAS_EACH) * (waves + 1) + DOORS}"


def _happen(at_s: float, device: str, kind: str, wave: int, number: int) -> Moment:
    data = {"wave": wave, "number": number}
    return Moment(at_s=at_s, occurrences=(Occurrence(device=device, kind=kind, data=data),))
