"""Shows history to one rule and keeps, in memory, what it would have concluded. Pure.

The rule is asked by the functions the engine uses; its states live here instead of in the
database, and timers ring when they were due. What speaks against an alert is applied as far as
history tells it: maintenance windows, a dead parent and flapping as the events of devices said.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.dry_runs.past_devices import PastDevices
from alerts.judging.holds import find_hold, look_again
from alerts.rules.deciding import OUTSIDE_HOURS, Decision, Transition, advance
from alerts.rules.observations import (
    LastSeen,
    Observation,
    StatusSeen,
    Tick,
    ValueSeen,
    observe,
    subject_of,
)
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.calendars import NO_HOLIDAYS, Holidays
from hub.domain.conditions import Direction, NothingSeen, PointBeyond
from hub.domain.events import StoredEvent
from hub.domain.health import Status
from hub.runtime.calendars import next_start

# A reading that is older says nothing of the moment at which it could be told of.
STALE: Final = timedelta(minutes=15)
Present = StatusSeen | ValueSeen | LastSeen


@dataclass(slots=True, kw_only=True)
class Firing:
    """One alert that would have been. ``resolved_at`` None: it was open when looking ended."""

    subject: str
    device_id: int | None
    area_id: int
    point_id: int | None
    channel: str
    started_at: datetime
    fired_at: datetime
    reason: str
    value: float | None = None
    resolved_at: datetime | None = None
    resolution: str = ""
    is_folded: bool = False


@dataclass(slots=True, kw_only=True)
class _Track:
    """What is remembered of one subject.

    What is seen of the present is not kept by a rule while something speaks against an alert: it
    is told again once nothing does any more, at ``look_at`` if that is known (``is_held``).
    """

    state: RuleState
    path: str
    firing: Firing | None = None
    present: Present | None = None  # what was seen of the present last …
    present_at: datetime | None = None  # … and when
    is_held: bool = False
    look_at: datetime | None = None


class Replay:
    """One rule and what it was shown; observations of one subject come by time."""

    def __init__(self, rule: Rule, devices: PastDevices, holidays: Holidays = NO_HOLIDAYS) -> None:
        self._rule = rule
        self._devices = devices
        self._holidays = holidays
        self._last_at: dict[str, tuple[RuleState, str, datetime]] = {}
        self._tracks: dict[str, _Track] = {}
        self.firings: list[Firing] = []
        self.held_back: Counter[str] = Counter()

    def see_event(self, event: StoredEvent) -> None:
        """Show the next stored event."""
        present = self._devices.learn(event)
        seen = observe(self._rule, event)
        if seen is None:
            if event.kind == "device.steady":
                self._release(event)
            return
        blank = subject_of(self._rule, event)
        track = self._tracks.get(blank.subject)
        if track is None:
            if isinstance(seen, StatusSeen) and seen.status is Status.ONLINE:
                return  # of a device that is well, while nothing is wrong, nothing follows
            track = _Track(state=blank, path=event.area_path)
        if present is not None:
            seen = look_again(self._rule, seen, present)
        self._show(track, seen, event.received_at, event)

    def see_value(self, blank: RuleState, area_path: str, value: float, at: datetime) -> None:
        """Show the next reading of a point; ``blank`` names the subject."""
        condition = self._rule.condition
        if isinstance(condition, NothingSeen):
            self.see_last(blank, area_path, at)
            return
        track = self._tracks.get(blank.subject)
        if track is None:
            if isinstance(condition, PointBeyond) and not is_beyond(condition, value):
                return  # of a good value, while nothing is wrong, nothing follows
            track = _Track(state=blank, path=area_path)
        self._show(track, ValueSeen(value=value), at, None)

    def see_last(self, blank: RuleState, area_path: str, at: datetime) -> None:
        """Show that what is missed when it stays away came (or began to be expected) then.

        The rule is asked only where there is a gap: in between, the wait just begins anew.
        """
        condition = self._rule.condition
        if not isinstance(condition, NothingSeen):
            return
        known = self._last_at.get(blank.subject)
        self._last_at[blank.subject] = (blank, area_path, at)
        if known is not None and (at - known[2]).total_seconds() >= condition.for_s:
            self.expect(*known)
            track = self._tracks.get(blank.subject)
            if track is not None:
                self._show(track, LastSeen(last_at=at), at, None)
                self._tracks.pop(blank.subject, None)

    def expect(self, blank: RuleState, area_path: str, at: datetime) -> None:
        """Let a wait begin then for what is missed when it stays away."""
        track = self._tracks.get(blank.subject) or _Track(state=blank, path=area_path)
        self._show(track, LastSeen(last_at=at), at, None)

    def finish(self, until: datetime) -> Iterator[None]:
        """Let the timers ring that were due until then; yields between subjects."""
        for blank, path, at in list(self._last_at.values()):
            if at < until:
                self.expect(blank, path, at)
                yield
        for track in list(self._tracks.values()):
            self._ring(track, until)
            yield

    def _show(
        self, track: _Track, seen: Observation, at: datetime, event: StoredEvent | None
    ) -> None:
        self._ring(track, at)
        track.look_at, track.is_held = None, False
        if isinstance(seen, Present):
            track.present, track.present_at = seen, at
        self._decide(track, seen, at, event)
        if track.state.phase is Phase.CLEAR and not track.is_held:
            self._tracks.pop(track.state.subject, None)
        else:
            self._tracks[track.state.subject] = track

    def _ring(self, track: _Track, upto: datetime) -> None:
        """Deal with what was due before, in order."""
        while True:
            due_at, look_at = track.state.due_at, track.look_at
            if look_at is not None and look_at <= upto and (due_at is None or look_at < due_at):
                track.look_at, track.is_held = None, False
                self._look_again(track, look_at)
            elif due_at is not None and due_at <= upto:
                self._decide(track, Tick(), due_at, None)
                if track.state.due_at is not None and track.state.due_at <= due_at:
                    track.state = replace(track.state, due_at=None)
            else:
                return

    def _look_again(self, track: _Track, at: datetime) -> None:
        """Nothing speaks against an alert any more: the present is told again."""
        if track.present is None or track.present_at is None:
            return
        if not isinstance(track.present, ValueSeen) or at - track.present_at <= STALE:
            self._decide(track, track.present, at, None)

    def _decide(
        self, track: _Track, seen: Observation, at: datetime, event: StoredEvent | None
    ) -> None:
        hold, ends_at = self._find_hold(track, at, event)
        for decision, when in advance(
            self._rule, track.state, seen, at, hold=hold, holidays=self._holidays
        ):
            self._note(track, decision, when)
            if decision.hold is OUTSIDE_HOURS and self._rule.hours is not None:
                ends_at = next_start(self._rule.hours, at, self._holidays)
            if decision.is_held_back:
                self.held_back[decision.hold] += 1
            if decision.hold and decision.state.phase is Phase.CLEAR:
                track.is_held, track.look_at = track.present is not None, ends_at
            elif decision.hold and ends_at is not None:
                track.state = _wait_until(decision.state, at, ends_at, decision.hold)

    def _note(self, track: _Track, decision: Decision, at: datetime) -> None:
        state = track.state = decision.state
        match decision.transition:
            case Transition.FIRE if track.firing is None:
                track.firing = Firing(
                    subject=state.subject,
                    device_id=state.device_id,
                    area_id=state.area_id,
                    point_id=state.point_id,
                    channel=state.channel,
                    started_at=state.since or at,
                    fired_at=at,
                    reason=decision.reason,
                    value=state.value,
                )
                self.firings.append(track.firing)
            case Transition.RESOLVE if track.firing is not None:
                track.firing.resolved_at = max(at, track.firing.fired_at)
                track.firing.resolution = decision.reason
                track.firing = None
            case _:
                pass

    def _find_hold(
        self, track: _Track, at: datetime, event: StoredEvent | None
    ) -> tuple[str, datetime | None]:
        """What speaks against an alert about its device then, and when that is known to end."""
        device_id = track.state.device_id if event is None else event.device_id
        if device_id is None:
            return "", None
        present, ends_at = self._devices.find(device_id, track.path, at)
        return ("", None) if present is None else (find_hold(self._rule, present, event), ends_at)

    def _release(self, event: StoredEvent) -> None:
        """A device no longer flaps: what was held back counts again."""
        track = self._tracks.get(subject_of(self._rule, event).subject)
        if track is not None and track.is_held and track.look_at is None:
            track.look_at = event.received_at
            self._ring(track, event.received_at)


def is_beyond(condition: PointBeyond, value: float) -> bool:
    """Tell whether a value is one that a rule about readings fires for."""
    if condition.direction is Direction.ABOVE:
        return value > condition.threshold
    return value < condition.threshold


def _wait_until(state: RuleState, now: datetime, ends_at: datetime, hold: str) -> RuleState:
    """Leave out the looks that would find the same: the next is the first once it is over."""
    if state.due_at is None or state.due_at >= ends_at or state.due_at <= now:
        return state
    if hold is OUTSIDE_HOURS:
        return replace(state, due_at=ends_at)
    step = state.due_at - now
    missing = -((state.due_at - ends_at) // step)
    return replace(state, due_at=state.due_at + missing * step)
