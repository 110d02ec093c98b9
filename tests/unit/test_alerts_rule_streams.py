"""Recorded streams of events: shown however they are cut, whenever timers are looked at, they
lead to the same alerts.
"""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rules.deciding import Transition
from hub.domain.alerts import Phase
from hub.domain.conditions import (
    Combination,
    Condition,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    Per,
)
from hub.domain.events import StoredEvent
from tests.unit.rule_streams import Watch, at, event, play, replayed, rule

KINDS = ("a", "b", "c", "over")
END_S = 5000.0
CONDITIONS: Sequence[Condition] = (
    EventOfKind(kind="a", clear_kind="over"),
    EventOfKind(kind="a", clear_kind="over", auto_clear_s=40),
    EventCount(kind="a", count=3, within_s=30),
    EventCount(kind="a", count=2, within_s=20, clear_s=5, per=Per.AREA),
    EventCount(kind="a", count=4, within_s=60, clear_s=100),
    NothingSeen(kind="a", for_s=25),
    Combination(events=(EventPattern(kind="a"), EventPattern(kind="b")), within_s=15, clear_s=20),
    Combination(
        events=tuple(EventPattern(kind=kind) for kind in "abc"),
        within_s=40,
        clear_s=60,
        in_order=True,
        per=Per.AREA,
        clear_kind="over",
    ),
)
NAMES = [condition.type for condition in CONDITIONS]


@st.composite
def streams(draw: st.DrawFn) -> list[StoredEvent]:
    """Events as they are stored: numbers grow, times now and then go back by a moment."""
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from([0.0, 0.5, 1.0, 5.0, 10.0, 15.0, 25.0, 30.0, 60.0]),
                st.sampled_from(KINDS),
                st.sampled_from([1, 2]),
                st.sampled_from([None, None, True, False]),
                st.sampled_from([False, False, False, True]),
            ),
            max_size=25,
        )
    )
    seconds, found = 0.0, []
    for number, (wait, kind, device, is_active, is_replayed) in enumerate(steps, start=1):
        seconds += wait
        one = event(number, kind, seconds, device=device, is_active=is_active)
        found.append(replayed(one) if is_replayed else one)
    return found


LOOKS = st.lists(st.floats(0, 800), max_size=12)
CUTS = st.sets(st.integers(0, 25))


@pytest.mark.threat("K1")
@pytest.mark.parametrize("condition", CONDITIONS, ids=NAMES)
@settings(max_examples=40, deadline=None)
@given(stream=streams(), looks=LOOKS, cuts=CUTS)
def test_the_same_stream_gives_the_same_alerts(
    condition: Condition, stream: list[StoredEvent], looks: list[float], cuts: set[int]
) -> None:
    watched = rule(condition)
    undisturbed = play(watched, stream, until=END_S)
    assert play(watched, stream, looks=looks, restarts=cuts, until=END_S) == undisturbed
    assert play(watched, stream, looks=[*looks, *range(0, 900, 7)], until=END_S) == undisturbed


@pytest.mark.parametrize("condition", CONDITIONS, ids=NAMES)
@settings(max_examples=25, deadline=None)
@given(stream=streams())
def test_an_event_shown_twice_is_one_event(condition: Condition, stream: list[StoredEvent]) -> None:
    once, twice = Watch(rule(condition)), Watch(rule(condition))
    for one in stream:
        once.see(one)
        twice.see(one, one)
        assert twice.states == once.states
    assert twice.turns == once.turns


@pytest.mark.parametrize("condition", CONDITIONS, ids=NAMES)
@settings(max_examples=25, deadline=None)
@given(stream=streams())
def test_what_is_replayed_never_fires(condition: Condition, stream: list[StoredEvent]) -> None:
    watch = Watch(rule(condition))
    watch.see(*(replayed(one) for one in stream))
    watch.look(at(END_S))
    assert watch.turns == []
    assert watch.states == {}


@pytest.mark.threat("K10")
@pytest.mark.parametrize("condition", CONDITIONS, ids=NAMES)
@settings(max_examples=25, deadline=None)
@given(stream=streams())
def test_a_clock_set_back_by_an_hour_holds_nothing_up(
    condition: Condition, stream: list[StoredEvent]
) -> None:
    watch = Watch(rule(condition))
    watch.see(*stream)
    kinds = [*("a", "b", "c") * 4, "over"]
    began = 100 - 3600.0
    for number, kind in enumerate(kinds):
        for device in (1, 2):
            watch.see(event(100 + 2 * number + device, kind, began + number * 5, device=device))
    watch.look(at(began + len(kinds) * 5 + 105))
    if isinstance(condition, NothingSeen):
        assert [state.phase for state in watch.states.values()] == [Phase.FIRING] * 2
    else:
        assert watch.states == {}
    for subject in {turn.subject for turn in watch.turns}:
        turns = [turn.transition for turn in watch.turns if turn.subject == subject]
        assert turns[::2] == [Transition.FIRE] * len(turns[::2])
        assert turns[1::2] == [Transition.RESOLVE] * len(turns[1::2])
