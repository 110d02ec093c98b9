"""Which thresholds apply to which camera, worked out from what is assigned. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hub.domain.quality import Index, Thresholds
from hub.domain.quality_profiles import DAY, NIGHT
from hub.maintenance.intervals import most_particular


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What is assigned to an area, to a class of cameras in it, or to one camera.

    ``device_class`` is empty for every class. A profile sets what it names; the rest is as in
    the built-in profile for day or night.
    """

    area_path: str
    device_class: str = ""
    device_id: int | None = None
    day: Thresholds
    night: Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The thresholds of one camera by day and by night, complete."""

    day: Thresholds
    night: Thresholds

    def of(self, *, is_night: bool) -> Thresholds:
        """Those for a picture in colour."""
        return self.night if is_night else self.day

    @property
    def judged(self) -> frozenset[Index]:
        """The indices judged at any time of the day."""
        return frozenset(
            index
            for index in Index
            if self.day.get(index) is not None or self.night.get(index) is not None
        )


BUILT_IN: Final = Chosen(day=DAY, night=NIGHT)


class ProfileTable:
    """Answers for every camera; built anew for every round.

    The most particular assignment wins as a whole: the camera's own, then the nearest area
    upward with one for the class, then the nearest area upward with one for all, then the
    built-in profiles.
    """

    def __init__(self, rows: Iterable[Assignment] = (), default: Chosen = BUILT_IN) -> None:
        self._default = default
        self._own: dict[int, Chosen] = {}
        self._placed: dict[tuple[str, str], Chosen] = {}
        for row in rows:
            chosen = Chosen(day=_over(default.day, row.day), night=_over(default.night, row.night))
            if row.device_id is None:
                self._placed[row.area_path, row.device_class] = chosen
            else:
                self._own[row.device_id] = chosen

    def of(self, device_id: int, area_path: str, device_class: str) -> Chosen:
        """The thresholds of one camera; ``device_class`` is empty for a camera without one."""
        own = self._own.get(device_id)
        if own is not None:
            return own
        return next(most_particular(self._placed, area_path, device_class), self._default)


def _over(below: Thresholds, own: Thresholds) -> Mapping[Index, float | None]:
    return {**below, **own}
