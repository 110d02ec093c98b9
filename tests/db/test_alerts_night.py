"""A night shift with restarts: every call to the second, beside a table written by hand."""

import pytest

from hub.domain.alerts import AlertStatus
from hub.domain.conditions import DeviceOffline
from hub.store.database import Database
from tests.db.alerts_site import Clock
from tests.db.night_shift import NightShift

EARLY, LATE = "officer early", "officer late"
NORTH, SOUTH, ROOM = "north town", "south town", "county room"

# When, whom, about which camera, which step of the alert's life, and words of the reason.
EXPECTED = (
    # gate: nobody takes it until 22:30, nobody repairs it within four hours; then the hub is down.
    ("22:03:07", "duty room", "gate", "fired", "rule"),
    ("22:03:07", EARLY, "gate", "escalated", "Climb, step 1, on duty in Mill"),
    ("22:05:07", EARLY, "gate", "escalated", "step 1, repeat 1: nobody acknowledged within 2 min"),
    ("22:07:07", EARLY, "gate", "escalated", "step 1, repeat 2: nobody acknowledged within 4 min"),
    ("22:08:07", NORTH, "gate", "escalated", "step 2: nobody acknowledged within 5 min"),
    ("22:18:07", ROOM, "gate", "escalated", "step 3: nobody acknowledged within 10 min"),
    ("02:20:00", NORTH, "gate", "escalated", "not resolved in time, on duty in North"),
    ("03:00:00", "duty room", "gate", "resolved", ""),
    ("03:00:00", EARLY, "gate", "resolved", ""),
    ("03:00:00", NORTH, "gate", "resolved", ""),
    ("03:00:00", ROOM, "gate", "resolved", ""),
    # yard: taken after the first repeat, back before its deadline.
    ("23:10:00", "duty room", "yard", "fired", "rule"),
    ("23:10:00", EARLY, "yard", "escalated", "step 1, on duty in Mill"),
    ("23:12:00", EARLY, "yard", "escalated", "step 1, repeat 1"),
    ("23:40:00", "duty room", "yard", "resolved", ""),
    ("23:40:00", EARLY, "yard", "resolved", ""),
    # pier: nobody is on duty in its village; the hub is down from 00:33 to 01:10.
    ("00:30:00", "duty room", "pier", "fired", "rule"),
    ("00:30:00", SOUTH, "pier", "escalated", "Climb, step 1, on duty in South"),
    ("00:32:00", SOUTH, "pier", "escalated", "Climb, step 1, repeat 1"),
    ("01:10:00", SOUTH, "pier", "escalated", "Climb, step 1, repeat 2"),
    ("01:10:00", SOUTH, "pier", "escalated", "Climb, step 2: nobody acknowledged within 5 min"),
    ("01:10:00", "desk", "pier", "escalated", "Ferry, step 2: nobody acknowledged within 9 min"),
    ("01:10:00", ROOM, "pier", "escalated", "Climb, step 3: nobody acknowledged within 10 min"),
    ("04:30:00", SOUTH, "pier", "escalated", "Ferry: not resolved in time"),
    ("05:00:00", "chief", "pier", "escalated", "Climb, step 4: nobody acknowledged within 4 h 15"),
    ("05:30:00", "duty room", "pier", "resolved", ""),
    ("05:30:00", SOUTH, "pier", "resolved", ""),
    ("05:30:00", "desk", "pier", "resolved", ""),
    ("05:30:00", ROOM, "pier", "resolved", ""),
    ("05:30:00", "chief", "pier", "resolved", ""),
    # mast: the officers change at 02:00, while the hub is down: who is there now is told, too.
    ("01:50:00", "duty room", "mast", "fired", "rule"),
    ("01:50:00", EARLY, "mast", "escalated", "step 1, on duty in Mill"),
    ("02:20:00", EARLY, "mast", "escalated", "step 1, repeat 1"),
    ("02:20:00", LATE, "mast", "escalated", "step 1, repeat 1"),
    ("02:20:00", NORTH, "mast", "escalated", "step 2: nobody acknowledged within 5 min"),
    ("02:20:00", ROOM, "mast", "escalated", "step 3: nobody acknowledged within 10 min"),
    ("05:45:00", "duty room", "mast", "resolved", ""),
    ("05:45:00", EARLY, "mast", "resolved", ""),
    ("05:45:00", LATE, "mast", "resolved", ""),
    ("05:45:00", NORTH, "mast", "resolved", ""),
    ("05:45:00", ROOM, "mast", "resolved", ""),
    # lane: snoozed for half an hour; the climb goes on from its end.
    ("03:20:00", "duty room", "lane", "fired", "rule"),
    ("03:20:00", LATE, "lane", "escalated", "step 1, on duty in Mill"),
    ("03:50:00", "duty room", "lane", "repeated", ""),
    ("03:52:00", LATE, "lane", "escalated", "step 1, repeat 1"),
    ("03:54:00", LATE, "lane", "escalated", "step 1, repeat 2"),
    ("03:55:00", NORTH, "lane", "escalated", "step 2: nobody acknowledged within 5 min"),
    ("04:10:00", "duty room", "lane", "resolved", ""),
    ("04:10:00", LATE, "lane", "resolved", ""),
    ("04:10:00", NORTH, "lane", "resolved", ""),
)

