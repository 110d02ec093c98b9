"""Moves cameras by hand and keeps their presets (ONVIF PTZ Service, version 2).

Where a camera's motor is found is remembered for a short while: an operator who holds a key
waits for one call, not for five.
"""

import math
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from adapters.onvif.answers import pick_list, pick_text
from adapters.onvif.motors import Found, Motor, open_motor
from adapters.onvif.registration import MAX_PRESETS
from hub.domain.addresses import AddressPolicy
from hub.domain.devices import Json, Preset
from hub.domain.errors import (
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.ports import CameraTarget, Clock
from hub.domain.steering import MOST_SECONDS, Motion

REMEMBERED = timedelta(minutes=2)
_MOST_REMEMBERED = 500

_Key = tuple[int, str, str]


class OnvifSteering:
    """Steers every camera that speaks ONVIF; holds no connection."""

    def __init__(self, *, policy: AddressPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._known: OrderedDict[_Key, tuple[datetime, Found]] = OrderedDict()

    async def move(self, target: CameraTarget, motion: Motion, *, timeout_s: float) -> None:
        """Let the camera move on for at most ``lasts_s``, whole seconds as most cameras want."""
        seconds = math.ceil(min(max(motion.lasts_s, 0.1), MOST_SECONDS))
        velocity = _velocity(motion)
        async with self._open(target, timeout_s) as motor:
            try:
                await motor.call(
                    "ContinuousMove", Velocity=velocity, Timeout=timedelta(seconds=seconds)
                )
            except (ProtocolViolation, UnsupportedByDevice):
                # Some refuse any time-out; whoever steers stops them himself.
                await motor.call("ContinuousMove", Velocity=velocity)

    async def stop(self, target: CameraTarget, *, timeout_s: float) -> None:
        """Let it stand still."""
        async with self._open(target, timeout_s) as motor:
            await motor.call("Stop", PanTilt=True, Zoom=True)

    async def go_home(self, target: CameraTarget, *, timeout_s: float) -> None:
        """Send it to the position it calls home."""
        async with self._open(target, timeout_s) as motor:
            await motor.call("GotoHomePosition")

    async def call_preset(self, target: CameraTarget, preset: str, *, timeout_s: float) -> None:
        """Send it to a stored position, named by its token."""
        async with self._open(target, timeout_s) as motor:
            await motor.call("GotoPreset", PresetToken=preset)

    async def list_presets(self, target: CameraTarget, *, timeout_s: float) -> tuple[Preset, ...]:
        """The stored positions, as many as are read of a camera."""
        async with self._open(target, timeout_s) as motor:
            answer = await motor.call("GetPresets")
        found = (
            Preset(token=pick_text(item, "token"), name=pick_text(item, "Name"))
            for item in pick_list(answer)[:MAX_PRESETS]
        )
        return tuple(preset for preset in found if preset.token)

    async def set_preset(
        self, target: CameraTarget, name: str, *, preset: str = "", timeout_s: float
    ) -> str:
        """Store where it looks, anew or over a stored position; returns the token."""
        given = {"PresetName": name} | ({"PresetToken": preset} if preset else {})
        async with self._open(target, timeout_s) as motor:
            answer = await motor.call("SetPreset", **given)
        return _token_of(answer) or preset

    async def remove_preset(self, target: CameraTarget, preset: str, *, timeout_s: float) -> None:
        """Forget a stored position."""
        async with self._open(target, timeout_s) as motor:
            await motor.call("RemovePreset", PresetToken=preset)

    @asynccontextmanager
    async def _open(self, target: CameraTarget, timeout_s: float) -> AsyncIterator[Motor]:
        key = (target.device_id, target.service_address, target.channel)
        known = self._recall(key)
        try:
            async with open_motor(
                target,
                timeout_s=timeout_s,
                policy=self._policy,
                clock=self._clock,
                known=known,
            ) as motor:
                if known is None:
                    self._remember(key, motor.found)
                yield motor
        except DeviceError as error:
            if not isinstance(error, DeviceUnreachable):
                self._known.pop(key, None)  # it may have been given other profiles
            raise

    def _recall(self, key: _Key) -> Found | None:
        at, found = self._known.get(key, (None, None))
        return found if at is not None and abs(self._clock() - at) < REMEMBERED else None

    def _remember(self, key: _Key, found: Found) -> None:
        self._known[key] = (self._clock(), found)
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)


def _velocity(motion: Motion) -> dict[str, dict[str, float]]:
    """What moves and how fast; a part that stands still is left out, some cameras lack it."""
    velocity: dict[str, dict[str, float]] = {}
    if motion.pan or motion.tilt or not motion.zoom:
        velocity["PanTilt"] = {"x": _speed(motion.pan), "y": _speed(motion.tilt)}
    if motion.zoom:
        velocity["Zoom"] = {"x": _speed(motion.zoom)}
    return velocity


def _speed(value: float) -> float:
    return round(min(max(value, -1.0), 1.0), 3)


def _token_of(answer: Json) -> str:
    """The token in a reply; zeep hands a reply of one element over as its text."""
    if isinstance(answer, str):
        return " ".join(answer.split())
    return pick_text(answer, "PresetToken")
