"""What is doubtful about a rule: each finding by the rule and the facts that bring it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.dry_runs.checks import Finding, Weight, check_dry_run, check_rule
from alerts.dry_runs.report import DryRun, Looked
from alerts.rules.defaults import DEFAULTS
from hub.domain.alerts import Rule
from hub.domain.calendars import Calendar
from hub.domain.conditions import (
    Combination,
    Condition,
    DeviceOffline,
    Direction,
    EventCount,
    EventOfKind,
    EventPattern,
    NothingSeen,
    PointBeyond,
)
from hub.domain.devices import DeviceKind
from hub.domain.events import Severity
from hub.domain.matchers import Matcher
from hub.store.rule_facts import RuleFacts, Telling

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FACTS = RuleFacts(devices=9, of_kind=9, of_class=9, of_tag=9, points=9, receivers=1)
RULE = Rule(
    id=4, name="rule", area_id=1, area_path="county", condition=DeviceOffline(), receivers=(1,)
)
HOT = PointBeyond(point="temp", direction=Direction.ABOVE, threshold=50, clear=45)


def found(rule: Rule | Condition, facts: RuleFacts = FACTS) -> list[tuple[str, str, str]]:
    """The weight, the name and the field of each finding."""
    one = rule if isinstance(rule, Rule) else replace(RULE, condition=rule)
    return brief(check_rule(one, facts, NOW))


def brief(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    assert all(one.message for one in findings)
    return [(one.severity.value, one.code, one.field) for one in findings]


@pytest.mark.parametrize("default", DEFAULTS, ids=[name for name, _, _ in DEFAULTS])
def test_nothing_is_doubtful_about_the_rules_a_hub_starts_with(
    default: tuple[str, Condition, Severity],
) -> None:
    assert [one for one in found(default[1]) if one[1] != "never_ends"] == []


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (replace(FACTS, devices=0, of_kind=0, of_class=0, of_tag=0), "area_id"),
        (replace(FACTS, of_kind=0, of_class=0, of_tag=0), "condition.device_kinds"),
        (replace(FACTS, of_class=0, of_tag=0), "classes"),
        (replace(FACTS, of_tag=0), "tags"),
    ],
)
def test_a_rule_that_no_device_is_left_for(facts: RuleFacts, field: str) -> None:
    narrowed = replace(
        RULE,
        condition=DeviceOffline(device_kinds=(DeviceKind.NVR,)),
        classes=("gate",),
        tags=("night",),
    )
    assert found(narrowed, facts) == [("error", "no_device", field)]
    # What concerns a place needs no device.
    assert found(EventOfKind(kind="patrol.round_missed", auto_clear_s=60), facts) == []


def test_a_point_that_is_not_there_or_never_reads_so() -> None:
    assert found(HOT, replace(FACTS, points=0)) == [("error", "no_point", "condition.point")]
    plausible = replace(FACTS, low=-40.0, high=60.0)
    assert found(HOT, plausible) == []
    field = "condition.threshold"
    assert found(HOT, replace(plausible, high=50.0)) == [("error", "never", field)]
    assert found(HOT, replace(plausible, low=51.0)) == [("error", "always", field)]
    cold = replace(HOT, direction=Direction.BELOW, threshold=-40, clear=-30)
    assert found(cold, plausible) == [("error", "never", field)]
    cold = replace(HOT, direction=Direction.BELOW, threshold=61, clear=70)
    assert found(cold, plausible) == [("error", "always", field)]
    assert found(HOT, replace(FACTS, low=-40.0)) == []  # of one of them it is not known


def test_a_silence_that_is_usual() -> None:
    reports = replace(FACTS, interval_s=300.0)
    field = "condition.for_s"
    for for_s, weight in ((300, "error"), (301, "warning"), (599, "warning")):
        silent = NothingSeen(point="temp", for_s=for_s)
        assert found(silent, reports) == [(weight, "too_short", field)]
    assert found(NothingSeen(point="temp", for_s=600), reports) == []
    assert found(NothingSeen(point="temp", for_s=10)) == []


def test_a_kind_nobody_ever_heard_of() -> None:
    slip = EventOfKind(kind="dor.opened", clear_kind="door.closed", auto_clear_s=60)
    seen = replace(FACTS, seen_kinds=frozenset({"door.closed"}))
    assert found(slip, seen) == [("warning", "unknown_kind", "condition.kind")]
    fields = {"condition.kind", "condition.clear_kind"}
    assert {field for _, _, field in found(slip)} == fields
    both = Combination(
        events=(EventPattern(kind="dor.opened"), EventPattern(kind="motion.started")),
        within_s=30,
    )
    assert found(both) == [("warning", "unknown_kind", "condition.events")]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (replace(HOT, clear=50), "flaps"),
        (replace(HOT, clear=50, for_s=60), ""),
        (replace(HOT, clear=50, clear_for_s=60), ""),
        (EventOfKind(kind="motion.started", clear_kind="motion.started"), "contradicts"),
        (EventOfKind(kind="motion.started"), "never_ends"),
        (EventOfKind(kind="motion.started", clear_kind="motion.stopped"), ""),
        (EventCount(kind="line.crossed", count=3, within_s=60, clear_s=30), "flaps"),
        (EventCount(kind="line.crossed", count=3, within_s=60), ""),
        (
            Combination(
                events=(EventPattern(kind="line.crossed"), EventPattern(kind="motion.started")),
                within_s=60,
                clear_s=30,
            ),
            "flaps",
        ),
    ],
)
def test_a_rule_that_contradicts_itself(condition: Condition, code: str) -> None:
    assert [one[1] for one in found(condition)] == ([code] if code else [])


def test_hours_that_never_come_again() -> None:
    past = Calendar(
        rrule="FREQ=DAILY;UNTIL=20201231T000000Z", duration_s=3600, time_zone="Asia/Shanghai"
    )
    assert found(replace(RULE, hours=past)) == [("error", "never", "hours")]
    assert found(replace(RULE, hours=replace(past, rrule="FREQ=DAILY"))) == []


def test_a_rule_that_fires_for_most_now() -> None:
    assert found(RULE, replace(FACTS, firing=4)) == []
    assert found(RULE, replace(FACTS, firing=5)) == [("warning", "always", "condition")]
    few = replace(FACTS, devices=2, of_kind=2, of_class=2, of_tag=2, firing=2)
    assert found(RULE, few) == []


def test_a_rule_that_tells_nobody() -> None:
    deaf = replace(FACTS, receivers=0)
    expected = [("warning", "tells_nobody", "receivers")]
    assert found(RULE, deaf) == expected
    for matcher, tells in (
        (Matcher(), True),
        (Matcher(severities=(Severity.WARNING,)), True),
        (Matcher(severities=(Severity.INFO,)), False),
        (Matcher(rule_ids=(4,)), True),
        (Matcher(rule_ids=(5,)), False),
        (Matcher(device_ids=(1,)), True),  # whose devices they are is not known here
    ):
        telling = Telling(area_path="county", matcher=matcher)
        assert found(RULE, replace(deaf, tellings=[telling])) == ([] if tells else expected)


def test_errors_come_first() -> None:
    nothing = RuleFacts(devices=0, of_kind=0, of_class=0, of_tag=0)
    rule = replace(RULE, condition=replace(HOT, clear=50))
    findings = check_rule(rule, nothing, NOW)
    assert [one.severity for one in findings] == [Weight.ERROR, Weight.WARNING, Weight.WARNING]


def test_a_dry_run_warns_of_what_it_found() -> None:
    looked = Looked(
        since=NOW - timedelta(days=7),
        until=NOW,
        asked_until=NOW,
        lead_in=NOW - timedelta(days=8),
        events=10,
        readings=0,
        points=0,
        cut_short="",
    )
    quiet = DryRun(rule=RULE, looked=looked, count=3, folded=0, still_open=0, subjects=3, always=0)
    assert check_dry_run(quiet) == []
    loud = replace(quiet, always=2, folded=1, looked=replace(looked, cut_short="it took long"))
    assert [one.code for one in check_dry_run(loud)] == ["always", "folds", "cut_short"]
