"""Which step follows which: the whole table, and what a phone may say twice."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.dispatches import OVER, Cause, Dispatch, DispatchState, Priority, next_deadline
from hub.domain.errors import Conflict, Invalid
from hub.patrols.dispatch.life import check_note
from hub.patrols.dispatch.states import (
    ALLOWED_IN,
    IN_FIELD,
    LEADS_TO,
    WAITING,
    WORDS,
    DeskStep,
    FieldStep,
    allowed_steps,
    check_step,
    is_repeat,
)

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
# state → what each step leads to; what is not here is refused.
TABLE: dict[str, dict[str, str]] = {
    "new": {"send": "sent", "cancel": "cancelled", "merge": "merged"},
    "sent": {
        "accept": "accepted", "refuse": "refused", "send": "sent", "take_back": "returned",
        "cancel": "cancelled", "merge": "merged",
    },
    "accepted": {
        "refuse": "refused", "on_the_way": "on_the_way", "on_site": "on_site", "send": "sent",
        "take_back": "returned", "cancel": "cancelled", "merge": "merged",
    },
    "on_the_way": {
        "on_site": "on_site", "send": "sent", "take_back": "returned", "cancel": "cancelled",
        "merge": "merged",
    },
    "on_site": {
        "done": "done", "send": "sent", "take_back": "returned", "cancel": "cancelled",
        "merge": "merged",
    },
    "done": {
        "verify": "verified", "send": "sent", "take_back": "returned", "cancel": "cancelled",
        "merge": "merged",
    },
    "refused": {"send": "sent", "cancel": "cancelled", "merge": "merged"},
    "returned": {"send": "sent", "cancel": "cancelled", "merge": "merged"},
    "verified": {},
    "cancelled": {},
    "merged": {},
}  # fmt: skip


def task(state: DispatchState) -> Dispatch:
    return Dispatch(
        id=1, area_id=1, area_path="a", area_name="A", title="t", text="", kind="other",
        priority=Priority.NORMAL, state=state, cause=Cause(), created_at=NOW, created_by="li",
    )  # fmt: skip


def test_every_step_out_of_every_state() -> None:
    found: dict[str, dict[str, str]] = {}
    for state in DispatchState:
        found[state.value] = {}
        for step in (*FieldStep, *DeskStep):
            if step in allowed_steps(state):
                found[state.value][step.value] = check_step(state, step).value
            else:
                with pytest.raises(Conflict, match=f"is {WORDS[state]}: "):
                    check_step(state, step)
    assert found == TABLE


def test_the_states_fall_into_parts() -> None:
    assert WAITING | IN_FIELD | OVER | {DispatchState.DONE} == set(DispatchState)
    assert len(WAITING) + len(IN_FIELD) + len(OVER) + 1 == len(DispatchState)
    assert LEADS_TO.keys() == ALLOWED_IN.keys() == {*FieldStep, *DeskStep}


@pytest.mark.parametrize(
    ("state", "step", "expected"),
    [
        (DispatchState.ACCEPTED, FieldStep.ACCEPT, True),
        (DispatchState.ON_SITE, FieldStep.ACCEPT, True),
        (DispatchState.ON_SITE, FieldStep.ON_THE_WAY, True),
        (DispatchState.DONE, FieldStep.DONE, True),
        (DispatchState.ON_SITE, FieldStep.DONE, False),
        (DispatchState.SENT, FieldStep.ACCEPT, False),
        (DispatchState.ACCEPTED, FieldStep.REFUSE, False),
        (DispatchState.REFUSED, FieldStep.REFUSE, False),
        (DispatchState.VERIFIED, FieldStep.DONE, False),
        (DispatchState.CANCELLED, FieldStep.ACCEPT, False),
    ],
)
def test_what_is_said_again(state: DispatchState, step: FieldStep, *, expected: bool) -> None:
    assert is_repeat(task(state), step) is expected


def test_the_deadline_is_the_first_of_those_to_come() -> None:
    accept, arrive, done = (NOW + timedelta(minutes=m) for m in (10, 30, 60))

    def due(state: DispatchState, **changes: datetime | None) -> datetime | None:
        times = {"accept_by": accept, "arrive_by": arrive, "done_by": done} | changes
        return next_deadline(state, **times)

    expected = dict.fromkeys(WAITING | {DispatchState.SENT}, accept)
    expected |= dict.fromkeys((DispatchState.ACCEPTED, DispatchState.ON_THE_WAY), arrive)
    expected[DispatchState.ON_SITE] = done
    for state in DispatchState:
        assert due(state) == expected.get(state), state
    # Where one is not set the next one counts.
    assert due(DispatchState.SENT, accept_by=None) == arrive
    assert due(DispatchState.ACCEPTED, arrive_by=None) == done
    assert due(DispatchState.ON_SITE, done_by=None) is None
    assert due(DispatchState.NEW, accept_by=None, arrive_by=None, done_by=None) is None


def test_notes() -> None:
    assert check_note("  seen \n") == "seen"
    for bad in ("x" * 2001, "a\x00b"):
        with pytest.raises(Invalid, match="at most 2000"):
            check_note(bad)
    with pytest.raises(Invalid, match="say why"):
        check_note(" \n", needed="say why")
