"""When which device is asked, and how deep. Pure: a function of number, intervals and time.

Every device has a phase of its own, so that the questions of any set of devices are spread
evenly over an interval, whoever asks them and whenever he was started. Times are seconds since
1970.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hub.domain.health import Depth
from hub.maintenance.intervals import Intervals

# Multiples of the golden ratio fill an interval evenly for consecutive numbers (Weyl); the other
# two keep the deep questions from falling together with each other.
_ANSWER_STEP = 0.618_033_988_749_895
_STREAM_STEP = 0.754_877_666_246_693
_FRAMES_STEP = 0.569_840_290_998_053


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One question that falls due."""

    at: float
    device_id: int
    depth: Depth


def due_in(devices: Iterable[tuple[int, Intervals]], since: float, until: float) -> Iterator[Due]:
    """Every question due from ``since`` up to, not including, ``until``, device by device.

    A device is asked at each of its moments once, as deep as is due by then.
    """
    for device_id, intervals in devices:
        for at in _moments(device_id * _ANSWER_STEP, intervals.answer_s, since, until):
            yield Due(at, device_id, _depth_at(device_id, intervals, at))


def _depth_at(device_id: int, intervals: Intervals, at: float) -> Depth:
    before = at - intervals.answer_s
    if _has_moment(device_id * _FRAMES_STEP, intervals.frames_s, before, at):
        return Depth.FRAMES
    if _has_moment(device_id * _STREAM_STEP, intervals.stream_s, before, at):
        return Depth.STREAM
    return Depth.ANSWER


def _moments(place: float, every_s: float, since: float, until: float) -> Iterator[float]:
    phase = place % 1.0 * every_s
    number = math.ceil((since - phase) / every_s)
    while (at := phase + number * every_s) < until:
        yield at
        number += 1


def _has_moment(place: float, every_s: float, after: float, until: float) -> bool:
    """Tell whether a moment lies within (after, until]."""
    phase = place % 1.0 * every_s
    return math.floor((until - phase) / every_s) > math.floor((after - phase) / every_s)
