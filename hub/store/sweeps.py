"""The present beside what rules remember: what could change a rule's mind though no event tells.

It is known that something did not come only of the time in which the hub listened: the adapters'
watch marks that it does, and each gap becomes an absence of the hub (see
:func:`hub.store.outages.mark_watched`). Where no watch ever was, somebody else feeds the hub, and
it is taken to listen.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.alerts import Rule
from hub.domain.conditions import DeviceDegraded, Direction, NothingSeen, PointBeyond
from hub.domain.health import Layer, Status
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# Marks come every five seconds; a busy machine may miss two.
LONGEST_MARK: Final = timedelta(seconds=15)
# How often it is asked whether anybody listens again.
LOOK_AGAIN: Final = timedelta(seconds=10)
# So many devices begin to be expected at one go.
MOST_EXPECTED: Final = 2000

# A reading older than this (or than three of its intervals) says nothing of now.
_STALE = "greatest(interval '15 minutes', 3 * coalesce(p.expected_interval_s, 0) * interval '1 s')"
_STATUS = (
    " s.status, s.since, s.detail, s.layer, ARRAY (SELECT jsonb_object_keys(s.faults)) AS faults"
)
# The devices a rule is about, of those that stand in its area.
_NARROWED = (
    " d.registration = 'approved' AND a.path <@ %(path)s::ltree"
    " AND (%(kinds)s::text[] = '{}' OR d.kind = ANY (%(kinds)s))"
    " AND (%(classes)s::text[] = '{}' OR d.class = ANY (%(classes)s))"
    " AND (%(tags)s::text[] = '{}' OR d.tags && %(tags)s::text[]) "
)
# No parent explains that a device is away: see :class:`hub.store.present.Presence`.
_UNEXPLAINED = (
    " (s.status <> 'offline' OR (s.behind_id IS NULL AND NOT EXISTS (SELECT FROM devices u"
    " JOIN device_status us ON us.device_id = u.id WHERE u.id = d.parent_id"
    " AND u.registration = 'approved' AND us.status = 'offline'))) "
)
# Whether somebody listens at %(now)s.
_IS_LISTENING = (
    " coalesce((SELECT max(m.seen_at) >= %(now)s::timestamptz - %(mark)s FROM watch_marks m"
    " WHERE m.watch = 'adapters'), true) "
)
# For how long nobody did from t.since until %(now)s.
_AWAY = (
    " coalesce((SELECT sum(least(x.ended_at, %(now)s) - greatest(x.started_at, t.since))"
    " FROM absences x WHERE x.watch = 'adapters' AND x.ended_at > t.since"
    " AND x.started_at < %(now)s), interval '0') "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentStatus:
    """A device whose present status may change what a rule thinks of it."""

    device_id: int
    area_id: int
    status: Status
    since: datetime
    detail: str
    layer: str
    faults: frozenset[Layer]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentSilence:
    """A point, and when its last reading was taken."""

    point_id: int
    device_id: int
    area_id: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A device of which something begins to be expected."""

    device_id: int
    area_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentValue:
    """A point whose present value may change what a rule thinks of it."""

    point_id: int
    device_id: int
    area_id: int
    value: float


