"""A county in the night: who is on duty where, what happens when, and a hub that is restarted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from alerts.escalation.escalating import Escalator
from alerts.handling.life import Action, Order, act_on_one
from alerts.handling.quieting import QuietEnds
from hub.domain.calendars import Calendar
from hub.domain.devices import Device
from hub.domain.escalations import Deadlines, Duty, Policy, PolicyStep, Until
from hub.domain.events import Severity
from hub.domain.health import Status
from hub.domain.notifications import Receiver, ReceiverKind
from hub.store.areas import create_area
from hub.store.deadlines import add_deadlines
from hub.store.duties import add_duty
from hub.store.policies import add_policy
from hub.store.receivers import add_receiver
from tests.db.alerts_site import HUB, Site

# Monday, 23 November 2026, 22:00 in Shanghai.
DUSK = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
DAWN = DUSK + timedelta(hours=8)


def moment(clock_face: str) -> datetime:
    """A time of that night: "22:03:07", "05:30"."""
    hours, minutes, seconds = (int(part) for part in (clock_face + ":00").split(":")[:3])
    since_dusk = timedelta(hours=(hours - 22) % 24, minutes=minutes, seconds=seconds)
    return DUSK + since_dusk


def face(at: datetime) -> str:
    """The other way round."""
    return (at + timedelta(hours=8)).strftime("%H:%M:%S")


def spell(hour: int, hours: int) -> Calendar:
    """So many hours of every day."""
    return Calendar(
        rrule=f"FREQ=DAILY;BYHOUR={hour}", duration_s=hours * 3600, time_zone="Asia/Shanghai"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something of the night's script."""

    at: datetime
    what: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One notification: when, to whom, about which camera, what and why."""

    at: str
    to: str
    about: str
    step: str
    why: str


class NightShift(Site):
    """Two townships with a village each; whoever is on duty; what a script lets happen.

    The hub sleeps until its next appointment, as it does when it runs; during a break nothing
    runs. Each start is a new engine, a new escalator: they remember nothing.
    """

    async def build(self) -> "NightShift":
        await super().build()
        self.receivers: dict[str, Receiver] = {"duty room": self.receiver}
        self.cameras: dict[str, Device] = {}
        self.breaks: list[tuple[datetime, datetime]] = []
        self.script: list[Happening] = []
        async with self.database.transaction() as tx:
            for code, above in (("mill", "north"), ("ferry", "south")):
                self.areas[code] = await create_area(
                    tx, HUB, code=code, name=code.title(), parent_id=self.areas[above].id
                )
            names = ("officer early", "officer late", "day officer", "north town", "south town")
            for name in (*names, "county room", "desk", "chief"):
                self.receivers[name] = await add_receiver(
                    tx,
                    HUB,
                    Receiver(
                        name=name,
                        area_id=self.areas["county"].id,
                        kind=ReceiverKind.WEBHOOK,
                        options={"address": "https://hooks.example.org/x"},
                    ),
                )
            for area, name, hours in (
                ("mill", "officer early", spell(22, 4)),
                ("mill", "officer late", spell(2, 4)),
                ("ferry", "day officer", spell(6, 16)),
                ("north", "north town", None),
                ("south", "south town", None),
                ("county", "county room", None),
            ):
                duty = Duty(
                    area_id=self.areas[area].id, receiver_id=self.receivers[name].id, hours=hours
                )
                await add_duty(tx, HUB, duty)
            for policy in self.policies():
                await add_policy(tx, HUB, policy)
            deadlines = Deadlines(
                area_id=self.areas["county"].id,
                severity=Severity.CRITICAL,
                acknowledge_s=20 * 60,
                resolve_s=4 * 3600,
            )
            await add_deadlines(tx, HUB, deadlines)
        return self

    def policies(self) -> tuple[Policy, Policy]:
        """One that climbs for everybody, one of the southern village."""
        climb = (
            PolicyStep(wait_s=0, climb=0, repeats=2, every_s=120),
            PolicyStep(wait_s=300, climb=1),
            PolicyStep(wait_s=600, climb=2),
            PolicyStep(
                wait_s=900,
                receivers=(self.receivers["chief"].id,),
                hours=spell(5, 4),
                waits_for_hours=True,
            ),
        )
        desk = self.receivers["desk"].id
        south = (
            PolicyStep(wait_s=60, receivers=(desk,), hours=spell(6, 16)),
            PolicyStep(wait_s=540, receivers=(desk,)),
        )
        return (
            Policy(name="Climb", area_id=self.areas["county"].id, steps=climb),
            Policy(name="Ferry", area_id=self.areas["ferry"].id, steps=south, until=Until.RESOLVED),
        )

    async def add_camera(self, name: str, area: str) -> None:
        """A camera of a village."""
        self.cameras[name] = await self.add_device(name, area=area)

    def fails(self, clock_face: str, camera: str) -> None:
        """A camera goes offline then."""
        self._plan(clock_face, lambda: self.turn(self.cameras[camera], Status.OFFLINE))

    def returns(self, clock_face: str, camera: str) -> None:
        """It is back then."""
        self._plan(clock_face, lambda: self.turn(self.cameras[camera], Status.ONLINE))

    def taken(self, clock_face: str, camera: str) -> None:
        """Somebody acknowledges its alert then."""
        self._plan(clock_face, lambda: self._act(camera, Order(action=Action.ACKNOWLEDGE)))

    def snoozed(self, clock_face: str, camera: str, *, until: str) -> None:
        """Somebody does not want to hear of it for a while."""
        order = Order(action=Action.SNOOZE, until=moment(until), note="on my way")
        self._plan(clock_face, lambda: self._act(camera, order))

    def down(self, since: str, until: str) -> None:
        """The hub does not run meanwhile; people and the database are there."""
        self.breaks.append((moment(since), moment(until)))

    async def play(self) -> None:
        """Let the night pass, from appointment to appointment."""
        self.clock.now = DUSK
        script = sorted(self.script, key=lambda one: one.at)
        parts = self._start()
        while self.clock.now < DAWN:
            while script and script[0].at <= self.clock.now:
                await script.pop(0).what()
            due = [one.at for one in script[:1]]
            if self._is_down():
                due += [end for begin, end in self.breaks if begin <= self.clock.now < end]
                parts = self._start()
            else:
                due += [at for part in parts if (at := await part.step()) is not None]
                due += [begin for begin, _ in self.breaks if begin > self.clock.now]
            self.clock.now = min((at for at in due if at > self.clock.now), default=DAWN)

    async def sent(self) -> list[Sent]:
        """Every notification of the night, in the order of its making."""
        async with self.database.transaction() as tx:
            rows = await tx.tuples(
                "SELECT s.at, v.name, x.device_name, s.step, n.why FROM notifications n"
                " JOIN alert_steps s ON s.id = n.step_id JOIN alerts x ON x.id = n.alert_id"
                " JOIN receivers v ON v.id = n.receiver_id ORDER BY s.at, n.id"
            )
        return [
            Sent(at=face(at), to=str(to), about=str(about), step=str(step), why=str(why))
            for at, to, about, step, why in rows
            if isinstance(at, datetime)
        ]

    async def count(self, table: str) -> int:
        """Climbs, too."""
        if table != "climbs":
            return await super().count(table)
        async with self.database.transaction() as tx:
            ((number,),) = await tx.tuples("SELECT count(*) FROM climbs")
        return int(str(number))

    async def notes(self, camera: str) -> list[str]:
        """What the history of a camera's alert says of its climbs."""
        async with self.database.transaction() as tx:
            rows = await tx.tuples(
                "SELECT s.at, s.note FROM alert_steps s JOIN alerts x ON x.id = s.alert_id"
                " WHERE x.device_name = %(camera)s AND s.step = 'escalated' ORDER BY s.id",
                {"camera": camera},
            )
        return [f"{face(at)} {note}" for at, note in rows if isinstance(at, datetime)]

    def _plan(self, clock_face: str, what: Callable[[], Awaitable[None]]) -> None:
        self.script.append(Happening(at=moment(clock_face), what=what))

    def _is_down(self) -> bool:
        return any(begin <= self.clock.now < end for begin, end in self.breaks)

    def _start(self) -> tuple["_Engine", QuietEnds, Escalator]:
        return (
            _Engine(self),
            QuietEnds(self.database, self.jobs, self.clock),
            Escalator(self.database, self.jobs, self.clock),
        )

    async def _act(self, camera: str, order: Order) -> None:
        (alert,) = [one for one in await self.alerts() if one.device_name == camera]
        person = replace(HUB, actor="wang")
        async with self.database.transaction() as tx:
            await act_on_one(tx, person, self.jobs, alert.id, order, self.clock())


class _Engine:
    """The rules; they have no appointments of their own here."""

    def __init__(self, site: Site) -> None:
        self._engine = site.engine()

    async def step(self) -> datetime | None:
        return await self._engine.step()
