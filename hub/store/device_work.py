"""What people did about one device: its tasks and the stops of patrols at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.patrols import Result, Verdict
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

NEWEST: Final = 50  # of each are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStop:
    """One stop of a round at a device, and what came of it."""

    round_id: int
    plan_name: str
    planned_at: datetime
    position: int
    verdict: Verdict
    reason: str
    at: datetime | None
    result: Result
    kind: str
    note: str
    judged_by: str
    judged_at: datetime | None
    has_picture: bool
    dispatch_id: int | None


async def list_task_ids(tx: Transaction, scope: Scope, device_id: int) -> Sequence[int]:
    """Numbers of the newest tasks of the scope about a device, newest first."""
    rows = await tx.tuples(
        "SELECT t.id FROM dispatches t JOIN areas a ON a.id = t.area_id"
        " WHERE t.device_id = %(device)s AND" + IN_SCOPE + "ORDER BY t.id DESC LIMIT %(most)s",
        {"device": device_id, "most": NEWEST, "scope": scope_paths(scope)},
    )
    return [int(str(number)) for (number,) in rows]


async def list_stops(tx: Transaction, scope: Scope, device_id: int) -> list[DeviceStop]:
    """The newest stops at a device in rounds of the scope, newest first."""
    return await tx.fetch(
        DeviceStop,
        "SELECT s.round_id, r.plan_name, r.planned_at, s.position, s.verdict, s.reason, s.at,"
        " s.result, s.kind, s.note, s.judged_by, s.judged_at, s.has_picture, s.dispatch_id"
        " FROM patrol_stops s JOIN patrol_rounds r ON r.id = s.round_id"
        " JOIN areas a ON a.id = r.area_id WHERE s.device_id = %(device)s AND"
        + IN_SCOPE
        + "ORDER BY r.planned_at DESC, r.id DESC LIMIT %(most)s",
        {"device": device_id, "most": NEWEST, "scope": scope_paths(scope)},
    )