PIER = (
    "00:30:00 policy Climb, step 1, on duty in South",
    "00:31:00 policy Ferry, step 1 left out: outside its hours",
    "00:32:00 policy Climb, step 1, repeat 1: nobody acknowledged within 2 min, on duty in South",
    (
        "01:10:00 policy Climb, step 1, repeat 2: nobody acknowledged within 4 min,"
        " on duty in South; told 36 min late"
    ),
    (
        "01:10:00 policy Climb, step 2: nobody acknowledged within 5 min, on duty in South;"
        " told 35 min late"
    ),
    (
        "01:10:00 policy Ferry, step 2: nobody acknowledged within 9 min, named by the policy;"
        " told 30 min late"
    ),
    (
        "01:10:00 policy Climb, step 3: nobody acknowledged within 10 min, on duty in County;"
        " told 25 min late"
    ),
    "04:30:00 policy Ferry: not resolved in time, on duty in South",
    "05:00:00 policy Climb, step 4: nobody acknowledged within 4 h 15 min, named by the policy",
)


@pytest.fixture
async def night(database: Database) -> NightShift:
    return await NightShift(database, Clock()).build()


@pytest.mark.threat("K1")
async def test_every_call_of_a_night_to_the_second(night: NightShift) -> None:
    await night.add_rule(DeviceOffline())
    for camera in ("gate", "yard", "mast", "lane"):
        await night.add_camera(camera, "mill")
    await night.add_camera("pier", "ferry")
    night.fails("22:03:07", "gate")
    night.taken("22:30:00", "gate")
    night.returns("03:00:00", "gate")
    night.fails("23:10:00", "yard")
    night.taken("23:12:30", "yard")
    night.returns("23:40:00", "yard")
    night.fails("00:30:00", "pier")
    night.down("00:33:00", "01:10:00")
    night.returns("05:30:00", "pier")
    night.fails("01:50:00", "mast")
    night.down("01:51:00", "02:20:00")
    night.taken("02:25:00", "mast")
    night.returns("05:45:00", "mast")
    night.fails("03:20:00", "lane")
    night.snoozed("03:21:00", "lane", until="03:50:00")
    night.taken("04:00:00", "lane")
    night.returns("04:10:00", "lane")
    await night.play()

    sent = await night.sent()
    told = sorted((one.at, one.to, one.about, one.step) for one in sent)
    assert told == sorted((at, to, about, step) for at, to, about, step, _ in EXPECTED)
    for at, to, about, step, words in EXPECTED:
        assert any(
            words in one.why
            for one in sent
            if (one.at, one.to, one.about, one.step) == (at, to, about, step)
        ), (at, to, about, words)
    # In order, also what was told at once at the start.
    late = [one for one in sent if one.at == "01:10:00"]
    assert [one.why.split(":")[0] for one in late] == [
        "policy Climb, step 1, repeat 2",
        "policy Climb, step 2",
        "policy Ferry, step 2",
        "policy Climb, step 3",
    ]
    assert await night.notes("pier") == list(PIER)
    assert await night.count("climbs") == 0
    assert {alert.status for alert in await night.alerts()} == {AlertStatus.RESOLVED}
