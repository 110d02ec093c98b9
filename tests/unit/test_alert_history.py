"""The account of an alert: who is told of a step and why, and why nobody is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hub.domain.alerts import AlertStep, Step
from hub.store.alert_history import NO_RECEIVER, LineKind, ToldLine, tell_steps

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def step(number: int, what: Step, seconds: float = 0, note: str = "") -> AlertStep:
    at = NOW + timedelta(seconds=seconds)
    return AlertStep(id=number, alert_id=1, at=at, actor="hub.alerts", step=what, note=note)


def account(steps: list[AlertStep], told: list[ToldLine]) -> list[tuple[LineKind, str, str, str]]:
    return [(line.kind, line.what, line.who, line.text) for line in tell_steps(steps, told)]


def test_who_is_told_follows_the_step_with_why() -> None:
    steps = [step(1, Step.FIRED, note="offline"), step(2, Step.ACKNOWLEDGED, 9)]
    told = [ToldLine(step_id=1, status="waiting", receiver="duty room", why="rule Cameras")]
    assert account(steps, told) == [
        (LineKind.STEP, "fired", "hub.alerts", "offline"),
        (LineKind.TOLD, "waiting", "duty room", "rule Cameras"),
        (LineKind.STEP, "acknowledged", "hub.alerts", ""),
    ]


def test_why_nobody_is_told_is_said() -> None:
    steps = [
        step(1, Step.FIRED),
        step(2, Step.FOLDED, note="behind uplink X"),
        step(3, Step.REPEATED, 60),
        replace(step(4, Step.SILENCED, 90, "silenced by wang"), actor="wang"),
        step(5, Step.RESOLVED, 99),
    ]
    untold = [line for line in account(steps, []) if line[0] is LineKind.UNTOLD]
    assert untold == [
        (LineKind.UNTOLD, "fired", "", "behind uplink X"),
        (LineKind.UNTOLD, "repeated", "", NO_RECEIVER),
    ]
