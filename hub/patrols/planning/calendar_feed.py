"""The coming rounds as an iCalendar file (RFC 5545), for the calendars that people keep. Pure.

Rounds are written one by one, in UTC: a calendar's own idea of a rule, its exceptions and a
change of clocks need not agree with the hub's.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice, takewhile
from operator import itemgetter
from typing import Final

from icalendar import Calendar, Event

from hub.domain.errors import Invalid
from hub.domain.patrols import PatrolMode, PatrolPlan
from hub.patrols.planning.plans import times
from hub.store.patrols import PlacedPlan

MEDIA_TYPE: Final = "text/calendar"
PRODUCT: Final = "-//Gengfu//Patrols//EN"
MOST_EVENTS: Final = 5000
REFRESH: Final = timedelta(hours=1)
MODE_NAMES: Final = {
    PatrolMode.MACHINE: "机器巡查 by machine",
    PatrolMode.WALK: "人工巡查 by people",
    PatrolMode.MIXED: "人机互动 machine first, then people",
    PatrolMode.SAMPLED: "抽帧巡查 a drawn sample",
}
# No text of ours needs one, and readers differ in what they make of a lone carriage return.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")


def build_feed(plans: Sequence[PlacedPlan], *, now: datetime, days: int) -> bytes:
    """Return the rounds of the next days, the nearest first, at most :data:`MOST_EVENTS`.

    A plan whose rule or zone cannot be used here has none.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Gengfu 巡查")
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    until = now + timedelta(days=days)
    coming = merge(*(_rounds(one, now, until) for one in plans), key=itemgetter(0, 1))
    for due, _, one in islice(coming, MOST_EVENTS):
        calendar.add_component(_event(one, due, now))
    feed: bytes = calendar.to_ical()
    return feed


def _rounds(
    one: PlacedPlan, now: datetime, until: datetime
) -> Iterator[tuple[datetime, int, PlacedPlan]]:
    try:
        for due in takewhile(lambda moment: moment <= until, times(one.plan, now)):
            yield due, one.plan.id, one
    except Invalid:
        return


def _event(one: PlacedPlan, due: datetime, now: datetime) -> Event:
    plan = one.plan
    event = Event()
    event.add("uid", f"plan-{plan.id:d}-{due.timestamp():.0f}@gengfu")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", due)
    if plan.lasts_s is not None:
        event.add("dtend", due + timedelta(seconds=plan.lasts_s))
    event.add("summary", _plain(plan.name))
    event.add("location", _plain(one.area_name))
    event.add("description", _describe(plan))
    return event


def _describe(plan: PatrolPlan) -> str:
    said = [MODE_NAMES[plan.mode]]
    if plan.details.roll_call is not None:
        said.append("点名 with a roll call of the duty rooms")
    return "; ".join(said)


def _plain(text: str) -> str:
    return _CONTROLS.sub(" ", text)
