"""A night of the dispatch desk: tasks, whoever is on duty on four levels, and hubs that restart.

Every hub has its keeper of deadlines, its alert engine and its escalator; hubs share the database
and act at the same moments. Time passes from appointment to appointment, as it does when they run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.escalation.defaults import ensure_default_escalation
from alerts.escalation.escalating import Escalator
from alerts.judging.engine import AlertEngine
from alerts.rules.defaults import ensure_default_rules
from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch, DispatchRule, NewDispatch, Priority, Unit, UnitKind
from hub.domain.escalations import Duty
from hub.domain.notifications import Receiver, ReceiverKind
from hub.patrols.dispatch.deadlines import DeadlineKeeper
from hub.patrols.dispatch.desk import Order, cancel, verify
from hub.patrols.dispatch.life import FieldWord, field_step
from hub.patrols.dispatch.opening import open_dispatch
from hub.patrols.dispatch.states import FieldStep
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.store.areas import create_area
from hub.store.database import Database, Transaction
from hub.store.dispatch_rules import add_rule as add_dispatch_rule
from hub.store.duties import add_duty
from hub.store.field_units import add_unit
from hub.store.receivers import add_receiver
from hub.store.task_deadlines import ensure_default_deadlines
from tests.db.alerts_site import HUB, Clock, Site
from tests.db.night_shift import DAWN, DUSK, Happening, face, moment, spell


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One notification: when, to whom, about which task, on which step of the alert's life."""

    at: str
    to: str
    about: str
    step: str