async def present_statuses(
    tx: Transaction, scope: Scope, rule: Rule, *, may_fire: bool = True
) -> list[PresentStatus]:
    """Devices that are bad and unknown to the rule, and known ones that are bad no more.

    Bad is what the rule watches for: offline, or degraded at one of its layers. New ones are
    left out as long as something speaks against an alert (see
    :class:`hub.store.present.Presence`) or none
    ``may_fire``. Planned anew each time: the generic plan took ten times as long among 70,000
    devices.
    """
    condition = rule.condition
    layers = condition.layers if isinstance(condition, DeviceDegraded) else ()
    rows = await tx.search(
        PresentStatus,
        "SELECT s.device_id, d.area_id," + _STATUS + " FROM device_status s"
        " JOIN devices d ON d.id = s.device_id JOIN areas a ON a.id = d.area_id"
        # Shown as bad: bad, and not in a maintenance window. The second half is for the index.
        " WHERE %(may_fire)s AND s.shown = %(bad)s AND s.shown <> 'online'"
        " AND NOT s.is_flapping AND"
        + _UNEXPLAINED
        + "AND (%(layers)s::text[] = '{}' OR s.faults ?| %(layers)s::text[]) AND"
        + _NARROWED
        + "AND NOT EXISTS (SELECT FROM rule_states r WHERE r.rule_id = %(rule)s"
        "                 AND r.subject = 'device:' || s.device_id) AND"
        + IN_SCOPE
        + "UNION ALL SELECT s.device_id, r.area_id,"
        + _STATUS
        # Few states are remembered: their devices are looked up one by one, never all of them.
        + " FROM rule_states r JOIN areas a ON a.id = r.area_id CROSS JOIN LATERAL"
        " (SELECT * FROM device_status x WHERE x.device_id = r.device_id LIMIT 1) AS s"
        " WHERE r.rule_id = %(rule)s"
        " AND NOT (s.status = %(bad)s"
        "          AND (%(layers)s::text[] = '{}' OR s.faults ?| %(layers)s::text[])) AND"
        + IN_SCOPE,
        {
            "rule": rule.id,
            "bad": Status.DEGRADED if isinstance(condition, DeviceDegraded) else Status.OFFLINE,
            "layers": list(layers),
            "may_fire": may_fire,
            **_narrowing(rule),
            "scope": scope_paths(scope),
        },
    )
    return [
        replace(
            row,
            status=Status(row.status),
            faults=frozenset(Layer(layer) for layer in row.faults),
        )
        for row in rows
    ]


async def present_values(
    tx: Transaction, scope: Scope, rule: Rule, now: datetime, *, may_fire: bool = True
) -> list[PresentValue]:
    """Points beyond the threshold and unknown to the rule, and all known ones.

    Unknown ones are left out when their value is stale, their device in a maintenance window or
    none ``may_fire``.
    """
    condition = rule.condition
    if not isinstance(condition, PointBeyond):
        return []
    return await tx.search(
        PresentValue,
        "SELECT p.id AS point_id, p.device_id, d.area_id, v.value FROM points p"
        " JOIN point_status v ON v.point_id = p.id JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id"
        " LEFT JOIN device_status s ON s.device_id = d.id"
        " LEFT JOIN rule_states r ON r.rule_id = %(rule)s AND r.point_id = p.id"
        " WHERE %(point)s IN (p.key, p.role) AND"
        + _NARROWED
        + "AND (r.rule_id IS NOT NULL OR (%(may_fire)s AND s.window_id IS NULL"
        " AND v.at > %(now)s - " + _STALE + " AND CASE WHEN %(above)s"
        "      THEN v.value > %(threshold)s ELSE v.value < %(threshold)s END)) AND" + IN_SCOPE,
        {
            "rule": rule.id,
            "may_fire": may_fire,
            **_narrowing(rule),
            "point": condition.point,
            "above": condition.direction is Direction.ABOVE,
            "threshold": condition.threshold,
            "now": now,
            "scope": scope_paths(scope),
        },
    )


async def present_silences(
    tx: Transaction, scope: Scope, rule: Rule, now: datetime, *, may_fire: bool = True
) -> list[PresentSilence]:
    """Points without a reading for as long as the rule says and unknown to it, and all known ones.

    Unknown ones are left out as long as something speaks against an alert, or none ``may_fire``;
    a point that never reported is not there. Time in which the hub did not listen does not count.
    """
    condition = rule.condition
    if not isinstance(condition, NothingSeen) or not condition.point:
        return []
    return await tx.search(
        PresentSilence,
        "SELECT p.id AS point_id, p.device_id, d.area_id, v.at AS last_at FROM points p"
        " JOIN point_status v ON v.point_id = p.id JOIN devices d ON d.id = p.device_id"
        " JOIN areas a ON a.id = d.area_id CROSS JOIN LATERAL (SELECT v.at) AS t (since)"
        " LEFT JOIN device_status s ON s.device_id = d.id"
        " LEFT JOIN rule_states r ON r.rule_id = %(rule)s AND r.point_id = p.id"
        " WHERE %(point)s IN (p.key, p.role) AND"
        + _NARROWED
        + "AND (r.rule_id IS NOT NULL OR (%(may_fire)s AND v.at <= %(last)s"
        " AND s.window_id IS NULL AND coalesce("
        + _UNEXPLAINED
        + ", true) AND"
        + _IS_LISTENING
        + "AND v.at +"
        + _AWAY
        + "<= %(last)s)) AND"
        + IN_SCOPE,
        {
            "rule": rule.id,
            "may_fire": may_fire,
            **_narrowing(rule),
            "point": condition.point,
            "last": now - timedelta(seconds=condition.for_s),
            "now": now,
            "mark": LONGEST_MARK,
            "scope": scope_paths(scope),
        },
    )


