"""How an alert that nobody takes climbs: whom a policy tells next, when, and why. Pure.

Everything is planned from planned moments, never from when somebody looked: after an absence
the same steps are told in the same order. Repeats that passed are told once. Who is on duty is
asked for the planned moment; whoever is on duty now is told as well when that comes late.

Time in which nobody was to be told (a snooze, a silence) does not count: the wait under way
begins anew when it ends. A wait that began in the future begins now: somebody ended the quiet
early, or the clock was set back (without this, help would be late by as much). A clock set
forward is like an absence of the hub.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.escalation.on_duty import Roster, find_on_duty, path_above
from hub.domain.alerts import AlertStatus
from hub.domain.escalations import OVERDUE, Climb, Policy, PolicyStep, Until
from hub.runtime.calendars import next_start

# What is told later than this after its moment is said to be late.
LATE: Final = timedelta(seconds=10)
# Clocks of several machines differ by less.
CLOCK_SLACK: Final = timedelta(seconds=5)
# An alert that is not resolved in time is told one area up (field.md, section 1).
OVERDUE_CLIMB: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What counts of the alert itself; one that is folded leaves climbing to the one for many."""

    alert_id: int
    area_path: str
    status: AlertStatus
    is_folded: bool = False
    quiet_until: datetime | None = None
    acknowledge_by: datetime | None = None
    resolve_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One step to tell: ``receivers`` in order with the reason of each.

    ``planned_at`` is when it was due, ``late`` who was added because that is long past,
    ``missed`` how many repeats passed beside it. Without receivers it is noted only.
    """

    step: int
    repeat: int
    planned_at: datetime
    receivers: Mapping[int, str]
    note: str
    late: frozenset[int] = frozenset()
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What to tell now, if anything, and where the climb stands then; None: it is over."""

    told: Told | None = None
    climb: Climb | None = None


def carry_on(
    policy: Policy, climb: Climb, standing: Standing, roster: Roster, now: datetime
) -> Outcome:
    """Take the one thing that is due; call it again while the climb it returns is due, too."""
    settled = settle(policy, climb, standing, now)
    if settled != climb or climb.due_at > now:
        return Outcome(climb=settled)
    if climb.step == OVERDUE:
        return Outcome(told=_tell_overdue(policy, climb, standing, roster, now))
    if roster.holds(policy.steps[climb.step].hours, climb.due_at):
        return _tell(policy, climb, standing, roster, now)
    return _outside_hours(policy, climb, standing, roster)


def settle(policy: Policy, climb: Climb, standing: Standing, now: datetime) -> Climb | None:
    """Where a climb stands by what became of its alert, before anything is told; None: over.

    It is over, waits for the deadline to resolve, begins its wait anew, or stays as it was.
    """
    is_gone = standing.is_folded or standing.status is AlertStatus.RESOLVED
    if is_gone or not policy.is_enabled:
        return None
    if _is_taken(policy, climb, standing):
        return _park(climb, standing, _told_last(policy, climb))
    begin = _begin_anew(climb, standing, now)
    if begin is None:
        return climb
    wait_s = 0.0
    if climb.step != OVERDUE:
        step = policy.steps[climb.step]
        wait_s = step.wait_s if climb.repeat == 0 else step.every_s
    return replace(climb, since=begin, due_at=begin + timedelta(seconds=wait_s))


def _begin_anew(climb: Climb, standing: Standing, now: datetime) -> datetime | None:
    """From when the wait under way counts anew, None when it goes on."""
    quiet_until = standing.quiet_until
    if quiet_until is not None and quiet_until >= climb.since:
        return quiet_until if quiet_until > climb.since else None
    is_ahead = climb.step != OVERDUE and climb.since > now + CLOCK_SLACK
    return now if is_ahead else None


def _is_taken(policy: Policy, climb: Climb, standing: Standing) -> bool:
    """Nothing more of the policy's steps is told."""
    if climb.step == OVERDUE:
        return False
    is_waiting = standing.status is AlertStatus.FIRING or policy.until is Until.RESOLVED
    return not is_waiting or climb.step >= len(policy.steps)


def _told_last(policy: Policy, climb: Climb) -> datetime:
    """When this step, or a repeat of it, was told last."""
    if climb.repeat == 0 or climb.step >= len(policy.steps):
        return climb.since
    return climb.due_at - timedelta(seconds=policy.steps[climb.step].every_s)


def _park(climb: Climb, standing: Standing, told_last: datetime) -> Climb | None:
    """Wait for the deadline to resolve, unless the step came after it.

    One that passed between repeats is told after the last of them: nothing goes back in time.
    """
    due = standing.resolve_by
    if due is None or due <= climb.since:
        return None
    return replace(climb, step=OVERDUE, repeat=0, due_at=max(due, told_last), since=due)


def _outside_hours(policy: Policy, climb: Climb, standing: Standing, roster: Roster) -> Outcome:
    """Put a step off to its next hours, or leave it out; a repeat is left out."""
    step = policy.steps[climb.step]
    if climb.repeat:
        return Outcome(climb=_follow(policy, climb, standing))
    if step.waits_for_hours and step.hours is not None:
        start = next_start(step.hours, climb.due_at, roster.holidays)
        if start is not None:
            return Outcome(climb=replace(climb, due_at=start))
    told = Told(
        step=climb.step,
        repeat=0,
        planned_at=climb.due_at,
        receivers={},
        note=f"{_title(policy, climb)} left out: outside its hours",
    )
    begun = replace(climb, since=climb.due_at, repeat=step.repeats)
    return Outcome(told=told, climb=_follow(policy, begun, standing))


