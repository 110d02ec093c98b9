"""A county of cameras behind uplinks, with three receivers of whatever is alerted there.

Everything is stored by a few statements in one order: two databases built alike hold the same
numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alerts.rules.defaults import ensure_default_rules
from hub.domain.access import system_scope
from hub.domain.alerts import Rule
from hub.domain.conditions import parse_condition
from hub.domain.devices import Connection, Json
from hub.domain.events import Severity
from hub.domain.notifications import Receiver, ReceiverKind
from hub.domain.secrets import Secret
from hub.store.areas import create_area
from hub.store.connections import add_connection, get_connection
from hub.store.database import Database, Transaction
from hub.store.receivers import add_receiver
from hub.store.rules import add_rule, all_rules, change_rule
from tests.system.storm_script import Layout, lay_out

SCOPE = system_scope("storm")
# Two are named by every rule, the third by a route.
RECEIVERS = ("duty-room", "maintenance", "supervisor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the county is. Cameras are shared out evenly among the uplinks."""

    uplinks: int = 40
    cameras: int = 10_000
    villages: int = 300
    departments: int = 2
    most_a_minute: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraRule:
    """A rule beside those a new hub starts with; the condition as the API takes it."""

    name: str
    condition: dict[str, Json]
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class StormCounty:
    """What was stored: devices, what their connection calls them, and the receivers' numbers."""

    connection: Connection
    layout: Layout
    keys: dict[int, str]
    receivers: dict[str, int]


async def build_storm_county(
    database: Database, size: Size, hooks: str, extra: Sequence[ExtraRule] = ()
) -> StormCounty:
    """Store the county; ``hooks`` is the origin of the receivers' webhooks."""
    async with database.transaction() as tx:
        county = await create_area(tx, SCOPE, code="county", name="County", parent_id=None)
        for first in range(size.departments):
            department = await create_area(
                tx, SCOPE, code=f"d{first}", name=f"Department {first}", parent_id=county.id
            )
            for village in range(first, size.villages, size.departments):
                await create_area(
                    tx,
                    SCOPE,
                    code=f"v{village}",
                    name=f"Village {village}",
                    parent_id=department.id,
                )
        link = Connection(
            id=0, protocol="mqtt", name="storm", address="mqtt://storm", area_id=county.id
        )
        link_id = await add_connection(tx, SCOPE, link)
        await _add_devices(tx, link_id, size)
        receivers = {
            name: (await add_receiver(tx, SCOPE, _receiver(name, county.id, size, hooks))).id
            for name in RECEIVERS
        }
        await _add_rules(tx, county.id, tuple(receivers.values())[:2], extra)
        await _add_route(tx, county.id, receivers[RECEIVERS[2]])
        rows = await tx.tuples("SELECT id, key FROM devices ORDER BY id")
        connection = await get_connection(tx, SCOPE, link_id)
    async with database.pool.connection() as plain:
        await plain.execute("ANALYZE")
    return StormCounty(
        connection=connection,
        layout=lay_out(size.uplinks, size.cameras),
        keys={int(str(number)): str(key) for number, key in rows},
        receivers=receivers,
    )


async def _add_devices(tx: Transaction, link_id: int, size: Size) -> None:
    """Uplink k is in its own village, its cameras in that one and the next few."""
    values = {
        "link": link_id,
        "uplinks": size.uplinks,
        "cameras": size.cameras,
        "villages": size.villages,
    }
    await tx.execute(
        "INSERT INTO devices (connection_id, key, area_id, kind, name, registration)"
        " SELECT %(link)s, 'uplink-' || n, a.id, 'uplink', 'Uplink ' || n, 'approved'"
        " FROM generate_series(0, %(uplinks)s - 1) AS n"
        " JOIN areas a ON a.code = 'v' || (n * %(villages)s / %(uplinks)s) ORDER BY n",
        values,
    )
    await tx.execute(
        "INSERT INTO devices (connection_id, key, area_id, kind, name, registration, parent_id)"
        " SELECT %(link)s, 'camera-' || n, a.id, 'camera', 'Camera ' || n, 'approved', u.id"
        " FROM generate_series(0, %(cameras)s - 1) AS n"
        " JOIN devices u ON u.key = 'uplink-' || (n %% %(uplinks)s)"
        " JOIN areas a ON a.code = 'v' || ((n %% %(uplinks)s) * %(villages)s / %(uplinks)s"
        "  + (n / %(uplinks)s) %% (%(villages)s / %(uplinks)s)) ORDER BY n",
        values,
    )
    await tx.execute("INSERT INTO device_status (device_id) SELECT id FROM devices")


def _receiver(name: str, area_id: int, size: Size, hooks: str) -> Receiver:
    return Receiver(
        name=name,
        area_id=area_id,
        kind=ReceiverKind.WEBHOOK,
        options={"address": f"{hooks}/{name}"},
        secret=Secret("storm-key-0123456789"),
        most_a_minute=size.most_a_minute,
    )


async def _add_rules(
    tx: Transaction, area_id: int, receivers: tuple[int, ...], extra: Sequence[ExtraRule]
) -> None:
    await ensure_default_rules(tx, SCOPE, area_id)
    for rule in await all_rules(tx, SCOPE):
        await change_rule(tx, SCOPE, replace(rule, receivers=receivers))
    for more in extra:
        rule = Rule(
            name=more.name,
            area_id=area_id,
            condition=parse_condition(more.condition),
            severity=more.severity,
            receivers=receivers,
        )
        await add_rule(tx, SCOPE, rule)


async def _add_route(tx: Transaction, area_id: int, receiver_id: int) -> None:
    await tx.execute(
        "WITH route AS (INSERT INTO routes (name, area_id) VALUES ('everything', %(area)s)"
        " RETURNING id) INSERT INTO route_receivers SELECT id, %(receiver)s FROM route",
        {"area": area_id, "receiver": receiver_id},
    )
