"""Sends a camera to a stored position and asks where it looks (ONVIF PTZ Service, version 2)."""

from adapters.onvif.answers import pick, pick_list, pick_number, pick_text
from adapters.onvif.motors import open_motor
from adapters.onvif.registration import MAX_PRESETS
from hub.domain.addresses import AddressPolicy
from hub.domain.devices import Json
from hub.domain.errors import ProtocolViolation, UnsupportedByDevice
from hub.domain.ports import Bearing, CameraTarget, Clock

# Positions are shares of the whole way, -1 to 1 (zoom 0 to 1); motors stop a little beside it.
_SAME_PLACE = 0.02
_AXES = (("PanTilt", "x"), ("PanTilt", "y"), ("Zoom", "x"))
_MOVING, _IDLE = "MOVING", "IDLE"


async def call_preset(
    target: CameraTarget, preset: str, *, timeout_s: float, policy: AddressPolicy, clock: Clock
) -> None:
    """Send a camera to a stored position, named by its token; the camera moves after that.

    Raises:
        UnsupportedByDevice: the camera cannot be moved, or this channel of it cannot.
        DeviceError: it did not take the order; it says why.
    """
    async with open_motor(target, timeout_s=timeout_s, policy=policy, clock=clock) as motor:
        await motor.call("GotoPreset", PresetToken=preset)


async def find_bearing(
    target: CameraTarget, *, timeout_s: float, policy: AddressPolicy, clock: Clock
) -> Bearing:
    """Return where a camera looks and whether it moves, without moving it.

    Raises:
        UnsupportedByDevice: the camera cannot be moved, or this channel of it cannot.
        DeviceError: the camera tells nothing; it says why.
    """
    async with open_motor(target, timeout_s=timeout_s, policy=policy, clock=clock) as motor:
        try:
            status = await motor.call("GetStatus")
            presets = pick_list(await motor.call("GetPresets"))[:MAX_PRESETS]
        except (UnsupportedByDevice, ProtocolViolation):
            return Bearing()
        return Bearing(preset=_preset_at(status, presets), is_moving=_is_moving(status))


def _preset_at(status: Json, presets: list[Json]) -> str | None:
    """Return the preset the camera stands at; None when it or the presets have no positions."""
    here = _place(pick(status, "Position"))
    if here is None:
        return None
    is_told = False
    for preset in presets:
        there = _place(pick(preset, "PTZPosition"))
        if there is None:
            continue
        is_told = True
        if max(abs(a - b) for a, b in zip(here, there, strict=True)) <= _SAME_PLACE:
            return pick_text(preset, "token")
    return "" if is_told else None


def _place(position: Json) -> tuple[float, ...] | None:
    if pick(position, "PanTilt") is None:
        return None
    return tuple(pick_number(position, *axis) for axis in _AXES)


def _is_moving(status: Json) -> bool | None:
    states = {pick_text(status, "MoveStatus", part).upper() for part in ("PanTilt", "Zoom")}
    if _MOVING in states:
        return True
    return False if _IDLE in states else None
