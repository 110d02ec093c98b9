"""One person who listens at a camera and speaks through it: what is sent, and when that ends.

The protocol stands in :mod:`hub.web.routes.talk`. Who may talk is asked again whenever something
changed that it may depend on, and every few seconds anyway.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from starlette.websockets import WebSocket

from hub.domain.errors import Conflict, DeviceError, NotFound, NotPermitted, StoreUnavailable
from hub.domain.ports import CameraTarget, Clock
from hub.domain.talking import OpenTalk, TalkLine
from hub.runtime.live import LiveFeed
from hub.web.parting import LEFT, drop, part

TALK_S: Final = 60.0  # without a further wish to talk on
RECHECK_S: Final = 4.0  # well within the time for which a hold lasts
MOST_SOUND_BYTES: Final = 4000  # of one message: half a second


class TalkEnding(StrEnum):
    """Why a talk is over. Of LEFT nothing is said: there is nobody to say it to."""

    LEFT = "left"
    SESSION = "session"
    GONE = "gone"
    BUSY = "busy"
    TIME = "time"
    CAMERA = "camera"


CLOSE_CODES: Final = {
    TalkEnding.SESSION: 4401,
    TalkEnding.GONE: 4404,
    TalkEnding.BUSY: 4409,
    TalkEnding.TIME: 4408,
    TalkEnding.CAMERA: 4502,
}

Recheck = Callable[[], Awaitable[bool]]
"""Holds the camera for a further while; False: the session or token is over.

Raises NotFound or NotPermitted when the talk may not go on, Conflict when another person has
the camera, StoreUnavailable.
"""


class TalkSession:
    """Serves one talk until he leaves, or must."""

    def __init__(
        self, socket: WebSocket, open_talk: OpenTalk, *, recheck: Recheck, feed: LiveFeed,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._socket, self._open_talk, self._recheck = socket, open_talk, recheck
        self._feed, self._clock = feed, clock
        self._renewed = asyncio.Event()

    async def run(self, target: CameraTarget) -> None:
        """Talk; the connection is accepted, and closed in the end."""
        ending, detail = TalkEnding.LEFT, ""
        with suppress(*LEFT):
            try:
                async with self._open_talk(target) as line:
                    ending = await self._talk(line)
            except DeviceError as error:
                ending, detail = TalkEnding.CAMERA, str(error)
        if ending is not TalkEnding.LEFT:
            await end_talk(self._socket, ending, detail)

    async def _talk(self, line: TalkLine) -> TalkEnding:
        await self._say({"type": "hello", "hears": line.hears, "speaks": line.speaks})
        await self._tell_until()
        tasks = [
            asyncio.create_task(self._listen(line), name="talk-listen"),
            asyncio.create_task(self._hear(line), name="talk-hear"),
            asyncio.create_task(self._guard(), name="talk-guard"),
            asyncio.create_task(self._expire(), name="talk-expire"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            await drop(tasks)

    async def _listen(self, line: TalkLine) -> TalkEnding:
        """Pass on what the camera hears."""
        while sound := await line.listen():
            await self._socket.send_bytes(sound)
        return TalkEnding.CAMERA

    async def _hear(self, line: TalkLine) -> TalkEnding:
        """Pass on what the person says."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return TalkEnding.LEFT
            sound = message.get("bytes")
            if sound:
                line.say(sound[:MOST_SOUND_BYTES])
            elif message.get("text") == '{"renew":true}':
                self._renewed.set()
                await self._tell_until()

    async def _guard(self) -> TalkEnding:
        """Return when this person may no longer talk, and why."""
        with self._feed.subscribe() as notices:
            told = aiter(notices)
            while True:
                # One notice is awaited at a time: whatever it is of, it is asked again.
                with suppress(TimeoutError, StopAsyncIteration):
                    async with asyncio.timeout(RECHECK_S):
                        await anext(told)
                try:
                    if not await self._recheck():
                        return TalkEnding.SESSION
                except StoreUnavailable:
                    continue
                except (NotFound, NotPermitted):
                    return TalkEnding.GONE
                except Conflict:
                    return TalkEnding.BUSY

    async def _expire(self) -> TalkEnding:
        while True:
            self._renewed.clear()
            try:
                async with asyncio.timeout(TALK_S):
                    await self._renewed.wait()
            except TimeoutError:
                return TalkEnding.TIME

    async def _tell_until(self) -> None:
        until: datetime = self._clock() + timedelta(seconds=TALK_S)
        await self._say({"type": "until", "until": until.isoformat()})

    async def _say(self, said: dict[str, object]) -> None:
        await self._socket.send_text(json.dumps(said))


async def end_talk(socket: WebSocket, ending: TalkEnding, detail: str = "") -> None:
    """Say why it is over and close."""
    said = {"type": "ended", "why": ending.value, "detail": detail}
    await part(socket, json.dumps(said), code=CLOSE_CODES[ending], reason=ending.value)
