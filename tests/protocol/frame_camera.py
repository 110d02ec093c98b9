"""A camera that gives frames as a test tells it, and one visit to it."""

import asyncio
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.ports import CameraTarget, Clock
from hub.domain.quality import Codec, EncodedFrame
from hub.domain.secrets import Credentials, Secret
from hub.runtime.outbound import open_client
from streams.frames import fetch_frames
from tests.encoded_frames import (
    build_jpeg,
    build_key_frame,
    paint_scene,
)
from tests.protocol.scripted_rtsp import (
    Seen,
    play_along,
    read_request,
)
from tests.protocol.web_camera import Handler

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
PASSWORD = "nachts-um-3"
ADMIN = Credentials(username="admin", password=Secret(PASSWORD))
JPEG = build_jpeg(paint_scene(320, 240))
KEY_FRAME = build_key_frame(Codec.H264, paint_scene(320, 240))
START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def ticking() -> Clock:
    """A clock that is a second later each time it is read."""
    count = itertools.count()
    return lambda: START + timedelta(seconds=next(count))


async def fetch(
    *,
    count: int = 1,
    spacing_s: float = 0.0,
    timeout_s: float = 5.0,
    policy: AddressPolicy = LOOPBACK,
    **addresses: str,
) -> tuple[EncodedFrame, ...]:
    """``addresses`` are any of ``snapshot``, ``stream`` and ``sub``."""
    target = CameraTarget(
        device_id=1,
        snapshot_address=addresses.get("snapshot", ""),
        stream_address=addresses.get("stream", ""),
        sub_stream_address=addresses.get("sub", ""),
        credentials=ADMIN,
    )
    async with open_client(policy) as client:
        return await fetch_frames(
            target,
            count=count,
            spacing_s=spacing_s,
            timeout_s=timeout_s,
            client=client,
            policy=policy,
            clock=ticking(),
        )


def packets(frame: bytes, *, timestamp: int, sequence: int) -> list[bytes]:
    """A frame in Annex B form as interleaved RTP packets, fragmented (RFC 6184)."""
    payloads: list[bytes] = []
    for unit in frame.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]:
        if len(unit) < 1200:
            payloads.append(unit)
            continue
        chunks = [unit[i : i + 1200] for i in range(1, len(unit), 1200)]
        for i, chunk in enumerate(chunks):
            flags = (0x80 if i == 0 else 0) | (0x40 if i == len(chunks) - 1 else 0)
            head = bytes([unit[0] & 0xE0 | 28, flags | unit[0] & 0x1F])
            payloads.append(head + chunk)
    built: list[bytes] = []
    for i, payload in enumerate(payloads):
        marker = 0x80 if i == len(payloads) - 1 else 0
        rtp = bytes([0x80, marker | 96]) + ((sequence + i) & 0xFFFF).to_bytes(2, "big")
        rtp += timestamp.to_bytes(4, "big") + b"ssrc" + payload
        built.append(b"$\0" + len(rtp).to_bytes(2, "big") + rtp)
    return built


class KeyFrames:
    """A camera that plays ``frames`` of them, ``gap_s`` apart, then stays silent or hangs up."""

    def __init__(self, frames: int, *, gap_s: float = 0.0, hangs_up: bool = False) -> None:
        self._frames, self._gap_s, self._hangs_up = frames, gap_s, hangs_up
        self.seen: list[Seen] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method = ""
        while method != "PLAY":
            self.seen.append(await read_request(reader))
            method = self.seen[-1].method
            writer.write(play_along(self.seen[-1]))
        sequence = 0
        for i in range(self._frames):
            parts = packets(KEY_FRAME, timestamp=3600 * i, sequence=sequence)
            sequence += len(parts)
            writer.write(b"".join(parts))
            await writer.drain()
            await asyncio.sleep(self._gap_s)
        if not self._hangs_up:
            self.seen.append(await read_request(reader))


async def give_picture(request: web.Request) -> web.StreamResponse:
    return web.Response(body=JPEG, content_type="image/jpeg")


def answering(*responses: Callable[[], web.Response]) -> Handler:
    """Give each answer once, the last one for ever."""
    left = list(responses)

    async def handler(request: web.Request) -> web.StreamResponse:
        return (left.pop(0) if len(left) > 1 else left[0])()

    return handler


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not check():
            await asyncio.sleep(0.01)
