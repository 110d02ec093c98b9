"""Whether what raised a task is clear: asked before it is verified.

An alert is clear when it is resolved, a duty room when it answered. A finding of a round about a
camera is clear when the camera is; any other one when somebody in the field took a photo, or when
a later round found the place normal. What came by telephone or from a resident has nothing that
the hub could ask.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch
from hub.store.database import Transaction
from hub.store.dispatch_standing import StopFacts, silent_rooms, standing_alerts, stop_facts

HIDDEN: Final = "something in another area that was merged into it still stands"
_DOWN: Final = "camera_down"
_PICTURE: Final = frozenset({"picture_bad", "view_blocked"})
_AWAY: Final = frozenset({"offline", "unknown"})


async def find_standing(tx: Transaction, scope: Scope, task: Dispatch) -> Sequence[str]:
    """What of a task's causes, and of those merged into it, still stands; in sentences."""
    found: list[str] = []
    for alert in await standing_alerts(tx, scope, task):
        about = f" ({alert.device_name})" if alert.device_name else ""
        words = f"alert {alert.alert_id}, {alert.rule_name}{about}, is not resolved"
        found.append(words if alert.is_seen else HIDDEN)
    for facts in await stop_facts(tx, scope, task):
        words = judge_stop(facts)
        if words:
            found.append(words if facts.is_seen else HIDDEN)
    for room in await silent_rooms(tx, scope, task):
        words = f"the duty room {room.room_name} has not answered"
        found.append(words if room.is_seen else HIDDEN)
    return tuple(dict.fromkeys(found))


def judge_stop(facts: StopFacts) -> str:
    """Say what speaks against a stop's finding being clear; empty when nothing does.

    A camera that is gone has nothing left to be clear of.
    """
    if not facts.status or facts.is_normal_since:
        return ""
    if facts.kind == _DOWN or facts.kind in _PICTURE:
        return next(_camera_troubles(facts), "")
    if facts.has_photo:
        return ""
    return (
        f"there is no photo from the field, and no round found the place of {facts.device_name}"
        " normal since"
    )


def _camera_troubles(facts: StopFacts) -> Iterator[str]:
    name = facts.device_name
    if facts.status in _AWAY:
        yield f"camera {name} is {facts.status}"
    if facts.kind not in _PICTURE:
        return
    if facts.faults:
        yield f"the picture of camera {name} is still bad"
    if facts.checked_at is None or facts.checked_at < facts.since:
        yield f"the picture of camera {name} was not checked since"
