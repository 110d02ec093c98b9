"""Open alerts as the engine folds them: what stands by itself, what counts in what, and where.

Reads only; :mod:`hub.store.alert_openings` changes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.access import Scope
from hub.store.database import Transaction
from hub.store.scoping import IN_SCOPE, scope_paths

# As long as probes excuse devices after the return of their uplink.
EXCUSED = timedelta(minutes=3)

# Alerts that say that a device does not answer, or does not work: its uplink may explain them.
ABOUT_STATUS = (
    " (x.condition IN ('device_offline', 'device_degraded') OR (x.condition = 'event_of_kind'"
    " AND u.condition ->> 'kind' IN ('device.offline', 'device.degraded'))) "
)
_OPEN = (
    "SELECT x.id, x.rule_id, x.subject, x.area_id, x.device_id, d.parent_id, x.drill_id,"
    " x.status = 'firing' AS is_firing, x.folded_into, x.is_storm, x.folded,"
    " CASE WHEN x.is_storm THEN (SELECT count(*) FROM alerts f WHERE f.folded_into = x.id"
    "  AND f.status <> 'resolved') ELSE 0 END AS inside,"
    + ABOUT_STATUS
    + "AS is_about_status FROM alerts x JOIN areas a ON a.id = x.area_id"
    " JOIN rules u ON u.id = x.rule_id LEFT JOIN devices d ON d.id = x.device_id "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """An alert that is not resolved, as far as others are folded into it or it into others.

    ``inside`` open alerts count in a storm now, ``folded`` did so far.
    """

    id: int
    rule_id: int
    subject: str
    area_id: int
    device_id: int | None
    parent_id: int | None
    drill_id: int | None
    is_firing: bool
    folded_into: int | None
    is_storm: bool
    folded: int
    inside: int
    is_about_status: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An area as an alert names it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanging:
    """A device and its uplink."""

    id: int
    name: str
    parent_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many open alerts of a rule about one area stand by themselves (of a drill, or real)."""

    rule_id: int
    drill_id: int | None
    area_id: int
    number: int


async def open_alerts_of(
    tx: Transaction, scope: Scope, keys: Sequence[tuple[int, str]]
) -> list[OpenAlert]:
    """The open alerts of these (rule, subject) pairs."""
    return await tx.fetch(
        OpenAlert,
        _OPEN + "JOIN unnest(%(rules)s::bigint[], %(subjects)s::text[]) AS k (rule_id, subject)"
        " ON k.rule_id = x.rule_id AND k.subject = x.subject"
        " WHERE x.status <> 'resolved' AND" + IN_SCOPE,
        {
            "rules": [rule_id for rule_id, _ in keys],
            "subjects": [subject for _, subject in keys],
            "scope": scope_paths(scope),
        },
    )


async def open_storms(tx: Transaction, scope: Scope, rule_ids: Sequence[int]) -> list[OpenAlert]:
    """The open alerts for many of these rules."""
    return await tx.fetch(
        OpenAlert,
        _OPEN
        + "WHERE x.rule_id = ANY (%(rules)s) AND x.is_storm AND x.status <> 'resolved' AND"
        + IN_SCOPE
        + "ORDER BY x.id",
        {"rules": list(rule_ids), "scope": scope_paths(scope)},
    )


async def alerts_below(tx: Transaction, scope: Scope, device_ids: Sequence[int]) -> list[OpenAlert]:
    """Open alerts about the status of these devices' children that no uplink explains yet."""
    return await tx.fetch(
        OpenAlert,
        _OPEN + "LEFT JOIN alerts s ON s.id = x.folded_into"
        " WHERE d.parent_id = ANY (%(devices)s) AND x.status <> 'resolved' AND x.drill_id IS NULL"
        " AND NOT x.is_storm AND coalesce(s.is_storm, true) AND"
        + ABOUT_STATUS
        + "AND"
        + IN_SCOPE
        + "ORDER BY x.id",
        {"devices": list(device_ids), "scope": scope_paths(scope)},
    )


