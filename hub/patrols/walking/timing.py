"""How a person's judgement of a stop kept its time. Pure: no clock, no database."""

from datetime import datetime, timedelta

from hub.domain.patrols import PatrolMode, PatrolRound, PatrolStop, Timing


def time_stop(
    walk: PatrolRound, stop: PatrolStop, *, at: datetime, has_open_before: bool
) -> Timing:
    """Tell how a stop that a person judges at ``at`` kept its time.

    What was paused is taken off: nobody is late for a pause. That a round's window is over
    counts by the clock on the wall, because the window does not move.

    Args:
        walk: The round, with what was paused of it so far.
        stop: The stop; one without a time is always on time.
        at: When it was judged.
        has_open_before: Whether a stop before it could have been judged and is open. It means
            something only where people walk in order, not where the machine sorts by doubt.
    """
    if walk.ends_by is not None and at > walk.ends_by:
        return Timing.MISSED
    off = timedelta() if stop.due_at is None else working_time(walk, at) - stop.due_at
    tolerance = timedelta(seconds=walk.details.tolerance_s)
    if off > tolerance:
        return Timing.LATE
    # Whoever jumps ahead is early as well: that he jumped says more.
    if has_open_before and walk.mode is PatrolMode.WALK:
        return Timing.OUT_OF_ORDER
    return Timing.EARLY if off < -tolerance else Timing.ON_TIME


def working_time(walk: PatrolRound, at: datetime) -> datetime:
    """Return ``at`` on the clock that stands still while the round is paused."""
    return at - timedelta(seconds=paused_until(walk, at))


def paused_until(walk: PatrolRound, at: datetime) -> float:
    """Seconds paused up to ``at``, with the pause that lasts; a clock set back takes none off."""
    lasting = 0.0 if walk.paused_at is None else (at - walk.paused_at).total_seconds()
    return walk.paused_s + max(0.0, lasting)
