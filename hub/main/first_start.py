"""What a first start makes: an administrator, default rules, the link to the hub's broker."""

from dataclasses import dataclass, replace

from alerts.escalation.defaults import ensure_default_escalation
from alerts.rules.defaults import ensure_default_rules
from config.schema import Settings
from hub.domain.access import system_scope
from hub.domain.devices import Connection
from hub.domain.secrets import Secret
from hub.main.servers import Servers
from hub.store import areas, connections, notices
from hub.store.database import Database, Transaction
from hub.store.default_rules import note_new
from hub.store.picture_profiles import ensure_default_profiles
from hub.store.task_deadlines import ensure_default_deadlines
from hub.store.users import ensure_first_admin

SCOPE = system_scope("hub.main")
BROKER_NAME = "MQTT broker"
TASK_DEADLINES = "Deadlines of tasks 任务时限"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """``first_password`` is the first administrator's, if one was just made: shown once."""

    broker_link: int
    first_password: Secret | None


async def prepare(
    database: Database, settings: Settings, servers: Servers, *, approve_unknown: bool
) -> Prepared:
    """Make what is missing."""
    async with database.transaction() as tx:
        password = await ensure_first_admin(tx, SCOPE)
        roots = [area for area in await areas.list_areas(tx, SCOPE) if area.parent_id is None]
        if password is not None:
            for root in roots:
                await ensure_default_escalation(tx, SCOPE, root.id)
        for root in roots:  # an older installation has not all of them
            await ensure_default_rules(tx, SCOPE, root.id)
            await ensure_default_profiles(tx, SCOPE, root.id)
            if await note_new(tx, SCOPE, [TASK_DEADLINES]):
                await ensure_default_deadlines(tx, SCOPE, root.id)
        link = _broker_link(settings, servers, area_id=roots[0].id, approve_unknown=approve_unknown)
        number = await _keep(tx, link)
    return Prepared(
        broker_link=number, first_password=None if password is None else Secret(password)
    )


def _broker_link(
    settings: Settings, servers: Servers, *, area_id: int, approve_unknown: bool
) -> Connection:
    options = servers.broker_options(settings, approve_unknown=approve_unknown)
    return Connection(
        id=0,
        protocol="mqtt",
        name=BROKER_NAME,
        address=servers.broker_address,
        area_id=area_id,
        credentials=servers.broker_credentials,
        options=options.model_dump(mode="json", exclude={"protocol"}),
    )


async def _keep(tx: Transaction, link: Connection) -> int:
    """One connection, wherever the broker moves and whatever the operator calls it.

    Its name, its area and whether it is on are the operator's; the rest is the settings'.
    """
    links = [c for c in await connections.list_connections(tx, SCOPE) if c.protocol == "mqtt"]
    same = [c for c in links if c.address == link.address]
    for known in (*same, *(c for c in links if c.name == link.name)):
        kept = replace(
            link,
            id=known.id,
            name=known.name,
            area_id=known.area_id,
            is_enabled=known.is_enabled,
        )
        await connections.change_connection(tx, SCOPE, kept)
        await notices.notify(tx, SCOPE, "connections", [known.id])
        return known.id
    return await connections.add_connection(tx, SCOPE, link)
