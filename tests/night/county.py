"""The county of the night: villages with cameras, duty rooms, units, and the script of faults."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import psycopg

from alerts.rules.defaults import ensure_default_rules
from hub.domain.access import Scope, system_scope
from hub.domain.dispatches import DispatchRule, Priority, TaskDeadlines, Unit, UnitKind
from hub.domain.duty_rooms import DutyRoom
from hub.domain.patrol_details import PlanDetails, RollCall
from hub.domain.patrols import PatrolMode, PatrolPlan, StopOrder
from hub.patrols.planning import saving
from hub.simulators.picture_faults import Mode
from hub.store.database import Database
from hub.store.dispatch_rules import add_rule
from hub.store.duty_rooms import add_room
from hub.store.field_units import add_unit
from hub.store.migrate import migrate
from hub.store.task_deadlines import add_deadlines
from hub.store.vault import Vault
from tests.benchmarks.camera_farm import host_of
from tests.benchmarks.picture_farm import LOGIN, NIGHT_SCRIPT, scripted

HUB = system_scope("night")
CAMERAS_A_VILLAGE = 6
VILLAGES_A_UNIT = 10
MIDNIGHT = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)  # in Shanghai
DOWN_EVERY, DOWN_AT = 100, 32
SILENT_EVERY, SILENT_AT = 10, 3
IDLE_EVERY = 10  # every tenth task is accepted by nobody
ANSWER_S, ACCEPT_S = 1800, 900
KINDS = {
    Mode.MOVING: "something_moving",
    Mode.BLACK: "picture_bad",
    Mode.BLURRED: "picture_bad",
}

_FILL = """
INSERT INTO areas (code, name, path) VALUES ('county', '测试县', 'county');
INSERT INTO areas (parent_id, code, name, path)
    SELECT (SELECT id FROM areas WHERE code = 'county'), 'v' || n, n || '号村',
        ('county.v' || n)::ltree
    FROM generate_series(0, %(last)s / %(per_village)s) n;
INSERT INTO connections (protocol, name, address, area_id, username, password_sealed)
    SELECT 'rtsp', '枪机 ' || n, address,
        (SELECT id FROM areas WHERE code = 'v' || (n - 1) / %(per_village)s),
        %(username)s, %(password)s
    FROM unnest(%(addresses)s::text[]) WITH ORDINALITY AS given (address, n) ORDER BY n;
INSERT INTO devices (connection_id, key, area_id, kind, name, registration, address)
    SELECT id, 'camera', area_id, 'camera', name, 'approved', address FROM connections ORDER BY id;
INSERT INTO device_status (device_id, status) SELECT id, 'online' FROM devices;
INSERT INTO channels (device_id, key, name, snapshot_address, streams)
    SELECT id, '1', name, address, '[]' FROM devices;
-- Nothing moved at these places in the nights before.
INSERT INTO patrol_movements (device_id, band, looks, usual)
    SELECT id, hour, 14, 0 FROM devices, generate_series(0, 23) hour;
INSERT INTO users (name, display_name, password_hash) VALUES ('wang', '王值班', '-');
INSERT INTO grants (user_id, role, area_id) SELECT u.id, 'dispatcher', a.id FROM users u, areas a
    WHERE u.name = 'wang' AND a.code = 'county';
ANALYZE;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """What was made."""

    cameras: int
    villages: int
    plan_id: int
    operator: Scope


def expected_kind(number: int) -> str:
    """What the night must find at a camera (counted from 0), empty for nothing."""
    if is_down(number):
        return "camera_down"
    return KINDS.get(scripted(number, NIGHT_SCRIPT), "")


def is_down(number: int) -> bool:
    """Tell whether a camera does not answer."""
    return number % DOWN_EVERY == DOWN_AT


def is_silent(village: int) -> bool:
    """Tell whether nobody is in the duty room of a village (counted from 0)."""
    return village % SILENT_EVERY == SILENT_AT


async def fill(url: str, addresses: Sequence[str], vault: Vault) -> None:
    """Make the database anew, with a camera for each address but those that are down."""
    await migrate(url)
    values = {
        "addresses": [
            # Nothing listens there.
            f"http://{host_of(number)}:9/1.jpg" if is_down(number) else address
            for number, address in enumerate(addresses)
        ],
        "last": len(addresses) - 1,
        "per_village": CAMERAS_A_VILLAGE,
        "username": LOGIN.username,
        "password": vault.seal(LOGIN.password),
    }
    with psycopg.ClientCursor(psycopg.connect(url, autocommit=True)) as cursor:
        cursor.execute(_FILL.encode(), values)
        cursor.connection.close()


async def furnish(database: Database, cameras: int, *, lasts_s: int) -> County:
    """Duty rooms, units, deadlines, rules, and the plan of the night."""
    async with database.transaction() as tx:
        rows = await tx.tuples("SELECT id, path::text FROM areas WHERE code LIKE 'v%%' ORDER BY id")
        villages = [int(str(row[0])) for row in rows]
        root = await tx.scalar(int, "SELECT id FROM areas WHERE code = 'county'") or 0
        user = await tx.scalar(int, "SELECT id FROM users WHERE name = 'wang'")
        await ensure_default_rules(tx, HUB, root)
        for number, area_id in enumerate(villages):
            await add_room(tx, HUB, DutyRoom(area_id=area_id, name=f"{number}号村值班室"))
        for number in range(0, len(villages), VILLAGES_A_UNIT):
            unit = Unit(
                area_id=root,
                name=f"巡逻 {number // VILLAGES_A_UNIT}",
                kind=UnitKind.PATROL_UNIT,
                most_open=1000,
            )
            await add_unit(tx, HUB, unit)
        wanted = TaskDeadlines(
            area_id=root, priority=Priority.NORMAL, accept_s=ACCEPT_S, arrive_s=None, done_s=None
        )
        await add_deadlines(tx, HUB, wanted)
        await add_rule(tx, HUB, DispatchRule(name="全县", area_id=root))
        plan = PatrolPlan(
            name="零点夜查",
            area_id=root,
            rrule="FREQ=DAILY;BYHOUR=0;BYMINUTE=0",
            time_zone="Asia/Shanghai",
            starts_on=date(2026, 11, 21),
            ends_on=date(2026, 11, 21),
            window_s=1800,
            lasts_s=lasts_s,
            seconds_per_stop=8.0,
            mode=PatrolMode.MIXED,
            order=StopOrder.SHUFFLED,
            details=PlanDetails(
                random_share=0.05,
                second_share=0.02,
                tolerance_s=1800,
                roll_call=RollCall(answer_s=ANSWER_S),
            ),
        )
        saved = await saving.create_plan(tx, HUB, plan, now=MIDNIGHT - timedelta(hours=6))
    return County(
        cameras=cameras,
        villages=len(villages),
        plan_id=saved.plan.id,
        operator=Scope(paths=("county",), actor="wang", user_id=user),
    )
