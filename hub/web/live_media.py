"""One viewing through a media server: the film goes past the hub, the right to see it does not.

It ends when the viewer may no longer watch, or when nobody receives the stream any more; then
the name under which it can be read is gone.
"""

import asyncio
from typing import Final

from hub.domain.errors import DeviceError, NotFound
from hub.domain.live_video import MediaFile, MediaServer
from hub.runtime.ending import end_tasks
from hub.store.live_targets import LiveTarget
from hub.web.live_guard import Guarded, Recheck, Standpoint
from hub.web.live_messages import Ending

STARTING_S: Final = 20.0  # a browser and a camera have this long to find each other
IDLE_S: Final = 15.0  # who has fetched nothing for so long has gone
LOOK_S: Final = 5.0


class MediaSession(Guarded):
    """Guards one viewer of one stream that a media server sends."""

    def __init__(
        self, server: MediaServer, name: str, *, standpoint: Standpoint, recheck: Recheck
    ) -> None:
        super().__init__(standpoint, recheck)  # ``sent`` through the hub: LL-HLS, not WebRTC
        self._server, self._name = server, name
        self._over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._fetched_at = asyncio.get_running_loop().time()

    def end(self) -> None:
        """Have the viewing end, for the hub stops."""
        self._finish(Ending.STOPPING)

    def leave(self) -> None:
        """The viewer goes."""
        self._finish(Ending.LEFT)

    async def offer(self, offer: str) -> str:
        """Begin to send by WebRTC; returns the answer, raises a DeviceError."""
        return await self._server.offer(self._name, offer)

    async def fetch(self, file: str, query: dict[str, str]) -> MediaFile:
        """Return a file of the stream; raises NotFound or a DeviceError."""
        self._fetched_at = asyncio.get_running_loop().time()
        found = await self._server.fetch(self._name, file, query)
        self.sent += len(found.data)
        return found

    async def run(self, number: int) -> Ending:
        """Guard the viewing until it is over."""
        del number
        watching = asyncio.create_task(self._guard.watch(self._take), name="live-media-guard")
        looking = asyncio.create_task(self._look(), name="live-media-look")
        try:
            done, _ = await asyncio.wait(
                [watching, looking, self._over], return_when=asyncio.FIRST_COMPLETED
            )
            return next(iter(done)).result()
        finally:
            await end_tasks([watching, looking])
            await self._server.close(self._name)

    def _take(self, before: LiveTarget) -> None:
        """A camera that is masked now, or elsewhere, is sent no longer: ask anew."""
        now = self.standpoint.target.camera
        if now.masks or now.stream_address != before.camera.stream_address:
            self._finish(Ending.GONE)

    async def _look(self) -> Ending:
        """Return when nobody receives the stream any more."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(STARTING_S)
        while True:
            if loop.time() - self._fetched_at > IDLE_S and not await self._has_readers():
                return Ending.LEFT
            await asyncio.sleep(LOOK_S)

    async def _has_readers(self) -> bool:
        try:
            return await self._server.count_readers(self._name) > 0
        except (DeviceError, NotFound):
            return False

    def _finish(self, ending: Ending) -> None:
        if not self._over.done():
            self._over.set_result(ending)
