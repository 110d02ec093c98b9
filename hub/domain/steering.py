"""Moving a camera by hand: what is asked of it, and the Protocol of what asks."""

from dataclasses import dataclass
from typing import Protocol

from hub.domain.devices import Preset
from hub.domain.ports import CameraTarget

MOST_SECONDS = 2.0  # a camera that hears nothing more stands still after that


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Speeds from -1 to 1 (right, up and nearer are positive), and for how long at most."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    lasts_s: float = 1.0


class SteerCamera(Protocol):
    """Moves cameras and knows their stored positions. Nothing is retried.

    Every method raises a DeviceError that says why the camera did not do it: UnsupportedByDevice
    when it, or this channel of it, cannot be moved.
    """

    async def move(self, target: CameraTarget, motion: Motion, *, timeout_s: float) -> None:
        """Let the camera move on; it stops by itself, as far as it keeps to the standard."""

    async def stop(self, target: CameraTarget, *, timeout_s: float) -> None:
        """Let it stand still."""

    async def go_home(self, target: CameraTarget, *, timeout_s: float) -> None:
        """Send it to the position it calls home."""

    async def call_preset(self, target: CameraTarget, preset: str, *, timeout_s: float) -> None:
        """Send it to a stored position, named by its token."""

    async def list_presets(self, target: CameraTarget, *, timeout_s: float) -> tuple[Preset, ...]:
        """The stored positions."""

    async def set_preset(
        self, target: CameraTarget, name: str, *, preset: str = "", timeout_s: float
    ) -> str:
        """Store where it looks, anew or over a stored position; returns the token."""

    async def remove_preset(self, target: CameraTarget, preset: str, *, timeout_s: float) -> None:
        """Forget a stored position."""
