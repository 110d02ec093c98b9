"""What a round asks of the look at one stop. Pure."""

from dataclasses import dataclass, field
from typing import Final

from hub.domain.looks import LONGEST_CLIP_S
from hub.domain.patrol_details import PlanDetails, StopPreset
from hub.store.patrol_places import Place

DOUBTFUL: Final = 30.0
"""From this doubt on the machine leaves a stop to a person, and takes a film where one is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOrder:
    """How one stop is looked at, and what is known of its place.

    ``preset`` None: the camera looks where it stands. ``clip_s`` 0: no film.
    """

    preset: StopPreset | None = None
    clip_s: float = 0.0
    place: Place = field(default_factory=Place)


def order_of(details: PlanDetails, device_id: int, place: Place | None = None) -> LookOrder:
    """Return what a plan asks of one of its cameras; ``place`` None: nothing is known of it.

    A preset named for the camera itself is called whatever the inventory knows of its motors.
    Plans may name presets by their tokens or by the names people gave them in the camera.
    """
    known = place or Place()
    preset = details.presets.get(device_id)
    if preset is None and known.has_ptz:
        preset = details.preset
    if preset is not None and preset.preset:
        tokens = {one.name: one.token for one in reversed(known.presets) if one.name}
        tokens |= {one.token: one.token for one in known.presets}
        preset = StopPreset(
            preset=tokens.get(preset.preset, preset.preset),
            home=tokens.get(preset.home, preset.home),
        )
    else:
        preset = None
    clip_s = min(max(details.clip_s, 0.0), LONGEST_CLIP_S)
    return LookOrder(preset=preset, clip_s=clip_s, place=known)
