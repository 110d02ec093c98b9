"""Back-off on wrong passwords: for whom, how long, and never for the innocent."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.web.throttle import ACCOUNT_ALARM, KEPT, LONGEST_S, MISTAKES_FREE, LoginThrottle

NOW = datetime(2026, 11, 22, tzinfo=UTC)
pytestmark = pytest.mark.threat("T28")


def test_a_few_mistakes_are_free_then_each_costs_twice_as_much() -> None:
    throttle = LoginThrottle()
    waits = []
    for _ in range(MISTAKES_FREE + 12):
        throttle.note_mistake("192.0.2.1", "li", NOW)
        waits.append(throttle.wait_s("192.0.2.1", NOW))
    assert waits[: MISTAKES_FREE - 1] == [0] * (MISTAKES_FREE - 1)
    assert waits[MISTAKES_FREE - 1 : MISTAKES_FREE + 3] == [1, 2, 4, 8]
    assert max(waits) == LONGEST_S


def test_a_wait_is_over_when_it_is_over() -> None:
    throttle = LoginThrottle()
    for _ in range(MISTAKES_FREE + 2):
        throttle.note_mistake("192.0.2.1", "li", NOW)
    assert throttle.wait_s("192.0.2.1", NOW + timedelta(seconds=3)) == 1
    assert throttle.wait_s("192.0.2.1", NOW + timedelta(seconds=4)) == 0


def test_an_attacked_account_stays_open_to_every_source_that_made_no_mistake() -> None:
    throttle = LoginThrottle()
    for number in range(ACCOUNT_ALARM + 5):
        throttle.note_mistake(f"192.0.2.{number}", "li", NOW)
    assert throttle.wait_s("198.51.100.1", NOW) == 0
    throttle.note_mistake("198.51.100.2", "li", NOW)
    assert throttle.wait_s("198.51.100.2", NOW) == 1  # but one mistake is enough now
    throttle.note_mistake("198.51.100.3", "wang", NOW)
    assert throttle.wait_s("198.51.100.3", NOW) == 0


def test_a_good_login_forgives_no_mistakes_with_other_accounts() -> None:
    throttle = LoginThrottle()
    for _ in range(MISTAKES_FREE):
        throttle.note_mistake("192.0.2.1", "li", NOW)
    throttle.note_success("192.0.2.1", "mallory")
    throttle.note_mistake("192.0.2.1", "li", NOW)
    assert throttle.wait_s("192.0.2.1", NOW) == 2


def test_old_mistakes_are_forgotten_and_memory_is_bounded() -> None:
    throttle = LoginThrottle()
    for _ in range(MISTAKES_FREE - 1):
        throttle.note_mistake("192.0.2.1", "li", NOW)
    later = NOW + timedelta(hours=1)
    throttle.note_mistake("192.0.2.1", "li", later)
    assert throttle.wait_s("192.0.2.1", later) == 0
    for number in range(KEPT + 100):
        throttle.note_mistake(f"source {number}", f"name {number}", later)
    assert len(throttle._sources) == KEPT
    assert len(throttle._accounts) == KEPT