async def absence_alerts(
    tx: Transaction, scope: Scope, device_ids: Sequence[int]
) -> list[OpenAlert]:
    """Open alerts that say that these devices are not there."""
    return await tx.fetch(
        OpenAlert,
        _OPEN + "WHERE x.device_id = ANY (%(devices)s) AND x.status <> 'resolved'"
        " AND x.drill_id IS NULL AND NOT x.is_storm AND (x.condition = 'device_offline'"
        "  OR (x.condition = 'event_of_kind' AND u.condition ->> 'kind' = 'device.offline')) AND"
        + IN_SCOPE
        + "ORDER BY x.id",
        {"devices": list(device_ids), "scope": scope_paths(scope)},
    )


async def unexplained_alerts(
    tx: Transaction, scope: Scope, now: datetime, *, limit: int
) -> list[OpenAlert]:
    """Open alerts whose uplink's alert is over, and which nothing else explains any more.

    Devices are excused for some minutes after the return of their uplink: they have to start. One
    whose own return is still to be seen counts as behind its uplink until then. One that
    is back has an event on its way that ends its alert; one in a maintenance window, or that
    flaps, waits for the end of that.
    """
    return await tx.fetch(
        OpenAlert,
        _OPEN + "JOIN alerts s ON s.id = x.folded_into LEFT JOIN device_status v"
        " ON v.device_id = x.device_id WHERE x.status <> 'resolved' AND s.status = 'resolved'"
        " AND NOT s.is_storm AND NOT x.is_storm AND coalesce(v.status, '') <> 'online'"
        " AND v.behind_id IS NULL AND v.window_id IS NULL AND NOT coalesce(v.is_flapping, false)"
        " AND NOT EXISTS (SELECT FROM devices p JOIN device_status pv ON pv.device_id = p.id"
        "  WHERE p.id = d.parent_id AND p.registration = 'approved'"
        "  AND (pv.status = 'offline' OR pv.since > %(since)s)) AND"
        + IN_SCOPE
        + "ORDER BY x.id LIMIT %(limit)s",
        {"limit": limit, "since": now - EXCUSED, "scope": scope_paths(scope)},
    )


async def spent_storms(tx: Transaction, scope: Scope) -> list[OpenAlert]:
    """Open alerts for many in which none counts any more: people closed the last ones."""
    return await tx.fetch(
        OpenAlert,
        _OPEN + "WHERE x.is_storm AND x.status <> 'resolved' AND NOT EXISTS (SELECT FROM alerts f"
        " WHERE f.folded_into = x.id AND f.status <> 'resolved') AND" + IN_SCOPE + "ORDER BY x.id",
        {"scope": scope_paths(scope)},
    )


async def folded_alerts(tx: Transaction, scope: Scope, alert_id: int) -> list[OpenAlert]:
    """The open alerts of the scope that count in one."""
    return await tx.fetch(
        OpenAlert,
        _OPEN
        + "WHERE x.folded_into = %(id)s AND x.status <> 'resolved' AND"
        + IN_SCOPE
        + "ORDER BY x.id",
        {"id": alert_id, "scope": scope_paths(scope)},
    )


async def standing_alerts(tx: Transaction, scope: Scope, rule_ids: Sequence[int]) -> list[Standing]:
    """How many alerts of these rules stand by themselves, by area."""
    return await tx.fetch(
        Standing,
        "SELECT x.rule_id, x.drill_id, x.area_id, count(*) AS number FROM alerts x"
        " JOIN areas a ON a.id = x.area_id WHERE x.rule_id = ANY (%(rules)s)"
        " AND x.status <> 'resolved' AND x.folded_into IS NULL AND NOT x.is_storm AND"
        + IN_SCOPE
        + "GROUP BY x.rule_id, x.drill_id, x.area_id",
        {"rules": list(rule_ids), "scope": scope_paths(scope)},
    )


async def places_of(
    tx: Transaction, scope: Scope, area_ids: Sequence[int], device_ids: Sequence[int]
) -> tuple[list[Place], list[Hanging]]:
    """What alerts say of these areas and devices; what is gone is absent."""
    places = await tx.fetch(
        Place,
        "SELECT a.id, a.name FROM areas a WHERE a.id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"ids": list(area_ids), "scope": scope_paths(scope)},
    )
    devices = await tx.fetch(
        Hanging,
        "SELECT d.id, d.name, d.parent_id FROM devices d JOIN areas a ON a.id = d.area_id"
        " WHERE d.id = ANY (%(ids)s) AND" + IN_SCOPE,
        {"ids": list(device_ids), "scope": scope_paths(scope)},
    )
    return places, devices
