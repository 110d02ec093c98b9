"""Settings that somebody should look at: what is missing, doubtful or about to end.

Each function says what it found in one scope, as a code with a number and some names; who may see
which, how grave it is and where to mend it says :mod:`hub.web.attention`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.events import Severity
from hub.domain.matchers import Matcher, parse_matcher
from hub.store.database import Transaction
from hub.store.processes import holds_root
from hub.store.scoping import IN_SCOPE, scope_paths

MOST_NAMES: Final = 5
UNUSED_AFTER: Final = timedelta(days=90)
CERTIFICATE_AHEAD: Final = timedelta(days=30)
CLOCK_OFF_S: Final = 60.0
LONG_SILENCE: Final = timedelta(days=7)
LINK_DOWN_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """So many of a kind, and what some of them are called."""

    code: str
    count: int
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Devices:
    pending: int
    no_class: int
    no_position: int
    clock_wrong: int
    certificate_ends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Double:
    host: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LonelyRule:
    """A rule without a receiver of its own; whether a route tells of it is not said here."""

    id: int
    name: str
    area_path: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingPlace:
    """A route that reaches somebody, or a policy: where it holds and what it is about."""

    area_path: str
    matcher: Matcher


async def device_notices(tx: Transaction, scope: Scope, now: datetime) -> list[Noticed]:
    """What the devices of the scope lack."""
    # 70,000 hosts are told apart in memory, not on disk.
    await tx.execute("SET LOCAL work_mem = '32MB'")
    values = {
        "areas": await _areas(tx, scope),
        "scope": scope_paths(scope),
        "off": CLOCK_OFF_S,
        "soon": now + CERTIFICATE_AHEAD,
    }
    (found,) = await tx.search(
        _Devices,
        "SELECT count(*) FILTER (WHERE d.registration = 'pending') AS pending,"
        " count(*) FILTER (WHERE d.registration = 'approved' AND d.class = '') AS no_class,"
        " count(*) FILTER (WHERE d.registration = 'approved' AND d.kind = 'camera'"
        "  AND r.longitude IS NULL) AS no_position,"
        " count(*) FILTER (WHERE d.registration = 'approved' AND abs(d.clock_offset_s) > %(off)s)"
        "  AS clock_wrong,"
        " count(*) FILTER (WHERE d.registration = 'approved'"
        "  AND d.certificate_expires_at < %(soon)s) AS certificate_ends"
        " FROM devices d LEFT JOIN asset_records r ON r.device_id = d.id"
        " WHERE d.registration <> 'retired'"
        " AND (%(areas)s::bigint[] IS NULL OR d.area_id = ANY (%(areas)s))",
        values,
    )
    recording = await tx.scalar(
        int,
        "SELECT count(*) FROM device_status s JOIN devices d ON d.id = s.device_id"
        " WHERE s.status <> 'online' AND s.faults ? 'recording' AND d.registration = 'approved'"
        " AND (%(areas)s::bigint[] IS NULL OR d.area_id = ANY (%(areas)s))",
        values,
    )
    # One camera registered by two protocols; behind one address of a router, ports tell devices of
    # one protocol apart.
    doubles = await tx.search(
        _Double,
        "SELECT n.host, count(*) AS count FROM (SELECT c.protocol,"
        "  split_part(split_part(d.address, '/', 3), ':', 1) AS host FROM devices d"
        "  JOIN connections c ON c.id = d.connection_id WHERE d.registration = 'approved'"
        "  AND d.kind = 'camera' AND d.address LIKE '%%://%%' AND d.address NOT LIKE '%%[%%'"
        "  AND (%(areas)s::bigint[] IS NULL OR d.area_id = ANY (%(areas)s))) AS n"
        " WHERE n.host <> '' GROUP BY n.host HAVING min(n.protocol) < max(n.protocol)"
        " ORDER BY 2 DESC, 1",
        values,
    )
    suggestions = await tx.scalar(
        int,
        "SELECT count(*) FROM parent_suggestions p WHERE p.state = 'open' AND NOT EXISTS ("
        " SELECT FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = ANY (p.device_ids) AND NOT" + IN_SCOPE + ")",
        values,
    )
    return [
        Noticed(code="devices.pending", count=found.pending),
        Noticed(code="devices.no_class", count=found.no_class),
        Noticed(code="devices.no_position", count=found.no_position),
        Noticed(code="devices.clock_wrong", count=found.clock_wrong),
        Noticed(code="devices.certificate_ends", count=found.certificate_ends),
        Noticed(code="devices.recording_missing", count=recording or 0),
        Noticed(
            code="devices.same_address",
            count=sum(one.count for one in doubles),
            names=[one.host for one in doubles[:MOST_NAMES]],
        ),
        Noticed(code="parents.suggested", count=suggestions or 0),
    ]


async def _areas(tx: Transaction, scope: Scope) -> list[int] | None:
    """The areas of the scope; None when that is every area there is."""
    rows = await tx.tuples(
        "SELECT a.id, (SELECT count(*) FROM areas) FROM areas a WHERE" + IN_SCOPE,
        {"scope": scope_paths(scope)},
    )
    if rows and len(rows) == _int(rows[0][1]):
        return None
    return [_int(number) for number, _ in rows]


async def plan_notices(tx: Transaction, scope: Scope, now: datetime) -> list[Noticed]:
    """What of receivers, silences, duty rooms, shifts and patrol plans is doubtful."""
    values = {
        "scope": scope_paths(scope),
        "now": now,
        "long": LONG_SILENCE,
        "today": now.date(),
        "most": MOST_NAMES,
    }
    rows = await tx.tuples(
        "SELECT n.code, count(*), (array_agg(n.name ORDER BY n.name))[:%(most)s] FROM ("
        " SELECT 'receivers.failing' AS code, v.name, v.area_id FROM receivers v"
        "  WHERE v.removed_at IS NULL AND v.is_enabled AND v.failing_since IS NOT NULL"
        " UNION ALL SELECT 'silences.long', s.reason, s.area_id FROM silences s"
        "  WHERE s.starts_at <= %(now)s AND s.ends_at > %(now)s + %(long)s"
        " UNION ALL SELECT 'rooms.unreachable', m.name, m.area_id FROM duty_rooms m"
        "  WHERE m.is_enabled AND m.phone = '' AND m.receiver_id IS NULL AND m.speaker_id IS NULL"
        " UNION ALL SELECT 'shifts.empty', h.name, h.area_id FROM shifts h"
        "  WHERE cardinality(h.user_ids) = 0"
        " UNION ALL SELECT 'plans.over', p.name, p.area_id FROM patrol_plans p"
        "  WHERE p.is_enabled AND p.ends_on < %(today)s"
        " UNION ALL SELECT 'plans.too_long', p.name, p.area_id FROM patrol_plans p"
        "  CROSS JOIN LATERAL (SELECT r.forecast_s, r.lasts_s FROM patrol_rounds r"
        "   WHERE r.plan_id = p.id ORDER BY r.id DESC LIMIT 1) AS r"
        "  WHERE p.is_enabled AND r.forecast_s > r.lasts_s"
        " UNION ALL SELECT 'plans.unattended', p.name, p.area_id FROM patrol_plans p"
        "  CROSS JOIN LATERAL (SELECT r.is_unattended FROM patrol_rounds r"
        "   WHERE r.plan_id = p.id AND r.state IN ('finished', 'missed') ORDER BY r.id DESC LIMIT 1"
        "  ) AS r WHERE p.is_enabled AND r.is_unattended"
        " ) AS n JOIN areas a ON a.id = n.area_id WHERE" + IN_SCOPE + "GROUP BY n.code",
        values,
    )
    return [_noticed(row) for row in rows]


async def people_notices(tx: Transaction, scope: Scope, now: datetime) -> list[Noticed]:
    """What of people, their tokens and the links to devices is doubtful."""
    values = {
        "scope": scope_paths(scope),
        "now": now,
        "before": now - UNUSED_AFTER,
        "down": now - LINK_DOWN_AFTER,
        "most": MOST_NAMES,
    }
    rows = await tx.tuples(
        "WITH person AS (SELECT u.id, u.name, u.created_at, u.password_changed_at FROM users u"
        "  WHERE NOT u.is_disabled AND EXISTS (SELECT FROM grants g JOIN areas a"
        "   ON a.id = g.area_id WHERE g.user_id = u.id AND" + IN_SCOPE + "))"
        " SELECT n.code, count(*), (array_agg(n.name ORDER BY n.name))[:%(most)s] FROM ("
        " SELECT 'tokens.unused' AS code, p.name FROM tokens t JOIN person p ON p.id = t.user_id"
        "  WHERE coalesce(t.last_used_at, t.created_at) < %(before)s"
        "  AND (t.expires_at IS NULL OR t.expires_at > %(now)s)"
        " UNION ALL SELECT 'people.first_password', p.name FROM person p WHERE p.name = 'admin'"
        "  AND p.password_changed_at = p.created_at"
        " UNION ALL SELECT 'people.idle', p.name FROM person p WHERE p.created_at < %(before)s"
        "  AND NOT EXISTS (SELECT FROM audit l WHERE l.user_id = p.id"
        "   AND l.action = 'session.begun' AND l.at >= %(before)s)"
        "  AND NOT EXISTS (SELECT FROM tokens t WHERE t.user_id = p.id"
        "   AND t.last_used_at >= %(before)s)"
        " UNION ALL SELECT 'connections.down', c.name FROM connections c"
        "  JOIN areas a ON a.id = c.area_id WHERE c.is_enabled"
        "  AND c.state NOT IN ('connected', 'new') AND c.state_since < %(down)s AND"
        + IN_SCOPE
        + " UNION ALL SELECT 'areas.no_operator', a.name FROM areas a WHERE"
        + IN_SCOPE
        + " AND EXISTS (SELECT FROM devices d WHERE d.area_id = a.id"
        "   AND d.registration = 'approved')"
        "  AND NOT EXISTS (SELECT FROM grants g JOIN areas o ON o.id = g.area_id"
        "   JOIN users u ON u.id = g.user_id WHERE o.path @> a.path AND NOT u.is_disabled"
        "   AND g.role IN ('operator', 'dispatcher', 'supervisor'))"
        " ) AS n GROUP BY n.code",
        values,
    )
    return [_noticed(row) for row in rows]


async def hub_notices(tx: Transaction, scope: Scope) -> list[Noticed]:
    """What is doubtful about people of the whole hub, for whoever holds a root area."""
    if not await holds_root(tx, scope):
        return []
    ((admins, nobodies),) = await tx.tuples(
        "SELECT (SELECT count(DISTINCT g.user_id) FROM grants g JOIN areas a ON a.id = g.area_id"
        "  JOIN users u ON u.id = g.user_id"
        "  WHERE g.role = 'admin' AND a.parent_id IS NULL AND NOT u.is_disabled),"
        " (SELECT count(*) FROM users u WHERE NOT u.is_disabled"
        "  AND NOT EXISTS (SELECT FROM grants g WHERE g.user_id = u.id))",
    )
    return [
        Noticed(code="people.single_admin", count=1 if _int(admins) == 1 else 0),
        Noticed(code="people.no_grant", count=_int(nobodies)),
    ]


async def lonely_rules(tx: Transaction, scope: Scope) -> list[LonelyRule]:
    """Rules that are on and have no receiver that would hear of them."""
    rows = await tx.tuples(
        "SELECT r.id, r.name, a.path::text, r.severity FROM rules r"
        " JOIN areas a ON a.id = r.area_id WHERE r.is_enabled AND r.removed_at IS NULL"
        " AND NOT EXISTS (SELECT FROM rule_receivers x JOIN receivers v ON v.id = x.receiver_id"
        "  WHERE x.rule_id = r.id AND v.is_enabled AND v.removed_at IS NULL) AND"
        + IN_SCOPE
        + "ORDER BY r.name",
        {"scope": scope_paths(scope)},
    )
    return [
        LonelyRule(
            id=_int(number), name=str(name), area_path=str(path), severity=Severity(str(severity))
        )
        for number, name, path, severity in rows
    ]


async def telling_places(tx: Transaction, scope: Scope) -> list[TellingPlace]:
    """Every route that reaches somebody and every policy, wherever it holds.

    Those outside the scope count too: they tell of its alerts whoever may see them.
    """
    del scope
    rows = await tx.tuples(
        "SELECT a.path::text, n.matcher FROM ("
        "  SELECT r.area_id, r.matcher FROM routes r WHERE r.is_enabled AND r.removed_at IS NULL"
        "   AND EXISTS (SELECT FROM route_receivers x JOIN receivers v ON v.id = x.receiver_id"
        "    WHERE x.route_id = r.id AND v.is_enabled AND v.removed_at IS NULL)"
        "  UNION ALL SELECT p.area_id, p.matcher FROM policies p"
        "   WHERE p.is_enabled AND p.removed_at IS NULL) AS n JOIN areas a ON a.id = n.area_id",
    )
    return [
        TellingPlace(area_path=str(path), matcher=parse_matcher(matcher))
        for path, matcher in rows
        if isinstance(matcher, Mapping)
    ]


def _noticed(row: tuple[object, ...]) -> Noticed:
    code, count, names = row
    listed = [str(name) for name in names] if isinstance(names, list) else []
    return Noticed(code=str(code), count=_int(count), names=listed)


def _int(value: object) -> int:
    return int(str(value))
