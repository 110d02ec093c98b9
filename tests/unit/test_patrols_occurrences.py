"""What plans foresee between two moments, exceptions and changes of clocks included."""

from datetime import UTC, date, datetime, timedelta

from hub.domain.patrols import PatrolPlan
from hub.patrols.planning.occurrences import occurrences
from hub.store.patrols import PlacedPlan

SINCE = datetime(2026, 3, 28, 12, tzinfo=UTC)


def place(number: int, zone: str = "Europe/Berlin", left_out: tuple[date, ...] = ()) -> PlacedPlan:
    plan = PatrolPlan(
        id=number,
        name="night",
        area_id=1,
        rrule="FREQ=DAILY;BYHOUR=2;BYMINUTE=30",
        time_zone=zone,
        starts_on=date(2026, 1, 1),
        exceptions=left_out,
        lasts_s=3600,
    )
    return PlacedPlan(plan=plan, area_name="East")


def test_rounds_come_in_order_through_a_change_of_clocks() -> None:
    plans = [
        place(1),
        place(2, left_out=(date(2026, 3, 30),)),
        place(3, zone="Europe/Nowhere"),  # not known here: it foresees nothing
    ]
    found = occurrences(plans, SINCE, SINCE + timedelta(days=2))
    skipped = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 02:30 does not come: 03:30 in summer
    usual = datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    assert [(one.plan_id, one.planned_at, one.is_left_out) for one in found] == [
        (1, skipped, False),
        (2, skipped, False),
        (1, usual, False),
        (2, usual, True),
    ]
    assert found[0].ends_by == skipped + timedelta(hours=1)
