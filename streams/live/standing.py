"""How it stands with a stream, told to all who watch it; and when it is tried again."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceBusy,
    DeviceError,
    UnsupportedByDevice,
)
from hub.domain.health import Layer
from hub.domain.live_video import LiveState, LiveStatus
from hub.domain.ports import Clock
from streams.live.viewer import Viewer

log = logging.getLogger(__name__)

BACK_OFF_S: Final[tuple[float, ...]] = (1.0, 2.0, 4.0, 8.0, 15.0)
BUSY_BACK_OFF_S: Final[tuple[float, ...]] = (5.0, 10.0, 20.0, 30.0)
# A camera locks out who tries a wrong password too often; what it cannot do it will not soon.
SLOW_BACK_OFF_S: Final[tuple[float, ...]] = (60.0,)
_SLOW = (AuthRejected, UnsupportedByDevice, AddressRefused)


def find_pause_s(error: DeviceError, failures: int) -> float:
    """How long to wait before another try, after so many failures in a row (from 1)."""
    pauses = BACK_OFF_S
    if not may_hurry(error):
        pauses = SLOW_BACK_OFF_S
    elif isinstance(error, DeviceBusy):
        pauses = BUSY_BACK_OFF_S
    return pauses[min(failures, len(pauses)) - 1]


def may_hurry(error: DeviceError) -> bool:
    """Whether somebody who begins to watch may have the camera asked sooner."""
    return not isinstance(error, _SLOW)


class Standing:
    """The status of one stream; every change is told."""

    def __init__(self, viewers: Iterable[Viewer], clock: Clock) -> None:
        self._viewers, self._clock = viewers, clock
        self.status = LiveStatus(state=LiveState.CONNECTING, since=clock())
        self._last_picture_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether pictures come."""
        return self.status.state is LiveState.LIVE

    def become_live(self) -> None:
        """Pictures come."""
        if not self.is_live:
            self._tell(LiveStatus(state=LiveState.LIVE, since=self._clock()))

    def connect(self, why: str) -> None:
        """A camera is being asked; one that failed before stays offline until pictures come."""
        if self.status.state is LiveState.CONNECTING:
            self._tell(LiveStatus(state=LiveState.CONNECTING, since=self.status.since, why=why))

    def freeze(self, since: datetime, why: str) -> None:
        """Nothing has come since then."""
        self._tell(LiveStatus(state=LiveState.FROZEN, since=since, why=why, layer=Layer.FRAMES))

    def fail(self, why: str, layer: Layer) -> None:
        """The camera cannot be watched; since when that is so is not forgotten by trying."""
        now, before = self._clock(), self.status
        known = before.state in {LiveState.FROZEN, LiveState.OFFLINE}
        since = before.since if known else now
        self._tell(LiveStatus(state=LiveState.OFFLINE, since=since, why=why, layer=layer))

    def confess(self, task: asyncio.Task[None]) -> None:
        """A stream's task has ended: when that was no cancellation, it was a defect of ours."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("live video failed by a defect", exc_info=error)
            self.fail("a defect in the hub: see its log", Layer.PROTOCOL)

    def _tell(self, status: LiveStatus) -> None:
        if status != self.status:
            self.status = status
            for viewer in self._viewers:
                viewer.tell(status)
