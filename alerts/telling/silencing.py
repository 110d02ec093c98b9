"""Which silences cover an alert, and until when nobody is told of it.

The latest end counts, of every silence that covers an alert and of its snooze. A silence keeps
people from being told anew; whoever was told that an alert fired still gets its end.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.matchers import AlertFacts, is_match
from hub.domain.silences import Silence
from hub.store.alert_quiet import Quiet, QuietState, lengthen_quiet, quiet_states, set_quiet
from hub.store.database import Transaction
from hub.store.silences import silences_in_force


class SilenceIndex:
    """Silences by area: an alert is compared with those above it only."""

    def __init__(self, silences: Sequence[Silence]) -> None:
        self._at: defaultdict[str, list[Silence]] = defaultdict(list)
        for silence in silences:
            self._at[silence.area_path].append(silence)

    def find_last(self, facts: AlertFacts) -> Silence | None:
        """Of the silences that cover an alert, return the one that ends last."""
        found = [
            silence
            for path in _ancestors(facts.area_path)
            for silence in self._at.get(path, ())
            if is_match(silence.matcher, silence.area_path, facts)
        ]
        return max(found, key=lambda silence: (silence.ends_at, -silence.id), default=None)


async def hush(
    tx: Transaction, scope: Scope, facts: Sequence[AlertFacts], now: datetime
) -> set[int]:
    """Keep alerts quiet that a silence covers; return their numbers.

    Call it before anybody is told that they fired, in a transaction that holds the engine's
    cursor.
    """
    covered = _covered(await silences_in_force(tx, scope, now), facts)
    await lengthen_quiet(tx, scope, covered, now)
    return {quiet.alert_id for quiet in covered}


async def settle(
    tx: Transaction, scope: Scope, facts: Sequence[AlertFacts], now: datetime
) -> set[int]:
    """Work out anew until when these alerts are quiet; return those that are quiet now.

    One that was quiet and is covered no longer becomes due now:
    :class:`alerts.handling.quieting.QuietEnds` tells of it.
    """
    in_force = _covered(await silences_in_force(tx, scope, now), facts)
    covered = {quiet.alert_id: quiet for quiet in in_force}
    states = await quiet_states(tx, scope, [one.alert_id for one in facts])
    wanted = [
        quiet
        for state in states
        if (quiet := decide_quiet(state, covered.get(state.alert_id), now)) is not None
    ]
    await set_quiet(tx, scope, wanted, now)
    return {quiet.alert_id for quiet in wanted if quiet.until > now}


def decide_quiet(state: QuietState, silenced: Quiet | None, now: datetime) -> Quiet | None:
    """Join snooze and silences of one alert; None when it was not quiet and stays so. Pure."""
    candidates = [] if silenced is None else [silenced]
    if state.snoozed_until is not None and state.snoozed_until > now:
        reason = f"snoozed by {state.snoozed_by}"
        candidates.append(Quiet(alert_id=state.alert_id, until=state.snoozed_until, reason=reason))
    if candidates:
        return max(candidates, key=lambda quiet: quiet.until)
    if state.quiet_until is None:
        return None
    until = min(state.quiet_until, now)
    return Quiet(alert_id=state.alert_id, until=until, reason=state.quiet_reason)


def count_covered(silences: Sequence[Silence], facts: Collection[AlertFacts]) -> dict[int, int]:
    """How many of these alerts each silence covers, by its number. Pure."""
    return {
        silence.id: sum(is_match(silence.matcher, silence.area_path, one) for one in facts)
        for silence in silences
    }


def _covered(silences: Sequence[Silence], facts: Sequence[AlertFacts]) -> list[Quiet]:
    index = SilenceIndex(silences)
    return [
        Quiet(alert_id=one.alert_id, until=last.ends_at, reason=_describe(last))
        for one in facts
        if (last := index.find_last(one)) is not None
    ]


def _describe(silence: Silence) -> str:
    return f"silenced by {silence.author} (silence {silence.id}): {silence.reason}"


def _ancestors(path: str) -> Iterator[str]:
    """The path and everything above it: "a.b" gives "a.b" and "a"."""
    while path:
        yield path
        path = path.rpartition(".")[0]
