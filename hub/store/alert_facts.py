"""What routes, silences and policies ask of alerts."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.access import Scope
from hub.domain.events import Severity
from hub.domain.matchers import AlertFacts
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    alert_id: int
    rule_id: int
    severity: str
    area_id: int
    area_path: str
    device_id: int | None
    device_class: str
    tags: Sequence[str]
    parent_id: int | None
    drill_id: int | None
    is_folded: bool


async def alert_facts(
    tx: Transaction, scope: Scope, alert_ids: Sequence[int]
) -> dict[int, AlertFacts]:
    """The facts of these alerts of the scope, as their devices are now."""
    rows = await tx.fetch(
        _Row,
        "SELECT x.id AS alert_id, x.rule_id, x.severity, x.area_id, a.path::text AS area_path,"
        " x.device_id, coalesce(d.class, '') AS device_class, coalesce(d.tags, '{}') AS tags,"
        " d.parent_id, x.drill_id, x.folded_into IS NOT NULL AS is_folded FROM alerts x"
        " JOIN areas a ON a.id = x.area_id LEFT JOIN devices d ON d.id = x.device_id"
        " WHERE x.id = ANY (%(ids)s) AND" + IN_SCOPE + "ORDER BY x.id",
        {"ids": list(alert_ids), "scope": scope_paths(scope)},
    )
    return {
        row.alert_id: AlertFacts(
            alert_id=row.alert_id,
            rule_id=row.rule_id,
            severity=Severity(row.severity),
            area_id=row.area_id,
            area_path=row.area_path,
            device_id=row.device_id,
            device_class=row.device_class,
            tags=frozenset(row.tags),
            parent_id=row.parent_id,
            drill_id=row.drill_id,
            is_folded=row.is_folded,
        )
        for row in rows
    }
