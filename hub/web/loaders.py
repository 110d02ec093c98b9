"""How the rows of each collection are read for open consoles."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from hub.domain.access import Scope
from hub.domain.errors import NotFound
from hub.store import (
    alerts,
    area_outlines,
    console,
    discoveries,
    dispatches,
    events,
    handovers,
    patrol_reports,
    room_calls,
    rounds,
)
from hub.store.database import Transaction
from hub.web.live import Load
from hub.web.schemas.alerts import AlertOut
from hub.web.schemas.discovery import DiscoveryNewsOut
from hub.web.schemas.dispatches import DispatchOut
from hub.web.schemas.duty_rooms import RoomCallOut
from hub.web.schemas.maps import OutlineNewsOut
from hub.web.schemas.patrol_reports import PatrolReportOut
from hub.web.schemas.patrols import RoundOut
from hub.web.schemas.places import ConnectionOut, DeviceLineOut, EventOut
from hub.web.schemas.shapes import Out
from hub.web.schemas.shifts import HandoverNewsOut


class _InArea(Protocol):
    """A row that lies somewhere."""

    @property
    def area_path(self) -> str:
        """Where."""


Row = TypeVar("Row", bound=_InArea)


def rows_of(
    read: Callable[[Transaction, Scope, Sequence[int]], Awaitable[Sequence[Row]]], shown: type[Out]
) -> Load:
    """Show the rows that are read, as they are."""

    async def load(tx: Transaction, scope: Scope, ids: Sequence[int]) -> Sequence[tuple[str, Out]]:
        return [(row.area_path, shown.model_validate(row)) for row in await read(tx, scope, ids)]

    return load


async def load_alerts(
    tx: Transaction, scope: Scope, ids: Sequence[int]
) -> Sequence[tuple[str, Out]]:
    """Alerts, coloured by the database's clock: consoles are shown what it is now."""
    rows = await alerts.get_alerts(tx, scope, ids)
    now = await alerts.read_clock(tx, scope)
    return [(row.area_path, AlertOut.of(row, now)) for row in rows]


async def load_rounds(
    tx: Transaction, scope: Scope, ids: Sequence[int]
) -> Sequence[tuple[str, Out]]:
    """Patrol rounds; one that was taken away since is left out."""
    found: list[tuple[str, Out]] = []
    for number in ids:
        with suppress(NotFound):
            row = await rounds.get_round(tx, scope, number)
            found.append((row.area_path, RoundOut.model_validate(row)))
    return found


async def load_dispatches(
    tx: Transaction, scope: Scope, ids: Sequence[int]
) -> Sequence[tuple[str, Out]]:
    """Tasks, coloured by the database's clock."""
    rows = await dispatches.get_dispatches(tx, scope, ids)
    now = await alerts.read_clock(tx, scope)
    return [(row.area_path, DispatchOut.of(row, now)) for row in rows]


async def load_room_calls(
    tx: Transaction, scope: Scope, ids: Sequence[int]
) -> Sequence[tuple[str, Out]]:
    """Questions to duty rooms, never with their codes: a room reads its own."""
    rows = await room_calls.calls_of(tx, scope, ids)
    return [(row.area_path, RoomCallOut.of(row, is_own=False)) for row in rows]


load_devices = rows_of(console.device_rows, DeviceLineOut)
load_connections = rows_of(console.connection_rows, ConnectionOut)

LOADERS: Mapping[str, Load] = {
    "alerts": load_alerts,
    "area-outlines": rows_of(area_outlines.news_of, OutlineNewsOut),
    "connections": load_connections,
    "connection-states": load_connections,
    "devices": load_devices,
    "discoveries": rows_of(discoveries.discoveries_of, DiscoveryNewsOut),
    "dispatches": load_dispatches,
    "events": rows_of(events.get_events, EventOut),
    # That there is one; whoever may read its note asks for it.
    "handovers": rows_of(handovers.handovers_of, HandoverNewsOut),
    # Without their figures.
    "patrol-reports": rows_of(patrol_reports.get_lines, PatrolReportOut),
    "patrol-rounds": load_rounds,
    "room-calls": load_room_calls,
    "statuses": load_devices,
}
