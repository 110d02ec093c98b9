"""Many lines of the audit log at once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from psycopg.types.json import Json

from hub.domain.access import Scope
from hub.domain.devices import Json as Value
from hub.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDeed:
    """One line of the audit log about what an import made or changed."""

    action: str
    object_type: str
    object_id: str
    area_id: int | None
    detail: Mapping[str, Value] = field(default_factory=dict)


async def record_deeds(tx: Transaction, scope: Scope, deeds: Sequence[ImportDeed]) -> None:
    """Append many lines to the audit log, in the transaction of the deeds themselves."""
    await tx.execute(
        "INSERT INTO audit"
        " (actor, user_id, source, action, object_type, object_id, area_id, detail)"
        " SELECT %(actor)s, %(user_id)s, %(source)s, n.action, n.object_type, n.object_id,"
        " n.area_id, n.detail FROM json_to_recordset(%(rows)s)"
        " AS n (action text, object_type text, object_id text, area_id bigint, detail jsonb)",
        {
            "actor": scope.actor,
            "user_id": scope.user_id,
            "source": scope.source,
            "rows": Json([asdict(deed) for deed in deeds]),
        },
    )
