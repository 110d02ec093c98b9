"""Which of the intervals that are set applies to a device."""

from hub.maintenance.intervals import DEFAULT_INTERVALS, Intervals, IntervalTable
from hub.store.probe_intervals import ProbeInterval

VILLAGE = "county.town.village"


def placed(
    area_path: str,
    device_class: str = "",
    *,
    answer_s: float | None = None,
    stream_s: float | None = None,
) -> ProbeInterval:
    return ProbeInterval(
        area_path=area_path, device_class=device_class, answer_s=answer_s, stream_s=stream_s
    )


def test_without_rows_the_defaults_apply() -> None:
    assert IntervalTable().of(1, VILLAGE, "gate") == Intervals(
        answer_s=15, stream_s=120, frames_s=600, inspect_s=21_600
    )
    own = Intervals(answer_s=30, stream_s=60, frames_s=90, inspect_s=120)
    assert IntervalTable((), own).of(1, VILLAGE, "") == own


def test_the_nearest_area_upward_wins_over_those_above_it() -> None:
    table = IntervalTable([placed("county", answer_s=60), placed("county.town", answer_s=30)])
    assert table.of(1, VILLAGE, "").answer_s == 30
    assert table.of(1, "county.other", "").answer_s == 60
    assert table.of(1, "elsewhere", "").answer_s == DEFAULT_INTERVALS.answer_s


def test_an_area_whose_code_only_begins_alike_is_another_one() -> None:
    table = IntervalTable([placed("county.town", answer_s=30)])
    assert table.of(1, "county.town2", "").answer_s == DEFAULT_INTERVALS.answer_s


def test_a_row_for_the_class_far_above_wins_over_a_near_one_for_all() -> None:
    table = IntervalTable([placed("county", "gate", answer_s=5), placed(VILLAGE, answer_s=60)])
    assert table.of(1, VILLAGE, "gate").answer_s == 5
    assert table.of(2, VILLAGE, "street").answer_s == 60
    assert table.of(3, VILLAGE, "").answer_s == 60


def test_the_device_s_own_row_wins_over_everything() -> None:
    own = ProbeInterval(area_path=VILLAGE, device_id=7, answer_s=300)
    table = IntervalTable([own, placed(VILLAGE, "gate", answer_s=5)])
    assert table.of(7, VILLAGE, "gate").answer_s == 300
    assert table.of(8, VILLAGE, "gate").answer_s == 5
    # Neither answer changes the other's, whatever was asked before.
    assert table.of(7, VILLAGE, "gate").answer_s == 300


def test_every_field_is_inherited_by_itself() -> None:
    rows = [
        ProbeInterval(area_path=VILLAGE, device_id=7, inspect_s=60),
        placed(VILLAGE, "gate", answer_s=5),
        placed("county", "gate", answer_s=6, stream_s=50),
        ProbeInterval(area_path="county", answer_s=9, stream_s=90, frames_s=900),
    ]
    assert IntervalTable(rows).of(7, VILLAGE, "gate") == Intervals(
        answer_s=5, stream_s=50, frames_s=900, inspect_s=60
    )


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = [placed("county", answer_s=60), placed(VILLAGE, answer_s=20), placed("county", "a")]
    ways = [IntervalTable(rows), IntervalTable(reversed(rows))]
    assert {table.of(1, VILLAGE, "a") for table in ways} == {
        Intervals(answer_s=20, stream_s=120, frames_s=600, inspect_s=21_600)
    }