async def expected_devices(tx: Transaction, scope: Scope, rule: Rule) -> list[Expected]:
    """Devices of a rule of which it remembers nothing yet, a bounded number at a time."""
    return await tx.search(
        Expected,
        "SELECT d.id AS device_id, d.area_id FROM devices d JOIN areas a ON a.id = d.area_id WHERE"
        + _NARROWED
        # By number: a third of the time that it takes by subject, once all are known.
        + "AND NOT EXISTS (SELECT FROM rule_states r WHERE r.rule_id = %(rule)s"
        "                 AND r.device_id = d.id) AND" + IN_SCOPE + "LIMIT %(most)s",
        {
            "rule": rule.id,
            **_narrowing(rule),
            "most": MOST_EXPECTED,
            "scope": scope_paths(scope),
        },
    )


async def put_off_absences(tx: Transaction, scope: Scope, now: datetime) -> int:
    """Do not count, in waits for what does not come, when nobody listened; return how many.

    Of waits that are due only: called before their timers ring. Only the hub itself may.
    """
    if scope.paths is not None:
        return 0
    return await tx.execute(
        "UPDATE rule_states r SET due_at = w.due_at FROM (SELECT s.rule_id, s.subject,"
        " CASE WHEN" + _IS_LISTENING + "THEN t.since + (u.condition->>'for_s')::float8"
        " * interval '1 s' +" + _AWAY + "ELSE %(again)s END AS due_at"
        " FROM rule_states s JOIN rules u ON u.id = s.rule_id"
        " CROSS JOIN LATERAL (SELECT s.since) AS t (since)"
        " WHERE s.due_at <= %(now)s AND s.phase = 'pending'"
        " AND u.condition->>'type' = 'nothing_seen') AS w"
        " WHERE w.rule_id = r.rule_id AND w.subject = r.subject AND w.due_at > %(now)s",
        {"now": now, "mark": LONGEST_MARK, "again": now + LOOK_AGAIN},
    )


async def restart_clears(tx: Transaction, scope: Scope, now: datetime) -> int:
    """Let times to clear that end too far ahead begin now; return how many.

    Our clock was set back: without this an alert would last longer by as much. Five seconds are
    left for clocks of several machines that differ. Only the hub itself may.
    """
    if scope.paths is not None:
        return 0
    return await tx.execute(
        "UPDATE rule_states r SET due_at = %(now)s + w.wait FROM rules u CROSS JOIN LATERAL"
        " (SELECT CASE u.condition->>'type'"
        "   WHEN 'event_of_kind' THEN u.condition->>'auto_clear_s'"
        "   WHEN 'event_count' THEN coalesce(u.condition->>'clear_s', u.condition->>'within_s')"
        "   WHEN 'combination' THEN u.condition->>'clear_s'"
        "   ELSE u.condition->>'clear_for_s' END::float8 * interval '1 s' AS wait) AS w"
        " WHERE u.id = r.rule_id AND r.phase = 'firing'"
        " AND r.due_at > %(now)s + w.wait + interval '5 s'",
        {"now": now},
    )


def _narrowing(rule: Rule) -> dict[str, object]:
    return {
        "path": rule.area_path,
        "kinds": [kind.value for kind in rule.condition.device_kinds],
        "classes": list(rule.classes),
        "tags": list(rule.tags),
    }
