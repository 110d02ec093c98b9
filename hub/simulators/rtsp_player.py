"""Sends one stream of a simulated camera to one client, picture by picture.

Timestamps go on rising while the clip is looped. The clip is looked up anew at each second, so
that a preset or a picture fault shows within one.
"""

import asyncio
from collections.abc import Awaitable, Callable

from hub.simulators.camera_state import CameraState, StreamShape
from hub.simulators.clip import FRAME_RATE, Clip
from hub.simulators.faults import build_garbage
from hub.simulators.rtp import (
    CLOCK_RATE,
    build_interleaved,
    build_packet,
    build_sender_report,
)

FindClip = Callable[[StreamShape], Awaitable[Clip]]

REPORT_INTERVAL = 5 * FRAME_RATE  # pictures between two sender reports
MAX_UNSENT = 2 * 1024 * 1024  # bytes a slow client may leave waiting before it is dropped


class Player:
    """One stream on its way to one client."""

    def __init__(
        self,
        state: CameraState,
        shape: StreamShape,
        channel: int,
        writer: asyncio.StreamWriter,
    ) -> None:
        rng = state.rng
        self._state, self._shape, self._channel, self._writer = state, shape, channel, writer
        self._ssrc = rng.getrandbits(32)
        self._packets = self._octets = 0
        self.sequence = rng.getrandbits(15)
        self.timestamp = rng.getrandbits(31)

    async def run(self, find_clip: FindClip) -> None:
        """Send until cancelled or until the client stops reading."""
        loop = asyncio.get_running_loop()
        condition = self._state.condition
        clip = await find_clip(self._shape)
        index, sent, due = self._first(clip), 0, loop.time()
        while not self._writer.is_closing():
            if index % FRAME_RATE == 0:
                wanted = await find_clip(self._shape)
                if wanted is not clip:
                    clip, index = wanted, self._first(wanted)
            self._send(clip.pictures[index], sent)
            if self._writer.transport.get_write_buffer_size() > MAX_UNSENT:
                self._writer.transport.abort()
                return
            index, sent = (index + 1) % len(clip.pictures), sent + 1
            self.timestamp += CLOCK_RATE // FRAME_RATE
            due += 1 / FRAME_RATE
            await asyncio.sleep(due - loop.time())
            if condition.line.is_cut:
                await condition.line.passage()
                due = loop.time()

    def _first(self, clip: Clip) -> int:
        """The picture to begin with: a key picture, not the same one at every visit."""
        seconds = len(clip.pictures) // FRAME_RATE
        return int(self._state.now().timestamp()) % seconds * FRAME_RATE

    def _send(self, payloads: tuple[bytes, ...], sent: int) -> None:
        if self._state.condition.is_garbage:
            self._writer.write(build_garbage(self._state.rng))
            return
        out: list[bytes] = []
        if sent % REPORT_INTERVAL == 0:
            report = build_sender_report(
                now=self._state.now(),
                timestamp=self.timestamp,
                ssrc=self._ssrc,
                packets=self._packets,
                octets=self._octets,
            )
            out.append(build_interleaved(self._channel + 1, report))
        last = len(payloads) - 1
        for number, payload in enumerate(payloads):
            packet = build_packet(
                payload,
                sequence=self.sequence,
                timestamp=self.timestamp,
                ssrc=self._ssrc,
                is_last=number == last,
            )
            out.append(build_interleaved(self._channel, packet))
            self.sequence += 1
            self._octets += len(payload)
        self._packets += len(payloads)
        self._writer.write(b"".join(out))
