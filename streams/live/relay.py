"""Hands out live video: one pull a stream, however many watch, and no longer than they do.

Who retries is the relay, as long as somebody watches; a pull never does. Masks are painted over
by whoever decodes, and nothing is decoded here: a camera with masks is refused.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from hub.domain.addresses import AddressPolicy
from hub.domain.errors import UnsupportedByDevice
from hub.domain.live_video import StreamRole
from hub.domain.ports import CameraTarget, Clock, TakeSnapshot
from streams.live.looking import Looking
from streams.live.pull import Patience
from streams.live.stream import Stream, StreamOptions
from streams.live.viewer import Viewer

LINGER_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOptions:
    """How live video is relayed; a pull ends ``linger_s`` after the last viewer has gone."""

    linger_s: float = LINGER_S
    stream: StreamOptions = field(default_factory=StreamOptions)
    patience: Patience = field(default_factory=Patience)
    picture_every_s: float = 1.0


_Key = tuple[int, str, str]


class Relay:
    """The live video of one process (:class:`hub.domain.live_video.LiveRelay`); close it."""

    def __init__(
        self,
        *,
        policy: AddressPolicy,
        clock: Clock,
        take_snapshot: TakeSnapshot,
        options: RelayOptions | None = None,
    ) -> None:
        self._policy, self._clock, self._take_snapshot = policy, clock, take_snapshot
        self._options = options or RelayOptions()
        self._streams: dict[_Key, Stream | Looking] = {}
        self._ends: dict[_Key, asyncio.TimerHandle] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def pulls(self) -> int:
        """How many streams are pulled, or looked at, now."""
        return len(self._streams)

    @property
    def viewers(self) -> int:
        """How many watch now."""
        return sum(len(stream.viewers) for stream in self._streams.values())

    @contextmanager
    def watch(self, target: CameraTarget, role: StreamRole) -> Iterator[Viewer]:
        """Watch the stream at ``stream_address`` until the end of the block.

        Raises:
            UnsupportedByDevice: the camera has masks: nobody sees its stream.
        """
        _refuse_masked(target)
        key = (target.device_id, target.channel, role.value)
        with self._join(key, target) as viewer:
            yield viewer

    @contextmanager
    def look(self, target: CameraTarget) -> Iterator[Viewer]:
        """Look at pictures, with the masks painted over, until the end of the block."""
        with self._join((target.device_id, target.channel, ""), target) as viewer:
            yield viewer

    async def close(self) -> None:
        """End every pull."""
        for end in self._ends.values():
            end.cancel()
        self._ends.clear()
        for key in list(self._streams):
            self._end(key)
        await asyncio.gather(*self._ending, return_exceptions=True)

    @contextmanager
    def _join(self, key: _Key, target: CameraTarget) -> Iterator[Viewer]:
        end = self._ends.pop(key, None)
        if end is not None:
            end.cancel()
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = self._open(key, target)
        else:
            stream.retarget(target)
        viewer = Viewer(stream.retarget)
        stream.join(viewer)
        try:
            yield viewer
        finally:
            stream.leave(viewer)
            if not stream.viewers and self._streams.get(key) is stream:
                loop = asyncio.get_running_loop()
                # Whoever looks again must not begin anew to knock at a door that was shut.
                at = max(loop.time() + self._options.linger_s, stream.rests_until)
                self._ends[key] = loop.call_at(at, self._end, key)

    def _open(self, key: _Key, target: CameraTarget) -> Stream | Looking:
        if key[2]:
            return Stream(
                target,
                policy=self._policy,
                clock=self._clock,
                options=self._options.stream,
                patience=self._options.patience,
            )
        return Looking(
            target,
            self._take_snapshot,
            clock=self._clock,
            every_s=self._options.picture_every_s,
        )

    def _end(self, key: _Key) -> None:
        """End a pull that nobody watches any more."""
        self._ends.pop(key, None)
        stream = self._streams.pop(key, None)
        if stream is not None:
            task = stream.end()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


def _refuse_masked(target: CameraTarget) -> None:
    if target.masks:
        msg = "this camera has privacy masks: its stream is shown to nobody, only pictures of it"
        raise UnsupportedByDevice(msg)
