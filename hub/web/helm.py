"""Gives the orders of people to cameras: one at a time, the newest first, none for ever.

The dead man's switch: a camera that moves is told to stop when no further order came in time,
whether it keeps to the time it was given or not. The browser that sent the order may be gone.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hub.domain.errors import Conflict, DeviceError
from hub.domain.ports import CameraTarget
from hub.domain.steering import MOST_SECONDS, Motion, SteerCamera

log = logging.getLogger(__name__)

ORDER_TIMEOUT_S = 5.0
STOP_TRIES = 3
STOP_PAUSE_S = 0.5


@dataclass(slots=True)
class _Rudder:
    """The orders of one camera."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    newest: int = 0
    watch: asyncio.Task[None] | None = None
    users: int = 0
    target: CameraTarget | None = None  # as it was reached last


class Helm:
    """The way of every order of this process to its camera."""

    def __init__(self, steer: SteerCamera | None) -> None:
        self._means = steer
        self._rudders: dict[int, _Rudder] = {}

    async def move(self, target: CameraTarget, motion: Motion) -> None:
        """Move a camera; an order that a newer one overtook is dropped.

        Raises:
            DeviceError: it does not move; it says why.
        """
        steer = self._steer

        async def order() -> None:
            # Watched from before: an answer that is lost may hide a camera that moves.
            self._watch(target, motion.lasts_s)
            await steer.move(target, motion, timeout_s=ORDER_TIMEOUT_S)
            self._watch(target, motion.lasts_s)

        await self._give(target, order)

    async def stop(self, target: CameraTarget) -> None:
        """Let a camera stand still; moves that still wait are dropped.

        Raises:
            DeviceError: it did not say that it stops.
        """

        async def order() -> None:
            await self._steer.stop(target, timeout_s=ORDER_TIMEOUT_S)
            self._unwatch(target)

        await self._give(target, order)

    async def send(self, target: CameraTarget, preset: str | None) -> None:
        """Send a camera to a stored position, None for its home.

        Raises:
            DeviceError: it does not go there; it says why.
        """

        async def order() -> None:
            self._unwatch(target)
            if preset is None:
                await self._steer.go_home(target, timeout_s=ORDER_TIMEOUT_S)
            else:
                await self._steer.call_preset(target, preset, timeout_s=ORDER_TIMEOUT_S)

        await self._give(target, order)

    async def close(self) -> None:
        """Stop what still moves: nobody watches it from now on."""
        moving = [one for one in self._rudders.values() if one.watch is not None]
        for rudder in moving:
            if rudder.watch is not None:
                rudder.watch.cancel()
        await asyncio.gather(*(self._halt(one) for one in moving))

    @property
    def _steer(self) -> SteerCamera:
        if self._means is None:
            msg = "this process steers no cameras"
            raise Conflict(msg)
        return self._means

    async def _give(self, target: CameraTarget, order: Callable[[], Awaitable[None]]) -> None:
        rudder = self._rudders.setdefault(target.device_id, _Rudder())
        rudder.newest += 1
        number = rudder.newest
        rudder.users += 1
        try:
            async with rudder.lock:
                if number == rudder.newest:
                    await order()
        finally:
            rudder.users -= 1
            self._forget(target.device_id)

    def _watch(self, target: CameraTarget, lasts_s: float) -> None:
        self._unwatch(target)
        rudder = self._rudders[target.device_id]
        rudder.target = target
        rudder.watch = asyncio.create_task(
            self._stop_later(rudder, min(lasts_s, MOST_SECONDS)),
            name=f"ptz-stop-{target.device_id}",
        )

    def _unwatch(self, target: CameraTarget) -> None:
        rudder = self._rudders[target.device_id]
        if rudder.watch is not None:
            rudder.watch.cancel()
            rudder.watch = None

    async def _stop_later(self, rudder: _Rudder, lasts_s: float) -> None:
        await asyncio.sleep(lasts_s)
        for _ in range(STOP_TRIES):
            async with rudder.lock:
                if await self._halt(rudder):
                    break
            await asyncio.sleep(STOP_PAUSE_S)
        rudder.watch = None
        if rudder.target is not None:
            self._forget(rudder.target.device_id)

    async def _halt(self, rudder: _Rudder) -> bool:
        if rudder.target is None:
            return True
        try:
            await self._steer.stop(rudder.target, timeout_s=ORDER_TIMEOUT_S)
        except DeviceError as error:
            log.warning("device %s may still move: %s", rudder.target.device_id, error)
            return False
        return True

    def _forget(self, device_id: int) -> None:
        rudder = self._rudders.get(device_id)
        if rudder is not None and not rudder.users and rudder.watch is None:
            del self._rudders[device_id]
