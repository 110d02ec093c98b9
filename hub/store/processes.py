"""The processes of the hub: each leaves a mark of itself every few seconds.

What only a process can know (its queue, its disk, which broker it speaks to) stands in the mark, so
that one of them can show all. A mark that grows old says that its process is gone or stuck.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.store.database import Transaction
from hub.store.scoping import scope_paths

# How long a process that ended without a word is remembered.
KEEP = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMark:
    """What a process says of itself; ``facts`` are JSON and hold no secret."""

    key: str
    host: str
    pid: int
    roles: Sequence[str]
    version: str
    started_at: datetime
    facts: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLine:
    """A process, when it was heard of last and how long ago by the database's clock."""

    host: str
    pid: int
    roles: Sequence[str]
    version: str
    started_at: datetime
    seen_at: datetime
    silent_s: float
    facts: Mapping[str, Json]


async def mark_process(tx: Transaction, scope: Scope, mark: ProcessMark) -> None:
    """Say that a process is alive; what was silent for a week is forgotten."""
    del scope  # the hub's own bookkeeping
    await tx.execute(
        "INSERT INTO processes (key, host, pid, roles, version, started_at, facts)"
        " VALUES (%(key)s, %(host)s, %(pid)s, %(roles)s, %(version)s, %(started)s, %(facts)s)"
        " ON CONFLICT (key) DO UPDATE SET seen_at = now(), facts = excluded.facts",
        {
            "key": mark.key,
            "host": mark.host,
            "pid": mark.pid,
            "roles": list(mark.roles),
            "version": mark.version,
            "started": mark.started_at,
            "facts": Jsonb(dict(mark.facts)),
        },
    )
    await tx.execute("DELETE FROM processes WHERE seen_at < now() - %(keep)s", {"keep": KEEP})


async def forget_process(tx: Transaction, scope: Scope, key: str) -> None:
    """Say that a process ended as it should."""
    del scope
    await tx.execute("DELETE FROM processes WHERE key = %(key)s", {"key": key})


async def list_processes(tx: Transaction, scope: Scope) -> list[ProcessLine]:
    """Every process heard of in the last week, for whoever holds a root area."""
    if not await holds_root(tx, scope):
        return []
    return await tx.fetch(
        ProcessLine,
        "SELECT host, pid, roles, version, started_at, seen_at,"
        " extract(epoch FROM now() - seen_at)::float8 AS silent_s, facts FROM processes"
        " ORDER BY host, started_at, pid",
    )


async def holds_root(tx: Transaction, scope: Scope) -> bool:
    """Tell whether the scope is the hub's own or holds a root area."""
    if scope.paths is None:
        return True
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM areas r WHERE r.parent_id IS NULL"
            " AND r.path = ANY (%(scope)s::ltree[]))",
            {"scope": scope_paths(scope)},
        )
    )
