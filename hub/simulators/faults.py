"""What can go wrong with a simulated device, and the line between it and the network.

A fault is set and cleared while the device runs. ``Line`` is the cable: cut, it lets nothing
through in either direction, yet breaks no connection, as a pulled network plug does.
"""

import asyncio
import random
from enum import StrEnum

from hub.domain.errors import GengfuError


class Fault(StrEnum):
    """The faults a trainer may switch on."""

    POWER_CUT = "power-cut"  # connections drop, new ones are refused
    CABLE_CUT = "cable-cut"  # nothing is answered and nothing is closed
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a name, not a password
    BLACK_PICTURE = "black-picture"
    FROZEN_PICTURE = "frozen-picture"
    CLOCK_OFF = "clock-off"  # the device's clock runs ten minutes ahead
    SLOW_ANSWERS = "slow-answers"
    GARBAGE = "garbage"  # bytes that are not the protocol
    STUCK_VALUE = "stuck-value"  # a sensor's thermometer says the same for ever
    OUT_OF_RANGE = "out-of-range"  # it says what one without its probe says
    LOW_BATTERY = "low-battery"
    WEAK_SIGNAL = "weak-signal"
    BLURRED_PICTURE = "blurred-picture"  # this and the next three the camera notices itself
    BRIGHT_PICTURE = "bright-picture"
    SCENE_CHANGED = "scene-changed"
    SIGNAL_LOST = "signal-lost"
    FAN_FAILED = "fan-failed"
    POWER_SUPPLY_FAILED = "power-supply-failed"
    STORAGE_FAILED = "storage-failed"  # nothing is recorded any more, and the camera says so
    TOO_HOT = "too-hot"
    RECORDING_STOPPED = "recording-stopped"  # without a word
    COVERED_LENS = "covered-lens"  # this and the next ones, too, the camera does not notice
    DARK_PICTURE = "dark-picture"
    LOW_CONTRAST = "low-contrast"
    COLOUR_CAST = "colour-cast"
    NOISY_PICTURE = "noisy-picture"
    STRIPED_PICTURE = "striped-picture"
    SHAKING_CAMERA = "shaking-camera"
    MOVING_THING = "moving-thing"  # no fault of the camera: something goes through what it sees
    STUCK_PTZ = "stuck-ptz"  # it takes every order and does not move


class FaultNotPossible(GengfuError):
    """This kind of device cannot have this fault."""


# What only something that measures can have.
SENSOR_FAULTS = frozenset(
    {Fault.STUCK_VALUE, Fault.OUT_OF_RANGE, Fault.LOW_BATTERY, Fault.WEAK_SIGNAL}
)
CLOCK_FAULT_S = 600.0
SLOW_ANSWER_S = 5.0
GARBAGE_LENGTH = 512


class Line:
    """The cable of one device."""

    def __init__(self) -> None:
        self._whole = asyncio.Event()
        self._whole.set()

    @property
    def is_cut(self) -> bool:
        """Whether nothing passes."""
        return not self._whole.is_set()

    def cut(self) -> None:
        """Let nothing through from now on."""
        self._whole.clear()

    def join(self) -> None:
        """Let everything through again; whoever waited in ``passage`` goes on."""
        self._whole.set()

    async def passage(self) -> None:
        """Wait until the line is whole."""
        await self._whole.wait()


class Condition:
    """What a device's servers ask before they answer."""

    def __init__(self) -> None:
        self.line = Line()
        self.answer_delay_s = 0.0
        self.is_garbage = False

    async def before_answer(self) -> None:
        """Wait as long as the device's faults make everybody wait."""
        await self.line.passage()
        if self.answer_delay_s:
            await asyncio.sleep(self.answer_delay_s)
            await self.line.passage()


def refuse_sensor_fault(fault: Fault) -> None:
    """Refuse to break what a camera does not have.

    Raises:
        FaultNotPossible: it measures nothing.
    """
    if fault in SENSOR_FAULTS:
        msg = f"a camera cannot have {fault}: it measures nothing"
        raise FaultNotPossible(msg)


def build_garbage(rng: random.Random) -> bytes:
    """Build bytes that no protocol of ours can mean; the first one is never a letter."""
    return b"\xff" + rng.randbytes(GARBAGE_LENGTH - 1)
