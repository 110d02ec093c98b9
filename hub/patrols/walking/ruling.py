"""What becomes of a stop once the machine has looked: its own result, or a person's task. Pure."""

import random
from datetime import datetime, timedelta

from hub.domain.patrols import (
    PatrolMode,
    PatrolRound,
    PatrolStop,
    Result,
    Timing,
    Verdict,
)
from hub.patrols.walking.orders import DOUBTFUL
from hub.patrols.walking.second_look import draw
from hub.store.stop_looks import Ruling
from hub.store.stops import StopResult


def rule(walk: PatrolRound, stop: PatrolStop, found: StopResult, *, rng: random.Random) -> Ruling:
    """Tell whether a person judges a stop, and what the machine makes of it where none does.

    What the machine would call it stands in the kind of an open stop: a proposal.
    """
    if is_for_person(walk.mode, stop, found):
        return Ruling(is_for_person=True, kind=found.kind)
    is_normal = found.verdict is Verdict.SEEN and found.doubt < DOUBTFUL
    # What the machine can give no name is nobody's finding: it could not judge, and says why.
    wrong = Result.ABNORMAL if found.kind else Result.NOT_JUDGED
    result = Result.NORMAL if is_normal else wrong
    return Ruling(
        result=result,
        kind="" if is_normal else found.kind,
        timing=time_look(walk, stop, found.at),
        second_look=draw(walk.details, result, rng),
    )


def is_for_person(mode: PatrolMode, stop: PatrolStop, found: StopResult) -> bool:
    """Tell whether a stop that was looked at is left to a person."""
    match mode:
        case PatrolMode.MACHINE:
            return stop.is_for_person  # somebody had it looked at again
        case PatrolMode.WALK:
            return True
        case PatrolMode.MIXED | PatrolMode.SAMPLED:
            return stop.is_for_person or stop.is_drawn or found.doubt >= DOUBTFUL


def time_look(walk: PatrolRound, stop: PatrolStop, at: datetime) -> Timing:
    """Tell how a stop that the machine settles alone kept its time.

    The machine is never early: it waits for nobody, and the window is the whole round's.
    """
    if walk.ends_by is not None and at > walk.ends_by:
        return Timing.MISSED
    if stop.due_at is None:
        return Timing.ON_TIME
    is_late = at > stop.due_at + timedelta(seconds=walk.details.tolerance_s)
    return Timing.LATE if is_late else Timing.ON_TIME
