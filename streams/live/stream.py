"""One stream that somebody watches: pulled, cached back to its last key picture, handed out."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.domain.addresses import AddressPolicy
from hub.domain.live_video import Fragment, Track
from hub.domain.ports import CameraTarget, Clock
from streams.live.pull import Patience, PullFailed, pull
from streams.live.standing import Standing, find_pause_s, may_hurry
from streams.live.timeline import Timeline
from streams.live.viewer import Viewer

log = logging.getLogger(__name__)

FROZEN_S: Final = 2.0
FROZEN_STEPS: Final = 3  # a camera that sends less than a picture a second is given longer
MOST_FROZEN_S: Final = 30.0
MOST_GROUP_BYTES: Final = 4 * 1024 * 1024  # 16 s of 2 Mbit/s
MOST_GROUP: Final = 1_500  # a minute of 25 pictures a second
SOONEST_S: Final = 2.0  # a new viewer has a camera asked anew, but no sooner than this


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """``frozen_s``: pictures that fail to come for so long are told of."""

    frozen_s: float = FROZEN_S
    soonest_s: float = SOONEST_S


class Stream:
    """Pulls from its making until its end; viewers come and go."""

    def __init__(
        self,
        target: CameraTarget,
        *,
        policy: AddressPolicy,
        clock: Clock,
        options: StreamOptions,
        patience: Patience,
    ) -> None:
        self.viewers: set[Viewer] = set()
        self._target = target
        self._policy, self._clock = policy, clock
        self._options, self._patience = options, patience
        self._standing = Standing(self.viewers, clock)
        self._timeline = Timeline()
        self._track: Track | None = None
        self._group: list[Fragment] = []  # from the last key picture on
        self._group_bytes = 0
        self._last_at = 0.0  # of the loop: when the last picture came
        self.rests_until = 0.0  # of the loop: until then the camera is left in peace
        self._loop = asyncio.get_running_loop()
        self._watchdog: asyncio.TimerHandle | None = None
        self._pulling: asyncio.Task[None] | None = None
        self._is_wanted = self._is_changed = False  # by a new viewer; the way to the camera
        self._nudge = asyncio.Event()
        self._running = asyncio.create_task(self._run(), name="live-stream")
        self._running.add_done_callback(self._standing.confess)

    def join(self, viewer: Viewer) -> None:
        """Let somebody watch: he gets the current group of pictures at once."""
        self.viewers.add(viewer)
        viewer.tell(self._standing.status)
        if self._track is not None and self._standing.is_live:
            viewer.tell(self._track)
            now = self._loop.time()
            for fragment in self._group:
                viewer.offer(fragment, now)
        self._is_wanted = True
        self._nudge.set()

    def leave(self, viewer: Viewer) -> None:
        """Let somebody go."""
        self.viewers.discard(viewer)

    def retarget(self, target: CameraTarget) -> None:
        """Reach the camera so from now on; another address or password connects anew."""
        if target == self._target:
            return
        self._target = target
        self._is_changed = True
        self._nudge.set()
        if self._pulling is not None:
            self._pulling.cancel()

    def end(self) -> asyncio.Task[None]:
        """End the pull; returns what is to be waited for."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._running.cancel()
        return self._running

    def begin(self, track: Track) -> None:
        """What follows is encoded like this."""
        self._track = track
        self._group, self._group_bytes = [], 0
        for viewer in self.viewers:
            viewer.tell(track)

    def take(self, fragment: Fragment) -> None:
        """Hand a picture to all who watch."""
        now = self._last_at = fragment.received_at
        if fragment.is_key:
            self._group, self._group_bytes = [fragment], len(fragment.data)
        elif self._group:
            self._group.append(fragment)
            self._group_bytes += len(fragment.data)
            if self._group_bytes > MOST_GROUP_BYTES or len(self._group) > MOST_GROUP:
                self._group = []  # a newcomer waits for the next key picture
        for viewer in self.viewers:
            viewer.offer(fragment, now)
        if not self._standing.is_live:
            self._standing.become_live()
            self._watch_silence(self._options.frozen_s)

    async def _run(self) -> None:
        failures = 0
        while True:
            began_at = self._loop.time()
            self._is_changed = False
            self._standing.connect("asking the camera for its stream")
            failed = await self._pull_once()
            if failed is None:  # there is another way to the camera now
                failures = 0
                continue
            failures = 1 if self._last_at > began_at else failures + 1
            self._track, self._group = None, []
            self._standing.fail(str(failed), failed.layer)
            log.info("device %s: no live video: %s", self._target.device_id, failed)
            await self._pause(failed, failures)

    async def _pull_once(self) -> PullFailed | None:
        """Pull until it fails; None when it was ended because the target is another one."""
        self._pulling = asyncio.create_task(
            pull(
                self._target,
                self,
                policy=self._policy,
                timeline=self._timeline,
                patience=self._patience,
            ),
            name="live-pull",
        )
        try:
            await asyncio.wait([self._pulling])
            return _failure_of(self._pulling)
        finally:
            pulling, self._pulling = self._pulling, None
            if not pulling.done():
                pulling.cancel()
                await asyncio.wait([pulling])
            _failure_of(pulling)  # what it met while it was ended interests nobody

    async def _pause(self, failed: PullFailed, failures: int) -> None:
        """Wait before another try: less when somebody new watches, not at all for a new way."""
        now = self._loop.time()
        end = self.rests_until = now + find_pause_s(failed.error, failures)
        soonest = now + self._options.soonest_s if may_hurry(failed.error) else end
        self._is_wanted = False
        while not self._is_changed and self._loop.time() < end:
            if self._is_wanted and self._loop.time() >= soonest:
                return
            self._nudge.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(soonest, end) if self._is_wanted else end):
                    await self._nudge.wait()

    def _watch_silence(self, after_s: float) -> None:
        self._watchdog = self._loop.call_later(after_s, self._find_silence)

    def _find_silence(self) -> None:
        """Say so when nothing has come for too long; else look again when that may be."""
        if not self._standing.is_live:
            return
        step_s = self._timeline.step / 90_000
        limit_s = min(max(self._options.frozen_s, FROZEN_STEPS * step_s), MOST_FROZEN_S)
        silent_s = self._loop.time() - self._last_at
        if silent_s < limit_s:
            self._watch_silence(limit_s - silent_s)
            return
        since = self._clock() - timedelta(seconds=silent_s)
        self._standing.freeze(since, "the camera is connected and sends no picture")


def _failure_of(pulling: asyncio.Task[None]) -> PullFailed | None:
    """Why a pull ended, None when it was cancelled; a defect is raised."""
    if pulling.cancelled():
        return None
    error = pulling.exception()
    if error is None or isinstance(error, PullFailed):
        return error
    raise error
