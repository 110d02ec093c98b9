"""Whom an alert concerns, and why."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from alerts.telling.routing import (
    AT_ONCE,
    GATHER,
    NO_OTHER_CHANNEL,
    area_line,
    build_book,
    find_receivers,
    find_substitutes,
    gathering_time,
)
from hub.domain.alerts import Step
from hub.domain.calendars import Calendar, Days, Holiday
from hub.domain.events import Severity
from hub.domain.matchers import AlertFacts, Matcher
from hub.domain.notifications import Route
from hub.store.notifications import AreaReceiver, RuleReceiver

# A Sunday, 09:00 in Shanghai.
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
FACTS = AlertFacts(
    alert_id=1,
    rule_id=5,
    severity=Severity.CRITICAL,
    area_id=3,
    area_path="city.county.north",
    device_id=9,
    device_class="bullet",
    tags=frozenset({"school"}),
)
DAY_SHIFT = Calendar(
    rrule="FREQ=DAILY;BYHOUR=8;BYMINUTE=0",
    duration_s=4 * 3600,
    time_zone="Asia/Shanghai",
)


def route(
    name: str,
    path: str,
    *receivers: int,
    matcher: Matcher | None = None,
    hours: Calendar | None = None,
) -> Route:
    return Route(
        id=1,
        name=name,
        area_id=1,
        area_path=path,
        matcher=matcher or Matcher(),
        receivers=receivers,
        hours=hours,
    )


def receivers(
    *routes: Route, holidays: Mapping[date, Holiday] | None = None
) -> dict[int, list[str]]:
    named = [RuleReceiver(rule_id=5, rule_name="offline", receiver_id=1)]
    return find_receivers(build_book(named, routes, NOW, holidays or {}), FACTS)


def test_one_receiver_hears_all_the_reasons() -> None:
    found = receivers(
        route("of the city", "city", 1, 2),
        route("of the north", "city.county.north", 2, 3),
    )
    assert found == {
        1: ["rule offline", "route of the city"],
        2: ["route of the north", "route of the city"],
        3: ["route of the north"],
    }


@pytest.mark.parametrize(
    "deaf",
    [
        route("of a neighbour", "city.county.south", 2),
        route("of a namesake", "city.county.nor", 2),
        route("of a place below", "city.county.north.gate", 2),
        route("mild", "city", 2, matcher=Matcher(severities=(Severity.INFO,))),
        route("another rule", "city", 2, matcher=Matcher(rule_ids=(6,))),
        route("another device", "city", 2, matcher=Matcher(device_ids=(8,))),
        route("another class", "city", 2, matcher=Matcher(classes=("dome",))),
        route("another tag", "city", 2, matcher=Matcher(tags=("bank",))),
    ],
    ids=lambda one: str(one.name),
)
def test_a_route_that_does_not_match_tells_nobody(deaf: Route) -> None:
    assert receivers(deaf) == {1: ["rule offline"]}


def test_a_route_tells_during_its_hours_only() -> None:
    by_day = route("day", "city", 2, hours=DAY_SHIFT)
    assert 2 in receivers(by_day)
    at_work = Calendar(
        rrule=DAY_SHIFT.rrule, duration_s=4 * 3600, time_zone="Asia/Shanghai", days=Days.WORKING
    )
    working = route("working day", "city", 2, hours=at_work)
    assert 2 not in receivers(working)
    moved = Holiday(day=date(2026, 11, 22), name="调休", is_working=True)
    assert 2 in receivers(working, holidays={moved.day: moved})


def test_hours_that_make_no_sense_keep_nobody_from_being_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = Calendar(rrule="FREQ=SOMETIMES", duration_s=60, time_zone="Asia/Shanghai")
    assert 2 in receivers(route("broken", "city", 2, hours=broken))
    assert "cannot be used" in caplog.text


@pytest.mark.parametrize(
    ("severity", "step", "uplink", "wait"),
    [
        (Severity.CRITICAL, Step.FIRED, None, AT_ONCE),
        (Severity.CRITICAL, Step.FIRED, 7, GATHER),
        (Severity.CRITICAL, Step.ESCALATED, 7, GATHER),
        (Severity.CRITICAL, Step.ESCALATED, None, AT_ONCE),
        (Severity.CRITICAL, Step.RESOLVED, None, GATHER),
        (Severity.WARNING, Step.FIRED, None, GATHER),
    ],
)
def test_what_is_critical_and_new_goes_at_once_unless_an_uplink_may_explain_it(
    severity: Severity, step: Step, uplink: int | None, wait: object
) -> None:
    facts = AlertFacts(
        alert_id=1, rule_id=1, severity=severity, area_id=1, area_path="city", parent_id=uplink
    )
    assert gathering_time(facts, step) == wait


KNOWN = [
    AreaReceiver(id=1, area_path="city.county", is_failing=True),
    AreaReceiver(id=2, area_path="city.county", is_failing=False),
    AreaReceiver(id=3, area_path="city", is_failing=False),
    AreaReceiver(id=4, area_path="elsewhere", is_failing=False),
    AreaReceiver(id=5, area_path="city", is_failing=True),
]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        pytest.param({1: ["r"], 2: ["r"]}, {2: ["r"]}, id="somebody else is named"),
        pytest.param({1: ["r"], 4: ["r"]}, {4: ["r"]}, id="wherever he is"),
        pytest.param(
            {1: ["r"]}, {2: [NO_OTHER_CHANNEL], 3: [NO_OTHER_CHANNEL]}, id="only the dead one"
        ),
        pytest.param({}, {2: [NO_OTHER_CHANNEL], 3: [NO_OTHER_CHANNEL]}, id="nobody"),
        pytest.param(
            {1: ["r"], 5: ["r"]},
            {5: ["r"], 2: [NO_OTHER_CHANNEL], 3: [NO_OTHER_CHANNEL]},
            id="only dead ones",
        ),
    ],
)
def test_a_dead_channel_is_told_of_on_another(
    named: dict[int, list[str]], told: dict[int, list[str]]
) -> None:
    assert find_substitutes(named, 1, "city.county", KNOWN) == told


def test_when_every_channel_is_dead_each_of_the_others_gets_it() -> None:
    known = [AreaReceiver(id=number, area_path="city", is_failing=True) for number in (1, 2, 3)]
    assert set(find_substitutes({1: ["r"]}, 1, "city", known)) == {2, 3}


def test_the_line_of_an_area_goes_up_to_its_root() -> None:
    assert list(area_line("a.b.c")) == ["a.b.c", "a.b", "a"]
    assert list(area_line("")) == []
