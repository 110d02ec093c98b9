"""An alert that climbs, told minute by minute, for the tests of climbing."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from alerts.escalation.climbing import Standing, Told, carry_on
from alerts.escalation.on_duty import Roster
from hub.domain.alerts import AlertStatus
from hub.domain.calendars import Calendar, Days
from hub.domain.escalations import Climb, Duty, Policy, PolicyStep, Until

# A Monday, 22:00 in Shanghai.
T0 = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
VILLAGE = "city.county.town.village"
OFFICER, TOWN, COUNTY, CITY, BOSS = 1, 2, 3, 4, 9
WORK = Calendar(
    rrule="FREQ=DAILY;BYHOUR=8;BYMINUTE=30",
    duration_s=9 * 3600,
    time_zone="Asia/Shanghai",
    days=Days.WORKING,
)
NIGHT = Calendar(rrule="FREQ=DAILY;BYHOUR=22", duration_s=8 * 3600, time_zone="Asia/Shanghai")
DAY = Calendar(rrule="FREQ=DAILY;BYHOUR=6", duration_s=16 * 3600, time_zone="Asia/Shanghai")


def duty(receiver: int, hours: Calendar | None = None) -> Duty:
    return Duty(area_id=receiver, receiver_id=receiver, hours=hours)


ROSTER = Roster(
    duties={
        VILLAGE: (duty(OFFICER),),
        "city.county.town": (duty(TOWN),),
        "city.county": (duty(COUNTY),),
        "city": (duty(CITY),),
    },
    names={VILLAGE: "东村", "city.county.town": "南湖镇", "city.county": "南湖区"},
    reachable=frozenset({OFFICER, TOWN, COUNTY, CITY, BOSS, 11, 12}),
)
CLIMB = (
    PolicyStep(wait_s=0, climb=0),
    PolicyStep(wait_s=300, climb=1),
    PolicyStep(wait_s=600, climb=2),
)

REPEATING = (
    PolicyStep(wait_s=60, climb=0, repeats=5, every_s=120),
    PolicyStep(wait_s=420, climb=1, repeats=2, every_s=600),
)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def policy(*steps: PolicyStep, until: Until = Until.ACKNOWLEDGED) -> Policy:
    return Policy(id=5, name="Climb", area_id=1, area_path="city", steps=steps, until=until)


def begun(wanted: Policy) -> Climb:
    due = T0 + timedelta(seconds=wanted.steps[0].wait_s)
    return Climb(alert_id=7, policy_id=wanted.id, step=0, repeat=0, due_at=due, since=T0)


FIRING = Standing(alert_id=7, area_path=VILLAGE, status=AlertStatus.FIRING)


class Story:
    """An alert as time goes on; what it is changes between two looks."""

    def __init__(
        self, wanted: Policy, standing: Standing = FIRING, roster: Roster = ROSTER
    ) -> None:
        self.policy = wanted
        self.standing = standing
        self.roster = roster
        self.climb: Climb | None = begun(wanted)
        self.told: list[Told] = []

    def look(self, now: datetime) -> list[Told]:
        """Deal with all that is due, as the escalator does; return what was told."""
        new: list[Told] = []
        while self.climb is not None:
            before = self.climb
            out = carry_on(self.policy, before, self.standing, self.roster, now)
            self.climb = out.climb
            if out.told is not None:
                new.append(out.told)
            if out.climb is not None and (out.climb == before or out.climb.due_at > now):
                break
        self.told += new
        return new

    def watch(self, minutes: Iterable[float]) -> list[tuple[float, int, list[int]]]:
        """Look at each of these; return minute planned, step and receivers."""
        for minute in minutes:
            self.look(at(minute))
        return [shown(one) for one in self.told]


def shown(one: Told) -> tuple[float, int, list[int]]:
    return ((one.planned_at - T0).total_seconds() / 60, one.step, sorted(one.receivers))


def every_minute(last: int) -> Iterable[float]:
    return range(last + 1)
