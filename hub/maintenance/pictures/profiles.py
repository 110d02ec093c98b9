"""Which thresholds apply to which camera, worked out from what is assigned. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hub.domain.quality import Index, Profile, Thresholds
from hub.domain.quality_profiles import DAY, NIGHT
from hub.maintenance.intervals import most_particular
from hub.store.picture_assignments import Assignment


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
    built-in profiles. What a profile does not name is as in the built-in one for day or night.
    """

    def __init__(
        self, assignments: Iterable[Assignment] = (), profiles: Iterable[Profile] = ()
    ) -> None:
        self._thresholds = {profile.id: profile.thresholds for profile in profiles}
        self._own: dict[int, Assignment] = {}
        self._placed: dict[tuple[str, str], Assignment] = {}
        self._chosen: dict[tuple[int, int], Chosen] = {}
        for row in assignments:
            if row.device_id is None:
                self._placed[row.area_path, row.device_class] = row
            else:
                self._own[row.device_id] = row

    def assignment_of(self, device_id: int, area_path: str, device_class: str) -> Assignment | None:
        """The assignment that wins; None: the built-in profiles apply."""
        own = self._own.get(device_id)
        if own is not None:
            return own
        return next(most_particular(self._placed, area_path, device_class), None)

    def of(self, device_id: int, area_path: str, device_class: str) -> Chosen:
        """The thresholds of one camera; ``device_class`` is empty for a camera without one."""
        row = self.assignment_of(device_id, area_path, device_class)
        if row is None:
            return BUILT_IN
        chosen = self._chosen.get((row.day_id, row.night_id))
        if chosen is None:
            chosen = Chosen(day=self._over(DAY, row.day_id), night=self._over(NIGHT, row.night_id))
            self._chosen[row.day_id, row.night_id] = chosen
        return chosen

    def _over(self, below: Thresholds, profile_id: int) -> Mapping[Index, float | None]:
        return {**below, **self._thresholds.get(profile_id, {})}
