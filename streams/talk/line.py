"""A line of sound to a camera: G.711 both ways inside one RTSP session.

To the camera it goes by the backchannel of ONVIF (Streaming Specification, section 5.3), from it
like any stream. Nothing is transcoded and nothing is retried.
"""

import asyncio
import secrets
import struct
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from hub.domain.addresses import AddressPolicy, parse_address
from hub.domain.errors import DeviceError, UnsupportedByDevice
from hub.domain.ports import CameraTarget
from hub.domain.talking import SOUND_CODECS, SOUND_RATE
from streams.access_units import find_payload
from streams.describe import RTSP_SCHEMES
from streams.network import Trace
from streams.rtsp.client import RtspClient, open_rtsp
from streams.rtsp.sdp import Description, Media
from streams.urls import redact

BACKCHANNEL: Final = "www.onvif.org/ver20/backchannel"
SETTING_UP_S: Final = 8.0
LONGEST_S: Final = 3600.0  # whoever opened the line ends it long before
PACKET_BYTES: Final = 160  # 20 ms
MOST_AHEAD_S: Final = 1.0
_SPEAK_CHANNEL: Final = 2
# Of RFC 3551; a camera need not map what is fixed.
_FIXED: Final = {"pcma": 8, "pcmu": 0}


@asynccontextmanager
async def open_line(target: CameraTarget, *, policy: AddressPolicy) -> AsyncIterator["Line"]:
    """Open a line until the end of the block.

    Raises:
        UnsupportedByDevice: the camera has no sound, or none that is understood.
        DeviceError: it does not answer as it should.
    """
    if not target.stream_address:
        msg = "the camera has no stream, and so no sound"
        raise UnsupportedByDevice(msg)
    try:
        async with open_rtsp(
            parse_address(target.stream_address, schemes=RTSP_SCHEMES),
            target.credentials,
            timeout_s=SETTING_UP_S,
            policy=policy,
            trace=Trace(),
        ) as rtsp:
            line = await _set_up(rtsp)
            rtsp.patience.renew(LONGEST_S)
            async with aclosing(line.bursts):
                yield line
    except DeviceError as error:
        raise type(error)(redact(str(error), target.credentials)) from None


async def _set_up(rtsp: RtspClient) -> "Line":
    description = await _describe(rtsp)
    sounds = [media for media in description.media if media.kind == "audio" and _codec(media)]
    heard = next((media for media in sounds if media.direction != "sendonly"), None)
    spoken = next((media for media in sounds if media.direction == "sendonly"), None)
    if heard is None and spoken is None:
        msg = "the camera has no sound, or none in G.711"
        raise UnsupportedByDevice(msg)
    rtsp.listen_to(-1 if heard is None else await rtsp.set_up(heard))
    channel = -1 if spoken is None else await rtsp.set_up(spoken, first=_SPEAK_CHANNEL)
    await rtsp.start(description)
    return Line(rtsp, heard=heard, spoken=spoken, channel=channel)


async def _describe(rtsp: RtspClient) -> Description:
    """Ask with the backchannel; a camera that does not know it can be listened to all the same."""
    try:
        return await rtsp.describe(requires=BACKCHANNEL)
    except UnsupportedByDevice:
        return await rtsp.describe()


def _codec(media: Media) -> str:
    if media.codec in SOUND_CODECS:
        return media.codec
    fixed = {number: name for name, number in _FIXED.items()}
    return "" if media.codec else fixed.get(media.payload_type, "")


class Line:
    """An open line (:class:`hub.domain.talking.TalkLine`)."""

    def __init__(
        self, rtsp: RtspClient, *, heard: Media | None, spoken: Media | None, channel: int
    ) -> None:
        self._rtsp = rtsp
        self.hears = _codec(heard) if heard else ""
        self.speaks = _codec(spoken) if spoken else ""
        self.bursts: AsyncGenerator[list[bytes], None] = rtsp.bursts()
        self._payload_type = spoken.payload_type if spoken else 0
        self._channel = channel
        self._sequence = secrets.randbits(15)
        self._timestamp = secrets.randbits(31)
        self._ssrc = secrets.randbits(32)
        self._clock = asyncio.get_running_loop().time
        self._said_until = self._clock()
        self._is_pause = True
        self._rest = b""

    async def listen(self) -> bytes:
        """Wait for more of what the camera hears."""
        async for burst in self.bursts:
            sound = b"".join(_payload_of(packet) for packet in burst)
            if sound:
                return sound
        return b""

    def say(self, sound: bytes) -> None:
        """Let the camera say something, 20 ms to a packet."""
        if self._channel < 0:
            return
        now = self._clock()
        if self._said_until < now:
            self._said_until, self._is_pause = now, True
        self._rest += sound
        while len(self._rest) >= PACKET_BYTES:
            piece, self._rest = self._rest[:PACKET_BYTES], self._rest[PACKET_BYTES:]
            if self._said_until - now > MOST_AHEAD_S:
                self._rest = b""
                return
            self._send(piece)
            self._said_until += PACKET_BYTES / SOUND_RATE

    def _send(self, piece: bytes) -> None:
        # The marker begins a talkspurt (RFC 3551 section 4.1).
        kind = self._payload_type | (0x80 if self._is_pause else 0)
        self._is_pause = False
        head = struct.pack("!BBHII", 0x80, kind, self._sequence, self._timestamp, self._ssrc)
        self._rtsp.send_packet(self._channel, head + piece)
        self._sequence = self._sequence + 1 & 0xFFFF
        self._timestamp = self._timestamp + len(piece) & 0xFFFFFFFF


def _payload_of(packet: bytes) -> bytes:
    found = find_payload(packet)
    return packet[found[0] : found[1]] if found else b""
