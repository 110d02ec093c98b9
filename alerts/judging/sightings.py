"""What stored events mean for rules: who watches, whom it is about, what speaks against it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from alerts.judging.drills import KINDS, drill_of, drill_subject, see_drill
from alerts.judging.holds import find_hold, look_again
from alerts.judging.judge import SCOPE, Sighting
from alerts.rules.index import RuleIndex
from alerts.rules.observations import STATUS_KINDS, Observation, is_watching, observe, subject_of
from hub.domain.alerts import Rule
from hub.domain.conditions import DeviceDegraded, DeviceOffline, kinds_of
from hub.domain.events import StoredEvent
from hub.domain.silences import Drill
from hub.store.database import Transaction
from hub.store.drills import get_drills
from hub.store.present import Presence, device_presences


class Watch:
    """The rules in force, found by what they watch for."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules: Mapping[int, Rule] = {rule.id: rule for rule in rules}
        self._index = RuleIndex(self.rules.values())
        self.kinds = KINDS.union(*(_kinds(rule) for rule in self.rules.values()))

    async def sightings_of(self, tx: Transaction, events: Sequence[StoredEvent]) -> list[Sighting]:
        """What stored events mean for the rules that watch their devices and places, in order."""
        drills = await _drills_of(tx, events)
        pairs = [
            (event, rule, seen)
            for event in events
            for rule in self._index.watching_event(event)
            if (seen := observe(rule, event)) is not None
        ]
        exercises = [event for event in events if drills and drill_of(event)]
        ids = {event.device_id for event, _, _ in pairs} | {e.device_id for e in exercises}
        known = sorted(n for n in ids if n is not None)
        present = await device_presences(tx, SCOPE, known) if known else {}
        found = [
            _sighting(event, rule, seen, present.get(event.device_id or 0))
            for event, rule, seen in pairs
            if _is_watched(rule, event, present)
        ]
        found += [
            sighting
            for event in exercises
            if event.device_id in present
            and (sighting := self._exercise(event, drills)) is not None
        ]
        if exercises:
            found.sort(key=lambda sighting: sighting.event_id or 0)  # stable
        return found

    def _exercise(self, event: StoredEvent, drills: Mapping[int, Drill]) -> Sighting | None:
        seen = see_drill(event, drills)
        rule = None if seen is None else self.rules.get(seen.drill.rule_id)
        if seen is None or rule is None:
            return None
        return Sighting(
            rule=rule,
            state=drill_subject(rule, event, seen.drill),
            seen=seen,
            at=event.received_at,
            event_id=event.id,
        )


def _kinds(rule: Rule) -> Collection[str]:
    """The kinds of events that can mean something to a rule."""
    if isinstance(rule.condition, DeviceOffline | DeviceDegraded):
        return STATUS_KINDS
    return kinds_of(rule.condition)


async def hold_back(tx: Transaction, sightings: Sequence[Sighting]) -> list[Sighting]:
    """Look up what speaks against an alert about the devices of these sightings."""
    ids = {s.state.device_id for s in sightings if s.state.device_id is not None}
    present = await device_presences(tx, SCOPE, sorted(ids)) if ids else {}
    return [
        replace(s, hold=find_hold(s.rule, present[s.state.device_id]))
        if s.state.device_id in present
        else s
        for s in sightings
    ]


async def _drills_of(tx: Transaction, events: Sequence[StoredEvent]) -> dict[int, Drill]:
    numbers = {number for event in events if (number := drill_of(event))}
    return await get_drills(tx, SCOPE, sorted(numbers)) if numbers else {}


def _sighting(
    event: StoredEvent, rule: Rule, seen: Observation, present: Presence | None
) -> Sighting:
    return Sighting(
        rule=rule,
        state=subject_of(rule, event),
        seen=seen if present is None else look_again(rule, seen, present),
        at=event.received_at,
        event_id=event.id,
        hold="" if present is None else find_hold(rule, present, event),
    )


def _is_watched(rule: Rule, event: StoredEvent, known: Mapping[int, Presence]) -> bool:
    """Rules watch places and approved devices."""
    if event.device_id is None:
        return is_watching(rule, event.area_path, None)
    present = known.get(event.device_id)
    return present is not None and is_watching(
        rule, event.area_path, present.kind, present.device_class, present.tags
    )
