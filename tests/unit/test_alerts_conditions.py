"""Conditions as JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.conditions import (
    DEGRADED_LAYERS,
    Condition,
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventOfKind,
    PointBeyond,
    build_condition,
    parse_condition,
)
from hub.domain.devices import DeviceKind, Json
from hub.domain.errors import Invalid
from hub.domain.json_fields import LONGEST_WAIT_S

names = st.from_regex(r"[a-z]{1,20}(\.[a-z]{1,20})?", fullmatch=True)
waits = st.floats(0, LONGEST_WAIT_S)
kinds = st.lists(st.sampled_from(DeviceKind), unique=True).map(tuple)
numbers = st.floats(-1e6, 1e6)


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
        device_kinds=draw(kinds),
    )


conditions = st.one_of(
    st.builds(DeviceOffline, for_s=waits, device_kinds=kinds),
    st.builds(
        DeviceDegraded,
        layers=st.lists(st.sampled_from(DEGRADED_LAYERS), unique=True).map(tuple),
        for_s=waits,
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
    ],
)
def test_nonsense_is_refused_by_name(raw: dict[str, Json], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_condition(raw)
    assert caught.value.field == field
