"""The sound of a simulated camera: a hum of its own, and what it is told (ONVIF backchannel).

G.711 A-law, 8,000 samples a second, 20 ms to a packet, inside the RTSP connection.
"""

import asyncio
import math
import struct
from collections.abc import Sequence
from typing import Final

from hub.simulators.camera_state import CameraState
from hub.simulators.rtp import build_interleaved

BACKCHANNEL: Final = "www.onvif.org/ver20/backchannel"
HEARD_TRACK, TOLD_TRACK = 2, 3
MOST_TOLD: Final = 8000 * 60
_PCMA, _PACKET_BYTES, _PACKET_S = 8, 160, 0.02
_HUM_HZ, _LOUDNESS = 400, 8000
_HEADER_BYTES = 12


def sound_lines(state: CameraState, *, is_spoken_to: bool) -> Sequence[str]:
    """What a description says of sound; the way back is told only to those who ask for it."""
    if not state.options.has_sound:
        return ()
    codec = f"a=rtpmap:{_PCMA} PCMA/8000"
    media = f"m=audio 0 RTP/AVP {_PCMA}"
    heard = (media, codec, "a=recvonly", f"a=control:track{HEARD_TRACK}")
    told = (media, codec, "a=sendonly", f"a=control:track{TOLD_TRACK}")
    return (*heard, *told) if is_spoken_to else heard


class Sound:
    """The sound of one connection."""

    def __init__(self, state: CameraState, writer: asyncio.StreamWriter) -> None:
        self._state, self._writer = state, writer
        self._channels: dict[int, int] = {}
        self._hum: asyncio.Task[None] | None = None
        self._is_on = False

    def set_up(self, track: int, channel: int) -> bool:
        """Use a channel for a track; False for a track that the camera does not have."""
        if not self._state.options.has_sound or track not in {HEARD_TRACK, TOLD_TRACK}:
            return False
        self._channels[track] = channel
        return True

    def start(self) -> None:
        """Hum, and listen."""
        self._is_on = True
        if HEARD_TRACK in self._channels and self._hum is None:
            self._hum = asyncio.create_task(self._play(self._channels[HEARD_TRACK]))

    def take(self, channel: int, packet: bytes) -> None:
        """Hear a packet of the way back; what is none is passed over."""
        if not self._is_on or self._channels.get(TOLD_TRACK) != channel:
            return
        if len(packet) > _HEADER_BYTES and packet[0] == 0x80 and packet[1] & 0x7F == _PCMA:
            self._state.told += packet[_HEADER_BYTES:]
            del self._state.told[:-MOST_TOLD]

    def close(self) -> None:
        """Fall silent."""
        if self._hum is not None:
            self._hum.cancel()

    async def _play(self, channel: int) -> None:
        rng, condition = self._state.rng, self._state.condition
        sequence, timestamp, ssrc = rng.getrandbits(15), rng.getrandbits(31), rng.getrandbits(32)
        hum = bytes(
            encode_alaw(round(_LOUDNESS * math.sin(2 * math.pi * _HUM_HZ * n / 8000)))
            for n in range(_PACKET_BYTES)
        )
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self._writer.is_closing():
            await condition.line.passage()
            head = struct.pack("!BBHII", 0x80, _PCMA, sequence, timestamp, ssrc)
            self._writer.write(build_interleaved(channel, head + hum))
            sequence, timestamp = sequence + 1 & 0xFFFF, timestamp + _PACKET_BYTES & 0xFFFFFFFF
            due = max(due + _PACKET_S, loop.time() - 1.0)
            await asyncio.sleep(due - loop.time())


def encode_alaw(sample: int) -> int:
    """Encode a 16-bit sample (ITU-T G.711, A-law)."""
    sign, size = (0x80, sample) if sample >= 0 else (0, -sample - 1)
    size = min(size, 32_635) >> 3
    segment = max(size.bit_length() - 5, 0)
    mantissa = size >> max(segment, 1) & 0x0F
    return (sign | segment << 4 | mantissa) ^ 0x55
