"""Two villages with people in the field: shared by the tests of dispatches."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import pytest

from hub.domain.access import Scope, system_scope
from hub.domain.assets import AssetRecord
from hub.domain.devices import Device
from hub.domain.dispatches import (
    Dispatch,
    NewDispatch,
    Position,
    Priority,
    TaskDeadlines,
    Unit,
    UnitKind,
)
from hub.domain.errors import RequestError
from hub.patrols.dispatch import desk
from hub.patrols.dispatch.desk import Order
from hub.patrols.dispatch.life import FieldWord, field_step
from hub.patrols.dispatch.opening import OnDuplicate, open_dispatch
from hub.patrols.dispatch.states import FieldStep
from hub.runtime.jobs import Jobs
from hub.store import asset_records, dispatch_steps, dispatches, field_units, task_deadlines
from hub.store.database import Database, Transaction
from tests.db.conftest import County

HUB = system_scope("tests")
DESK = Scope(paths=("330402",), actor="li")
# Somebody of the east village: the west does not exist for him.
EAST = Scope(paths=("330402.330402001",), actor="wang")
START = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
SQUARE = Position(longitude=120.7, latitude=30.7)


@dataclass(slots=True, kw_only=True)
class DispatchWorld:
    """The desk of a county; ``now`` is moved by hand."""

    database: Database
    jobs: Jobs
    county: County
    wu: Unit
    zhao: Unit
    now: datetime = START

    @classmethod
    async def build(cls, database: Database, county: County) -> "DispatchWorld":
        """Coordinates for the cameras, two units in the east, deadlines for the county."""
        async with database.transaction() as tx:
            await place(tx, county.east_camera, 120.70, 30.70)
            await place(tx, county.west_camera, 120.80, 30.75)
            wu = await add_unit(tx, county.east.id, "网格员 Wu")
            zhao = await add_unit(tx, county.east.id, "网格员 Zhao")
            limits = TaskDeadlines(
                area_id=county.county.id,
                priority=Priority.NORMAL,
                accept_s=600,
                arrive_s=1800,
                done_s=7200,
            )
            await task_deadlines.add_deadlines(tx, HUB, limits)
        world = cls(database=database, jobs=Jobs(database, lambda: START), county=county, wu=wu,
                    zhao=zhao)  # fmt: skip
        world.jobs = Jobs(database, lambda: world.now)
        return world

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def new(self, **changes: object) -> NewDispatch:
        """A task in the east village, unless changed."""
        usual = NewDispatch(area_id=self.county.east.id, title="井盖 open manhole")
        return replace(usual, **changes)  # type: ignore[arg-type]

    async def open(
        self,
        new: NewDispatch | None = None,
        scope: Scope = DESK,
        how: OnDuplicate = OnDuplicate.MERGE,
    ) -> Dispatch:
        """Open a task."""
        async with self.database.transaction() as tx:
            return await open_dispatch(
                tx, scope, self.jobs, new or self.new(), now=self.now, on_duplicate=how
            )

    def order(self, task: Dispatch, note: str = "") -> Order:
        """What somebody wants who looked at the task as given."""
        return Order(dispatch_id=task.id, version=task.version, note=note, now=self.now)

    async def send(self, task: Dispatch, unit: Unit | None = None, scope: Scope = DESK) -> Dispatch:
        """Send a task, to Wu unless told."""
        async with self.database.transaction() as tx:
            given = unit or self.wu
            return await desk.send_to(tx, scope, self.jobs, self.order(task), given.id)

    async def say(
        self, task: Dispatch, what: str, note: str = "", checked: Sequence[bool] = ()
    ) -> Dispatch:
        """Let the unit of a task take a step."""
        word = FieldWord(
            what=FieldStep(what), unit_id=task.unit_id or 0, note=note, checked=tuple(checked)
        )
        async with self.database.transaction() as tx:
            scope = Scope(paths=(task.area_path,), actor=task.unit_name)
            return await field_step(tx, scope, task.id, word, now=self.now)

    async def finish(self, task: Dispatch) -> Dispatch:
        """Send a task to Wu, who does it at once."""
        task = await self.send(task)
        for what in ("accept", "on_the_way", "on_site", "done"):
            task = await self.say(task, what)
        return task

    async def verify(self, task: Dispatch, note: str = "") -> Dispatch:
        async with self.database.transaction() as tx:
            return await desk.verify(tx, DESK, self.order(task, note))

    async def read(self, task: Dispatch) -> Dispatch:
        async with self.database.transaction() as tx:
            return await dispatches.get_dispatch(tx, HUB, task.id)

    async def history(self, task: Dispatch) -> list[tuple[str, str, str]]:
        """What was done about a task: the line's word, who, which unit."""
        async with self.database.transaction() as tx:
            lines = await dispatch_steps.list_steps(tx, HUB, task.id)
        return [(line.what, line.actor, line.unit_name) for line in lines]

    async def events(self) -> list[tuple[str, object]]:
        """The events about tasks, in order: the kind and the task's number."""
        return [
            (str(kind), number)
            for kind, number in await self.rows(
                "SELECT kind, (data ->> 'dispatch')::int FROM events"
                " WHERE kind LIKE 'dispatch.%%' ORDER BY id"
            )
        ]

    async def rows(self, query: LiteralString, **values: object) -> list[tuple[object, ...]]:
        """Ask the database itself."""
        async with self.database.transaction() as tx:
            return await tx.tuples(query, values)

    async def refused(self, deed: Awaitable[object], kind: type[RequestError]) -> str:
        """The words of a refusal."""
        with pytest.raises(kind) as caught:
            await deed
        return str(caught.value)


async def place(tx: Transaction, device: Device, longitude: float, latitude: float) -> None:
    """Put a camera on the map."""
    record = AssetRecord(longitude=longitude, latitude=latitude)
    await asset_records.put_record(tx, HUB, device.id, record)


async def add_unit(tx: Transaction, area_id: int, name: str) -> Unit:
    """Add a grid officer who is always on duty."""
    unit = Unit(area_id=area_id, name=name, kind=UnitKind.GRID_OFFICER)
    return await field_units.add_unit(tx, HUB, unit)
