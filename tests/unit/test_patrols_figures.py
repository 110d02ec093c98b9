"""The figures of reports: every stop, answer and task stands where it belongs."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.dispatches import DispatchState, UnitKind
from hub.domain.duty_rooms import AnsweredBy, CallState
from hub.domain.errors import Invalid
from hub.domain.patrol_reports import NewReport, Period
from hub.domain.patrols import PatrolMode, Result, RoundState, SecondLook, Timing, Verdict
from hub.patrols.reporting.counting import (
    count_calls,
    count_rounds,
    count_stops,
    describe_round,
    find_silent,
)
from hub.patrols.reporting.figures import (
    Figures,
    StopFigures,
    build_figures,
    make_rate,
    make_times,
    parse_figures,
)
from hub.patrols.reporting.gathering import Facts, span_of, work_out
from hub.patrols.reporting.ranking import RankingOptions
from hub.patrols.reporting.task_counts import Window, count_tasks, count_units
from hub.store.patrol_figures import AreaFact, CallFact, RoundFact, StopCount, TaskFact

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
NEXT = NOON + timedelta(days=1)
NIGHT = Window(since=NOON, until=NEXT)
MIDNIGHT = NOON + timedelta(hours=12)
SEEN = StopCount(
    round_id=1,
    area_id=11,
    area_name="安平村",
    area_path="c.t.v1",
    verdict=Verdict.SEEN,
    has_picture=True,
    result=Result.NORMAL,
    kind="",
    timing=Timing.ON_TIME,
    second_look=SecondLook.NONE,
    is_by_person=False,
    is_dispatched=False,
    number=1,
)
CALL = CallFact(
    area_id=11,
    area_name="安平村",
    area_path="c.t.v1",
    room_id=5,
    room_name="安平村值班室",
    state=CallState.ANSWERED,
    asked_at=MIDNIGHT,
    answer_by=MIDNIGHT + timedelta(seconds=300),
    answered_at=MIDNIGHT + timedelta(seconds=40),
    answered_how=AnsweredBy.PHONE,
)
TASK = TaskFact(
    id=1,
    area_id=11,
    area_name="安平村",
    area_path="c.t.v1",
    kind="waste",
    state=DispatchState.NEW,
    created_at=MIDNIGHT,
    sent_at=None,
    accepted_at=None,
    on_site_at=None,
    done_at=None,
    closed_at=None,
    done_by=MIDNIGHT + timedelta(hours=2),
    deadline_at=None,
    overdue_at=None,
    unit_id=None,
    unit_name="",
    unit_kind=None,
    unit_area_name="",
)
ROUND = RoundFact(
    id=1,
    plan_name="零点夜查",
    area_name="某县",
    area_path="c",
    mode=PatrolMode.MIXED,
    state=RoundState.FINISHED,
    planned_at=MIDNIGHT,
    started_at=MIDNIGHT + timedelta(seconds=3),
    finished_at=MIDNIGHT + timedelta(seconds=1003),
    ends_by=None,
    walker_name="",
    reason="",
    paused_s=100.0,
    forecast_s=800.0,
)


def hours(number: float) -> datetime:
    """So many hours after midnight."""
    return MIDNIGHT + timedelta(hours=number)


def test_a_stop_counts_as_seen_only_with_its_picture() -> None:
    figures = count_stops(
        [
            SEEN,
            replace(SEEN, has_picture=False),
            replace(SEEN, verdict=Verdict.NOT_SEEN, has_picture=False, result=Result.ABNORMAL),
            replace(SEEN, verdict=Verdict.PENDING, has_picture=False, result=Result.NOT_JUDGED),
        ]
    )
    assert (figures.seen, figures.not_kept, figures.not_seen, figures.not_looked) == (1, 1, 1, 1)
    assert figures.completion == make_rate(1, 4, unknown=1)
    assert figures.completion.coverage == 0.75
    assert figures.judged == make_rate(3, 4)


def test_times_that_were_not_kept_stand_apart() -> None:
    timings = [Timing.ON_TIME, *Timing]
    figures = count_stops([replace(SEEN, timing=timing) for timing in timings])
    assert figures.timely == make_rate(2, 7, unknown=1)
    apart = (figures.early, figures.late, figures.missed, figures.out_of_order, figures.untimed)
    assert apart == (1, 1, 1, 1, 1)


def test_findings_are_counted_by_kind_and_by_who_judged() -> None:
    wrong = replace(SEEN, result=Result.ABNORMAL, is_by_person=True)
    figures = count_stops(
        [
            replace(wrong, kind="waste", number=2, is_dispatched=True),
            replace(wrong, kind="road", number=3),
            replace(wrong, kind="", is_by_person=False),
            replace(SEEN, kind="waste", second_look=SecondLook.DISAGREED),
        ]
    )
    assert figures.kinds == {"road": 3, "waste": 2, "other": 1}
    assert list(figures.kinds) == ["road", "waste", "other"]
    assert (figures.by_person, figures.dispatched, figures.second_disagreed) == (5, 2, 1)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            replace,
            st.just(SEEN),
            verdict=st.sampled_from(Verdict),
            has_picture=st.booleans(),
            result=st.sampled_from(Result),
            kind=st.sampled_from(["", "waste", "of_ours"]),
            timing=st.sampled_from(Timing),
            second_look=st.sampled_from(SecondLook),
            number=st.integers(1, 9),
        ),
        max_size=30,
    )
)
def test_every_stop_stands_once_in_each_row(counts: list[StopCount]) -> None:
    f: StopFigures = count_stops(counts)
    planned = sum(one.number for one in counts)
    assert f.planned == planned
    assert f.seen + f.not_kept + f.not_seen + f.not_looked == planned
    assert f.normal + f.abnormal + f.not_judged + f.open == planned
    in_time = f.on_time + f.early + f.late + f.missed + f.out_of_order
    assert in_time + f.untimed == planned
    assert sum(f.kinds.values()) == f.abnormal
    for rate in (f.completion, f.judged, f.timely):
        assert rate.part + rate.unknown <= rate.whole == planned


def test_median_and_p95_are_of_what_is_known() -> None:
    times = make_times([float(n) for n in range(100, 0, -1)], of=120)
    assert (times.median_s, times.p95_s, times.known, times.of) == (50.5, 95.0, 100, 120)
    assert make_times([7.0], of=1).p95_s == 7.0
    assert make_times([], of=3).median_s is None


def test_answers_late_and_none_are_told_apart() -> None:
    silent = replace(CALL, state=CallState.UNANSWERED, answered_at=None, answered_how=None)
    calls = [
        CALL,
        replace(CALL, room_id=6, answered_at=MIDNIGHT + timedelta(seconds=400)),
        replace(silent, room_id=7, room_name="北沟村值班室"),
        replace(silent, room_id=7, room_name="北沟村值班室"),
        replace(silent, room_id=8, state=CallState.ASKED, answer_by=hours(30)),
        replace(silent, room_id=9, state=CallState.CANCELLED),
    ]
    figures = count_calls(calls, hours(2))
    assert (figures.asked, figures.answered, figures.late, figures.unanswered) == (5, 1, 1, 2)
    assert (figures.waiting, figures.cancelled) == (1, 1)
    assert figures.rate == make_rate(1, 5, unknown=1)
    assert figures.answer == make_times([40.0, 400.0], of=5)
    assert figures.by == {"phone": 2}
    worst, other = find_silent(calls, hours(2))
    assert (worst.room_name, worst.asked, worst.silent, worst.late) == ("北沟村值班室", 2, 2, 0)
    assert (other.silent, other.late) == (0, 1)


def test_an_answer_after_the_moment_of_counting_is_none_yet() -> None:
    figures = count_calls([CALL], MIDNIGHT + timedelta(seconds=10))
    assert (figures.answered, figures.waiting, figures.unanswered) == (0, 1, 0)


def test_a_task_falls_due_once_when_done_or_at_its_deadline() -> None:
    tasks = [
        replace(TASK, done_at=hours(1), closed_at=hours(1), state=DispatchState.VERIFIED),
        replace(TASK, done_at=hours(3), closed_at=hours(4), state=DispatchState.VERIFIED),
        TASK,  # open, and its deadline passed
        replace(TASK, done_by=NEXT + timedelta(hours=1)),  # due tomorrow
        replace(TASK, state=DispatchState.CANCELLED, closed_at=hours(1)),  # before: never due
        replace(TASK, state=DispatchState.MERGED, closed_at=hours(3)),  # after: was late
        replace(TASK, done_by=None, done_at=hours(1)),
    ]
    figures = count_tasks(tasks, NIGHT)
    assert figures.timely == make_rate(1, 4)
    assert (figures.opened, figures.done, figures.verified) == (7, 3, 2)
    assert (figures.cancelled, figures.merged, figures.without_deadline) == (1, 1, 1)
    assert (figures.still_open, figures.overdue) == (3, 1)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(-30, 60),
            st.floats(0, 40),
            st.none() | st.floats(0, 40),
            st.sampled_from([DispatchState.DONE, DispatchState.CANCELLED]),
        ),
        max_size=20,
    )
)
def test_a_week_of_tasks_is_the_sum_of_its_nights(
    rows: list[tuple[float, float, float | None, DispatchState]],
) -> None:
    tasks = []
    for begin, allowed, took, state in rows:
        end = None if took is None else hours(begin + took)
        is_done = state is DispatchState.DONE
        tasks.append(
            replace(
                TASK,
                state=state if end else DispatchState.NEW,
                created_at=hours(begin),
                done_by=hours(begin + allowed),
                done_at=end if is_done else None,
                closed_at=end,
            )
        )
    nights = [
        count_tasks(tasks, Window(since=NOON + timedelta(days=n), until=NEXT + timedelta(days=n)))
        for n in range(-2, 5)
    ]
    whole = count_tasks(
        tasks, Window(since=NOON - timedelta(days=2), until=NEXT + timedelta(days=4))
    )
    for name in ("opened", "done", "cancelled"):
        assert sum(getattr(one, name) for one in nights) == getattr(whole, name)
    assert (
        sum(one.timely.whole for one in nights)
        == whole.timely.whole
        == len([one for one in tasks if one.state is not DispatchState.CANCELLED])
        + sum(one.state is DispatchState.CANCELLED and _was_late(one) for one in tasks)
    )
    assert sum(one.timely.part for one in nights) == whole.timely.part


def _was_late(one: TaskFact) -> bool:
    return one.closed_at is not None and one.done_by is not None and one.closed_at > one.done_by


def test_response_times_of_a_unit_begin_when_it_was_sent() -> None:
    task = replace(
        TASK,
        sent_at=hours(0.5),
        accepted_at=hours(0.75),
        on_site_at=hours(1),
        unit_id=3,
        unit_name="巡一组",
        unit_kind=UnitKind.PATROL_UNIT,
    )
    waiting = replace(task, accepted_at=None, on_site_at=None)
    figures = count_tasks([task, waiting], NIGHT)
    assert figures.accept == make_times([2700.0], of=2)
    (unit,) = count_units([task, waiting, TASK], NIGHT)
    assert (unit.name, unit.tasks.opened) == ("巡一组", 2)
    assert unit.tasks.accept == make_times([900.0], of=2)
    assert unit.tasks.arrive == make_times([1800.0], of=2)


def test_a_round_tells_by_how_much_it_missed_its_forecast() -> None:
    described = describe_round(ROUND, count_stops([SEEN]))
    assert (described.took_s, described.off_s, described.planned) == (1000.0, 100.0, 1)
    cut = replace(ROUND, state=RoundState.CANCELLED)
    assert describe_round(cut, count_stops([])).off_s is None


def test_a_missed_round_is_unknown_and_never_good() -> None:
    missed = replace(ROUND, id=2, state=RoundState.MISSED, started_at=None, finished_at=None)
    county = AreaFact(id=1, name="某县", path="c", has_cameras=False)
    town = AreaFact(id=2, name="某镇", path="c.t", has_cameras=False)
    village = AreaFact(id=11, name="安平村", path="c.t.v1", has_cameras=True)
    other = AreaFact(id=12, name="北沟村", path="c.t.v2", has_cameras=True)
    facts = Facts(
        rounds=[ROUND, missed], stops=[SEEN], areas=[county, town, village, other], calls=[CALL]
    )
    new = NewReport(
        period=Period.NIGHT,
        area_id=1,
        starts_at=NOON,
        ends_at=NEXT,
        time_zone="Asia/Shanghai",
        formula=1,
    )
    figures = work_out(new, county, facts, span_of(new, "c", NEXT), RankingOptions())
    assert (figures.rounds.missed, figures.rounds.unknown) == (1, 1)
    (area,) = figures.areas
    assert (area.name, area.rounds, area.rounds_unknown) == ("安平村", 2, 1)
    assert not figures.area_ranking.places  # half of it is not known
    assert figures.area_ranking.unplaced[0].coverage == 0.5
    assert (figures.unvisited_count, figures.unvisited) == (1, ["北沟村"])
    (branch,) = figures.branches
    assert (branch.area_id, branch.name, branch.stops.planned) == (2, "某镇", 1)
    assert count_rounds([ROUND, missed], frozenset()).unknown == 1


def test_figures_survive_their_keeping() -> None:
    figures = Figures(
        period=Period.ROUND,
        area_id=1,
        area_name="某县",
        since=NOON,
        until=NEXT,
        as_of=NEXT,
        time_zone="Asia/Shanghai",
        stops=count_stops([SEEN, replace(SEEN, result=Result.ABNORMAL, kind="waste")]),
        calls=count_calls([CALL], NEXT),
        silent=find_silent([replace(CALL, answered_at=None)], NEXT),
        tasks=count_tasks([TASK], NIGHT),
        units=count_units([replace(TASK, unit_id=1)], NIGHT),
        walks=[describe_round(ROUND, count_stops([SEEN]))],
    )
    kept = json.loads(json.dumps(build_figures(figures)))
    assert build_figures(parse_figures(kept)) == kept == build_figures(figures)
    assert parse_figures(kept).walks[0].planned_at == MIDNIGHT


def test_figures_of_an_unknown_version_are_refused_without_their_values() -> None:
    with pytest.raises(Invalid) as refused:
        parse_figures({"period": "decade-of-secrets"})
    assert "secrets" not in str(refused.value)
    assert "period" in str(refused.value)


@pytest.mark.threat("T1")
def test_a_village_is_not_told_who_walks_the_county() -> None:
    walked = replace(ROUND, plan_name="county plan", walker_name="county walker", reason="tea")
    village = AreaFact(id=11, name="安平村", path="c.t.v1", has_cameras=True)
    facts = Facts(rounds=[walked], stops=[SEEN], areas=[village])
    new = NewReport(
        period=Period.NIGHT,
        area_id=11,
        starts_at=NOON,
        ends_at=NEXT,
        time_zone="Asia/Shanghai",
        formula=1,
    )
    figures = work_out(new, village, facts, span_of(new, "c.t.v1", NEXT), RankingOptions())
    (described,) = figures.walks
    assert (described.planned, described.state) == (1, RoundState.FINISHED)
    said = json.dumps(build_figures(figures), ensure_ascii=False)
    assert "county" not in said
    assert "某县" not in said
    assert "tea" not in said
