"""Somebody at a desk who does things about alerts: shared by their tests."""

from datetime import timedelta

import pytest

from alerts.handling.life import Action, Order, act_on_one
from hub.domain.access import Role, Scope
from hub.domain.alerts import Alert
from hub.domain.devices import Device
from hub.domain.errors import RequestError
from hub.domain.health import Status
from hub.store.alerts import list_steps
from tests.db.alerts_site import HUB, Site
from tests.web.stage import add_person

NORTH = Scope(paths=("county.north",), actor="wang")
SOUTH = Scope(paths=("county.south",), actor="li")
TAKE, CLOSE = Order(action=Action.ACKNOWLEDGE), Order(action=Action.RESOLVE, note="false alarm")
OPEN_AGAIN, REMARK = Order(action=Action.REOPEN), Order(action=Action.COMMENT, note="seen")


class Desk:
    """A site with offline cameras in the north, and somebody who does things about them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cameras: list[Device] = []

    async def fail(self, number: int = 1, *, area: str = "north") -> list[Alert]:
        """Let more cameras fail; return all alerts."""
        for _ in range(number):
            camera = await self.site.add_device(f"cam{len(self.cameras)}", area=area)
            self.cameras.append(camera)
            await self.site.turn(camera, Status.OFFLINE)
        await self.site.engine().step()
        return await self.site.alerts()

    async def do(self, alert: Alert | int, order: Order, scope: Scope = NORTH) -> Alert:
        number = alert if isinstance(alert, int) else alert.id
        async with self.site.database.transaction() as tx:
            return await act_on_one(tx, scope, self.site.jobs, number, order, self.site.clock())

    async def refused(self, alert: Alert | int, order: Order, scope: Scope = NORTH) -> RequestError:
        with pytest.raises(RequestError) as caught:
            await self.do(alert, order, scope)
        return caught.value

    async def person(self, name: str, area: str, role: Role = Role.OPERATOR) -> int:
        async with self.site.database.transaction() as tx:
            return await add_person(tx, name, role, self.site.areas[area].id)

    async def steps(self, alert: Alert) -> list[tuple[str, str, str]]:
        async with self.site.database.transaction() as tx:
            steps = await list_steps(tx, HUB, alert.id)
        return [(step.step.value, step.actor, step.note) for step in steps]

    async def told(self) -> list[str]:
        """The steps of which somebody is told, in order."""
        async with self.site.database.transaction() as tx:
            rows = await tx.tuples(
                "SELECT s.step FROM notifications n JOIN alert_steps s ON s.id = n.step_id"
                " ORDER BY n.id"
            )
        return [str(step) for (step,) in rows]

    def snooze(self, seconds: float, note: str = "") -> Order:
        until = self.site.clock() + timedelta(seconds=seconds)
        return Order(action=Action.SNOOZE, note=note, until=until)
