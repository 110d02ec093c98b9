"""Films a camera for some seconds, with its masks painted over; every decoder is confined.

The hub collects the encoded pictures of one session, within limits of size and time; a process
of its own decodes them, paints over them and encodes a film that browsers play.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from hub.domain.addresses import AddressPolicy
from hub.domain.errors import DeviceBusy, DeviceUnreachable, ProtocolViolation
from hub.domain.health import Layer
from hub.domain.looks import LONGEST_CLIP_S, Clip
from hub.domain.ports import CameraTarget, Clock
from hub.domain.quality import Codec
from streams.clip_messages import build_order, read_answer
from streams.confined import Confined
from streams.frames import MAX_FRAMES, fetch_frames
from streams.recording import LEAST_FRAMES, Recording, record_stream

MIME: Final = "video/mp4"
FILM_LIMIT_S: Final = 30.0  # ten seconds of 1080p at 25 pictures a second take 3 s of a core
SETTING_UP_S: Final = 10.0  # the first key frame may be long in coming
MAKING_S: Final = 3.0
AT_ONCE: Final = 8  # recordings, of up to 20 MiB each
SIZE: Final = 2  # processes


class ClipTaker:
    """Takes films (:class:`hub.domain.looks.TakeClip`); close it in the end.

    ``client`` enforces the address policy on every connection it opens, redirects included. At
    most AT_ONCE cameras are recorded and ``size`` films are made at a time.
    """

    def __init__(
        self,
        *,
        client: aiohttp.ClientSession,
        policy: AddressPolicy,
        clock: Clock,
        size: int = SIZE,
        limit_s: float = FILM_LIMIT_S,
    ) -> None:
        self._client, self._policy, self._clock = client, policy, clock
        self._limit_s = limit_s
        self._makers = [Confined("streams.clip_worker", limit_s=limit_s) for _ in range(size)]
        self._idle: asyncio.LifoQueue[Confined] = asyncio.LifoQueue()
        for maker in self._makers:
            self._idle.put_nowait(maker)
        self._places = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, target: CameraTarget, *, seconds: float, timeout_s: float) -> Clip:
        """Return a film of MIME, at most LONGEST_CLIP_S long.

        It is the main stream's; a camera without one is filmed by its snapshots.

        Raises:
            DeviceError: the camera sends nothing to film, or it cannot be decoded.
            OwnShortage: this machine cannot start the process.
        """
        wanted_s = min(seconds, LONGEST_CLIP_S)
        try:
            async with asyncio.timeout(timeout_s), self._places:
                recording = await self._record(target, wanted_s, timeout_s)
                return await self._make(recording, target)
        except TimeoutError:
            msg = f"{Layer.FRAMES}: no film within {timeout_s:g} s"
            raise DeviceUnreachable(msg) from None

    async def close(self) -> None:
        """End the processes, once they have answered."""
        await asyncio.gather(*(maker.close() for maker in self._makers))

    async def _record(self, target: CameraTarget, seconds: float, timeout_s: float) -> Recording:
        if target.stream_address or target.sub_stream_address:
            # A camera that sends too little is shown as far as it got, and that takes time too.
            limit_s = max(seconds, min(timeout_s - MAKING_S, seconds + SETTING_UP_S))
            return await record_stream(
                target, seconds=seconds, timeout_s=limit_s, policy=self._policy
            )
        frames = await fetch_frames(
            target,
            count=MAX_FRAMES,
            spacing_s=seconds / (MAX_FRAMES - 1),
            timeout_s=timeout_s,
            client=self._client,
            policy=self._policy,
            clock=self._clock,
        )
        if len(frames) < LEAST_FRAMES:
            msg = f"{Layer.FRAMES}: the camera gave a single picture"
            raise DeviceBusy(msg)
        recording = Recording(codec=Codec.JPEG)
        for frame in frames:
            recording.keep((frame.taken_at - frames[0].taken_at).total_seconds(), frame.data)
        return recording

    async def _make(self, recording: Recording, target: CameraTarget) -> Clip:
        order = build_order(recording, target.masks)
        try:
            async with self._maker() as maker:
                reason, film, seconds = await maker.ask(order, read_answer)
        except TimeoutError:
            reason = f"the film was not made within {self._limit_s:g} s"
        except (OSError, EOFError, struct.error):
            reason = "the film broke the decoder"
        if reason:
            msg = f"{Layer.PICTURE}: {reason}"
            raise ProtocolViolation(msg)
        return Clip(data=film, mime=MIME, seconds=seconds)

    @asynccontextmanager
    async def _maker(self) -> AsyncIterator[Confined]:
        """Lend a process that is idle."""
        maker = await self._idle.get()
        try:
            yield maker
        finally:
            self._idle.put_nowait(maker)
