"""Figures worked out from sums: what is withheld, and why; how people read them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.errors import Invalid
from hub.main.report_options import Span, duration, percent, read_kind, read_time
from hub.maintenance.facts import Facts
from hub.maintenance.figures import MIN_COVERAGE, Why, judge, settle, too_little
from hub.maintenance.kpis import FIGURES, work_out
from hub.maintenance.months import month_bounds
from hub.maintenance.report_tables import figures_of
from hub.maintenance.uptime import add_up, rate_device, rate_groups
from hub.runtime.zones import zone_name
from hub.store.kpis import CameraDays, Moment, Records
from hub.store.ledger_rows import DeviceSums, GroupSums, Repairs

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOTHING = Facts(sums=(), repairs=(), moments=(), days=(), records=())


def device(**more: float) -> DeviceSums:
    """A device of which all of 1,000 s are known."""
    sums = DeviceSums(
        device_id=1, device_name="d", area_id=1, area_name="a",
        managed_s=1000, maintenance_s=0, unknown_s=0, down_s=0, outages=0,
    )  # fmt: skip
    return replace(sums, **more)  # type: ignore[arg-type]  # seconds by name


def test_maintenance_is_no_part_of_the_time_to_be_covered() -> None:
    rate = rate_device(device(maintenance_s=500, unknown_s=20, down_s=48))
    assert rate.coverage == pytest.approx(0.96)
    assert rate.online == pytest.approx(0.9)
    assert not rate.is_withheld
    assert rate.figure.value == pytest.approx(0.9)


def test_a_rate_with_too_little_known_is_shown_but_no_verdict() -> None:
    rate = rate_device(device(unknown_s=51, down_s=100))
    assert rate.online is not None
    assert rate.is_withheld
    assert rate.figure.value is None
    assert rate.figure.withheld is not None
    assert rate.figure.withheld.code is Why.COLLECTING


def test_a_device_in_maintenance_all_the_time_is_withheld_for_that() -> None:
    rate = rate_device(device(maintenance_s=1000))
    assert rate.online is None
    assert rate.withheld is not None
    assert rate.withheld.code is Why.MAINTENANCE


def test_nobody_is_no_rate() -> None:
    rate = rate_groups([])
    assert (rate.online, rate.coverage) == (None, 0)
    assert rate.withheld is not None
    assert rate.withheld.code is Why.NO_DEVICES


def test_no_rate_is_below_zero() -> None:
    assert rate_device(device(down_s=1001)).online == 0


@given(
    st.lists(
        st.tuples(st.floats(0, 400), st.floats(0, 400), st.floats(0, 200), st.integers(0, 9)),
        min_size=1,
        max_size=20,
    )
)
def test_areas_added_up_keep_every_second(rows: list[tuple[float, float, float, int]]) -> None:
    devices = [
        device(maintenance_s=m, unknown_s=u, down_s=d, outages=n, area_id=1 + n % 3)
        for m, u, d, n in rows
    ]
    total = rate_groups(add_up(devices))
    assert total.outages == sum(one.outages for one in devices)
    assert total.down_s == pytest.approx(sum(one.down_s for one in devices))
    rates = [rate for one in devices if (rate := rate_device(one).online) is not None]
    assert total.online == pytest.approx(sum(rates) / len(rates))


def test_the_minimum_itself_is_enough() -> None:
    assert too_little(MIN_COVERAGE) is None
    reason = too_little(MIN_COVERAGE - 1e-9)
    assert reason is not None
    assert reason.reason == "collecting: 94.9 % known, 95 % needed"


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_figure_has_a_value_or_a_reason(value: float, coverage: float) -> None:
    for figure in (
        settle("f/1", value, coverage=coverage),
        settle("f/1", None, coverage=coverage),
        judge("f/1", value, 1, known=coverage, of=1),
        judge("f/1", 0, 0, known=0, of=0),
    ):
        assert (figure.value is None) == (figure.withheld is not None)
        assert 0 <= figure.coverage <= 1


def test_without_devices_every_figure_is_withheld() -> None:
    found = work_out(NOTHING)
    assert found.devices == 0
    assert all(figure.withheld for figure in figures_of(found))
    assert len({figure.formula for figure in figures_of(found)}) == len(FIGURES)


def full() -> Facts:
    """A group of ten cameras of which everything is known."""
    return Facts(
        sums=[
            GroupSums(
                area_id=0, name="甲", devices=10, rated=10, rate_sum=9.9, managed_s=10_000,
                maintenance_s=0, unknown_s=0, down_s=100, outages=4,
            )
        ],
        repairs=[Repairs(area_id=0, name="甲", begun=3, ended=2, repair_s=80, longest_s=60)],
        moments=[
            Moment(
                area_id=0, name="甲", watched=10, known=10, online=9, cameras=10, judged=10,
                intact=8,
            )
        ],
        days=[
            CameraDays(
                area_id=0, name="甲", cameras=10, timed=10, right=7, days=10, expected=10,
                recorded_s=600, planned_s=1000,
            )
        ],
        records=[Records(area_id=0, name="甲", records=10, complete=5)],
    )  # fmt: skip


def test_every_figure_follows_its_formula() -> None:
    found = work_out(full(), name="甲")
    values = {name: figure.value for name, figure in zip(FIGURES, figures_of(found), strict=True)}
    assert values == {
        "online_rate": pytest.approx(0.99),
        "online_rate_snapshot": 0.9,
        "intact_rate": 0.8,
        "clock_rate": 0.7,
        "recording_completeness": 0.6,
        "labelling_rate": 0.5,
        "mttr_s": 40,
        "mtbf_s": 3300,
        "longest_outage_s": 60,
        "outages": 4,
    }


def test_what_comes_from_the_ledger_is_withheld_with_its_coverage() -> None:
    facts = full()
    dark = replace(facts, sums=[replace(facts.sums[0], unknown_s=900)])
    found = work_out(dark)
    for figure in (found.mttr_s, found.mtbf_s, found.longest_outage_s, found.outages):
        assert figure.withheld is not None
        assert figure.withheld.code is Why.COLLECTING
    assert found.clock_rate.value == 0.7


@pytest.mark.parametrize(
    ("month", "since", "until"),
    [
        ("2026-10", "2026-09-30T16:00+00:00", "2026-10-31T16:00+00:00"),
        ("2026-12", "2026-11-30T16:00+00:00", "2026-12-31T16:00+00:00"),
    ],
)
def test_a_month_begins_at_midnight_of_the_place(month: str, since: str, until: str) -> None:
    bounds = datetime.fromisoformat(since), datetime.fromisoformat(until)
    assert month_bounds(month, SHANGHAI) == bounds


def test_a_month_of_summer_time_is_an_hour_shorter() -> None:
    since, until = month_bounds("2026-03", ZoneInfo("Europe/Berlin"))
    assert until - since == timedelta(days=31) - timedelta(hours=1)


@pytest.mark.parametrize(
    "month",
    [
        "",
        "2026",
        "2026-13",
        "2026-00",
        "0000-01",
        "9999-12",
        "2026-1",
        "\uff12\uff10\uff12\uff16-01",
        "x",
    ],
)
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(Invalid):
        month_bounds(month, SHANGHAI)


def test_a_zone_without_a_name_is_told_by_its_offset() -> None:
    assert zone_name(UTC, NOW) == "UTC"
    assert zone_name(timezone(timedelta(hours=8)), NOW) == "UTC+0800"
    assert zone_name(SHANGHAI, NOW) == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("span", "begin", "end"),
    [
        (Span(), NOW - timedelta(days=30), NOW),
        (Span(days=7), NOW - timedelta(days=7), NOW),
        (Span(since="2026-11-20"), datetime(2026, 11, 19, 16, tzinfo=UTC), NOW),
        (
            Span(since="2026-11-20T00:00+00:00", until="2026-11-21"),
            datetime(2026, 11, 20, tzinfo=UTC),
            datetime(2026, 11, 20, 16, tzinfo=UTC),
        ),
        (Span(month="2026-10"), *month_bounds("2026-10", SHANGHAI)),
    ],
)
def test_a_time_is_said_in_one_of_three_ways(span: Span, begin: datetime, end: datetime) -> None:
    assert span.bounds(NOW, SHANGHAI) == (begin, end)


@pytest.mark.parametrize(
    "span",
    [Span(month="2026-10", days=3), Span(days=3, since="2026-10-01"), Span(since="yesterday")],
)
def test_mixed_or_odd_times_are_refused(span: Span) -> None:
    with pytest.raises(Invalid):
        span.bounds(NOW, SHANGHAI)


def test_kinds_are_checked() -> None:
    assert (read_kind("all"), read_kind("nvr")) == ("", "nvr")
    with pytest.raises(Invalid, match="toaster"):
        read_kind("toaster")
    with pytest.raises(Invalid):
        read_time("2026-02-30", UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (1.0, "100.00%"), (0.999999, "99.99%"), (0.98765, "98.77%"), (0.0, "0.00%")],
)
def test_a_rate_is_never_rounded_up_to_all(value: float | None, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"), (0, "0 s"), (59.4, "59 s"), (60, "1 min"), (7500, "2 h 05 min"),
        (86399.9, "1 d 0 h"), (273_600, "3 d 4 h"),
    ],
)  # fmt: skip
def test_durations_read_well(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
