"""Steering a camera by hand."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.domain.steering import MOST_SECONDS, Motion
from hub.web.schemas.shapes import In, Out

Speed = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
PresetToken = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
PresetName = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class SteerIn(In):
    """``take_over``: from somebody who steers it now; that needs a role that may plan there."""

    take_over: bool = False


class PtzMoveIn(SteerIn):
    """How to move; right, up and nearer are positive. The camera stops after ``lasts_s``."""

    pan: Speed = 0.0
    tilt: Speed = 0.0
    zoom: Speed = 0.0
    lasts_s: Annotated[float, Field(ge=0.1, le=MOST_SECONDS, allow_inf_nan=False)] = 1.0

    def motion(self) -> Motion:
        """What is asked of the camera."""
        return Motion(pan=self.pan, tilt=self.tilt, zoom=self.zoom, lasts_s=self.lasts_s)


class GoToIn(SteerIn):
    """Which stored position; its token is the camera's own."""

    preset: PresetToken


class PtzPresetIn(In):
    """Store where the camera looks: anew, or over the position named by ``preset``."""

    name: PresetName
    preset: PresetToken | None = None


class PtzPresetRemoveIn(In):
    """Which stored position to forget."""

    preset: PresetToken


class PtzPresetOut(Out):
    """One stored position."""

    token: str
    name: str


class PtzHoldOut(Out):
    """Who steers, since when; others may from ``until`` on, should no further order come."""

    actor: str
    is_me: bool
    since: datetime
    until: datetime


class PtzOut(Out):
    """Who steers a camera now; nobody is null."""

    holder: PtzHoldOut | None