def _tell(
    policy: Policy, climb: Climb, standing: Standing, roster: Roster, now: datetime
) -> Outcome:
    step = policy.steps[climb.step]
    begun = climb if climb.repeat else replace(climb, since=climb.due_at)
    missed = 0
    following = _follow(policy, begun, standing)
    while following is not None and following.repeat and following.due_at <= now:
        missed += roster.holds(step.hours, following.due_at)
        begun = following
        following = _follow(policy, begun, standing)
    found = _find_receivers(step, climb, standing, roster, now)
    cause = _cause(policy, climb, standing)
    receivers = {receiver: f"{cause}, {why}" for receiver, why in found.whys.items()}
    told = Told(
        step=climb.step,
        repeat=climb.repeat,
        planned_at=climb.due_at,
        receivers=receivers,
        note=_note(cause, found, missed, now - climb.due_at),
        late=found.late,
        missed=missed,
    )
    return Outcome(told=told, climb=following)


def _tell_overdue(
    policy: Policy, climb: Climb, standing: Standing, roster: Roster, now: datetime
) -> Told:
    step = PolicyStep(wait_s=0, climb=OVERDUE_CLIMB)
    found = _find_receivers(step, climb, standing, roster, now)
    cause = f"{_title(policy, climb)}: not resolved in time"
    return Told(
        step=OVERDUE,
        repeat=0,
        planned_at=climb.due_at,
        receivers={receiver: f"{cause}, {why}" for receiver, why in found.whys.items()},
        note=_note(cause, found, 0, now - climb.due_at),
        late=found.late,
    )


def _follow(policy: Policy, climb: Climb, standing: Standing) -> Climb | None:
    """What comes after this: a repeat, or the next step where that is not later.

    A deadline to acknowledge brings the next step forward: red is told up.
    """
    step = policy.steps[climb.step]
    candidates = []
    if climb.step + 1 < len(policy.steps):
        wait = timedelta(seconds=policy.steps[climb.step + 1].wait_s)
        due = climb.since + wait
        deadline = standing.acknowledge_by
        is_waiting = standing.status is AlertStatus.FIRING
        if is_waiting and deadline is not None and climb.since < deadline < due:
            due = deadline
        candidates.append(replace(climb, step=climb.step + 1, repeat=0, due_at=due))
    if climb.repeat < step.repeats:
        due = climb.due_at + timedelta(seconds=step.every_s)
        candidates.append(replace(climb, repeat=climb.repeat + 1, due_at=due))
    if candidates:
        return min(candidates, key=lambda one: one.due_at)
    return _park(climb, standing, climb.due_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Receivers and what made each of them one, in words."""

    whys: Mapping[int, str]
    where: str
    late: frozenset[int] = frozenset()


def _find_receivers(
    step: PolicyStep, climb: Climb, standing: Standing, roster: Roster, now: datetime
) -> _Found:
    whys: dict[int, str] = {}
    places: list[str] = []
    late: set[int] = set()
    if step.climb is not None:
        base = path_above(standing.area_path, step.climb)
        moments = [climb.due_at] if now - climb.due_at < LATE else [climb.due_at, now]
        for moment in moments:
            found = find_on_duty(roster, base, moment)
            if found is None:
                continue
            path, receivers = found
            place = f"on duty in {roster.name(path)}"
            places.append(place)
            for receiver in receivers:
                if receiver not in whys and moment != climb.due_at:
                    late.add(receiver)
                whys.setdefault(receiver, place)
        if not places:
            places.append(f"nobody is on duty in {roster.name(base)} or above")
    for receiver in step.receivers:
        if receiver in roster.reachable:
            whys.setdefault(receiver, "named by the policy")
    if step.receivers:
        is_any = not roster.reachable.isdisjoint(step.receivers)
        places.append("named by the policy" if is_any else "nobody whom the policy names is left")
    return _Found(whys=whys, where=", ".join(dict.fromkeys(places)), late=frozenset(late))


def _title(policy: Policy, climb: Climb) -> str:
    title = f"policy {policy.name}"
    if climb.step == OVERDUE:
        return title
    title += f", step {climb.step + 1}"
    return f"{title}, repeat {climb.repeat}" if climb.repeat else title


def _cause(policy: Policy, climb: Climb, standing: Standing) -> str:
    waited = climb.due_at - climb.since
    title = _title(policy, climb)
    if waited <= timedelta(0):
        return title
    is_waiting = standing.status is AlertStatus.FIRING
    what = "nobody acknowledged" if is_waiting else "not resolved"
    overdue = "overdue, " if is_waiting and climb.due_at == standing.acknowledge_by else ""
    return f"{title}: {overdue}{what} within {_span(waited)}"


def _note(cause: str, found: _Found, missed: int, late: timedelta) -> str:
    parts = [f"{cause}, {found.where}"]
    if late >= LATE:
        parts.append(f"told {_span(late)} late")
    if missed:
        parts.append(f"{missed} repeats missed" if missed > 1 else "1 repeat missed")
    return "; ".join(parts)


def _span(length: timedelta) -> str:
    """A length of time in at most two units: "1 h 5 min"."""
    seconds = round(length.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"
