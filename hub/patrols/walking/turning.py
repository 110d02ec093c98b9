"""Sends a camera to the preset a round asks for, and home again whatever happens."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceError,
    DeviceUnreachable,
    UnsupportedByDevice,
)
from hub.domain.patrol_details import StopPreset
from hub.domain.ports import CallPreset, CameraTarget, FindBearing

log = logging.getLogger(__name__)

CALL_TIMEOUT_S: Final = 5.0
_GRACE_S: Final = 1.0
RETURN_TRIES: Final = 3
RETURN_LIMIT_S: Final = 20.0
SETTLE_S: Final = 8.0  # what a dome needs from one end to the other
# Errors after which a camera stands where it stood; a refused password is not tried again.
_NOT_MOVED: Final = (AddressRefused, AuthRejected, UnsupportedByDevice)

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Motors:
    """How cameras are moved, and how patiently: ``settle_s`` is between the order and the look.

    ``find_bearing`` tells where a camera stood that is to be sent back to no preset in
    particular; without it such a camera stays where the round sent it.
    """

    call_preset: CallPreset
    find_bearing: FindBearing | None = None
    settle_s: float = SETTLE_S
    pause: Pause = asyncio.sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """Whether a camera stands where the round wants it; ``trouble`` is why not."""

    is_turned: bool = False
    trouble: str = ""


@asynccontextmanager
async def turned(
    target: CameraTarget, preset: StopPreset | None, motors: Motors | None
) -> AsyncIterator[Turned]:
    """Keep a camera at a preset during the block; it is on its way home when the block is over.

    What the camera does raises nothing: it is looked at as it stands then.
    """
    if preset is None:
        yield Turned()
        return
    if motors is None:
        yield Turned(trouble="this hub moves no cameras")
        return
    home = preset.home or await _find_home(target, motors)
    is_sent = True  # also when the order seems to fail, it may have been taken
    trouble = ""
    try:
        try:
            await _call(target, preset.preset, motors)
            await motors.pause(motors.settle_s)
        except DeviceError as error:
            is_sent = not isinstance(error, _NOT_MOVED)
            trouble = str(error) or type(error).__name__
        yield Turned(is_turned=not trouble, trouble=trouble)
    finally:
        if is_sent and home and home != preset.preset:
            await _return(target, home, motors)


async def _find_home(target: CameraTarget, motors: Motors) -> str:
    if motors.find_bearing is None:
        return ""
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S + _GRACE_S):
            bearing = await motors.find_bearing(target, timeout_s=CALL_TIMEOUT_S)
    except (DeviceError, TimeoutError) as error:
        log.info("where camera %s stands is not known: %s", target.device_id, error)
        return ""
    return bearing.preset or ""


async def _call(target: CameraTarget, preset: str, motors: Motors) -> None:
    """Give the order; raises a DeviceError, also where it does not end by itself."""
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S + _GRACE_S):
            await motors.call_preset(target, preset, timeout_s=CALL_TIMEOUT_S)
    except TimeoutError as error:
        msg = f"no answer within {CALL_TIMEOUT_S:g} s"
        raise DeviceUnreachable(msg) from error


async def _return(target: CameraTarget, home: str, motors: Motors) -> None:
    """Send the camera home, also when the look is being cancelled."""
    way = asyncio.create_task(_go_home(target, home, motors))
    try:
        await asyncio.shield(way)
    except asyncio.CancelledError:
        await asyncio.wait({way}, timeout=RETURN_LIMIT_S)
        raise


async def _go_home(target: CameraTarget, home: str, motors: Motors) -> None:
    why: Exception | None = None
    try:
        async with asyncio.timeout(RETURN_LIMIT_S):
            for attempt in range(RETURN_TRIES):
                if attempt:
                    await motors.pause(1.0)
                try:
                    await _call(target, home, motors)
                except DeviceError as error:
                    why = error
                else:
                    return
    except TimeoutError as error:
        why = why or error
    log.warning("camera %s may not have returned to preset %s: %s", target.device_id, home, why)
