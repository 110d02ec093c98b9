"""Conditions as JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.conditions import (
    DEGRADED_LAYERS,
    MOST_COUNTED,
    MOST_PATTERNS,
    Combination,
    Condition,
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    Per,
    PointBeyond,
    build_condition,
    kinds_of,
    parse_condition,
)
from hub.domain.devices import DeviceKind, Json
from hub.domain.errors import Invalid
from hub.domain.json_fields import LONGEST_WAIT_S

names = st.from_regex(r"[a-z]{1,20}(\.[a-z]{1,20})?", fullmatch=True)
waits = st.floats(0, LONGEST_WAIT_S)
kinds = st.lists(st.sampled_from(DeviceKind), unique=True).map(tuple)
numbers = st.floats(-1e6, 1e6)
times = st.floats(1, LONGEST_WAIT_S)
patterns = st.lists(
    st.builds(EventPattern, kind=names, is_active=st.none() | st.booleans()),
    min_size=2,
    max_size=MOST_PATTERNS,
    unique_by=lambda one: one.kind,
).map(tuple)


@st.composite
def beyond(draw: st.DrawFn) -> PointBeyond:
    low, high = sorted((draw(numbers), draw(numbers)))
    direction = draw(st.sampled_from(Direction))
    is_above = direction is Direction.ABOVE
    return PointBeyond(
        point=draw(names),
        direction=direction,
        threshold=high if is_above else low,
        clear=low if is_above else high,
        for_s=draw(waits),
        clear_for_s=draw(waits),
        device_kinds=draw(kinds),
    )


conditions = st.one_of(
    st.builds(DeviceOffline, for_s=waits, clear_for_s=waits, device_kinds=kinds),
    st.builds(
        DeviceDegraded,
        layers=st.lists(st.sampled_from(DEGRADED_LAYERS), unique=True).map(tuple),
        for_s=waits,
        clear_for_s=waits,
        device_kinds=kinds,
    ),
    beyond(),
    st.builds(
        EventOfKind,
        kind=names,
        clear_kind=st.just("") | names,
        auto_clear_s=st.none() | st.floats(1, LONGEST_WAIT_S),
        distinguish_by=st.just("") | names,
        device_kinds=kinds,
    ),
    st.builds(
        EventCount,
        kind=names,
        count=st.integers(2, MOST_COUNTED),
        within_s=times,
        per=st.sampled_from(Per),
        distinguish_by=st.just("") | names,
        clear_s=st.none() | times,
        device_kinds=kinds,
    ),
    st.builds(NothingSeen, kind=names, for_s=times, expects_all=st.booleans(), device_kinds=kinds),
    st.builds(NothingSeen, point=names, for_s=st.floats(10, LONGEST_WAIT_S), device_kinds=kinds),
    st.builds(
        Combination,
        events=patterns,
        within_s=times,
        per=st.sampled_from(Per),
        in_order=st.booleans(),
        clear_s=times,
        clear_kind=st.just("") | st.just("over and done"),
        device_kinds=kinds,
    ),
)


@given(conditions)
def test_what_is_built_can_be_read(condition: Condition) -> None:
    assert parse_condition(build_condition(condition)) == condition


POINT: dict[str, Json] = {
    "type": "point_beyond",
    "point": "temp",
    "direction": "above",
    "threshold": 30,
    "clear": 25,
}
COUNT: dict[str, Json] = {"type": "event_count", "kind": "a", "count": 3, "within_s": 60}
BOTH: dict[str, Json] = {
    "type": "combination",
    "events": [{"kind": "a"}, {"kind": "b"}],
    "within_s": 30,
}
EVENT: dict[str, Json] = {"type": "event_of_kind", "kind": "door.opened"}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "type"),
        ({"type": "device_on_fire"}, "type"),
        ({"type": "device_offline", "for": 5}, "for"),
        ({"type": "device_offline", "for_s": -1}, "for_s"),
        ({"type": "device_offline", "for_s": "60"}, "for_s"),
        ({"type": "device_offline", "for_s": True}, "for_s"),
        ({"type": "device_offline", "for_s": float("inf")}, "for_s"),
        ({"type": "device_offline", "device_kinds": "camera"}, "device_kinds"),
        ({"type": "device_offline", "device_kinds": ["drone"]}, "device_kinds"),
        ({"type": "device_offline", "device_kinds": [["camera"]]}, "device_kinds"),
        ({"type": "device_degraded", "layers": "frames"}, "layers"),
        ({"type": "device_degraded", "layers": ["network"]}, "layers"),
        ({"type": "device_degraded", "layers": [None]}, "layers"),
        ({"type": "device_degraded", "for_s": -1}, "for_s"),
        ({"type": "device_degraded", "point": "temp"}, "point"),
        ({**POINT, "clear": 31}, "clear"),
        ({**POINT, "direction": "below"}, "clear"),
        ({**POINT, "direction": "sideways"}, "direction"),
        ({**POINT, "direction": []}, "direction"),
        ({**POINT, "threshold": float("nan")}, "threshold"),
        ({**POINT, "point": ""}, "point"),
        ({**POINT, "point": "a\nb"}, "point"),
        ({**EVENT, "kind": "x" * 129}, "kind"),
        ({**EVENT, "auto_clear_s": 0}, "auto_clear_s"),
        ({"type": "device_offline", "clear_for_s": -1}, "clear_for_s"),
        ({**COUNT, "count": 1}, "count"),
        ({**COUNT, "count": 101}, "count"),
        ({**COUNT, "count": 3.0}, "count"),
        ({**COUNT, "count": True}, "count"),
        ({**COUNT, "within_s": 0.5}, "within_s"),
        ({"type": "event_count", "kind": "a", "count": 3}, "within_s"),
        ({**COUNT, "per": "county"}, "per"),
        ({**COUNT, "clear_s": 0}, "clear_s"),
        ({**COUNT, "clear_kind": "b"}, "clear_kind"),
        ({"type": "nothing_seen", "for_s": 60}, "kind"),
        ({"type": "nothing_seen", "kind": "a", "point": "b", "for_s": 60}, "kind"),
        ({"type": "nothing_seen", "kind": "a"}, "for_s"),
        ({"type": "nothing_seen", "point": "temp", "for_s": 5}, "for_s"),
        ({"type": "nothing_seen", "point": "t", "for_s": 60, "expects_all": True}, "expects_all"),
        ({"type": "nothing_seen", "kind": "a", "for_s": 60, "expects_all": 1}, "expects_all"),
        ({**BOTH, "events": []}, "events"),
        ({**BOTH, "events": "ab"}, "events"),
        ({**BOTH, "events": ["a", "b"]}, "events"),
        ({**BOTH, "events": [{"kind": "a"}]}, "events"),
        ({**BOTH, "events": [{"kind": c} for c in "abcdef"]}, "events"),
        ({**BOTH, "events": [{"kind": "a"}, {"kind": "a"}]}, "events"),
        ({**BOTH, "events": [{"kind": "a"}, {"kind": "a", "is_active": True}]}, "events"),
        ({**BOTH, "events": [{"kind": "a"}, {"kind": "b", "is_active": "yes"}]}, "is_active"),
        ({**BOTH, "events": [{"kind": "a"}, {"kind": "b", "device": 3}]}, "device"),
        ({**BOTH, "events": [{"kind": "a"}, {}]}, "kind"),
        ({**BOTH, "clear_kind": "a"}, "clear_kind"),
        ({**BOTH, "in_order": "yes"}, "in_order"),
        ({**BOTH, "within_s": 0}, "within_s"),
    ],
)
def test_nonsense_is_refused_by_name(raw: dict[str, Json], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_condition(raw)
    assert caught.value.field == field


def test_what_is_left_out_is_what_it_was_before_there_was_more() -> None:
    assert parse_condition({"type": "device_offline", "for_s": 5}) == DeviceOffline(for_s=5)
    assert parse_condition(COUNT) == EventCount(kind="a", count=3, within_s=60)
    both = parse_condition(BOTH)
    assert isinstance(both, Combination)
    assert (both.per, both.in_order, both.clear_s) == (Per.DEVICE, False, 300)


def test_the_kinds_a_condition_asks_for() -> None:
    assert kinds_of(DeviceOffline()) == set()
    assert kinds_of(EventOfKind(kind="a")) == {"a"}
    assert kinds_of(EventOfKind(kind="a", clear_kind="b")) == {"a", "b"}
    assert kinds_of(NothingSeen(point="temp", for_s=60)) == set()
    assert kinds_of(NothingSeen(kind="a", for_s=60)) == {"a"}
    assert kinds_of(parse_condition({**BOTH, "clear_kind": "c"})) == {"a", "b", "c"}
