"""Pictures of one camera, one after the other, for all who look: where no stream can be shown."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Final

from hub.domain.errors import DeviceError
from hub.domain.health import Layer
from hub.domain.ports import CameraTarget, Clock, Picture, TakeSnapshot
from streams.live.standing import Standing, find_pause_s
from streams.live.viewer import Viewer

log = logging.getLogger(__name__)

PICTURE_TIMEOUT_S: Final = 10.0
FROZEN_S: Final = 2.5  # a picture that is this late is told of
FROZEN_STEPS: Final = 2  # a camera that takes its time for every picture is given longer
# A camera is not asked more often than it can answer: it rests as long as it worked.
REST_SHARE: Final = 1.0


class Looking:
    """Fetches a picture about every second; each is for all, whoever is too slow misses it."""

    def __init__(
        self, target: CameraTarget, take_snapshot: TakeSnapshot, *, clock: Clock, every_s: float
    ) -> None:
        self.viewers: set[Viewer] = set()
        self._target, self._take_snapshot = target, take_snapshot
        self._every_s = every_s
        self._standing = Standing(self.viewers, clock)
        self._clock = clock
        self._last: Picture | None = None
        self._last_at = 0.0
        self._step_s = 0.0  # between the last two pictures
        self._is_changed = asyncio.Event()
        self.rests_until = 0.0  # of the loop: until then the camera is left in peace
        self._loop = asyncio.get_running_loop()
        self._running = asyncio.create_task(self._run(), name="live-looking")
        self._running.add_done_callback(self._standing.confess)

    def join(self, viewer: Viewer) -> None:
        """Let somebody look: he gets the last picture at once, if it is still fresh."""
        self.viewers.add(viewer)
        viewer.tell(self._standing.status)
        if self._last is not None and self._standing.is_live:
            viewer.tell(self._last)

    def leave(self, viewer: Viewer) -> None:
        """Let somebody go."""
        self.viewers.discard(viewer)

    def retarget(self, target: CameraTarget) -> None:
        """Reach the camera so from now on, and mask it so."""
        if target != self._target:
            self._target = target
            self._last = None
            self._is_changed.set()

    def end(self) -> asyncio.Task[None]:
        """End it; returns what is to be waited for."""
        self._running.cancel()
        return self._running

    async def _run(self) -> None:
        failures = 0
        while True:
            began_at = self._loop.time()
            target = self._target
            limit_s = max(FROZEN_S, FROZEN_STEPS * self._step_s)
            late_at = max(began_at + self._every_s, self._last_at + limit_s)
            late = self._loop.call_at(late_at, self._say_late)
            try:
                picture = await self._take_snapshot(target, timeout_s=PICTURE_TIMEOUT_S)
            except DeviceError as error:
                failures += 1
                log.info("device %s: no picture: %s", target.device_id, error)
                layer, why = split_layer(str(error))
                self._standing.fail(why, layer)
                if target is self._target:
                    await self._rest(find_pause_s(error, failures))
                continue
            finally:
                late.cancel()
            failures = 0
            if target is self._target:  # masked as it is to be now
                self._show(picture)
            worked_s = self._loop.time() - began_at
            await asyncio.sleep(max(self._every_s - worked_s, worked_s * REST_SHARE))

    def _show(self, picture: Picture) -> None:
        now = self._loop.time()
        self._step_s = now - self._last_at if self._standing.is_live else 0.0
        self._last, self._last_at = picture, now
        self._standing.become_live()
        for viewer in self.viewers:
            viewer.tell(picture)

    def _say_late(self) -> None:
        if self._standing.is_live:
            since = self._clock() - timedelta(seconds=self._loop.time() - self._last_at)
            self._standing.freeze(since, "the camera is asked and sends no picture")

    async def _rest(self, pause_s: float) -> None:
        self.rests_until = self._loop.time() + pause_s
        self._is_changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._is_changed.wait()


def split_layer(text: str) -> tuple[Layer, str]:
    """Take the layer from the front of an error's text."""
    name, colon, rest = text.partition(": ")
    if colon and name in set(Layer):
        return Layer(name), rest
    return Layer.PICTURE, text
