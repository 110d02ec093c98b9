"""How far a consumer of stored events has come, so that it goes on there after a crash."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.events import Severity, StoredEvent
from hub.store.database import Transaction

_SEVERITIES = {severity.value: severity for severity in Severity}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The events of some kinds up to a number; ``last`` is None when there is nothing new.

    ``is_full``: there may be more after it.
    """

    events: Sequence[StoredEvent] = ()
    last: int | None = None
    is_full: bool = False


@dataclass(slots=True, kw_only=True)
class _Row:
    id: int
    kind: str
    area_id: int
    area_path: str
    at: datetime
    received_at: datetime
    device_id: int | None
    channel: str
    severity: str
    is_active: bool | None
    replayed: bool
    data: Mapping[str, Json]

    def event(self) -> StoredEvent:
        return StoredEvent(
            id=self.id,
            kind=self.kind,
            area_id=self.area_id,
            area_path=self.area_path,
            at=self.at,
            received_at=self.received_at,
            device_id=self.device_id,
            channel=self.channel,
            severity=_SEVERITIES[self.severity],
            is_active=self.is_active,
            replayed=self.replayed,
            data=self.data,
        )


async def get_cursor(tx: Transaction, scope: Scope, name: str) -> int:
    """The number of the last event dealt with; a new consumer starts at the newest one."""
    del scope  # the hub's own bookkeeping
    number = await tx.scalar(
        int,
        "INSERT INTO cursors (name, event_id)"
        " VALUES (%(name)s, coalesce((SELECT max(id) FROM events), 0))"
        " ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING event_id",
        {"name": name},
    )
    return number or 0


async def set_cursor(tx: Transaction, scope: Scope, name: str, event_id: int) -> None:
    """Move on, in the transaction that deals with the event; never back."""
    del scope
    await tx.execute(
        "UPDATE cursors SET event_id = greatest(event_id, %(id)s) WHERE name = %(name)s",
        {"name": name, "id": event_id},
    )


async def next_window(
    tx: Transaction, scope: Scope, after: int, *, kinds: Collection[str], most: int
) -> Window:
    """Of the next events after a number those of these kinds, in order, without device names.

    Only the hub itself consumes. Numbers grow in the order of commits (see
    :func:`hub.store.events.add_events`): nothing is missed below ``last``.
    """
    if scope.paths is not None:
        return Window()
    ((found, number),) = await tx.tuples(
        "SELECT max(w.id), count(*) FROM (SELECT e.id FROM events e WHERE e.id > %(after)s"
        " ORDER BY e.id LIMIT %(most)s) AS w",
        {"after": after, "most": most},
    )
    if found is None:
        return Window()
    last = int(str(found))
    rows = await tx.fetch(
        _Row,
        "SELECT e.id, e.kind, e.area_id, a.path::text AS area_path, e.at, e.received_at,"
        " e.device_id, e.channel, e.severity, e.is_active, e.replayed, e.data FROM events e"
        " JOIN areas a ON a.id = e.area_id WHERE e.id > %(after)s AND e.id <= %(last)s"
        " AND e.kind = ANY (%(kinds)s) ORDER BY e.id",
        {"after": after, "last": last, "kinds": sorted(kinds)},
    )
    is_full = int(str(number)) == most
    return Window(events=[row.event() for row in rows], last=last, is_full=is_full)
