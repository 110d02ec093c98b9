"""A site for the tests of notifications: areas, receivers and alerts, without an engine."""

from collections.abc import Sequence

from alerts.telling.delivery import Delivery
from alerts.telling.desk import Telling, tell
from hub.domain.alerts import Rule, Step
from hub.domain.conditions import DeviceOffline
from hub.domain.devices import Area
from hub.domain.events import Severity
from hub.domain.matchers import Matcher
from hub.domain.notifications import Message, Receiver, ReceiverKind, Route
from hub.domain.ports import Clock
from hub.domain.secrets import Secret
from hub.runtime.jobs import Job, Jobs
from hub.store.areas import create_area
from hub.store.database import Database
from hub.store.events import EventFilter, list_events
from hub.store.message_lines import MessageLine, list_messages
from hub.store.notifications import NotificationLine, list_notifications
from hub.store.receivers import add_receiver
from hub.store.routes import add_route
from hub.store.rules import add_rule
from tests.db.alerts_site import HUB, Mailbox


class PostingSite:
    """A county with two villages, and one way out for everybody."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.jobs = Jobs(database, clock)
        self.mailbox = Mailbox()
        self.delivery = Delivery(database, clock, {ReceiverKind.WEBHOOK: self.mailbox})
        self.delivery.register(self.jobs)
        self.areas: dict[str, Area] = {}
        self._fired = 0

    async def build(self) -> "PostingSite":
        async with self.database.transaction() as tx:
            county = await create_area(tx, HUB, code="county", name="County", parent_id=None)
            self.areas["county"] = county
            for code in ("north", "south"):
                self.areas[code] = await create_area(
                    tx, HUB, code=code, name=code.title(), parent_id=county.id
                )
        return self

    async def add_receiver(
        self, name: str = "duty room", *, area: str = "county", most_a_minute: int = 600,
        template: str = "", address: str = "https://hooks.example.org/x",
    ) -> Receiver:  # fmt: skip
        receiver = Receiver(
            name=name,
            area_id=self.areas[area].id,
            kind=ReceiverKind.WEBHOOK,
            options={"address": address},
            secret=Secret("key"),
            most_a_minute=most_a_minute,
            template=template,
        )
        async with self.database.transaction() as tx:
            return await add_receiver(tx, HUB, receiver)

    async def add_rule(
        self, *receivers: Receiver, area: str = "county", severity: Severity = Severity.CRITICAL
    ) -> Rule:
        rule = Rule(
            name="offline",
            area_id=self.areas[area].id,
            condition=DeviceOffline(),
            severity=severity,
            receivers=tuple(receiver.id for receiver in receivers),
        )
        async with self.database.transaction() as tx:
            return await add_rule(tx, HUB, rule)

    async def add_route(
        self, name: str, *receivers: Receiver, area: str = "county", matcher: Matcher | None = None
    ) -> Route:
        route = Route(
            name=name,
            area_id=self.areas[area].id,
            matcher=matcher or Matcher(),
            receivers=tuple(receiver.id for receiver in receivers),
        )
        async with self.database.transaction() as tx:
            return await add_route(tx, HUB, route)

    async def open_alerts(self, rule: Rule, count: int = 1, *, area: str = "north") -> list[int]:
        """Alerts as the engine opens them; nobody is told yet."""
        async with self.database.transaction() as tx:
            rows = await tx.tuples(
                "INSERT INTO alerts (rule_id, subject, condition, severity, area_id, device_name,"
                " reason, started_at, fired_at) SELECT %(rule)s, 'mark:' || n, 'device_offline',"
                " %(severity)s, %(area)s, 'cam ' || n, 'offline for 30 s', %(now)s, %(now)s"
                " FROM generate_series(%(first)s::integer, %(last)s::integer) AS n RETURNING id",
                {
                    "rule": rule.id,
                    "severity": rule.severity,
                    "area": self.areas[area].id,
                    "now": self.clock(),
                    "first": self._fired + 1,
                    "last": self._fired + count,
                },
            )
        self._fired += count
        return [int(str(number)) for (number,) in rows]

    async def note(self, alerts: Sequence[int], step: Step) -> list[Telling]:
        """Write a step of each into its history."""
        async with self.database.transaction() as tx:
            rows = await tx.tuples(
                "INSERT INTO alert_steps (alert_id, at, actor, step, note)"
                " SELECT n, %(now)s, 'hub', %(step)s, 'why'"
                " FROM unnest(%(alerts)s::bigint[]) AS n RETURNING alert_id, id",
                {"alerts": list(alerts), "now": self.clock(), "step": step},
            )
        return [
            Telling(alert_id=int(str(alert)), step=step, step_id=int(str(number)))
            for alert, number in rows
        ]

    async def tell(self, alerts: Sequence[int], step: Step) -> int:
        """Write a step and tell of it."""
        return await self.tell_of(await self.note(alerts, step))

    async def tell_of(self, tellings: Sequence[Telling]) -> int:
        """Tell in a transaction of its own."""
        async with self.database.transaction() as tx:
            return await tell(tx, HUB, self.jobs, tellings, self.clock())

    async def fire(self, rule: Rule, count: int = 1, *, area: str = "north") -> list[int]:
        """Open alerts and tell of them."""
        alerts = await self.open_alerts(rule, count, area=area)
        await self.tell(alerts, Step.FIRED)
        return alerts

    async def post(self, receiver: Receiver) -> list[Message]:
        """Do what the job does; return what arrived by it."""
        await self.delivery.post(Job(id=1, args={"receiver": receiver.id}, attempt=1))
        return self.arrived()

    def arrived(self) -> list[Message]:
        got = self.mailbox.got
        return [got.get_nowait() for _ in range(got.qsize())]

    async def lines(self, alert: int) -> list[NotificationLine]:
        async with self.database.transaction() as tx:
            return await list_notifications(tx, HUB, alert)

    async def messages(self, receiver: Receiver) -> list[MessageLine]:
        """Oldest first."""
        async with self.database.transaction() as tx:
            page = await list_messages(tx, HUB, receiver.id, limit=500)
        return list(reversed(page.items))

    async def books(self) -> dict[str, int]:
        """How many notifications there are of each status; fails when they do not add up."""
        async with self.database.transaction() as tx:
            rows = await tx.tuples("SELECT status, count(*) FROM notifications GROUP BY status")
            wrong = await tx.tuples(
                "SELECT m.id FROM messages m LEFT JOIN notifications n ON n.message = m.id"
                " GROUP BY m.id HAVING count(n.id) <> m.count"
                " OR bool_or(n.status <> m.status) OR bool_or(n.receiver_id <> m.receiver_id)"
            )
            loose = await tx.tuples(
                "SELECT id FROM notifications WHERE status <> 'waiting' AND message IS NULL"
            )
        assert (wrong, loose) == ([], [])
        return {str(status): int(str(count)) for status, count in rows}

    async def news(self) -> list[tuple[str, object]]:
        """The events stored about receivers: kind and number of the receiver."""
        async with self.database.transaction() as tx:
            page = await list_events(tx, HUB, EventFilter(), limit=100)
        events = sorted(page.items, key=lambda event: event.id)
        return [(event.kind, event.data["receiver"]) for event in events]
