"""An overdue task climbs from the grid to the county, every call to the second."""

from collections.abc import AsyncIterator

import pytest

from hub.domain.alerts import AlertStatus
from hub.domain.dispatches import Priority
from hub.patrols.dispatch.states import FieldStep
from hub.store.database import Database
from hub.store.vault import Vault
from tests.db.alerts_site import Clock
from tests.db.dispatch_night import DispatchNight

GRID, VILLAGE, NORTH, ROOM = "grid officer", "village", "north town", "county room"
SOUTH = "south town"

# When, whom, about which task, which step of the alert's life. Urgent tasks are to be accepted
# within 5 minutes, reached within 15, done within 60; a critical alert climbs after 0, 5, 10 and
# 15 minutes.
EXPECTED = (
    # gate: accepted at 22:31, too late to be there in time; on site at 22:45.
    ("22:08:07", GRID, "gate", "escalated"),
    ("22:13:07", VILLAGE, "gate", "escalated"),
    ("22:23:07", NORTH, "gate", "escalated"),
    ("22:38:07", ROOM, "gate", "escalated"),
    *(("22:45:00", who, "gate", "resolved") for who in (GRID, VILLAGE, NORTH, ROOM)),
    # It is not done by 23:03:07 either, but at 23:10.
    ("23:03:07", GRID, "gate", "escalated"),
    ("23:08:07", VILLAGE, "gate", "escalated"),
    ("23:10:00", GRID, "gate", "resolved"),
    ("23:10:00", VILLAGE, "gate", "resolved"),
    # lamp and boat: their deadlines pass while no hub runs, from 00:05 to 01:00. Nobody is on
    # duty in the village of the boat.
    ("01:00:00", GRID, "lamp", "escalated"),
    ("01:00:00", SOUTH, "boat", "escalated"),
    ("01:05:00", VILLAGE, "lamp", "escalated"),
    ("01:05:00", SOUTH, "boat", "escalated"),
    ("01:15:00", NORTH, "lamp", "escalated"),
    ("01:15:00", SOUTH, "boat", "escalated"),
    ("01:20:00", SOUTH, "boat", "resolved"),
    ("01:30:00", ROOM, "lamp", "escalated"),
    # Nobody takes the lamp: its alert has waited four hours.
    ("05:00:00", VILLAGE, "lamp", "escalated"),
)
WORDS = [
    ("22:08:07", "gate", "nobody accepted it in time"),
    # Once it is accepted the next deadline counts, which has passed: it is overdue still.
    ("22:31:00", "gate", "nobody is on site in time"),
    ("22:45:00", "gate", "dispatch.on_time"),
    ("23:03:07", "gate", "it is not done in time"),
    ("23:10:00", "gate", "dispatch.on_time"),
    # In the order of their deadlines, whenever they were opened.
    ("00:12:00", "boat", "nobody accepted it in time"),
    ("00:30:00", "lamp", "nobody accepted it in time"),
    ("01:20:00", "boat", "dispatch.on_time"),
]


@pytest.fixture
async def neighbour(database_url: str, vault: Vault) -> AsyncIterator[Database]:
    """Another process's way to the database."""
    opened = await Database.open(database_url, vault=vault)
    yield opened
    await opened.close()


@pytest.mark.threat("K1")
@pytest.mark.parametrize("processes", [1, 2])
async def test_every_call_of_a_night_of_tasks(
    database: Database, neighbour: Database, processes: int
) -> None:
    others = [neighbour] * (processes - 1)
    night = await DispatchNight(database, Clock(), others).build()
    night.opens("22:03:07", "gate", Priority.URGENT, "millgrid")
    night.says("22:31:00", "gate", FieldStep.ACCEPT)
    night.says("22:45:00", "gate", FieldStep.ON_SITE)
    night.says("23:10:00", "gate", FieldStep.DONE)
    night.verifies("23:15:00", "gate")
    # Accepted, reached and done a second before it is overdue: nobody is told.
    night.opens("22:10:00", "yard", Priority.HIGH, "millgrid")
    night.says("22:19:59", "yard", FieldStep.ACCEPT)
    night.says("22:39:59", "yard", FieldStep.ON_SITE)
    night.says("00:09:59", "yard", FieldStep.DONE)
    night.opens("00:00:00", "lamp", Priority.NORMAL, "millgrid")
    night.opens("00:02:00", "boat", Priority.HIGH, "pier")
    night.down("00:05:00", "01:00:00")
    night.cancels("01:20:00", "boat")
    await night.play()

    calls = sorted((one.at, one.to, one.about, one.step) for one in await night.calls())
    assert calls == sorted(EXPECTED)
    assert await night.words() == WORDS
    assert set(await night.told_late_s()) == {0.0}
    standing = [alert.status for alert in await night.alerts()]
    assert standing.count(AlertStatus.FIRING) == 1
    assert len(standing) == 4
