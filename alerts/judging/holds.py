"""Why nobody is to be called about a device although it fails (field.md, section 3). Pure.

The present decides; what an event said of its own moment counts as well, for the present may
have moved on since. A hold speaks against making an alert, never against ending one.
"""

from dataclasses import replace
from typing import Final, assert_never

from alerts.rules.observations import STATUS_KINDS, Observation, StatusSeen
from hub.domain.alerts import Rule
from hub.domain.conditions import (
    Combination,
    Condition,
    DeviceDegraded,
    DeviceOffline,
    EventCount,
    EventOfKind,
    NothingSeen,
    PointBeyond,
    kinds_of,
)
from hub.domain.events import StoredEvent
from hub.domain.health import Status
from hub.store.present import Presence

FLAPPING: Final = "it flaps, which is said once"


def find_hold(rule: Rule, present: Presence, event: StoredEvent | None = None) -> str:
    """Say why no alert of a rule may be made about a device now; empty when one may."""
    if present.window:
        until = present.window_until
        end = "" if until is None else f" until {until.isoformat(timespec='minutes')}"
        return f"in a maintenance window{end}: {present.window}"
    if not _is_of_links(rule.condition):
        return ""
    said = {} if event is None else event.data
    if present.behind:
        verb = "was" if present.is_parent_back else "is"
        return f"behind {present.behind}, which {verb} down"
    if (parent := said.get("behind")) is not None:
        return f"behind device {parent}, which was down"
    is_flapping = present.is_flapping or said.get("flapping") is True
    return FLAPPING if is_flapping and _is_hushed_by_flapping(rule.condition) else ""


def _is_of_links(condition: Condition) -> bool:
    """Tell whether a parent that is down explains what a rule watches for."""
    match condition:
        case DeviceOffline() | DeviceDegraded() | NothingSeen():
            return True
        case EventOfKind() | EventCount() | Combination():
            return not kinds_of(condition).isdisjoint(STATUS_KINDS)
        case PointBeyond():
            return False
        case _ as never:
            assert_never(never)


def _is_hushed_by_flapping(condition: Condition) -> bool:
    """Whoever counts how often a device comes and goes wants to hear of one that flaps."""
    return isinstance(condition, DeviceOffline | DeviceDegraded | EventOfKind)


def look_again(rule: Rule, seen: Observation, present: Presence) -> Observation:
    """Complete what an event told of a status with what is known of it by now.

    An event is also made when only the parent to blame changed: the outage began before. It
    names the first failing layer only; others may fail too.
    """
    if not isinstance(seen, StatusSeen) or present.since is None:
        return seen
    if present.status is not seen.status or present.since > seen.since:
        return seen
    if isinstance(rule.condition, DeviceDegraded):
        return replace(seen, faults=seen.faults | present.faults)
    return replace(seen, since=present.since) if seen.status is Status.OFFLINE else seen
