"""The second look: a supervisor looks again at a random share of what was judged.

The share is drawn when a stop is judged, so that nobody knows before which stops it will be.
"""

import random
from dataclasses import dataclass
from datetime import datetime

from hub.domain.access import Scope
from hub.domain.errors import Conflict, Invalid
from hub.domain.patrol_details import PlanDetails
from hub.domain.patrols import PatrolStop, Result, SecondLook
from hub.patrols.walking.judging import clean_note
from hub.store import round_deeds, rounds, second_looks, stop_results
from hub.store.database import Transaction
from hub.store.patrol_evidence import seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a supervisor says of a stop; ``picture_sha256`` names the picture he saw."""

    agrees: bool
    note: str = ""
    picture_sha256: str = ""


def draw(details: PlanDetails, result: Result, rng: random.Random) -> SecondLook:
    """Draw whether a stop that is judged now is looked at again."""
    is_drawn = rng.random() < details.second_share
    is_judged = result in {Result.NORMAL, Result.ABNORMAL}
    return SecondLook.WANTED if is_drawn and is_judged else SecondLook.NONE


async def second_look(
    tx: Transaction, scope: Scope, round_id: int, position: int, said: Opinion, now: datetime
) -> PatrolStop:
    """Agree or disagree with what was made of a stop; the result itself stays as it is.

    Raises:
        NotFound: the stop lies outside the scope.
        Conflict: it is not wanted, somebody did it, it is the judge himself, or the picture is
            another one than he saw.
        Invalid: he disagrees and does not say why.
    """
    note = clean_note(said.note)
    stop = await stop_results.get_stop(tx, scope, round_id, position)
    walk = await rounds.lock_round(tx, scope, round_id)
    _check(stop, said, note)
    judge = await second_looks.judged_by_id(tx, scope, round_id, position)
    if judge is not None and judge == scope.user_id:
        msg = "you judged this stop: somebody else takes the second look"
        raise Conflict(msg)
    look = SecondLook.AGREED if said.agrees else SecondLook.DISAGREED
    is_kept = await second_looks.keep_second_look(tx, scope, stop, look, note=note, now=now)
    if walk is None or not is_kept:
        msg = "somebody took this second look already"
        raise Conflict(msg)
    deed = round_deeds.Deed(
        what="second_look",
        now=now,
        position=position,
        body={"look": look.value, "note": note, "picture": stop.picture_sha256},
    )
    await round_deeds.write_down(tx, scope, walk, deed)
    if walk.is_over:  # its seal covers what stood then: seal again what came after
        await seal(tx, scope, round_id, now)
    return await stop_results.get_stop(tx, scope, round_id, position)


def _check(stop: PatrolStop, said: Opinion, note: str) -> None:
    if stop.second_look is not SecondLook.WANTED:
        msg = (
            f"{stop.second_by} took this second look already"
            if stop.second_by
            else "nobody asked for a second look at this stop"
        )
        raise Conflict(msg)
    if said.picture_sha256 != stop.picture_sha256:
        msg = "this is not the picture that was judged: look at it again"
        raise Conflict(msg)
    if not said.agrees and not note:
        msg = "say why you disagree"
        raise Invalid(msg, field="note")
