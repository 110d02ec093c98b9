"""Why nobody is to be called about a device although it fails (field.md, section 3). Pure.

The present decides; what an event said of its own moment counts as well, for the present may
have moved on since. A hold speaks against making an alert, never against ending one.
"""

from dataclasses import replace
from typing import Final, assert_never

from alerts.observations import STATUS_KINDS, Observation, StatusSeen
from hub.domain.alerts import Rule
from hub.domain.conditions import (
    Condition,
    DeviceDegraded,
    DeviceOffline,
    EventOfKind,
    PointBeyond,
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
    if not _is_about_status(rule.condition):
        return ""
    said = {} if event is None else event.data
    if present.behind:
        verb = "was" if present.is_parent_back else "is"
        return f"behind {present.behind}, which {verb} down"
    if (parent := said.get("behind")) is not None:
        return f"behind device {parent}, which was down"
    return FLAPPING if present.is_flapping or said.get("flapping") is True else ""


def _is_about_status(condition: Condition) -> bool:
    match condition:
        case DeviceOffline() | DeviceDegraded():
            return True
        case EventOfKind(kind=kind):
            return kind in STATUS_KINDS
        case PointBeyond():
            return False
        case _ as never:
            assert_never(never)


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
