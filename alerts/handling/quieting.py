"""Silences made, moved and ended by people, and what becomes of alerts when their quiet ends.

An alert that still fires when nothing keeps it quiet any more, and that nobody took, is told
again: once, also when the hub was down at that moment.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from alerts.escalation.escalating import put_off
from alerts.telling.desk import CURSOR, Telling, tell
from alerts.telling.silencing import count_covered, settle
from hub.domain.access import Scope, system_scope
from hub.domain.alerts import Step
from hub.domain.errors import Conflict, Invalid
from hub.domain.events import Severity
from hub.domain.matchers import AlertFacts, is_match
from hub.domain.ports import Clock
from hub.domain.silences import LONGEST_SILENCE, Silence, SilenceState
from hub.runtime.jobs import Jobs
from hub.runtime.stepping import Stepper
from hub.store.alert_facts import alert_facts
from hub.store.alert_quiet import due_quiet, end_quiet, next_quiet_end, open_alert_ids
from hub.store.cursors import get_cursor
from hub.store.database import Database, Transaction
from hub.store.notices import notify
from hub.store.silences import add_silence, begin_due, get_silence, move_end, next_begin_at

log = logging.getLogger(__name__)

SCOPE: Final[Scope] = system_scope("hub.alerts")
BATCH: Final = 500
# How soon a silence that somebody ended early is noticed.
POLL_S: Final = 1.0


async def make_silence(tx: Transaction, scope: Scope, wanted: Silence, now: datetime) -> Silence:
    """Make a silence; what is open and matches is quiet at once. A past beginning becomes now.

    Raises:
        NotFound: its area, a device or a rule is not there for the caller.
        Invalid: it ends too early or too late.
    """
    await get_cursor(tx, scope, CURSOR)  # no alert opens between the silence and its effect
    starts_at = max(wanted.starts_at, now)
    _check_end(starts_at, wanted.ends_at, now)
    new = replace(wanted, starts_at=starts_at)
    made = await add_silence(tx, scope, new, now=now)
    await _take_effect(tx, system_scope(scope.actor), now)
    return made


async def move_silence(
    tx: Transaction, scope: Scope, silence_id: int, ends_at: datetime, now: datetime
) -> Silence:
    """Let a silence end later or earlier than it would.

    Raises:
        NotFound: it lies outside the scope.
        Conflict: it is over.
        Invalid: it would end too early or too late.
    """
    await get_cursor(tx, scope, CURSOR)
    before = await _get_living(tx, scope, silence_id, now)
    _check_end(before.starts_at, ends_at, now)
    moved = await move_end(tx, scope, before.id, ends_at=ends_at, is_over=False)
    await _settle_matching(tx, system_scope(scope.actor), moved, now)
    return moved


async def end_silence(tx: Transaction, scope: Scope, silence_id: int, now: datetime) -> Silence:
    """End a silence now; one that has not begun never will.

    Raises:
        NotFound: it lies outside the scope.
        Conflict: it is over already.
    """
    await get_cursor(tx, scope, CURSOR)
    before = await _get_living(tx, scope, silence_id, now)
    ends_at = max(before.starts_at, now)
    ended = await move_end(tx, scope, before.id, ends_at=ends_at, is_over=True)
    await _settle_matching(tx, system_scope(scope.actor), ended, now)
    return ended


async def count_matching(
    tx: Transaction, scope: Scope, silences: Sequence[Silence]
) -> dict[int, int]:
    """How many open alerts of the scope each of these silences matches, by its number."""
    if not silences:
        return {}
    facts = await _open_facts(tx, scope, [silence.area_path for silence in silences])
    return count_covered(silences, facts)


def warn_about(silence: Silence) -> str:
    """Say it when a silence leaves nothing to be told in its area; empty otherwise. Pure."""
    matcher = silence.matcher
    is_narrow = matcher.rule_ids or matcher.device_ids or matcher.classes or matcher.tags
    if is_narrow or (matcher.severities and set(matcher.severities) != set(Severity)):
        return ""
    return (
        f"this silences everything in {silence.area_name} and below:"
        " nobody is told of any alert there, critical ones among them"
    )


class QuietEnds:
    """Lets planned silences begin, and tells again of what still fires when quiet ends.

    One coroutine, :meth:`run`; as many processes as wanted may run it: they take turns.
    """

    def __init__(self, database: Database, jobs: Jobs, clock: Clock) -> None:
        self._database = database
        self._jobs = jobs
        self._clock = clock

    async def run(self) -> None:
        """Work until cancelled; survives the loss of the database."""
        stepper = Stepper(
            step=self.step,
            clock=self._clock,
            log=log,
            lost="ends of silences cannot be dealt with",
            found="ends of silences can be dealt with again",
            poll_s=POLL_S,
        )
        await stepper.run()

    async def step(self) -> datetime | None:
        """Deal with all that is due; return when the next silence or snooze begins or ends."""
        while await self._deal():
            pass
        async with self._database.transaction() as tx:
            return await _next_at(tx, self._clock())

    async def _deal(self) -> bool:
        """Deal with a batch; False when nothing is left."""
        async with self._database.transaction() as tx:
            due_at = await _next_at(tx, self._clock())
            if due_at is None or due_at > self._clock():
                return False
            await get_cursor(tx, SCOPE, CURSOR)
            now = self._clock()
            await _take_effect(tx, SCOPE, now)
            due = await due_quiet(tx, SCOPE, now, limit=BATCH)
            facts = await alert_facts(tx, SCOPE, due)
            still = await settle(tx, SCOPE, list(facts.values()), now)
            ended = [alert_id for alert_id in due if alert_id not in still]
            await put_off(tx, SCOPE, ended, now)  # quiet time is no waiting time
            repeats = await end_quiet(tx, SCOPE, ended, now)
            tellings = [
                Telling(
                    alert_id=repeat.alert_id,
                    step=Step.REPEATED,
                    step_id=repeat.step_id,
                    because=repeat.note,
                )
                for repeat in repeats
            ]
            await tell(tx, SCOPE, self._jobs, tellings, now)
            await notify(tx, SCOPE, "alerts", due)
        return True


async def _next_at(tx: Transaction, now: datetime) -> datetime | None:
    found = (await next_quiet_end(tx, SCOPE), await next_begin_at(tx, SCOPE, now))
    return min((at for at in found if at is not None), default=None)


async def _take_effect(tx: Transaction, hub: Scope, now: datetime) -> None:
    """Let silences begin whose time has come: what is open and matches is quiet from now on."""
    begun = await begin_due(tx, hub, now)
    if not begun:
        return
    facts = await _open_facts(tx, hub, [silence.area_path for silence in begun])
    matching = [one for one in facts if _is_covered(begun, one)]
    await settle(tx, hub, matching, now)
    await notify(tx, hub, "alerts", [one.alert_id for one in matching])


async def _settle_matching(tx: Transaction, hub: Scope, silence: Silence, now: datetime) -> None:
    facts = await _open_facts(tx, hub, [silence.area_path])
    matching = [one for one in facts if _is_covered([silence], one)]
    await settle(tx, hub, matching, now)
    await notify(tx, hub, "alerts", [one.alert_id for one in matching])


async def _open_facts(tx: Transaction, scope: Scope, area_paths: Sequence[str]) -> list[AlertFacts]:
    ids = await open_alert_ids(tx, scope, sorted(set(area_paths)))
    return list((await alert_facts(tx, scope, ids)).values())


def _is_covered(silences: Sequence[Silence], facts: AlertFacts) -> bool:
    return any(is_match(silence.matcher, silence.area_path, facts) for silence in silences)


async def _get_living(tx: Transaction, scope: Scope, silence_id: int, now: datetime) -> Silence:
    found = await get_silence(tx, scope, silence_id)
    if found.state(now) is SilenceState.EXPIRED:
        who = f", ended by {found.ended_by}" if found.ended_by else ""
        msg = f"this silence is over already{who}: make another one"
        raise Conflict(msg)
    return found


def _check_end(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """A silence ends after it begins and after now, and not in a far future."""
    longest = LONGEST_SILENCE
    if not timedelta(0) < ends_at - max(starts_at, now) or ends_at - starts_at > longest:
        msg = f"a silence ends after it begins and lasts at most {longest.days} days"
        raise Invalid(msg, field="ends_at")
