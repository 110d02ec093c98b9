"""What there is for a rule to watch, and who would hear of it: all that a check of it asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.conditions import NothingSeen, PointBeyond, kinds_of
from hub.domain.devices import Json
from hub.domain.matchers import Matcher, parse_matcher
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# Whether a kind of event ever came is looked up among so many of the last ones.
LAST_EVENTS: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A route or a policy that may concern alerts of the rule's area."""

    area_path: str
    matcher: Matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What a rule finds in its area, as things stand.

    ``devices`` are the approved ones of the area; ``of_kind``, ``of_class`` and ``of_tag`` how
    many are left after each narrowing. ``points`` of the name the rule asks for; ``low`` to
    ``high`` is what all of them can plausibly read (None: not known of one), ``interval_s`` the
    longest time between readings that is expected. ``firing`` subjects have an open alert.
    """

    devices: int
    of_kind: int
    of_class: int
    of_tag: int
    points: int = 0
    low: float | None = None
    high: float | None = None
    interval_s: float | None = None
    seen_kinds: frozenset[str] = frozenset()
    firing: int = 0
    receivers: int = 0
    tellings: Sequence[Telling] = ()


async def rule_facts(tx: Transaction, scope: Scope, rule: Rule) -> RuleFacts:
    """Look up what there is for a rule of the scope; it need not be stored."""
    params = _params(scope, rule)
    ((devices, of_kind, of_class, of_tag),) = await tx.tuples(
        "SELECT count(*), count(*) FILTER (WHERE n.is_kind),"
        " count(*) FILTER (WHERE n.is_kind AND n.is_class),"
        " count(*) FILTER (WHERE n.is_kind AND n.is_class AND n.is_tag) FROM (SELECT"
        "  %(kinds)s::text[] = '{}' OR d.kind = ANY (%(kinds)s) AS is_kind,"
        "  %(classes)s::text[] = '{}' OR d.class = ANY (%(classes)s) AS is_class,"
        "  %(tags)s::text[] = '{}' OR d.tags && %(tags)s::text[] AS is_tag"
        "  FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.registration = 'approved'"
        "  AND a.path <@ %(path)s::ltree AND" + IN_SCOPE + ") AS n",
        params,
    )
    points, low, high, interval_s = await _points(tx, params) if params["point"] else _NO_POINTS
    seen = await _seen_kinds(tx, params) if params["events"] else frozenset[str]()
    firing = await tx.scalar(
        int,
        "SELECT count(*) FROM alerts x JOIN areas a ON a.id = x.area_id WHERE x.rule_id = %(rule)s"
        " AND x.status <> 'resolved' AND NOT x.is_storm AND x.drill_id IS NULL AND" + IN_SCOPE,
        params,
    )
    receivers = await tx.scalar(
        int,
        "SELECT count(*) FROM receivers v WHERE v.id = ANY (%(receivers)s::bigint[])"
        " AND v.is_enabled AND v.removed_at IS NULL",
        params,
    )
    return RuleFacts(
        devices=int(str(devices)),
        of_kind=int(str(of_kind)),
        of_class=int(str(of_class)),
        of_tag=int(str(of_tag)),
        points=points,
        low=low,
        high=high,
        interval_s=interval_s,
        seen_kinds=seen,
        firing=firing or 0,
        receivers=receivers or 0,
        tellings=await _tellings(tx, params),
    )


_NO_POINTS: Final = (0, None, None, None)


async def _points(
    tx: Transaction, params: Mapping[str, object]
) -> tuple[int, float | None, float | None, float | None]:
    """How many there are, what they can read at all, and the longest expected interval."""
    ((count, low, high, interval_s),) = await tx.tuples(
        "SELECT count(*), CASE WHEN bool_and(n.low IS NOT NULL) THEN min(n.low) END,"
        " CASE WHEN bool_and(n.high IS NOT NULL) THEN max(n.high) END,"
        " max(n.expected_interval_s) FROM (SELECT coalesce(p.low, p.said_low) AS low,"
        "  coalesce(p.high, p.said_high) AS high, p.expected_interval_s"
        "  FROM points p JOIN devices d ON d.id = p.device_id JOIN areas a ON a.id = d.area_id"
        "  WHERE %(point)s IN (p.key, p.role) AND d.registration = 'approved'"
        "  AND a.path <@ %(path)s::ltree"
        "  AND (%(kinds)s::text[] = '{}' OR d.kind = ANY (%(kinds)s))"
        "  AND (%(classes)s::text[] = '{}' OR d.class = ANY (%(classes)s))"
        "  AND (%(tags)s::text[] = '{}' OR d.tags && %(tags)s::text[]) AND" + IN_SCOPE + ") AS n",
        params,
    )
    return int(str(count)), _number(low), _number(high), _number(interval_s)


async def _seen_kinds(tx: Transaction, params: Mapping[str, object]) -> frozenset[str]:
    """Which of the kinds a rule asks for came lately, in its area."""
    rows = await tx.tuples(
        "SELECT DISTINCT e.kind FROM events e JOIN areas a ON a.id = e.area_id"
        " WHERE e.id > (SELECT coalesce(max(id), 0) FROM events) - %(last)s"
        " AND e.kind = ANY (%(events)s::text[]) AND a.path <@ %(path)s::ltree AND" + IN_SCOPE,
        params,
    )
    return frozenset(str(kind) for (kind,) in rows)


async def _tellings(tx: Transaction, params: Mapping[str, object]) -> list[Telling]:
    """Routes and policies of the rule's area, of those above it and of those below.

    Those above tell of its alerts whether or not the caller may see them.
    """
    rows = await tx.tuples(
        "SELECT o.path::text, n.matcher FROM areas a JOIN areas o"
        " ON o.path @> a.path OR o.path <@ a.path JOIN ("
        "  SELECT r.area_id, r.matcher FROM routes r WHERE r.is_enabled AND r.removed_at IS NULL"
        "   AND EXISTS (SELECT FROM route_receivers rr JOIN receivers v ON v.id = rr.receiver_id"
        "    WHERE rr.route_id = r.id AND v.is_enabled AND v.removed_at IS NULL)"
        "  UNION ALL SELECT p.area_id, p.matcher FROM policies p"
        "   WHERE p.is_enabled AND p.removed_at IS NULL) AS n ON n.area_id = o.id"
        " WHERE a.path = %(path)s::ltree AND" + IN_SCOPE,
        params,
    )
    return [
        Telling(area_path=str(path), matcher=parse_matcher(matcher))
        for path, matcher in rows
        if isinstance(matcher, Mapping)
    ]


def _params(scope: Scope, rule: Rule) -> dict[str, Json]:
    condition = rule.condition
    return {
        "rule": rule.id,
        "path": rule.area_path,
        "kinds": [kind.value for kind in condition.device_kinds],
        "classes": list(rule.classes),
        "tags": list(rule.tags),
        "point": condition.point if isinstance(condition, PointBeyond | NothingSeen) else "",
        "events": sorted(kinds_of(condition)),
        "last": LAST_EVENTS,
        "receivers": list(rule.receivers),
        "scope": scope_paths(scope),
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
