"""The events about dispatches: what rules go by.

All of them are about the task's area and carry its number as ``dispatch``, so that what clears
an alert is about the same as what raised it. None is about a device. Those about deadlines are
in :mod:`hub.store.dispatch_overdue`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from hub.domain.devices import Json
from hub.domain.dispatches import Dispatch
from hub.domain.events import Severity, StoredEvent

OPENED: Final = "dispatch.opened"
CLOSED: Final = "dispatch.closed"


def build_event(
    task: Dispatch,
    kind: str,
    *,
    now: datetime,
    severity: Severity,
    more: Mapping[str, Json] | None = None,
) -> StoredEvent:
    """Build one event about a task as it stands."""
    return StoredEvent(
        id=0,
        kind=kind,
        area_id=task.area_id,
        area_path=task.area_path,
        at=now,
        received_at=now,
        severity=severity,
        data={
            "dispatch": task.id,
            "title": task.title,
            "task_kind": task.kind,
            "priority": task.priority.value,
            "state": task.state.value,
            "unit": task.unit_name,
            "place": task.place,
            **(more or {}),
        },
    )
