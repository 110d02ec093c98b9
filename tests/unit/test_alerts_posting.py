"""What a receiver gets next, how long attempts are put off, and when a channel is dead."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.telling.posting import (
    FAILURES,
    FARTHEST,
    GIVE_UP_AFTER,
    PRESSING,
    RETRY_WAITS_S,
    SILENT_FOR,
    SPACING,
    Deed,
    Make,
    MakeTest,
    Refuse,
    Send,
    Wait,
    count_attempt,
    is_due,
    news_of,
    next_deed,
    retry_wait,
)
from hub.store.messages import Outcome, Posting
from hub.store.receiver_health import ReceiverHealth, ReceiverNews

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
DUE = NOW - timedelta(seconds=1)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def posting(
    *,
    waiting: int = 0,
    due_at: datetime | None = DUE,
    made: int = 0,
    last_s: float = -30,
    most: int = 12,
    is_enabled: bool = True,
) -> Posting:
    """Nothing under way; ``made`` messages in this minute, the last one at ``last_s``."""
    return Posting(
        is_enabled=is_enabled,
        is_removed=False,
        most_a_minute=most,
        waiting=waiting,
        due_at=due_at if waiting else None,
        made_in_minute=made,
        first_made_at=after(-40) if made else None,
        last_made_at=after(last_s) if made else None,
    )


@pytest.mark.parametrize(
    ("stands", "deed"),
    [
        pytest.param(posting(), Wait(), id="nothing waits"),
        pytest.param(posting(waiting=1), Make(is_digest=False), id="a lone one goes at once"),
        pytest.param(posting(waiting=3), Make(is_digest=False), id="three go one by one"),
        pytest.param(posting(waiting=4), Make(is_digest=True), id="four become a digest"),
        pytest.param(
            posting(waiting=1, due_at=after(2)), Wait(until=after(2)), id="it gathers others"
        ),
        pytest.param(
            posting(waiting=2, due_at=NOW, made=1, last_s=-1),
            Wait(until=after(-1) + SPACING),
            id="what comes right after a message gathers, too",
        ),
        pytest.param(
            posting(waiting=2, due_at=after(-5), made=1, last_s=0),
            Make(is_digest=False),
            id="what waited before the last message follows it",
        ),
        pytest.param(
            posting(waiting=2, made=11), Make(is_digest=True), id="the last of a minute takes all"
        ),
        pytest.param(
            posting(waiting=1, made=11), Make(is_digest=False), id="the last of a minute takes one"
        ),
        pytest.param(
            posting(waiting=2, made=12), Wait(until=after(20)), id="the minute is used up"
        ),
        pytest.param(
            posting(waiting=900, made=1, most=1), Wait(until=after(20)), id="one in a minute"
        ),
        pytest.param(
            posting(waiting=5, is_enabled=False),
            Refuse(reason="the receiver is switched off"),
            id="switched off",
        ),
        pytest.param(posting(is_enabled=False), Wait(), id="switched off, nothing waits"),
    ],
)
def test_what_is_next(stands: Posting, deed: Deed) -> None:
    assert next_deed(stands, NOW) == deed


def under_way(
    *,
    next_at: datetime = NOW,
    is_test: bool = False,
    is_enabled: bool = True,
    is_removed: bool = False,
    waiting: int = 50,
) -> Posting:
    return Posting(
        is_enabled=is_enabled,
        is_removed=is_removed,
        most_a_minute=1,
        message=7,
        is_test=is_test,
        next_at=next_at,
        waiting=waiting,
        due_at=DUE if waiting else None,
        made_in_minute=1,
        first_made_at=NOW,
        last_made_at=NOW,
    )


def test_one_message_at_a_time() -> None:
    assert next_deed(under_way(), NOW) == Send(message=7)
    assert next_deed(under_way(next_at=after(5)), NOW) == Wait(until=after(5))


def test_the_message_under_way_is_given_up_with_its_receiver() -> None:
    assert isinstance(next_deed(under_way(is_enabled=False), NOW), Refuse)
    removed = next_deed(under_way(is_removed=True, is_enabled=False), NOW)
    assert removed == Refuse(reason="the receiver was removed")


def test_a_receiver_is_tried_before_it_is_switched_on() -> None:
    wanted = Posting(is_enabled=False, is_removed=False, most_a_minute=1, is_test_wanted=True)
    assert next_deed(wanted, NOW) == MakeTest()
    test = under_way(is_enabled=False, is_test=True, waiting=0)
    assert next_deed(test, NOW) == Send(message=7)


@pytest.mark.threat("K10")
def test_a_clock_set_back_by_hours_holds_nothing_up() -> None:
    """What was put off by the old clock is due, not due in hours."""
    late = NOW + timedelta(hours=8)
    assert next_deed(under_way(next_at=late), NOW) == Send(message=7)
    assert next_deed(posting(waiting=1, due_at=late), NOW) == Make(is_digest=False)
    assert not is_due(NOW + FARTHEST, NOW)


@settings(max_examples=50)
@given(
    waiting=st.integers(1, 1000),
    made=st.integers(0, 700),
    most=st.integers(1, 600),
    last_s=st.floats(-59, 0),
    due_s=st.floats(-3600, 3600),
)
def test_the_rate_holds_and_what_is_put_off_has_a_time(
    waiting: int, made: int, most: int, last_s: float, due_s: float
) -> None:
    stands = posting(waiting=waiting, due_at=after(due_s), made=made, last_s=last_s, most=most)
    deed = next_deed(stands, NOW)
    if isinstance(deed, Make):
        assert made < most
        # Singles never use up the minute while others wait.
        assert deed.is_digest or waiting <= most - made
    else:
        assert isinstance(deed, Wait)
        assert deed.until is not None
        assert deed.until > NOW or made >= most


def test_attempts_are_put_off_longer_and_longer_for_more_than_two_hours() -> None:
    age = timedelta()
    waits: list[timedelta] = []
    while (wait := retry_wait(len(waits) + 1, age, None)) is not None:
        waits.append(wait)
        age += wait
    assert waits == [timedelta(seconds=wait) for wait in RETRY_WAITS_S]
    assert waits == sorted(waits)
    assert age == GIVE_UP_AFTER > timedelta(hours=2)


def test_attempts_made_sooner_do_not_use_up_the_time() -> None:
    """While something critical presses there are more of them."""
    assert retry_wait(100, timedelta(hours=1), None) == timedelta(hours=1)
    assert retry_wait(100, GIVE_UP_AFTER, None) is None
    assert retry_wait(100, GIVE_UP_AFTER, 5) is None


@pytest.mark.parametrize(
    ("attempts", "asked", "waits"),
    [
        (1, 0, 1),
        (1, -3, 1),
        (1, 30, 30),
        (1, 1e12, 3600),
        (1, float("inf"), 3600),
        (1, float("nan"), 1),
        (8, 5, 60),  # it has asked for a moment for an hour: no more than once a minute
        (8, 100, 100),
    ],
)
def test_what_the_receiver_asks_for_counts_within_reason(
    attempts: int, asked: float, waits: float
) -> None:
    assert retry_wait(attempts, timedelta(), asked) == timedelta(seconds=waits)


def test_something_critical_behind_a_message_has_it_tried_sooner() -> None:
    put_off = replace(under_way(next_at=after(2400)), tried_at=after(-30))
    assert next_deed(put_off, NOW) == Wait(until=after(2400))
    pressing = replace(put_off, is_pressing=True)
    assert next_deed(pressing, NOW) == Wait(until=after(-30) + PRESSING)
    assert next_deed(replace(pressing, tried_at=after(-60)), NOW) == Send(message=7)
    assert next_deed(replace(pressing, next_at=after(5)), NOW) == Wait(until=after(5))
    # What the receiver asked for himself is never cut short.
    asked = replace(pressing, tried_at=after(-60), is_asked=True)
    assert next_deed(asked, NOW) == Wait(until=after(2400))


def fail(times: int, apart_s: float, outcome: Outcome = Outcome.TRY_AGAIN) -> ReceiverHealth:
    health = ReceiverHealth()
    for number in range(times):
        health = count_attempt(health, outcome, after(number * apart_s))
    return health


def test_a_channel_is_dead_after_three_failures_and_two_minutes() -> None:
    assert fail(FAILURES, 10).failing_since is None  # a restart of the receiver's server
    assert fail(FAILURES - 1, 600).failing_since is None
    assert fail(FAILURES, SILENT_FOR.total_seconds() / 2).failing_since == NOW
    assert fail(20, 1).failing_since is None


def test_two_refusals_in_a_row_are_enough() -> None:
    assert fail(1, 1, Outcome.REJECTED).failing_since is None
    assert fail(2, 1, Outcome.REJECTED).failing_since == NOW
    refused_at_last = count_attempt(fail(2, 1), Outcome.REJECTED, after(5))
    assert refused_at_last.failing_since == NOW


def test_a_success_ends_it_and_each_change_is_told_once() -> None:
    before = ReceiverHealth()
    told: list[ReceiverNews] = []
    outcomes = [*[Outcome.TRY_AGAIN] * 9, Outcome.DELIVERED, Outcome.DELIVERED]
    for number, outcome in enumerate(outcomes):
        now = count_attempt(before, outcome, after(60 * number))
        told += news_of(before, now)
        before = now
    assert told == [ReceiverNews.FAILING, ReceiverNews.WORKING]
    assert before == ReceiverHealth()


def test_a_template_that_fails_is_told_once_whatever_the_channel_does() -> None:
    well, bad = ReceiverHealth(), ReceiverHealth(is_template_failing=True)
    assert news_of(well, bad) == [ReceiverNews.TEMPLATE_FAILED]
    assert news_of(bad, bad) == []
    assert news_of(bad, well) == [ReceiverNews.TEMPLATE_MENDED]
    assert count_attempt(bad, Outcome.DELIVERED, NOW).is_template_failing


@pytest.mark.threat("K10")
def test_a_clock_set_back_does_not_make_an_outage_last_for_ever() -> None:
    health = fail(2, 1)
    health = count_attempt(health, Outcome.TRY_AGAIN, NOW - timedelta(hours=8))
    assert health.failing_since is None
    health = count_attempt(health, Outcome.TRY_AGAIN, NOW - timedelta(hours=8) + SILENT_FOR)
    assert health.failing_since is not None
