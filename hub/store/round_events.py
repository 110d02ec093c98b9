"""What patrol rounds tell the rules: events of a place, told apart by the number of the round."""

from collections.abc import Mapping
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.events import Severity, StoredEvent
from hub.domain.patrols import PatrolRound
from hub.store import events, notices
from hub.store.database import Transaction
from hub.store.rounds import TOPIC


async def announce(tx: Transaction, scope: Scope, event: StoredEvent) -> None:
    """Store an event of :func:`round_event` and tell consoles of the round. Call it last."""
    await notices.notify(tx, scope, TOPIC, [int(str(event.data["round"]))])
    await events.add_events(tx, scope, [event])


def round_event(
    walk: PatrolRound,
    kind: str,
    now: datetime,
    data: Mapping[str, Json],
    *,
    severity: Severity = Severity.WARNING,
    is_active: bool | None = None,
) -> StoredEvent:
    """An event of a round; its number is always part of it."""
    return StoredEvent(
        id=0,
        kind=kind,
        area_id=walk.area_id,
        area_path=walk.area_path,
        at=now,
        received_at=now,
        severity=severity,
        is_active=is_active,
        data={
            "round": walk.id,
            "plan": walk.plan_name,
            "planned_at": walk.planned_at.isoformat(),
            **data,
        },
    )
