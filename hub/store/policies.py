"""Policies by which alerts climb."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.errors import NotFound
from hub.domain.escalations import Policy, Until, build_steps, check_steps, parse_steps
from hub.domain.matchers import Matcher, build_matcher, parse_matcher
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.matched import check_matcher
from hub.store.notices import notify
from hub.store.receivers import check_receivers
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC = "policies"
_POLICY = (
    "SELECT p.id, p.name, p.area_id, a.path::text AS area_path, p.matcher, p.steps, p.until,"
    " p.is_enabled FROM policies p JOIN areas a ON a.id = p.area_id"
    " WHERE p.removed_at IS NULL AND"
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    name: str
    area_id: int
    area_path: str
    matcher: Mapping[str, Json]
    steps: Sequence[Mapping[str, Json]]
    until: str
    is_enabled: bool

    def policy(self) -> Policy:
        return Policy(
            id=self.id,
            name=self.name,
            area_id=self.area_id,
            area_path=self.area_path,
            matcher=parse_matcher(self.matcher),
            steps=parse_steps(self.steps),
            until=Until(self.until),
            is_enabled=self.is_enabled,
        )


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


async def find_policies(
    tx: Transaction, scope: Scope, policy_ids: Sequence[int]
) -> dict[int, Policy]:
    """Those of these policies of the scope that are not removed."""
    rows = await tx.fetch(
        _Row,
        _POLICY + " p.id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"ids": list(policy_ids), "scope": scope_paths(scope)},
    )
    return {row.id: row.policy() for row in rows}


async def list_policies(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Policy]:
    """Policies by number, those of an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _POLICY + IN_SCOPE + "AND p.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY p.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.policy() for row in rows[:count]], next=more)


async def get_policy(tx: Transaction, scope: Scope, policy_id: int) -> Policy:
    """Return one policy; raises NotFound outside the scope."""
    found = await find_policies(tx, scope, [policy_id])
    if policy_id not in found:
        msg = "no such policy"
        raise NotFound(msg)
    return found[policy_id]


async def add_policy(tx: Transaction, scope: Scope, policy: Policy) -> Policy:
    """Add a policy to an area of the scope (its ``id`` and ``area_path`` are ignored).

    It is for alerts that fire from now on.

    Raises:
        NotFound: the area, a receiver or what the matcher names lies outside the scope.
        Invalid: by these steps nobody can climb.
    """
    area = await get_area(tx, scope, policy.area_id)
    check_steps(policy.steps)
    await check_matcher(tx, scope, area.path, policy.matcher)
    await check_receivers(tx, scope, sorted(_named(policy)))
    number = await tx.scalar(
        int,
        "INSERT INTO policies (name, area_id, matcher, steps, until, is_enabled) VALUES (%(name)s,"
        " %(area)s, %(matcher)s, %(steps)s, %(until)s, %(is_enabled)s) RETURNING id",
        _values(policy),
    )
    return await _changed(tx, scope, "policy.added", number or 0)


async def change_policy(tx: Transaction, scope: Scope, policy: Policy) -> Policy:
    """Replace a policy of the scope; receivers it names already may lie outside.

    An alert that climbs goes on at the step it has come to; that step's time stays as it is.

    Raises:
        NotFound: the policy, its area or a new receiver lies outside the scope.
        Invalid: by these steps nobody can climb.
    """
    before = await get_policy(tx, scope, policy.id)
    area = await get_area(tx, scope, policy.area_id)
    check_steps(policy.steps)
    await check_matcher(tx, scope, area.path, policy.matcher, known=before.matcher)
    await check_receivers(tx, scope, sorted(_named(policy) - _named(before)))
    await tx.execute(
        "UPDATE policies SET name = %(name)s, area_id = %(area)s, matcher = %(matcher)s,"
        " steps = %(steps)s, until = %(until)s, is_enabled = %(is_enabled)s WHERE id = %(id)s",
        _values(policy),
    )
    return await _changed(tx, scope, "policy.changed", policy.id)


async def remove_policy(tx: Transaction, scope: Scope, policy_id: int) -> None:
    """Remove a policy of the scope; alerts climb by it no longer."""
    policy = await get_policy(tx, scope, policy_id)
    await tx.execute("UPDATE policies SET removed_at = now() WHERE id = %(id)s", {"id": policy.id})
    await tx.execute("DELETE FROM climbs WHERE policy_id = %(id)s", {"id": policy.id})
    await notify(tx, scope, TOPIC, [policy.id])
    await record(tx, scope, _deed("policy.removed", policy), {"name": policy.name})


async def has_policies(tx: Transaction, scope: Scope) -> bool:
    """Tell whether the scope has, or ever had, a policy."""
    return bool(
        await tx.scalar(
            bool,
            "SELECT EXISTS (SELECT FROM policies p JOIN areas a ON a.id = p.area_id WHERE"
            + IN_SCOPE
            + ")",
            {"scope": scope_paths(scope)},
        )
    )


async def _changed(tx: Transaction, scope: Scope, action: str, policy_id: int) -> Policy:
    policy = await get_policy(tx, scope, policy_id)
    await notify(tx, scope, TOPIC, [policy.id])
    detail: dict[str, Json] = {
        "name": policy.name,
        "matcher": build_matcher(policy.matcher),
        "steps": build_steps(policy.steps),
        "until": policy.until.value,
        "is_enabled": policy.is_enabled,
    }
    await record(tx, scope, _deed(action, policy), detail)
    return policy


def _deed(action: str, policy: Policy) -> Deed:
    return Deed(
        action=action, object_type="policy", object_id=str(policy.id), area_id=policy.area_id
    )


def _named(policy: Policy) -> set[int]:
    return {receiver for step in policy.steps for receiver in step.receivers}


def _values(policy: Policy) -> dict[str, object]:
    return {
        "id": policy.id,
        "name": policy.name,
        "area": policy.area_id,
        "matcher": Jsonb(build_matcher(policy.matcher)),
        "steps": Jsonb(build_steps(policy.steps)),
        "until": policy.until,
        "is_enabled": policy.is_enabled,
    }
