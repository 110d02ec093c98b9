"""The answer of a dry run: what would have fired, how often, and for whom it is too much. Pure."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from alerts.dry_runs.replay import Firing
from hub.domain.alerts import Rule
from hub.store.rule_history import Place

# A subject for which the rule fires so large a part of the time is one it always fires for.
ALWAYS: Final = 0.9

PlaceKey = tuple[int | None, int]
"""A device, or None, and its area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What of history was looked at. ``cut_short`` says why not all of it; empty: it was all.

    ``lead_in`` is from when on events were shown, so that what began earlier is known.
    """

    since: datetime
    until: datetime
    asked_until: datetime
    lead_in: datetime
    events: int
    readings: int
    points: int
    cut_short: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """One alert that would have been made, in people's words."""

    subject: str
    device_id: int | None
    device_name: str
    area_id: int
    area_name: str
    point_id: int | None
    channel: str
    started_at: datetime
    fired_at: datetime
    resolved_at: datetime | None
    reason: str
    resolution: str
    value: float | None
    is_folded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Often:
    """How often it would have fired for a device (or a place), and for what part of the time."""

    device_id: int | None
    device_name: str
    area_id: int
    area_name: str
    times: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """The answer. ``fired`` holds the first of ``count``; ``folded`` of them nobody would be told.

    ``always`` counts the subjects for which it would have fired nearly all the time, of
    ``subjects`` for which it fired at all. ``held_back``: how often which reason kept quiet.
    """

    rule: Rule
    looked: Looked
    count: int
    folded: int
    still_open: int
    subjects: int
    always: int
    fired: Sequence[Fired] = ()
    often: Sequence[Often] = ()
    held_back: Mapping[str, int] = field(default_factory=dict)


class Summary:
    """What was concluded until a moment, counted; of what is beyond it nothing is known."""

    def __init__(self, rule: Rule, firings: Iterable[Firing], looked: Looked) -> None:
        self._rule = rule
        self._looked = looked
        self._all = sorted((f for f in firings if f.fired_at < looked.until), key=_fired_at)
        for firing in self._all:
            if firing.resolved_at is not None and firing.resolved_at >= looked.until:
                firing.resolved_at, firing.resolution = None, ""
        fold(self._all, rule)
        # What fired in the lead-in fired before the period: it counts only as being open.
        self._counted = [f for f in self._all if f.fired_at >= looked.since]
        self._times = Counter((f.device_id, f.area_id) for f in self._counted)

    def places(self, *, shown: int, top: int) -> set[PlaceKey]:
        """Whose names are needed."""
        first = {(f.device_id, f.area_id) for f in self._counted[:shown]}
        return first | {key for key, _ in self._times.most_common(top)}

    def build(
        self,
        places: Mapping[PlaceKey, Place],
        held_back: Mapping[str, int],
        *,
        shown: int,
        top: int,
    ) -> DryRun:
        """The answer, with the first firings and the devices it fires most for."""
        shares = _shares(self._all, self._looked.since, self._looked.until)
        most: defaultdict[PlaceKey, float] = defaultdict(float)
        for firing in self._all:
            key = (firing.device_id, firing.area_id)
            most[key] = max(most[key], shares[firing.subject])
        return DryRun(
            rule=self._rule,
            looked=self._looked,
            count=len(self._counted),
            folded=sum(f.is_folded for f in self._counted),
            still_open=sum(f.resolved_at is None for f in self._counted),
            subjects=len({f.subject for f in self._all}),
            always=sum(share > ALWAYS for share in shares.values()),
            fired=[_fired(f, places.get((f.device_id, f.area_id))) for f in self._counted[:shown]],
            often=[
                _often(key, times, most[key], places.get(key))
                for key, times in self._times.most_common(top)
            ],
            held_back=dict(Counter(held_back).most_common(top)),
        )


def fold(firings: Sequence[Firing], rule: Rule) -> None:
    """Mark those that the limits of the rule would have folded into one alert for many."""
    standing: list[tuple[datetime, int, int]] = []  # resolved at, order, area
    in_area: Counter[int] = Counter()
    for order, firing in enumerate(firings):
        while standing and standing[0][0] <= firing.fired_at:
            in_area[heapq.heappop(standing)[2]] -= 1
        firing.is_folded = (
            len(standing) >= rule.most or in_area[firing.area_id] >= rule.most_in_area
        )
        if not firing.is_folded:
            in_area[firing.area_id] += 1
            ends_at = firing.resolved_at or datetime.max.replace(tzinfo=UTC)
            heapq.heappush(standing, (ends_at, order, firing.area_id))


def _shares(firings: Iterable[Firing], since: datetime, until: datetime) -> dict[str, float]:
    """For what part of the time each subject fired."""
    length = (until - since).total_seconds()
    shares: defaultdict[str, float] = defaultdict(float)
    if length > 0:
        for firing in firings:
            begin, end = max(firing.fired_at, since), min(firing.resolved_at or until, until)
            shares[firing.subject] += max(0.0, (end - begin).total_seconds()) / length
    return shares


def _fired_at(firing: Firing) -> datetime:
    return firing.fired_at


def _fired(firing: Firing, place: Place | None) -> Fired:
    return Fired(
        subject=firing.subject,
        device_id=firing.device_id,
        device_name=place.device_name if place else "",
        area_id=firing.area_id,
        area_name=place.area_name if place else "",
        point_id=firing.point_id,
        channel=firing.channel,
        started_at=firing.started_at,
        fired_at=firing.fired_at,
        resolved_at=firing.resolved_at,
        reason=firing.reason,
        resolution=firing.resolution,
        value=firing.value,
        is_folded=firing.is_folded,
    )


def _often(key: PlaceKey, times: int, share: float, place: Place | None) -> Often:
    return Often(
        device_id=key[0],
        device_name=place.device_name if place else "",
        area_id=key[1],
        area_name=place.area_name if place else "",
        times=times,
        share=share,
    )
