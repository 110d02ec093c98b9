"""When the rounds of plans begin between two moments, for a calendar on a screen. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice, takewhile
from operator import itemgetter
from typing import Final
from zoneinfo import ZoneInfo

from hub.domain.errors import Invalid
from hub.domain.patrols import PatrolMode
from hub.patrols.planning.plans import times
from hub.store.patrols import PlacedPlan

MOST_OCCURRENCES: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A round that a plan foresees; ``is_left_out``: its day is an exception, nobody walks."""

    plan_id: int
    plan_name: str
    area_id: int
    area_name: str
    mode: PatrolMode
    planned_at: datetime
    ends_by: datetime | None
    is_left_out: bool


def occurrences(plans: Sequence[PlacedPlan], since: datetime, until: datetime) -> list[Occurrence]:
    """Return what plans foresee later than ``since`` and not later than ``until``, in order.

    At most :data:`MOST_OCCURRENCES`, the nearest. A plan whose rule cannot be used has none.
    """
    found = merge(*(_of(one, since, until) for one in plans), key=itemgetter(0, 1))
    return [occurrence for _, _, occurrence in islice(found, MOST_OCCURRENCES)]


def _of(
    one: PlacedPlan, since: datetime, until: datetime
) -> Iterator[tuple[datetime, int, Occurrence]]:
    plan = one.plan
    left_out = frozenset(plan.exceptions)
    try:
        zone = ZoneInfo(plan.time_zone)
        coming = times(replace(plan, exceptions=()), since)
        for due in takewhile(lambda moment: moment <= until, coming):
            lasts = plan.lasts_s
            occurrence = Occurrence(
                plan_id=plan.id,
                plan_name=plan.name,
                area_id=plan.area_id,
                area_name=one.area_name,
                mode=plan.mode,
                planned_at=due,
                ends_by=None if lasts is None else due + timedelta(seconds=lasts),
                is_left_out=due.astimezone(zone).date() in left_out,
            )
            yield due, plan.id, occurrence
    except (Invalid, KeyError, ValueError):  # a zone that this machine does not know
        return
