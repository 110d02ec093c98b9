"""Rules: what to watch for, where, and who is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.calendars import build_calendar, parse_calendar
from hub.domain.conditions import Condition, build_condition, parse_condition
from hub.domain.devices import Json
from hub.domain.errors import Invalid, NotFound
from hub.domain.events import Severity
from hub.store.areas import get_area
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.receivers import check_receivers
from hub.store.scoping import IN_SCOPE, Page, decode_cursor, encode_cursor, page_limit, scope_paths

MOST_LABELS = 20
LONGEST_LABEL = 64
MOST_ALERTS_IN_AREA = 10_000
MOST_ALERTS = 100_000

_RULE = (
    "SELECT u.id, u.name, u.area_id, a.path::text AS area_path, u.condition, u.severity,"
    " u.is_enabled, u.classes, u.tags, u.hours, u.most_in_area, u.most,"
    " coalesce((SELECT array_agg(rr.receiver_id ORDER BY rr.receiver_id)"
    " FROM rule_receivers rr WHERE rr.rule_id = u.id), '{}') AS receivers"
    " FROM rules u JOIN areas a ON a.id = u.area_id WHERE u.removed_at IS NULL AND"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    name: str
    area_id: int
    area_path: str
    condition: Mapping[str, Json]
    severity: str
    is_enabled: bool
    receivers: list[int]
    classes: list[str]
    tags: list[str]
    hours: Mapping[str, Json] | None
    most_in_area: int
    most: int

    def rule(self) -> Rule:
        return Rule(
            id=self.id,
            name=self.name,
            area_id=self.area_id,
            area_path=self.area_path,
            condition=parse_condition(self.condition),
            severity=Severity(self.severity),
            receivers=tuple(self.receivers),
            is_enabled=self.is_enabled,
            classes=tuple(self.classes),
            tags=tuple(self.tags),
            hours=None if self.hours is None else parse_calendar(self.hours),
            most_in_area=self.most_in_area,
            most=self.most,
        )


async def all_rules(tx: Transaction, scope: Scope) -> list[Rule]:
    """Every rule of the scope that is switched on: what the engine works with."""
    rows = await tx.fetch(
        _Row, _RULE + " u.is_enabled AND" + IN_SCOPE + "ORDER BY u.id", _params(scope)
    )
    return [row.rule() for row in rows]


async def list_rules(
    tx: Transaction,
    scope: Scope,
    *,
    area_id: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Rule]:
    """Rules by number, those of an area and below it when one is named."""
    after = decode_cursor(cursor, (int,))
    count = page_limit(limit)
    rows = await tx.search(
        _Row,
        _RULE + IN_SCOPE + "AND u.id > coalesce(%(after)s::bigint, 0)"
        " AND (%(area)s::bigint IS NULL OR a.path <@ (SELECT path FROM areas WHERE id = %(area)s))"
        " ORDER BY u.id LIMIT %(limit)s",
        {
            "scope": scope_paths(scope),
            "after": after[0] if after else None,
            "area": area_id,
            "limit": count + 1,
        },
    )
    more = encode_cursor(rows[count - 1].id) if len(rows) > count else None
    return Page(items=[row.rule() for row in rows[:count]], next=more)


async def get_rule(tx: Transaction, scope: Scope, rule_id: int) -> Rule:
    """Return one rule; raises NotFound outside the scope."""
    row = await tx.fetch_one(
        _Row, _RULE + " u.id = %(id)s AND" + IN_SCOPE, {**_params(scope), "id": rule_id}
    )
    if row is None:
        msg = "no such rule"
        raise NotFound(msg)
    return row.rule()


async def add_rule(tx: Transaction, scope: Scope, rule: Rule) -> Rule:
    """Add a rule to an area of the scope (its ``id`` and ``area_path`` are ignored).

    Raises:
        NotFound: the area or a receiver lies outside the scope.
        Invalid: a part of it has a form that is refused. Whether its hours ever come is for
            the caller to check.
    """
    await get_area(tx, scope, rule.area_id)
    await check_receivers(tx, scope, rule.receivers)
    number = await tx.scalar(
        int,
        "INSERT INTO rules (name, area_id, condition, severity, is_enabled, classes, tags, hours,"
        " most_in_area, most) VALUES (%(name)s, %(area)s, %(condition)s, %(severity)s,"
        " %(is_enabled)s, %(classes)s, %(tags)s, %(hours)s, %(most_in_area)s, %(most)s)"
        " RETURNING id",
        _values(rule),
    )
    return await _changed(tx, scope, "rule.added", number or 0, rule.receivers)


async def change_rule(tx: Transaction, scope: Scope, rule: Rule) -> Rule:
    """Replace a rule of the scope.

    Raises:
        NotFound: the rule, its area or a receiver lies outside the scope.
        Invalid: it would watch something else; open alerts could then never end.
    """
    before = await get_rule(tx, scope, rule.id)
    await get_area(tx, scope, rule.area_id)
    new = set(rule.receivers) - set(before.receivers)
    await check_receivers(tx, scope, tuple(new))
    if _watched(before.condition) != _watched(rule.condition):
        msg = "what a rule watches cannot be changed: add another rule and switch this one off"
        raise Invalid(msg, field="condition")
    await tx.execute(
        "UPDATE rules SET name = %(name)s, area_id = %(area)s, condition = %(condition)s,"
        " severity = %(severity)s, is_enabled = %(is_enabled)s, classes = %(classes)s,"
        " tags = %(tags)s, hours = %(hours)s, most_in_area = %(most_in_area)s, most = %(most)s"
        " WHERE id = %(id)s",
        _values(rule),
    )
    return await _changed(tx, scope, "rule.changed", rule.id, rule.receivers)


async def remove_rule(tx: Transaction, scope: Scope, rule_id: int) -> None:
    """Remove a rule of the scope; its alerts stay, and open ones are resolved by the engine."""
    rule = await get_rule(tx, scope, rule_id)
    await tx.execute("UPDATE rules SET removed_at = now() WHERE id = %(id)s", {"id": rule.id})
    await notify(tx, scope, "rules", [rule.id])
    await record(tx, scope, _deed("rule.removed", rule), {"name": rule.name})


async def _changed(
    tx: Transaction, scope: Scope, action: str, rule_id: int, receivers: tuple[int, ...]
) -> Rule:
    await tx.execute("DELETE FROM rule_receivers WHERE rule_id = %(id)s", {"id": rule_id})
    await tx.execute(
        "INSERT INTO rule_receivers (rule_id, receiver_id)"
        " SELECT DISTINCT %(id)s::bigint, r FROM unnest(%(receivers)s::bigint[]) AS r",
        {"id": rule_id, "receivers": list(receivers)},
    )
    rule = await get_rule(tx, scope, rule_id)
    await notify(tx, scope, "rules", [rule.id])
    detail: dict[str, Json] = {
        "name": rule.name,
        "condition": build_condition(rule.condition),
        "severity": rule.severity.value,
        "receivers": list(rule.receivers),
        "is_enabled": rule.is_enabled,
        "classes": list(rule.classes),
        "tags": list(rule.tags),
        "hours": None if rule.hours is None else build_calendar(rule.hours),
        "most_in_area": rule.most_in_area,
        "most": rule.most,
    }
    await record(tx, scope, _deed(action, rule), detail)
    return rule


def _deed(action: str, rule: Rule) -> Deed:
    return Deed(action=action, object_type="rule", object_id=str(rule.id), area_id=rule.area_id)


def _watched(condition: Condition) -> tuple[Json, ...]:
    raw = build_condition(condition)
    names = ("type", "point", "direction", "kind", "distinguish_by", "per", "events", "expects_all")
    return tuple(raw.get(name) for name in names)


def check_labels(labels: Sequence[str], field: str) -> None:
    """Refuse classes or tags that nobody could read or choose.

    Raises:
        Invalid: there are too many, or one is empty, too long or not printable.
    """
    if len(labels) > MOST_LABELS:
        msg = f"at most {MOST_LABELS} of {field}"
        raise Invalid(msg, field=field)
    for label in labels:
        is_good = label.isprintable() and label == label.strip()
        if not is_good or not 1 <= len(label) <= LONGEST_LABEL:
            msg = f"each of {field} is a text of 1 to {LONGEST_LABEL} printable characters"
            raise Invalid(msg, field=field)


def _check(rule: Rule) -> None:
    check_labels(rule.classes, "classes")
    check_labels(rule.tags, "tags")
    if not 1 <= rule.most_in_area <= MOST_ALERTS_IN_AREA:
        msg = f"most_in_area is a number from 1 to {MOST_ALERTS_IN_AREA}"
        raise Invalid(msg, field="most_in_area")
    if not 1 <= rule.most <= MOST_ALERTS:
        msg = f"most is a number from 1 to {MOST_ALERTS}"
        raise Invalid(msg, field="most")


def _params(scope: Scope) -> dict[str, object]:
    return {"scope": scope_paths(scope)}


def _values(rule: Rule) -> dict[str, object]:
    _check(rule)
    # Read back once: what the parsers would refuse must not get into the table.
    condition = build_condition(parse_condition(build_condition(rule.condition)))
    hours = None
    if rule.hours is not None:
        hours = Jsonb(build_calendar(parse_calendar(build_calendar(rule.hours))))
    return {
        "id": rule.id,
        "name": rule.name,
        "area": rule.area_id,
        "condition": Jsonb(condition),
        "severity": rule.severity,
        "is_enabled": rule.is_enabled,
        "classes": list(dict.fromkeys(rule.classes)),
        "tags": list(dict.fromkeys(rule.tags)),
        "hours": hours,
        "most_in_area": rule.most_in_area,
        "most": rule.most,
    }
