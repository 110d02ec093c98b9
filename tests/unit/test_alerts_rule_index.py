"""Which rules an event or a point can concern."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules.index import RuleIndex
from alerts.rules.observations import STATUS_KINDS, is_watching, observe
from hub.domain.alerts import Rule
from hub.domain.conditions import (
    Combination,
    Condition,
    DeviceDegraded,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    PointBeyond,
)
from hub.domain.devices import DeviceKind
from tests.unit.rule_streams import event

PATHS = ("county", "county.a", "county.a.v1", "county.ab", "county.b.v1")
CONDITIONS: tuple[Condition, ...] = (
    DeviceOffline(),
    DeviceDegraded(),
    PointBeyond(point="temp", direction=Direction.ABOVE, threshold=30, clear=25),
    EventOfKind(kind="door.opened", clear_kind="door.closed"),
    EventOfKind(kind="device.offline"),
    EventCount(kind="door.opened", count=2, within_s=60),
    NothingSeen(kind="door.opened", for_s=60),
    NothingSeen(point="temp", for_s=60),
    Combination(
        events=(EventPattern(kind="door.opened"), EventPattern(kind="motion.started")),
        within_s=30,
        clear_kind="disarmed",
    ),
)
EVENTS = ("door.opened", "door.closed", "motion.started", "disarmed", "smoke", *STATUS_KINDS)
RULES = [
    Rule(id=n, name="r", area_id=1, area_path=path, condition=condition)
    for n, (path, condition) in enumerate(((p, c) for p in PATHS for c in CONDITIONS), start=1)
]


@given(st.lists(st.sampled_from(RULES), unique_by=lambda rule: rule.id), st.sampled_from(PATHS))
def test_it_finds_what_a_look_at_every_rule_would_find(rules: list[Rule], path: str) -> None:
    index = RuleIndex(rules)
    for kind in EVENTS:
        one = replace(event(1, kind, 0), area_path=path)
        asked = [
            rule
            for rule in sorted(rules, key=lambda each: each.id)
            if observe(rule, one) is not None and is_watching(rule, path, DeviceKind.CAMERA)
        ]
        found = index.watching_event(one)
        assert [rule for rule in found if observe(rule, one) is not None] == asked
    about_points = [
        rule
        for rule in sorted(rules, key=lambda each: each.id)
        if isinstance(rule.condition, PointBeyond | NothingSeen)
        and rule.condition.point
        and is_watching(rule, path, DeviceKind.SENSOR)
    ]
    assert list(index.watching_point(("temp", "temp"), path)) == about_points
    assert list(index.watching_point(("humidity", ""), path)) == []
    assert index.has_points is any(
        isinstance(r.condition, PointBeyond | NothingSeen) and r.condition.point for r in rules
    )


@pytest.mark.parametrize(
    ("classes", "tags", "device_class", "has", "watches"),
    [
        ((), (), "", set(), True),
        (("gate",), (), "gate", set(), True),
        (("gate", "street"), (), "street", set(), True),
        (("gate",), (), "", {"gate"}, False),
        ((), ("school", "river"), "", {"river", "new"}, True),
        ((), ("school",), "school", set(), False),
        (("gate",), ("school",), "gate", {"school"}, True),
        (("gate",), ("school",), "gate", set(), False),
    ],
)
def test_classes_and_tags_narrow_a_rule(
    classes: tuple[str, ...],
    tags: tuple[str, ...],
    device_class: str,
    has: set[str],
    *,
    watches: bool,
) -> None:
    narrowed = replace(RULES[0], classes=classes, tags=tags)
    kind = DeviceKind.CAMERA
    assert is_watching(narrowed, "county.a", kind, device_class, frozenset(has)) is watches
    # A place has no class and no tags.
    assert is_watching(narrowed, "county.a", None) is not bool(classes or tags)
