"""Rules by which tasks are sent to units."""

from dataclasses import dataclass
from typing import Final, LiteralString

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.dispatches import DispatchRule, Priority, Source, UnitKind
from hub.domain.errors import NotFound
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

TOPIC: Final = "dispatch-rules"
_RULE: Final[LiteralString] = (
    "SELECT r.id, r.name, r.area_id, a.path::text AS area_path, r.kinds, r.priorities, r.sources,"
    " r.unit_kinds, r.most_km, r.is_automatic, r.is_enabled FROM dispatch_rules r"
    " JOIN areas a ON a.id = r.area_id WHERE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    name: str
    area_id: int
    area_path: str
    kinds: list[str]
    priorities: list[str]
    sources: list[str]
    unit_kinds: list[str]
    most_km: float | None
    is_automatic: bool
    is_enabled: bool

    def rule(self) -> DispatchRule:
        return DispatchRule(
            id=self.id,
            name=self.name,
            area_id=self.area_id,
            area_path=self.area_path,
            kinds=tuple(self.kinds),
            priorities=tuple(Priority(one) for one in self.priorities),
            sources=tuple(Source(one) for one in self.sources),
            unit_kinds=tuple(UnitKind(one) for one in self.unit_kinds),
            most_km=self.most_km,
            is_automatic=self.is_automatic,
            is_enabled=self.is_enabled,
        )


async def rules_for(tx: Transaction, scope: Scope, area_path: str) -> list[DispatchRule]:
    """The rules that hold in an area: its own and those of the areas above, nearest first.

    Not narrowed to the scope: a rule of the county sends the tasks of its villages.
    """
    del scope
    rows = await tx.fetch(
        _Row,
        _RULE + " a.path @> %(path)s::ltree AND r.is_enabled ORDER BY nlevel(a.path) DESC, r.id",
        {"path": area_path},
    )
    return [row.rule() for row in rows]


async def list_rules(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[DispatchRule]:
    """Rules by number, those of an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _RULE + IN_SCOPE + "AND r.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY r.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.rule() for row in rows[:count]], next=more)


async def get_rule(tx: Transaction, scope: Scope, rule_id: int) -> DispatchRule:
    """Return one rule; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row, _RULE + " r.id = %(id)s AND" + IN_SCOPE, {"id": rule_id, "scope": scope_paths(scope)}
    )
    if row is None:
        msg = "no such dispatch rule"
        raise NotFound(msg)
    return row.rule()


async def add_rule(tx: Transaction, scope: Scope, rule: DispatchRule) -> DispatchRule:
    """Add a rule to an area of the scope (its ``id`` and ``area_path`` are ignored).

    Raises:
        NotFound: the area lies outside the scope.
        Invalid: a value lies outside what the table allows.
    """
    await get_area(tx, scope, rule.area_id)
    number = await tx.scalar(
        int,
        "INSERT INTO dispatch_rules (area_id, name, kinds, priorities, sources, unit_kinds,"
        " most_km, is_automatic, is_enabled) VALUES (%(area)s, %(name)s, %(kinds)s,"
        " %(priorities)s, %(sources)s, %(unit_kinds)s, %(most_km)s, %(is_automatic)s,"
        " %(is_enabled)s) RETURNING id",
        _values(rule),
    )
    return await _changed(tx, scope, "dispatch_rule.added", number or 0)


async def change_rule(tx: Transaction, scope: Scope, rule: DispatchRule) -> DispatchRule:
    """Replace a rule of the scope, for tasks that are opened from now on.

    Raises:
        NotFound: the rule or its area lies outside the scope.
        Invalid: a value lies outside what the table allows.
    """
    await get_rule(tx, scope, rule.id)
    await get_area(tx, scope, rule.area_id)
    await tx.execute(
        "UPDATE dispatch_rules SET area_id = %(area)s, name = %(name)s, kinds = %(kinds)s,"
        " priorities = %(priorities)s, sources = %(sources)s, unit_kinds = %(unit_kinds)s,"
        " most_km = %(most_km)s, is_automatic = %(is_automatic)s, is_enabled = %(is_enabled)s"
        " WHERE id = %(id)s",
        _values(rule),
    )
    return await _changed(tx, scope, "dispatch_rule.changed", rule.id)


async def remove_rule(tx: Transaction, scope: Scope, rule_id: int) -> None:
    """Remove a rule of the scope; what it sent goes on."""
    rule = await get_rule(tx, scope, rule_id)
    await tx.execute("DELETE FROM dispatch_rules WHERE id = %(id)s", {"id": rule.id})
    await notify(tx, scope, TOPIC, [rule.id])
    await record(tx, scope, _deed("dispatch_rule.removed", rule), {"name": rule.name})


async def _changed(tx: Transaction, scope: Scope, action: str, rule_id: int) -> DispatchRule:
    rule = await get_rule(tx, scope, rule_id)
    await notify(tx, scope, TOPIC, [rule.id])
    detail: dict[str, Json] = {
        "name": rule.name,
        "kinds": list(rule.kinds),
        "priorities": [one.value for one in rule.priorities],
        "sources": [one.value for one in rule.sources],
        "unit_kinds": [one.value for one in rule.unit_kinds],
        "most_km": rule.most_km,
        "is_automatic": rule.is_automatic,
        "is_enabled": rule.is_enabled,
    }
    await record(tx, scope, _deed(action, rule), detail)
    return rule


def _deed(action: str, rule: DispatchRule) -> Deed:
    return Deed(
        action=action, object_type="dispatch_rule", object_id=str(rule.id), area_id=rule.area_id
    )


def _values(rule: DispatchRule) -> dict[str, object]:
    return {
        "id": rule.id,
        "area": rule.area_id,
        "name": rule.name,
        "kinds": list(dict.fromkeys(rule.kinds)),
        "priorities": [one.value for one in dict.fromkeys(rule.priorities)],
        "sources": [one.value for one in dict.fromkeys(rule.sources)],
        "unit_kinds": [one.value for one in dict.fromkeys(rule.unit_kinds)],
        "most_km": rule.most_km,
        "is_automatic": rule.is_automatic,
        "is_enabled": rule.is_enabled,
    }