class Hub:
    """What runs in one process. A new one remembers nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        jobs = Jobs(database, clock)
        self.keeper = DeadlineKeeper(database, clock)
        self.engine = AlertEngine(database, jobs, LiveFeed(database), clock)
        self.escalator = Escalator(database, jobs, clock)


class DispatchNight(Site):
    """County, townships, villages and grids; one officer in the grid of the mill."""

    def __init__(self, database: Database, clock: Clock, others: Sequence[Database] = ()) -> None:
        super().__init__(database, clock)
        self._databases = (database, *others)
        self._script: list[Happening] = []
        self._breaks: list[tuple[datetime, datetime]] = []
        self.tasks: dict[str, Dispatch] = {}

    async def build(self) -> "DispatchNight":
        """Areas, duties, and what a new installation starts with."""
        await super().build()
        county = self.areas["county"].id
        async with self.database.transaction() as tx:
            for code, above in (
                ("mill", "north"),
                ("millgrid", "mill"),
                ("ferry", "south"),
                ("pier", "ferry"),
            ):
                self.areas[code] = await create_area(
                    tx, HUB, code=code, name=code.title(), parent_id=self.areas[above].id
                )
            for area, name, hours in (
                ("millgrid", "grid officer", None),
                ("mill", "village", None),
                ("north", "north town", None),
                ("ferry", "day village", spell(6, 16)),
                ("south", "south town", None),
                ("county", "county room", None),
            ):
                receiver = Receiver(
                    name=name,
                    area_id=county,
                    kind=ReceiverKind.WEBHOOK,
                    options={"address": "https://hooks.example.org/x"},
                )
                known = await add_receiver(tx, HUB, receiver)
                duty = Duty(area_id=self.areas[area].id, receiver_id=known.id, hours=hours)
                await add_duty(tx, HUB, duty)
            unit = Unit(area_id=self.areas["north"].id, name="car", kind=UnitKind.PATROL_UNIT)
            self.unit = await add_unit(tx, HUB, unit)
            await add_dispatch_rule(tx, HUB, DispatchRule(name="nearest", area_id=county))
            await ensure_default_escalation(tx, HUB, county)
            await ensure_default_deadlines(tx, HUB, county)
            await ensure_default_rules(tx, HUB, county)
        return self

    def opens(self, clock_face: str, title: str, priority: Priority, area: str) -> None:
        """The desk opens a task then."""
        new = NewDispatch(area_id=self.areas[area].id, title=title, priority=priority)

        async def work() -> None:
            async with self.database.transaction() as tx:
                task = await open_dispatch(tx, HUB, self.jobs, new, now=self.clock())
            self.tasks[title] = task

        self._plan(clock_face, work)

    def says(self, clock_face: str, title: str, what: FieldStep) -> None:
        """The car says something of its task then."""

        async def work() -> None:
            said = FieldWord(what=what, unit_id=self.unit.id, note="no time")
            async with self.database.transaction() as tx:
                await field_step(tx, HUB, self.tasks[title].id, said, now=self.clock())

        self._plan(clock_face, work)

    def verifies(self, clock_face: str, title: str) -> None:
        """The desk is content then."""
        self._plan(clock_face, lambda: self._decide(title, verify))

    def cancels(self, clock_face: str, title: str) -> None:
        """The desk calls it off then."""
        self._plan(clock_face, lambda: self._decide(title, cancel))

    def down(self, since: str, until: str) -> None:
        """No hub runs meanwhile; people and the database are there."""
        self._breaks.append((moment(since), moment(until)))

    async def play(self) -> None:
        """Let the night pass."""
        self.clock.now = DUSK
        script = sorted(self._script, key=lambda one: one.at)
        hubs = self._start()
        while self.clock.now < DAWN:
            while script and script[0].at <= self.clock.now:
                await script.pop(0).what()
            due = [one.at for one in script[:1]]
            due += [at for pair in self._breaks for at in pair]
            if any(begin <= self.clock.now < end for begin, end in self._breaks):
                hubs = self._start()
            else:
                due += await _step(hubs)
            self.clock.now = min((at for at in due if at > self.clock.now), default=DAWN)

    async def calls(self) -> list[Call]:
        """Every notification of the night."""
        rows = await self._rows(
            "SELECT s.at, v.name, t.title, s.step FROM notifications n"
            " JOIN alert_steps s ON s.id = n.step_id JOIN alerts x ON x.id = n.alert_id"
            " JOIN receivers v ON v.id = n.receiver_id"
            " JOIN dispatches t ON x.subject LIKE '%%/mark:' || t.id ORDER BY s.at, n.id"
        )
        return [
            Call(at=face(at), to=str(to), about=str(about), step=str(step))
            for at, to, about, step in rows
            if isinstance(at, datetime)
        ]

    async def words(self) -> list[tuple[str, str, str]]:
        """What was said of deadlines, in the order of saying: for when, which task, what."""
        rows = await self._rows(
            "SELECT e.at, e.data ->> 'title', e.kind, e.data ->> 'detail' FROM events e"
            " WHERE e.kind IN ('dispatch.overdue', 'dispatch.on_time') ORDER BY e.id"
        )
        return [
            (face(at), str(title), str(detail).rpartition(": ")[2] or str(kind))
            for at, title, kind, detail in rows
            if isinstance(at, datetime)
        ]

    async def told_late_s(self) -> list[float]:
        """How long after its deadline each was told, of those told while a hub ran."""
        rows = await self._rows(
            "SELECT e.at, e.received_at FROM events e WHERE e.kind = 'dispatch.overdue' ORDER BY 1"
        )
        found = []
        for at, told_at in rows:
            if isinstance(at, datetime) and isinstance(told_at, datetime):
                is_away = any(begin <= at < end for begin, end in self._breaks)
                found += [] if is_away else [(told_at - at) / timedelta(seconds=1)]
        return found

    async def _rows(self, query: str) -> list[tuple[object, ...]]:
        async with self.database.transaction() as tx:
            cursor = await tx.connection.execute(query.replace("%%", "%").encode())
            return await cursor.fetchall()

    def _start(self) -> list[Hub]:
        return [Hub(database, self.clock) for database in self._databases]

    async def _decide(
        self, title: str, deed: Callable[[Transaction, Scope, Order], Awaitable[Dispatch]]
    ) -> None:
        order = Order(dispatch_id=self.tasks[title].id, note="looked at it", now=self.clock())
        async with self.database.transaction() as tx:
            await deed(tx, HUB, order)

    def _plan(self, clock_face: str, what: Callable[[], Awaitable[None]]) -> None:
        self._script.append(Happening(at=moment(clock_face), what=what))


async def _step(hubs: Sequence[Hub]) -> list[datetime]:
    """Let all hubs do at once what is due; return when more is."""
    found = [
        *await asyncio.gather(*[one.keeper.step() for one in hubs]),
        *await asyncio.gather(*[one.engine.step() for one in hubs]),
        *await asyncio.gather(*[one.escalator.step() for one in hubs]),
    ]
    return [at for at in found if at is not None]
