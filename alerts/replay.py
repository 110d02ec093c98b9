"""Shows history to one rule and keeps, in memory, what it would have concluded. Pure.

The rule is asked by the functions the engine uses; its states live here instead of in the
database, and timers ring when they were due. What speaks against an alert is applied as far as
history tells it: maintenance windows, a dead parent and flapping as the events of devices said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from alerts.calendars import is_active, next_start
from alerts.holds import find_hold, look_again
from alerts.observations import (
    STATUS_KINDS,
    LastSeen,
    Observation,
    StatusSeen,
    Tick,
    ValueSeen,
    observe,
    subject_of,
)
from alerts.rules import Decision, Transition, advance
from hub.domain.alerts import Phase, Rule, RuleState
from hub.domain.calendars import NO_HOLIDAYS, Holidays
from hub.domain.conditions import Direction, NothingSeen, PointBeyond
from hub.domain.devices import DeviceKind
from hub.domain.events import StoredEvent
from hub.domain.health import Layer, Status
from hub.store.present import Presence
from hub.store.rule_history import PastWindow

OUTSIDE_HOURS: Final = "outside the hours of the rule"
FLAPPING_KINDS: Final = ("device.flapping", "device.steady")
_LAYERS: Final[Mapping[object, frozenset[Layer]]] = {
    layer.value: frozenset({layer}) for layer in Layer
}
_NONE: Final[frozenset[Layer]] = frozenset()


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
    """What is remembered of one subject. At ``look_at``, what was held back is looked at again."""

    state: RuleState
    path: str
    firing: Firing | None = None
    look_at: datetime | None = None
    look_seen: Observation | None = None


class PastWindows:
    """Maintenance windows, found by device and time."""

    def __init__(self, windows: Iterable[PastWindow] = ()) -> None:
        self._of_devices: dict[int, list[PastWindow]] = {}
        self._of_areas: dict[str, list[PastWindow]] = {}
        for window in windows:
            if window.device_id is None:
                self._of_areas.setdefault(window.area_path, []).append(window)
            else:
                self._of_devices.setdefault(window.device_id, []).append(window)

    def find(self, device_id: int, area_path: str, at: datetime) -> PastWindow | None:
        """The one in force then, the last to end when there are several."""
        found = [w for w in self._around(device_id, area_path) if w.starts_at <= at < w.ends_at]
        return max(found, key=lambda w: w.ends_at, default=None)

    def _around(self, device_id: int, area_path: str) -> Iterator[PastWindow]:
        yield from self._of_devices.get(device_id, ())
        if self._of_areas:
            codes = area_path.split(".")
            for depth in range(1, len(codes) + 1):
                yield from self._of_areas.get(".".join(codes[:depth]), ())


class Replay:
    """One rule and what it was shown; observations of one subject come by time."""

    def __init__(self, rule: Rule, windows: PastWindows, holidays: Holidays = NO_HOLIDAYS) -> None:
        self._rule = rule
        self._windows = windows
        self._holidays = holidays
        self._last_at: dict[str, tuple[RuleState, str, datetime]] = {}
        self._tracks: dict[str, _Track] = {}
        self._known: dict[int, Presence] = {}
        self.firings: list[Firing] = []
        self.held_back: Counter[str] = Counter()

    def see_event(self, event: StoredEvent) -> None:
        """Show the next stored event."""
        present = self._learn(event)
        seen = observe(self._rule, event)
        if seen is None:
            if event.kind == "device.steady":
                self._release(event)
            return
        blank = subject_of(self._rule, event)
        track = self._tracks.get(blank.subject)
        if track is None:
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
        track.look_at = track.look_seen = None
        self._decide(track, seen, at, event)
        is_clear = track.state.phase is Phase.CLEAR and not track.state.memory
        if not is_clear or track.look_seen is not None:
            self._tracks[track.state.subject] = track
        else:
            self._tracks.pop(track.state.subject, None)

    def _ring(self, track: _Track, upto: datetime) -> None:
        """Deal with what was due before, in order."""
        while True:
            due_at, look_at = track.state.due_at, track.look_at
            if look_at is not None and look_at <= upto and (due_at is None or look_at < due_at):
                seen, track.look_at, track.look_seen = track.look_seen, None, None
                if seen is not None:
                    self._decide(track, seen, look_at, None)
            elif due_at is not None and due_at <= upto:
                self._decide(track, Tick(), due_at, None)
                if track.state.due_at is not None and track.state.due_at <= due_at:
                    track.state = replace(track.state, due_at=None)
            else:
                return

    def _decide(
        self, track: _Track, seen: Observation, at: datetime, event: StoredEvent | None
    ) -> None:
        hold, ends_at = self._find_hold(track, at, event)
        for decision, when in advance(self._rule, track.state, seen, at, hold=hold):
            self._note(track, decision, when)
            if decision.is_held_back:
                self.held_back[hold] += 1
            if hold and ends_at is not None and decision.state.phase is Phase.PENDING:
                track.state = _wait_until(decision.state, at, ends_at)
            elif decision.is_held_back and isinstance(seen, StatusSeen | ValueSeen | LastSeen):
                track.look_seen, track.look_at = seen, ends_at

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
        """What speaks against an alert then, and when that is known to end."""
        hours = self._rule.hours
        if hours is not None and not is_active(hours, at, self._holidays):
            return OUTSIDE_HOURS, next_start(hours, at, self._holidays)
        device_id = track.state.device_id if event is None else event.device_id
        if device_id is None:
            return "", None
        window = self._windows.find(device_id, track.path, at)
        known = self._known.get(device_id)
        if window is None and known is None and event is None:
            return "", None
        present = known or _unknown(device_id)
        if window is not None:
            present = replace(present, window=window.reason, window_until=window.ends_at)
        hold = find_hold(self._rule, present, event)
        return hold, None if window is None else window.ends_at

    def _learn(self, event: StoredEvent) -> Presence | None:
        """Keep what an event says of its device; return the device as it was then."""
        device_id = event.device_id
        if device_id is None:
            return None
        before = self._known.get(device_id)
        status = STATUS_KINDS.get(event.kind)
        if event.replayed or (status is None and event.kind not in FLAPPING_KINDS):
            return before
        if status is None:
            is_flapping = event.kind == "device.flapping"
            after = replace(before or _unknown(device_id), is_flapping=is_flapping)
        else:
            is_same = before is not None and before.status is status
            parent = event.data.get("behind")
            after = Presence(
                device_id=device_id,
                kind=DeviceKind.OTHER,
                status=status,
                since=before.since if before is not None and is_same else event.received_at,
                faults=_LAYERS.get(event.data.get("layer"), _NONE),
                behind="" if parent is None else f"device {parent}",
                is_flapping=event.data.get("flapping") is True,
            )
        self._known[device_id] = after
        return after

    def _release(self, event: StoredEvent) -> None:
        """A device no longer flaps: what was held back counts again."""
        track = self._tracks.get(subject_of(self._rule, event).subject)
        if track is not None and track.look_seen is not None:
            self._show(track, track.look_seen, event.received_at, None)


def is_beyond(condition: PointBeyond, value: float) -> bool:
    """Tell whether a value is one that a rule about readings fires for."""
    if condition.direction is Direction.ABOVE:
        return value > condition.threshold
    return value < condition.threshold


def _wait_until(state: RuleState, now: datetime, ends_at: datetime) -> RuleState:
    """Skip the looks that would find the same window: the next one is the first after its end."""
    if state.due_at is None or state.due_at >= ends_at or state.due_at <= now:
        return state
    step = state.due_at - now
    missing = -((state.due_at - ends_at) // step)
    return replace(state, due_at=state.due_at + missing * step)


def _unknown(device_id: int) -> Presence:
    return Presence(device_id=device_id, kind=DeviceKind.OTHER, status=Status.UNKNOWN, since=None)
