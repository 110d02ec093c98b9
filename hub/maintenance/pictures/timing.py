"""When a camera is looked at again, and which visits take several frames. Pure but for chance."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    UnsupportedByDevice,
)
from hub.domain.quality import Index, PictureState, Thresholds
from hub.maintenance.pictures.transitions import Step

FIRST_RETRY_S: Final = 300.0
BUSY_RETRY_S: Final = 900.0
# Looks of cameras that were added together drift apart, and never come later than asked for.
EARLIER: Final = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """How many frames a visit takes, and how far apart."""

    count: int = 1
    spacing_s: float = 1.0


ONE: Final = Frames()
# Freeze: a second apart at the least (streams/quality/freeze.py). Jitter: three at the least.
STILL: Final = Frames(count=2, spacing_s=1.5)
BURST: Final = Frames(count=5, spacing_s=0.4)


def frames_of(state: PictureState, thresholds: Thresholds, at: datetime, zone: tzinfo) -> Frames:
    """Return what a visit takes: one frame, more where something is to be followed up.

    Jitter is looked for once a day, in the hour of the site that falls to the camera.
    """
    concerned: Collection[Index] = {*state.faults, *state.suspects}
    if thresholds.get(Index.JITTER) is not None and (
        Index.JITTER in concerned or at.astimezone(zone).hour == state.device_id % 24
    ):
        return BURST
    return STILL if Index.FREEZE in concerned else ONE


def wait_after_check_s(step: Step, interval_s: float, rng: random.Random) -> float:
    """Seconds until the next look after one that was made."""
    wait_s = interval_s * (1 - EARLIER * rng.random())
    return wait_s if step.recheck_in_s is None else min(wait_s, step.recheck_in_s)


def wait_after_failure_s(
    state: PictureState, error: DeviceError | None, at: datetime, interval_s: float
) -> float:
    """Seconds until the next try after one that gave no picture; ``error`` None: our own defect.

    Doubled from try to try, never longer than the interval. What will not get better by trying
    (a refused password may even lock the account) waits for the whole of it.
    """
    if error is None or isinstance(error, AuthRejected | AddressRefused | UnsupportedByDevice):
        return interval_s
    first_s = BUSY_RETRY_S if isinstance(error, DeviceBusy) else FIRST_RETRY_S
    wait_s = first_s
    if state.unseen and state.tried_at is not None:
        wait_s = max(first_s, 2 * (at - state.tried_at).total_seconds())
    return min(wait_s, interval_s)
