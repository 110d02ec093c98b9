"""What a receiver gets next, and whether he can be reached at all. Pure.

One message at a time: while one is under way, what comes meanwhile waits and becomes a digest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from hub.store.messages import Outcome, Posting
from hub.store.receiver_health import ReceiverHealth, ReceiverNews

# Waits after each failed attempt. About three hours in all: longer than most outages of a mail
# or chat server.
RETRY_WAITS_S: Final[Sequence[float]] = (1, 5, 15, 60, 120, 300, 600, 1200, 2400, 3600)
LONGEST_WAIT_S: Final = 3600.0
GIVE_UP_AFTER: Final = timedelta(seconds=sum(RETRY_WAITS_S))
# A receiver who asks for less than this is not tried more often than once in it for long.
SOON_S: Final = 60.0
# While something critical waits behind a message, it is tried at least so often: perhaps the
# receiver is back.
PRESSING: Final = timedelta(seconds=60)

# So many waiting notifications go one by one; more become a digest.
MOST_SINGLES: Final = 3
# After a message, what comes new waits so long for its like; with the queue's second it still
# leaves within 5 s.
SPACING: Final = timedelta(seconds=2)
MINUTE: Final = timedelta(seconds=60)
# Nothing is put off longer on purpose: what is due later than this means that the clock was
# set back.
FARTHEST: Final = timedelta(seconds=LONGEST_WAIT_S + 60)

# A receiver is dead after so many failures in a row and so long without success, whichever is
# later: a restart of his server is neither. A refusal is an answer, not a blip: when it is the
# second failure in a row he is dead at once.
FAILURES: Final = 3
SILENT_FOR: Final = timedelta(minutes=2)
FAILURES_WITH_REFUSAL: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Try to deliver the message under way."""

    message: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """Make a message of the oldest notification, or of all that wait."""

    is_digest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeTest:
    """Make the test message somebody asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Give up whatever waits, and say why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Look again then; None: nothing waits."""

    until: datetime | None = None


Deed = Send | Make | MakeTest | Refuse | Wait


def next_deed(posting: Posting, now: datetime) -> Deed:
    """Decide what to do for one receiver now."""
    has_work = posting.waiting > 0 or (posting.message is not None and not posting.is_test)
    if has_work and not (posting.is_enabled and not posting.is_removed):
        removed = "the receiver was removed"
        return Refuse(reason=removed if posting.is_removed else "the receiver is switched off")
    if posting.message is not None:
        due = _next_attempt(posting, now)
        return Send(message=posting.message) if is_due(due, now) else Wait(until=due)
    if posting.is_test_wanted and not posting.is_removed:
        return MakeTest()
    return _gather(posting, now)


def is_due(at: datetime, now: datetime) -> bool:
    """Tell whether something put off is due; also when the clock was set back meanwhile."""
    return at <= now or at > now + FARTHEST


def retry_wait(attempts: int, age: timedelta, after_s: float | None) -> timedelta | None:
    """How long to wait after so many attempts at a message; None: that was the last one.

    What the receiver asked for himself counts, within reason.
    """
    if attempts > len(RETRY_WAITS_S) and age >= GIVE_UP_AFTER:
        return None
    ours = RETRY_WAITS_S[min(attempts, len(RETRY_WAITS_S)) - 1]
    if after_s is None or math.isnan(after_s):
        return timedelta(seconds=ours)
    return timedelta(seconds=min(max(after_s, min(ours, SOON_S)), LONGEST_WAIT_S))


def count_attempt(health: ReceiverHealth, outcome: Outcome, now: datetime) -> ReceiverHealth:
    """How a receiver stands after an attempt."""
    if outcome is Outcome.DELIVERED:
        return replace(health, failed_attempts=0, failed_since=None, failing_since=None)
    failures = health.failed_attempts + 1
    since = now if health.failed_since is None else min(health.failed_since, now)
    is_long = failures >= FAILURES and now - since >= SILENT_FOR
    is_refused = outcome is Outcome.REJECTED and failures >= FAILURES_WITH_REFUSAL
    failing_since = health.failing_since
    if failing_since is None and (is_long or is_refused):
        failing_since = since
    return replace(
        health, failed_attempts=failures, failed_since=since, failing_since=failing_since
    )


def news_of(before: ReceiverHealth, after: ReceiverHealth) -> list[ReceiverNews]:
    """What there is to say about a change: once when it begins, once when it is over."""
    news: list[ReceiverNews] = []
    if (before.failing_since is None) != (after.failing_since is None):
        is_over = after.failing_since is None
        news.append(ReceiverNews.WORKING if is_over else ReceiverNews.FAILING)
    if before.is_template_failing != after.is_template_failing:
        is_bad = after.is_template_failing
        news.append(ReceiverNews.TEMPLATE_FAILED if is_bad else ReceiverNews.TEMPLATE_MENDED)
    return news


def _next_attempt(posting: Posting, now: datetime) -> datetime:
    due = posting.next_at or now
    if posting.is_pressing and not posting.is_asked and posting.tried_at is not None:
        return min(due, posting.tried_at + PRESSING)
    return due


def _gather(posting: Posting, now: datetime) -> Deed:
    due = posting.due_at
    if posting.waiting == 0 or due is None:
        return Wait()
    if not is_due(due, now):
        return Wait(until=due)
    last = posting.last_made_at
    came_after = last is not None and due > last
    if last is not None and came_after and now < last + SPACING:
        return Wait(until=last + SPACING)
    free = posting.most_a_minute - posting.made_in_minute
    if free <= 0:
        return Wait(until=(posting.first_made_at or now) + MINUTE)
    return Make(is_digest=posting.waiting > min(MOST_SINGLES, free))
