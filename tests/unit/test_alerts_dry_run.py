"""The dry run's replay, folding and figures: pure, by a clock of its own."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.dry_runs.dry_run import find_lead, watched_kinds
from alerts.dry_runs.past_devices import PastDevices
from alerts.dry_runs.replay import Firing, Replay
from alerts.dry_runs.report import Looked, Summary
from alerts.rules.deciding import Transition, advance, decide
from alerts.rules.observations import LastSeen, ValueSeen
from hub.domain.alerts import Phase, Rule, RuleState, subject_key
from hub.domain.calendars import Calendar, Days, Holiday
from hub.domain.conditions import (
    Combination,
    Condition,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    Per,
    PointBeyond,
)
from hub.domain.devices import Json
from hub.domain.events import StoredEvent
from hub.store.rule_history import PastWindow, Place

T0 = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)  # a Monday
HOT = PointBeyond(point="temp", direction=Direction.ABOVE, threshold=50, clear=45)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def rule(condition: Condition, *, hours: Calendar | None = None, most: int = 100) -> Rule:
    return Rule(
        id=1,
        name="rule",
        area_id=1,
        area_path="county",
        condition=condition,
        hours=hours,
        most=most,
        most_in_area=2,
    )


def event(
    seconds: float,
    kind: str,
    *,
    device: int = 1,
    number: int = 0,
    is_active: bool | None = None,
    **data: Json,
) -> StoredEvent:
    return StoredEvent(
        id=number or int(seconds * 10) + 1,
        kind=kind,
        area_id=1,
        area_path="county.village",
        at=at(seconds),
        received_at=at(seconds),
        device_id=device,
        is_active=is_active,
        data=data,
    )


def window(begin: float, end: float, *, device: int | None = 1) -> PastWindow:
    return PastWindow(
        area_path="county",
        device_id=device,
        starts_at=at(begin),
        ends_at=at(end),
        reason="new pole",
    )


def run(
    one: Rule,
    events: Sequence[StoredEvent],
    *,
    until: float,
    windows: Sequence[PastWindow] = (),
    holidays: dict[date, Holiday] | None = None,
) -> list[tuple[float, float | None, str]]:
    """When it fired, when that ended, and why, in seconds."""
    replay = Replay(one, PastDevices(windows), holidays or {})
    for each in events:
        replay.see_event(each)
    return finished(replay, until)


def finished(replay: Replay, until: float) -> list[tuple[float, float | None, str]]:
    for _ in replay.finish(at(until)):
        pass
    return [
        (
            (f.fired_at - T0).total_seconds(),
            None if f.resolved_at is None else (f.resolved_at - T0).total_seconds(),
            f.reason,
        )
        for f in sorted(replay.firings, key=lambda f: f.fired_at)
    ]


def test_timers_ring_in_their_own_time() -> None:
    offline = rule(DeviceOffline(for_s=60))
    seen = [event(0, "device.offline"), event(500, "device.online")]
    assert run(offline, seen, until=1000) == [(60, 500, "offline for 60 s")]
    # Nothing came after it: time alone lets it fire, but not beyond what was looked at.
    assert run(offline, seen[:1], until=59) == []
    assert run(offline, seen[:1], until=60) == [(60, None, "offline for 60 s")]
    steady = rule(DeviceOffline(for_s=60, clear_for_s=30))
    assert run(steady, seen, until=1000) == [(60, 530, "offline for 60 s")]
    opened = rule(EventOfKind(kind="motion.started", auto_clear_s=10))
    twice = [event(0, "motion.started"), event(5, "motion.started"), event(100, "motion.started")]
    assert [(f, r) for f, r, _ in run(opened, twice, until=200)] == [(0, 15), (100, 110)]


def test_a_window_holds_back_and_its_end_lets_the_present_be_told() -> None:
    offline = rule(DeviceOffline(for_s=60))
    # Waiting when the window began; still offline when it ended.
    went = [event(0, "device.offline")]
    assert run(offline, went, until=1000, windows=[window(30, 300)]) == [(300, None, "offline")]
    # Back before it ended: nobody would have been called.
    came = [*went, event(200, "device.online")]
    assert run(offline, came, until=1000, windows=[window(30, 300)]) == []
    # A window of the area above holds for everything below; one of another device for none.
    assert run(offline, came, until=1000, windows=[window(0, 900, device=None)]) == []
    assert len(run(offline, came, until=1000, windows=[window(0, 900, device=2)])) == 1
    # What fires already goes on, and ends.
    late = run(offline, came, until=1000, windows=[window(100, 900)])
    assert [(f, r) for f, r, _ in late] == [(60, 200)]
    # An event that began something is kept, and told of at the first look after the window.
    door = rule(EventOfKind(kind="door.opened", clear_kind="door.closed"))
    opened = [event(10, "door.opened")]
    assert run(door, opened, until=9000, windows=[window(0, 3605)]) == [(3610, None, "door.opened")]


def test_a_dead_parent_and_flapping_hold_back_as_the_events_said() -> None:
    offline = rule(DeviceOffline())
    behind = [event(0, "device.offline", behind=9), event(100, "device.offline")]
    # The parent came back, the device did not: its outage began with the first event.
    assert run(offline, behind, until=200) == [(100, None, "offline")]
    restless = [
        event(0, "device.offline", flapping=True),
        event(10, "device.online", flapping=True),
        event(20, "device.offline", flapping=True),
        event(2000, "device.steady"),
    ]
    assert run(offline, restless, until=3000) == [(2000, None, "offline")]
    assert run(offline, restless[:2], until=3000) == []
    # It began to flap while the rule waited: it is told once it is steady again.
    waiting = rule(DeviceOffline(for_s=60))
    began = [event(0, "device.offline"), event(30, "device.flapping"), event(900, "device.steady")]
    assert run(waiting, began, until=1000) == [(900, None, "offline")]


def test_outside_its_hours_nothing_fires() -> None:
    night = Calendar(
        rrule="FREQ=DAILY;BYHOUR=22;BYMINUTE=0",
        duration_s=8 * 3600,
        time_zone="UTC",
        days=Days.ANY,
    )
    hour = 3600.0
    offline = rule(DeviceOffline(), hours=night)
    seen = [event(10 * hour, "device.offline"), event(23 * hour, "device.online")]
    # Offline since the morning: told when the hours begin.
    assert run(offline, seen, until=48 * hour) == [(22 * hour, 23 * hour, "offline")]
    assert run(offline, [event(hour, "device.offline")], until=2 * hour) != []
    working = rule(
        DeviceOffline(),
        hours=Calendar(
            rrule="FREQ=DAILY;BYHOUR=0;BYMINUTE=0",
            duration_s=86_400,
            time_zone="UTC",
            days=Days.WORKING,
        ),
    )
    off = {T0.date(): Holiday(day=T0.date(), name="元旦")}
    told = run(working, seen[:1], until=48 * hour, holidays=off)
    assert told == [(24 * hour, None, "offline")]


def test_counts_absences_and_combinations_are_replayed_too() -> None:
    three = rule(EventCount(kind="line.crossed", count=3, within_s=60))
    crossed = [event(s, "line.crossed") for s in (0, 100, 120, 140, 150)]
    assert [(f, r) for f, r, _ in run(three, crossed, until=1000)] == [(140, 210)]
    burglar = rule(
        Combination(
            events=(EventPattern(kind="door.opened"), EventPattern(kind="motion.started")),
            within_s=30,
            per=Per.AREA,
            clear_s=60,
        )
    )
    seen = [event(0, "door.opened"), event(20, "motion.started", device=2)]
    apart = [event(200, "door.opened"), event(240, "motion.started", device=2)]
    assert [(f, r) for f, r, _ in run(burglar, [*seen, *apart], until=1000)] == [(20, 80)]
    missing = rule(NothingSeen(kind="heart.beat", for_s=60))
    beats = [event(s, "heart.beat") for s in (0, 30, 200)]
    assert run(missing, beats, until=250) == [(90, 200, "no heart.beat for 60 s")]
    assert [f for f, _, _ in run(missing, beats, until=1000)] == [90, 260]
    expected = Replay(missing, PastDevices())
    expected.expect(blank(missing, device=5, point=None), "county.village", T0)
    assert finished(expected, 100) == [(60, None, "no heart.beat for 60 s")]


def blank(one: Rule, *, device: int = 1, point: int | None = 7) -> RuleState:
    return RuleState(
        rule_id=one.id,
        subject=subject_key(area_id=1, device_id=device, point_id=point),
        area_id=1,
        device_id=device,
        point_id=point,
    )


def test_silent_points_are_missed_only_where_there_is_a_gap() -> None:
    silent = rule(NothingSeen(point="temp", for_s=60))
    replay = Replay(silent, PastDevices([window(1000, 1500)]))
    for seconds in (0, 30, 59, 200, 230, 950, 1490):
        replay.see_value(blank(silent), "county.village", 20.0, at(seconds))
    why = "no reading of temp for 60 s"
    # The gap from 230 to 950, then one that the window hides, then silence for good.
    assert finished(replay, 2000) == [(119, 200, why), (290, 950, why), (1550, None, why)]
    behind = Replay(silent, PastDevices())
    behind.see_event(event(10, "device.offline", behind=9))
    behind.see_event(event(400, "device.online"))
    behind.see_value(blank(silent), "county.village", 20.0, at(0))
    # Its gateway was down: told only once nothing explains it any more.
    assert finished(behind, 2000) == [(400, None, why)]


@settings(max_examples=50, deadline=None)
@given(
    gaps=st.lists(st.tuples(st.integers(1, 40), st.sampled_from([40, 47, 55, 60])), max_size=30),
    for_s=st.sampled_from([0.0, 15.0]),
    clear_for_s=st.sampled_from([0.0, 15.0]),
)
def test_readings_that_change_nothing_may_be_left_out(
    gaps: list[tuple[int, int]], for_s: float, clear_for_s: float
) -> None:
    """The replay asks a rule about few readings; asked about all it concludes the same."""
    conditions: tuple[Condition, ...] = (
        PointBeyond(
            point="temp",
            direction=Direction.ABOVE,
            threshold=50,
            clear=45,
            for_s=for_s,
            clear_for_s=clear_for_s,
        ),
        NothingSeen(point="temp", for_s=20),
    )
    for one in map(rule, conditions):
        replay, state, seconds = Replay(one, PastDevices()), blank(one), 0
        fired, ended = [], []
        for gap, value in gaps:
            seconds += gap
            replay.see_value(blank(one), "county.village", float(value), at(seconds))
            seen = (
                LastSeen(last_at=at(seconds))
                if isinstance(one.condition, NothingSeen)
                else ValueSeen(value=float(value))
            )
            for decision, when in advance(one, state, seen, at(seconds)):
                fired += [when] if decision.transition is Transition.FIRE else []
                ended += [when] if decision.transition is Transition.RESOLVE else []
                state = decision.state
            if isinstance(seen, LastSeen) and state.phase is Phase.CLEAR:
                # The present is looked at again and again: a new wait begins.
                state = decide(one, state, seen, at(seconds)).state
        for _ in replay.finish(at(seconds)):
            pass
        assert [f.fired_at for f in replay.firings if f.fired_at < at(seconds)] == [
            when for when in fired if when < at(seconds)
        ]
        assert [f.resolved_at for f in replay.firings if f.resolved_at is not None] == ended


def firing(begin: float, end: float | None, *, device: int, area: int = 1) -> Firing:
    return Firing(
        subject=f"device:{device}",
        device_id=device,
        area_id=area,
        point_id=None,
        channel="",
        started_at=at(begin),
        fired_at=at(begin),
        reason="offline",
        resolved_at=None if end is None else at(end),
    )


def looked(until: float = 1000) -> Looked:
    return Looked(
        since=T0,
        until=at(until),
        asked_until=at(1000),
        lead_in=at(-3600),
        events=1,
        readings=0,
        points=0,
        cut_short="",
    )


def test_what_stands_too_much_is_folded_until_others_end() -> None:
    firings = [
        firing(10, 20, device=1),
        firing(11, None, device=2),
        firing(12, 30, device=3),  # a third of its area
        firing(13, 40, device=4, area=2),
        firing(14, 50, device=5, area=3),  # a fourth that stands
        firing(20, 60, device=6),  # the first has ended
    ]
    summary = Summary(rule(DeviceOffline(), most=3), firings, looked())
    answer = summary.build({}, {}, shown=10, top=3)
    assert [f.is_folded for f in answer.fired] == [False, False, True, False, True, False]
    assert (answer.count, answer.folded, answer.still_open) == (6, 2, 1)


def test_the_figures_speak_of_the_period_only() -> None:
    firings = [
        firing(-100, 950, device=1),  # fired before: it counts as being open only
        firing(100, 200, device=2),
        firing(300, 400, device=2),
        firing(500, 990, device=3, area=2),
        firing(995, None, device=4),
    ]
    summary = Summary(rule(DeviceOffline()), firings, looked(until=980))
    assert summary.places(shown=1, top=1) == {(2, 1)}
    place = Place(device_id=2, device_name="gate", area_id=1, area_name="North")
    answer = summary.build({(2, 1): place}, {"flaps": 3}, shown=2, top=1)
    assert (answer.count, answer.subjects, answer.always) == (3, 3, 1)
    assert [f.device_name for f in answer.fired] == ["gate", "gate"]
    assert [(o.device_name, o.times, round(o.share, 2)) for o in answer.often] == [
        ("gate", 2, round(200 / 980, 2))
    ]
    # What ended after the last moment that was looked at is open, as far as is known.
    assert answer.still_open == 1
    assert answer.held_back == {"flaps": 3}


@pytest.mark.parametrize(
    ("condition", "lead"),
    [
        (DeviceOffline(), timedelta(hours=1)),
        (DeviceOffline(for_s=7200), timedelta(hours=2)),
        (EventCount(kind="a.b", count=2, within_s=86_400 * 30), timedelta(days=7)),
    ],
)
def test_what_began_before_the_period_is_looked_at(condition: Condition, lead: timedelta) -> None:
    assert find_lead(condition) == lead


def test_only_the_kinds_that_matter_are_read() -> None:
    assert watched_kinds(EventOfKind(kind="a.b", clear_kind="a.c")) == ["a.b", "a.c"]
    assert watched_kinds(HOT) == []
    assert "device.flapping" in watched_kinds(DeviceOffline())
    assert "device.offline" in watched_kinds(NothingSeen(point="temp", for_s=60))
