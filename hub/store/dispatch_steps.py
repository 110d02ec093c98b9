"""The history of dispatches: one line for each step and each remark."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.dispatches import Dispatch, DispatchStep
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A line to write; ``what`` is the state the task came to, or what was done."""

    what: str
    at: datetime
    note: str = ""
    is_field: bool = False
    unit_name: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)


async def add_step(tx: Transaction, scope: Scope, task: Dispatch, step: NewStep) -> None:
    """Add a line to a task that the caller read within the scope."""
    await tx.execute(
        "INSERT INTO dispatch_steps (dispatch_id, at, actor, is_field, what, note, unit_name,"
        " detail) VALUES (%(id)s, %(at)s, %(actor)s, %(is_field)s, %(what)s, %(note)s, %(unit)s,"
        " %(detail)s)",
        {
            "id": task.id,
            "at": step.at,
            "actor": scope.actor,
            "is_field": step.is_field,
            "what": step.what,
            "note": step.note,
            "unit": step.unit_name,
            "detail": Jsonb(dict(step.detail)),
        },
    )


async def list_steps(tx: Transaction, scope: Scope, dispatch_id: int) -> list[DispatchStep]:
    """The history of a task of the scope, the oldest line first."""
    return await tx.fetch(
        DispatchStep,
        "SELECT s.id, s.dispatch_id, s.at, s.actor, s.is_field, s.what, s.note, s.unit_name,"
        " s.detail FROM dispatch_steps s JOIN dispatches t ON t.id = s.dispatch_id"
        " JOIN areas a ON a.id = t.area_id WHERE s.dispatch_id = %(id)s AND"
        + IN_SCOPE
        + "ORDER BY s.id",
        {"id": dispatch_id, "scope": scope_paths(scope)},
    )


async def last_actor(tx: Transaction, scope: Scope, dispatch_id: int) -> str:
    """Who changed a task of the scope last."""
    name = await tx.scalar(
        str,
        "SELECT s.actor FROM dispatch_steps s JOIN dispatches t ON t.id = s.dispatch_id"
        " JOIN areas a ON a.id = t.area_id WHERE s.dispatch_id = %(id)s"
        " AND s.what NOT IN ('commented', 'overdue') AND" + IN_SCOPE + "ORDER BY s.id DESC LIMIT 1",
        {"id": dispatch_id, "scope": scope_paths(scope)},
    )
    return name or "somebody"
