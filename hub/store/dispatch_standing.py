"""How it stands with what raised a task and those merged into it. What that means: hub.patrols.

The whole truth is read, whatever the scope: nobody ends a task because he does not see its cause.
``is_seen`` tells whether the scope may know what it is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

_TASKS: Final = (
    " FROM dispatches t JOIN dispatches o ON o.id = coalesce(t.merged_into, t.id) AND o.id = %(id)s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAlert:
    """An alert that raised a task and is not resolved."""

    alert_id: int
    rule_name: str
    device_name: str
    is_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFacts:
    """What is known now of the place of a stop that raised a task.

    ``kind`` is of the finding. ``status`` is of the camera, empty when it is gone. ``faults`` is
    how many faults its picture has, as of ``checked_at``. ``since`` is when somebody came to the
    place, or when the task was opened. ``is_normal_since``: a later stop there was judged normal.
    """

    round_id: int
    position: int
    device_name: str
    kind: str
    status: str
    faults: int
    checked_at: datetime | None
    since: datetime
    is_normal_since: bool
    has_photo: bool
    is_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentRoom:
    """A duty room that raised a task, and has answered no call since either."""

    room_name: str
    is_seen: bool


async def standing_alerts(tx: Transaction, scope: Scope, task: Dispatch) -> list[StandingAlert]:
    """The alerts of a task that are not resolved, by number."""
    return await tx.fetch(
        StandingAlert,
        "SELECT DISTINCT x.id AS alert_id, u.name AS rule_name, x.device_name, "
        + IN_SCOPE
        + " AS is_seen"
        + _TASKS
        + " JOIN alerts x ON x.id = t.alert_id JOIN rules u ON u.id = x.rule_id"
        " JOIN areas a ON a.id = x.area_id"
        " WHERE x.status <> 'resolved' ORDER BY x.id",
        {"id": task.id, "scope": scope_paths(scope)},
    )


async def stop_facts(tx: Transaction, scope: Scope, task: Dispatch) -> list[StopFacts]:
    """What is known now of the stops of a task, in their order."""
    return await tx.fetch(
        StopFacts,
        "SELECT s.round_id, s.position, s.device_name,"
        " coalesce(nullif(s.kind, ''), t.kind) AS kind, coalesce(z.status, '') AS status,"
        " coalesce((SELECT count(*) FROM jsonb_object_keys(p.faults)), 0) AS faults, p.checked_at,"
        " coalesce(o.on_site_at, t.created_at) AS since, EXISTS (SELECT FROM patrol_stops l"
        "  WHERE l.device_id = s.device_id AND l.result = 'normal' AND l.has_picture"
        "  AND l.at > coalesce(o.on_site_at, t.created_at)) AS is_normal_since,"
        " EXISTS (SELECT FROM photos f WHERE f.dispatch_id = o.id AND f.is_field) AS has_photo, "
        + IN_SCOPE
        + " AS is_seen"
        + _TASKS
        + " JOIN patrol_stops s ON s.round_id = t.round_id AND s.position = t.position"
        " JOIN areas a ON a.id = s.area_id LEFT JOIN device_status z ON z.device_id = s.device_id"
        " LEFT JOIN picture_states p ON p.device_id = s.device_id"
        " ORDER BY s.round_id, s.position",
        {"id": task.id, "scope": scope_paths(scope)},
    )


async def silent_rooms(tx: Transaction, scope: Scope, task: Dispatch) -> list[SilentRoom]:
    """The duty rooms of a task that answered neither the call that raised it nor one after it."""
    return await tx.fetch(
        SilentRoom,
        "SELECT DISTINCT c.room_name, "
        + IN_SCOPE
        + " AS is_seen"
        + _TASKS
        + " JOIN room_calls c ON c.id = t.roll_call_id JOIN areas a ON a.id = c.area_id"
        # An answer that came late is one: somebody is there.
        " WHERE c.answered_at IS NULL AND NOT EXISTS (SELECT FROM room_calls l"
        "  WHERE l.room_id = c.room_id AND l.asked_at > c.asked_at"
        "  AND l.answered_at IS NOT NULL)"
        " ORDER BY c.room_name",
        {"id": task.id, "scope": scope_paths(scope)},
    )
