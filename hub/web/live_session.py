"""One viewer at one WebSocket: what he is sent, and when that ends.

The protocol stands in :mod:`hub.web.routes.live_video`.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from typing import Final

from starlette.websockets import WebSocket

from hub.domain.live_video import (
    Behind,
    Fragment,
    LiveItem,
    LiveRelay,
    LiveStatus,
    LiveViewer,
    StreamRole,
    Track,
)
from hub.domain.ports import Clock, Picture
from hub.store.live_targets import LiveTarget
from hub.web.live_guard import Guarded, Recheck, Standpoint
from hub.web.live_messages import (
    CLOSE_CODES,
    Ending,
    Instead,
    Wish,
    build_beat,
    build_behind,
    build_ended,
    build_hello,
    build_instead,
    build_picture,
    build_state,
    build_track,
    build_viewers,
    parse_wish,
)
from hub.web.parting import LEFT, drop, part

BEAT_S: Final = 1.0
WISH_S: Final = 10.0  # a client says within this what it plays
MESSAGE_BYTES: Final = 256 * 1024  # fragments that wait are sent together up to this size


class LiveSession(Guarded):
    """Serves one viewer until he leaves or may no longer watch."""

    def __init__(
        self,
        socket: WebSocket,
        relay: LiveRelay,
        *,
        standpoint: Standpoint,
        wanted: StreamRole,
        recheck: Recheck,
        clock: Clock,
    ) -> None:
        super().__init__(standpoint, recheck)
        self._socket, self._relay = socket, relay
        self._wanted, self._clock = wanted, clock
        self._wish = Wish()
        self._viewer: LiveViewer | None = None
        self._must_switch = asyncio.Event()
        self._stopping = asyncio.Event()

    def end(self) -> None:
        """Have the viewing end, for the hub stops."""
        self._stopping.set()

    async def run(self, number: int) -> Ending:
        """Serve the viewing of this number; the connection is accepted, and closed in the end."""
        ending = Ending.LEFT
        with suppress(*LEFT):
            target = self.standpoint.target
            await self._say(build_hello(number, target, self._wanted.value, self._clock()))
            ending = await self._serve()
        if ending is not Ending.LEFT:
            await refuse(self._socket, ending)
        return ending

    async def _serve(self) -> Ending:
        try:
            async with asyncio.timeout(WISH_S):
                while self._wish.play is None and not self._wish.wants_pictures:
                    self._wish = parse_wish(await self._socket.receive_text())
        except (TimeoutError, KeyError):  # a binary message says nothing
            return Ending.SILENT
        lasting = [
            asyncio.create_task(self._listen(), name="live-listen"),
            asyncio.create_task(self._beat(), name="live-beat"),
            asyncio.create_task(self._watch_over(), name="live-guard"),
            asyncio.create_task(self._stop(), name="live-stop"),
        ]
        try:
            while True:
                self._must_switch.clear()
                await self._talk_until_switch(lasting)
                for task in lasting:
                    if task.done():
                        return task.result()
        finally:
            await drop(lasting)

    async def _talk_until_switch(self, lasting: Sequence[asyncio.Task[Ending]]) -> None:
        """Send what is to be seen until it must be something else, or it is over."""
        talking = asyncio.create_task(self._talk(), name="live-talk")
        switching = asyncio.create_task(self._must_switch.wait(), name="live-switch")
        try:
            await asyncio.wait([talking, switching, *lasting], return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                talking.result()
        finally:
            await drop([talking, switching])

    async def _listen(self) -> Ending:
        while True:
            try:
                wish = parse_wish(await self._socket.receive_text())
            except KeyError:  # a binary message says nothing
                continue
            if wish.wants_pictures and not self._wish.wants_pictures:
                self._wish = Wish(play=self._wish.play, wants_pictures=True)
                self._must_switch.set()

    async def _beat(self) -> Ending:
        told: tuple[str, ...] = ()
        while True:
            await self._say(build_beat(self._clock()))
            if told != self.viewers and self.standpoint.sees_viewers:
                told = self.viewers
                await self._say(build_viewers(told))
            await asyncio.sleep(BEAT_S)

    async def _stop(self) -> Ending:
        await self._stopping.wait()
        return Ending.STOPPING

    async def _watch_over(self) -> Ending:
        return await self._guard.watch(self._take)

    def _take(self, before: LiveTarget) -> None:
        """Go on with what is known now of the camera."""
        now = self.standpoint.target
        was, is_now = before.camera, now.camera
        is_other = before.role is not now.role or was.channel != is_now.channel
        if is_other or bool(was.masks) != bool(is_now.masks) or not is_now.stream_address:
            self._must_switch.set()
        elif self._viewer is not None and was != is_now:
            self._viewer.retarget(is_now)

    async def _talk(self) -> None:
        """Send what is to be seen, until it must be something else."""
        instead = self._choose()
        if instead is not None:
            await self._say(build_instead(instead))
        with self._open(instead) as viewer:
            self._viewer = viewer
            try:
                while await self._send(await viewer.next()):
                    pass
            finally:
                self._viewer = None

    def _choose(self) -> Instead | None:
        """Why there are pictures; None when there is video."""
        target = self.standpoint.target
        if target.camera.masks:
            return Instead.MASKED
        if not target.camera.stream_address:
            return Instead.NO_STREAM
        if self._wish.wants_pictures:
            return Instead.ASKED
        if not self._wish.play or (target.codec and not self._wish.plays(target.codec)):
            return Instead.CODEC
        return None

    def _open(self, instead: Instead | None) -> AbstractContextManager[LiveViewer]:
        target = self.standpoint.target
        if instead is None:
            return self._relay.watch(target.camera, target.role)
        return self._relay.look(target.camera)

    async def _send(self, items: Sequence[LiveItem]) -> bool:
        """Send what came; False: it cannot be played."""
        parts: list[bytes] = []
        size = 0
        for item in items:
            if isinstance(item, Fragment):
                if size > MESSAGE_BYTES:
                    await self._send_film(parts)
                    parts, size = [], 0
                parts.append(item.data)
                size += len(item.data)
            elif isinstance(item, Track) and not self._wish.plays(item.codec):
                self._wish = Wish(play=())
                return False
            else:
                await self._tell(item)
        await self._send_film(parts)
        return True

    async def _send_film(self, parts: list[bytes]) -> None:
        if parts:
            await self._send_bytes(parts[0] if len(parts) == 1 else b"".join(parts))

    async def _tell(self, item: LiveStatus | Track | Behind | Picture) -> None:
        match item:
            case LiveStatus():
                await self._say(build_state(item))
            case Track():
                await self._say(build_track(item))
                await self._send_bytes(item.init)
            case Behind():
                await self._say(build_behind(item.skipped))
            case Picture():
                await self._say(build_picture(item))
                await self._send_bytes(item.jpeg)

    async def _say(self, text: str) -> None:
        await self._socket.send_text(text)

    async def _send_bytes(self, data: bytes) -> None:
        await self._socket.send_bytes(data)
        self.sent += len(data)


async def refuse(socket: WebSocket, ending: Ending) -> None:
    """Say why it is over and close."""
    await part(socket, build_ended(ending), code=CLOSE_CODES[ending], reason=ending.value)
