"""By which profiles one camera is judged, under the names people know, and where that is said."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.domain.access import system_scope
from hub.domain.devices import Device
from hub.domain.quality import Finding
from hub.maintenance.pictures.corrections import apply
from hub.maintenance.pictures.profiles import BUILT_IN, Chosen, ProfileTable
from hub.store.database import Transaction
from hub.store.picture_assignments import Assignment, all_assignments
from hub.store.picture_profiles import all_profiles

# What applies to a camera may be assigned above the areas of whoever asks.
_SCOPE: Final = system_scope("hub.pictures")


class Source(StrEnum):
    """Where it is said which profiles apply."""

    CAMERA = "camera"
    CLASS = "class"
    AREA = "area"
    BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The profiles of one camera: where they are assigned, their names, their thresholds."""

    source: Source = Source.BUILT_IN
    day_name: str = "day"
    night_name: str = "night"
    chosen: Chosen = BUILT_IN

    def uncorrected(self, finding: Finding, points: float) -> float:
        """The profile's own threshold under a finding: the one by day or the one by night.

        The finding was made with the camera's correction of ``points``, with an earlier one, or
        before there was any; and profiles change: what comes nearest is meant.
        """
        index = finding.index
        bases = [
            base
            for thresholds in (self.chosen.day, self.chosen.night)
            if (base := thresholds.get(index)) is not None
        ]

        def distance(base: float) -> float:
            corrected = apply({index: base}, {index: points})[index] or base
            return min(abs(corrected - finding.threshold), abs(base - finding.threshold))

        return min(bases, key=distance, default=finding.threshold)


async def find_applied(tx: Transaction, device: Device) -> Applied:
    """Find the profiles that apply to a camera; whoever may see the camera may know them."""
    profiles = await all_profiles(tx, _SCOPE)
    table = ProfileTable(await all_assignments(tx, _SCOPE), profiles)
    place = (device.id, device.area_path, device.device_class)
    row = table.assignment_of(*place)
    if row is None:
        return Applied()
    names = {profile.id: profile.name for profile in profiles}
    return Applied(
        source=_source(row),
        day_name=names[row.day_id],
        night_name=names[row.night_id],
        chosen=table.of(*place),
    )


def _source(row: Assignment) -> Source:
    if row.device_id is not None:
        return Source.CAMERA
    return Source.CLASS if row.device_class else Source.AREA
