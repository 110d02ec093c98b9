"""Policies by which alerts climb."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.matchers import Matcher, parse_matcher
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStart:
    """What must be known of a policy to begin: whom it is about, and the wait before its start."""

    id: int
    area_path: str
    matcher: Matcher
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _StartRow:
    id: int
    area_path: str
    matcher: Mapping[str, Json]
    wait_s: float


async def policy_starts(tx: Transaction, scope: Scope) -> list[PolicyStart]:
    """The beginnings of every policy of the scope that is switched on."""
    rows = await tx.fetch(
        _StartRow,
        "SELECT p.id, a.path::text AS area_path, p.matcher,"
        " (p.steps -> 0 ->> 'wait_s')::float8 AS wait_s FROM policies p"
        " JOIN areas a ON a.id = p.area_id WHERE p.removed_at IS NULL AND p.is_enabled"
        " AND p.steps -> 0 IS NOT NULL AND" + IN_SCOPE + "ORDER BY p.id",
        {"scope": scope_paths(scope)},
    )
    return [
        PolicyStart(
            id=row.id,
            area_path=row.area_path,
            matcher=parse_matcher(row.matcher),
            wait_s=row.wait_s,
        )
        for row in rows
    ]
