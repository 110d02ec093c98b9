"""A night in the eastern village: a unit with a task, another one, a duty room that is asked."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.domain.dispatches import (
    Dispatch,
    NewDispatch,
    Position,
    Priority,
    TaskDeadlines,
    Unit,
    UnitKind,
)
from hub.domain.duty_rooms import DutyRoom
from hub.domain.secrets import Secret
from hub.patrols.dispatch.desk import Order, send_to
from hub.patrols.dispatch.opening import OnDuplicate, open_dispatch
from hub.patrols.phone.links import issue
from hub.runtime.jobs import Jobs
from hub.store.database import Database, Transaction
from hub.store.duty_rooms import add_room
from hub.store.field_units import add_unit
from hub.store.task_deadlines import add_deadlines
from hub.web.phone_access import LINK_HEADER
from tests.web.stage import SYSTEM, World

CODE = "0472"
TITLE = "桥头护栏损坏"
PLACE = Position(longitude=118.05, latitude=36.8)
GIVEN = "0123456789abcdef"
PHONE = "/api/v1/phone"
STEPS, MESSAGES = f"{PHONE}/task/steps", f"{PHONE}/task/messages"
PHOTOS, POSITIONS = f"{PHONE}/task/photos", f"{PHONE}/task/positions"
HERE = {"longitude": PLACE.longitude, "latitude": PLACE.latitude, "accuracy_m": 8.0}
ITEMS = ("设置警示标志", "测量缺口长度")


def holding(token: Secret, **more: str) -> dict[str, str]:
    """The headers of whoever holds a link."""
    return {LINK_HEADER: token.reveal(), **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What there is; the tokens are those of links that were issued."""

    unit: int
    other_unit: int
    task: int
    token: Secret = field(repr=False)
    call: int
    call_token: Secret = field(repr=False)


async def lay_scene(
    database: Database, world: World, now: datetime, *, title: str = TITLE
) -> Scene:
    """Open a task and send it; ask a room; make the links that their phones would get."""
    jobs = Jobs(database, lambda: now)
    async with database.transaction() as tx:
        unit = await _add_unit(tx, world.east, "东村网格员 王强")
        other = await _add_unit(tx, world.east, "东村网格员 李敏")
        await add_deadlines(
            tx,
            SYSTEM,
            TaskDeadlines(
                area_id=world.east,
                priority=Priority.URGENT,
                accept_s=600,
                arrive_s=1800,
                done_s=7200,
            ),
        )
        task = await send_task(tx, jobs, world, unit, now, title=title)
        token = await issue(tx, SYSTEM, now=now, dispatch_id=task.id, unit_id=unit)
        call, call_token = await ask_room(tx, world, now)
    return Scene(
        unit=unit,
        other_unit=other,
        task=task.id,
        token=token,
        call=call,
        call_token=call_token,
    )


async def send_task(
    tx: Transaction, jobs: Jobs, world: World, unit: int, now: datetime, *, title: str = TITLE
) -> Dispatch:
    """Open an urgent task with a checklist and a place, and send it to a unit."""
    new = NewDispatch(
        area_id=world.east,
        title=title,
        text="护栏缺口约两米,夜间行人可能跌落。请先设警示标志,再拍照。",
        kind="facility",
        priority=Priority.URGENT,
        place="村口石桥东侧",
        where=PLACE,
        checklist=ITEMS,
    )
    task = await open_dispatch(tx, SYSTEM, jobs, new, now=now, on_duplicate=OnDuplicate.OPEN)
    order = Order(dispatch_id=task.id, now=now)
    return await send_to(tx, SYSTEM, jobs, order, unit)


async def ask_room(
    tx: Transaction, world: World, now: datetime, *, answer_s: int = 300
) -> tuple[int, Secret]:
    """Ask the eastern duty room whether somebody is there; the call and the token of its link."""
    room = await add_room(
        tx, SYSTEM, DutyRoom(area_id=world.east, name="东村值班室", phone="0533-110")
    )
    call = await tx.scalar(
        int,
        "INSERT INTO room_calls (room_id, room_name, area_id, asked_at, answer_by, code)"
        " VALUES (%(room)s, %(name)s, %(area)s, %(now)s, %(until)s, %(code)s) RETURNING id",
        {
            "room": room.id,
            "name": room.name,
            "area": world.east,
            "now": now,
            "until": now + timedelta(seconds=answer_s),
            "code": CODE,
        },
    )
    assert call is not None
    return call, await issue(tx, SYSTEM, now=now, call_id=call)


async def _add_unit(tx: Transaction, area_id: int, name: str) -> int:
    unit = Unit(area_id=area_id, name=name, kind=UnitKind.GRID_OFFICER, phone="13800000000")
    return (await add_unit(tx, SYSTEM, unit)).id
