"""Which intervals apply to which device, worked out from what is set (field.md §3). Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from hub.store.probe_intervals import ProbeInterval

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Seconds between two questions of each depth.

    ``inspect_s`` is for the slow look, ``picture_s`` for the judgement of the picture: a little
    less than an hour, so that every camera is judged once an hour at the least.
    """

    answer_s: float = 15.0
    stream_s: float = 120.0
    frames_s: float = 600.0
    inspect_s: float = 21_600.0
    picture_s: float = 3_300.0


DEFAULT_INTERVALS: Final = Intervals()


class IntervalTable:
    """Answers for every device; built anew when something was set.

    Field by field the most particular row wins: the device's own, then the nearest area upward
    with a row for the class, then the nearest area upward with a row for all, then the defaults.
    Devices of one area and class share one answer, so that 70,000 of them cost a look-up each.
    """

    def __init__(
        self, rows: Iterable[ProbeInterval] = (), defaults: Intervals = DEFAULT_INTERVALS
    ) -> None:
        self._defaults = defaults
        self._own: dict[int, ProbeInterval] = {}
        self._placed: dict[tuple[str, str], ProbeInterval] = {}
        self._shared: dict[tuple[str, str], Intervals] = {}
        for row in rows:
            if row.device_id is None:
                self._placed[row.area_path, row.device_class] = row
            else:
                self._own[row.device_id] = row

    def of(self, device_id: int, area_path: str, device_class: str) -> Intervals:
        """The intervals of one device; ``device_class`` is empty for a device without one."""
        shared = self._shared.get((area_path, device_class))
        if shared is None:
            shared = self._defaults
            for row in reversed(list(most_particular(self._placed, area_path, device_class))):
                shared = _overlay(row, shared)
            self._shared[area_path, device_class] = shared
        own = self._own.get(device_id)
        return shared if own is None else _overlay(own, shared)


def most_particular(
    placed: Mapping[tuple[str, str], T], area_path: str, device_class: str
) -> Iterator[T]:
    """What is set for the areas upward, the most particular first; keys: (area's path, class)."""
    upward = list(_upward(area_path))
    for wanted in (device_class, "") if device_class else ("",):
        for path in upward:
            row = placed.get((path, wanted))
            if row is not None:
                yield row


def _upward(area_path: str) -> Iterator[str]:
    while area_path:
        yield area_path
        area_path = area_path.rpartition(".")[0]


def _overlay(row: ProbeInterval, below: Intervals) -> Intervals:
    """What a row sets, over what it inherits."""
    return Intervals(
        answer_s=below.answer_s if row.answer_s is None else row.answer_s,
        stream_s=below.stream_s if row.stream_s is None else row.stream_s,
        frames_s=below.frames_s if row.frames_s is None else row.frames_s,
        inspect_s=below.inspect_s if row.inspect_s is None else row.inspect_s,
        picture_s=below.picture_s if row.picture_s is None else row.picture_s,
    )
