"""A process that stands in for thousands of cameras with pictures worth looking at.

``async with PictureFarm(snapshots=2000, streams=200) as farm`` starts it: the first cameras give
1080p JPEG pictures over HTTP with Digest authentication, the others H.264 over RTSP, by the
simulators' own server. All pictures are encoded beforehand, several of each place, with another
grain and another time in each, so that a request costs next to nothing and no two pictures of a
camera are alike. After ``spoil()`` one camera in twenty shows a fault, by a script both sides know.

A night farm looks at places where nothing moves; there something moves at some of them when they
are spoilt, and cameras show only faults that need no good picture of before.

With ``--serve`` it is the farm itself: it prints where the cameras are, obeys ``spoil`` and
``heal``, and ends with its input.
"""

import argparse
import asyncio
import json
import random
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import uvloop

from hub.domain.quality import Index
from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera_state import CameraOptions, CameraState, StreamShape
from hub.simulators.clip import Clip, encode_clip
from hub.simulators.digest import Gate
from hub.simulators.picture import Moment, Scene, build_jpeg, draw_background, draw_picture
from hub.simulators.picture_faults import Mode
from hub.simulators.rtp import PAYLOAD_LIMIT
from hub.simulators.rtsp_server import RtspServer
from tests.benchmarks.camera_farm import BACKLOG, host_of, number_of, raise_file_limit
from tests.benchmarks.other_process import OtherProcess, obey_orders

LOGIN = Credentials(username="admin", password=Secret("benchmark-1"))
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
PLACES = 16
MOMENTS = 7  # visits take one, two or five pictures: none begins with the last one's
TURNS, TURN_S = 3, 20.0
SIZE, SUB_SIZE = (1920, 1080), (704, 576)
QUALITY = 80
SCRIPT_LENGTH = 200
SCRIPT: Final[Mapping[int, Mode]] = {
    11: Mode.BLACK,
    22: Mode.NO_SIGNAL,
    33: Mode.BLURRED,
    44: Mode.BRIGHT,
    55: Mode.DARK,
    66: Mode.FLAT,
    77: Mode.TINTED,
    88: Mode.NOISY,
    99: Mode.STRIPED,
    110: Mode.COVERED,
    121: Mode.ELSEWHERE,
    132: Mode.FROZEN,
}
NIGHT_SCRIPT: Final[Mapping[int, Mode]] = {
    7: Mode.MOVING,
    57: Mode.BLACK,
    107: Mode.BLURRED,
    157: Mode.MOVING,
}
EXPECTED: Final[Mapping[Mode, Index]] = {
    Mode.BLACK: Index.SIGNAL,
    Mode.NO_SIGNAL: Index.SIGNAL,
    Mode.BLURRED: Index.BLUR,
    Mode.BRIGHT: Index.BRIGHT,
    Mode.DARK: Index.DARK,
    Mode.FLAT: Index.CONTRAST,
    Mode.TINTED: Index.CAST,
    Mode.NOISY: Index.NOISE,
    Mode.STRIPED: Index.STRIPES,
    Mode.COVERED: Index.OCCLUSION,
    Mode.ELSEWHERE: Index.SCENE,
    Mode.FROZEN: Index.FREEZE,
}
_CHALLENGE = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
    b'WWW-Authenticate: Digest realm="farm", nonce="abc", qop="auth"\r\n\r\n'
)


def scripted(number: int, script: Mapping[int, Mode] = SCRIPT) -> Mode:
    """What a camera shows once the farm is spoilt."""
    return script.get(number % SCRIPT_LENGTH, Mode.LIVE)


class PictureFarm(OtherProcess):
    """The cameras, in a process of their own that ends with the block."""

    def __init__(self, *, snapshots: int, streams: int, is_night: bool = False) -> None:
        counts = [str(snapshots), str(streams), *(["--night"] if is_night else [])]
        super().__init__("tests.benchmarks.picture_farm", "--serve", *counts)
        self.addresses: list[str] = []

    async def start(self) -> None:
        """Start the process; every camera answers when this returns."""
        await super().start()
        self.addresses = json.loads(self.said)

    async def spoil(self) -> None:
        """From now on some cameras show faults, as scripted."""
        assert await self.order("spoil") == "done"

    async def heal(self) -> None:
        """From now on all pictures are good."""
        assert await self.order("heal") == "done"


def scene_of(number: int, size: tuple[int, int], mode: Mode, *, is_night: bool = False) -> Scene:
    """The place a camera looks at."""
    place = number % PLACES + (PLACES if mode is Mode.ELSEWHERE else 0)
    return Scene(
        label="farm",
        seed=place,
        preset=place % 4,
        width=size[0],
        height=size[1],
        has_traffic=not is_night,
    )


def _moment(number: int) -> Moment:
    seconds = 37.0 * number
    return Moment(
        elapsed_s=seconds, now=NOON + timedelta(seconds=seconds), chance=7919 * (number + 1)
    )


class _Pictures:
    """All that is shown, encoded; ``is_spoilt`` is the state of the farm."""

    def __init__(self, count: int, *, is_night: bool = False) -> None:
        self.is_spoilt = False
        self.is_night = is_night
        self.script = NIGHT_SCRIPT if is_night else SCRIPT
        self._asked = [0] * count
        self._jpegs = {
            (place, mode): self._encode(place, mode)
            for mode in {Mode.LIVE, *self.script.values()}
            for place in range(PLACES)
            if mode is Mode.LIVE or place in self._places_of(mode, count)
        }

    def _encode(self, place: int, mode: Mode) -> list[bytes]:
        scene = scene_of(place, SIZE, mode, is_night=self.is_night)
        background = draw_background(scene)
        answers = []
        for number in range(MOMENTS):
            picture = draw_picture(scene, background, mode, _moment(number))
            jpeg = build_jpeg(picture, quality=QUALITY)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
            answers.append(f"{head}\r\n".encode() + jpeg)
        return answers

    def obey(self, order: str) -> str:
        """Do what a line of input says; returns the answer."""
        self.is_spoilt = order.strip() == "spoil"
        return "done"

    def mode_of(self, number: int) -> Mode:
        """What a camera shows now."""
        return scripted(number, self.script) if self.is_spoilt else Mode.LIVE

    def _places_of(self, mode: Mode, count: int) -> set[int]:
        """The places that cameras with a fault look at."""
        return {n % PLACES for n in range(count) if scripted(n, self.script) is mode}

    def answer(self, number: int) -> bytes:
        """The next picture of a camera, as an answer of HTTP."""
        self._asked[number] += 1
        mode = self.mode_of(number)
        answers = self._jpegs[number % PLACES, mode]
        return (
            answers[0] if mode is Mode.FROZEN else answers[(self._asked[number] + number) % MOMENTS]
        )


class _Conversation(asyncio.Protocol):
    """One connection to one of the cameras with a snapshot address."""

    def __init__(self, pictures: _Pictures) -> None:
        self._pictures = pictures
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._number = number_of(transport.get_extra_info("sockname")[0])

    def data_received(self, data: bytes) -> None:
        self._head += data
        if not self._head.endswith(b"\r\n\r\n"):
            return
        is_answering = b"\r\nAuthorization: " in self._head
        self._head = b""
        answer = self._pictures.answer(self._number) if is_answering else _CHALLENGE
        self._transport.write(answer)


class _Streams:
    """The clips all cameras with a stream share."""

    def __init__(self, pictures: _Pictures, first: int, count: int) -> None:
        self._pictures = pictures
        self.states: dict[int, CameraState] = {}
        numbers = range(first, first + count)
        wanted = {
            (n % PLACES, mode)
            for n in numbers
            for mode in (Mode.LIVE, scripted(n, pictures.script))
        }
        self._clips = {
            (place, mode): [
                encode_clip(
                    scene_of(place, SUB_SIZE, mode, is_night=pictures.is_night),
                    mode,
                    _moment(place + PLACES * turn),
                    payload_limit=PAYLOAD_LIMIT,
                )
                for turn in range(TURNS if mode is Mode.LIVE else 1)
            ]
            for place, mode in wanted
        }

    async def find(self, number: int) -> Clip:
        """What a camera shows now; good streams go on to another loop now and then."""
        clips = self._clips[number % PLACES, self._pictures.mode_of(number)]
        return clips[int(asyncio.get_running_loop().time() / TURN_S) % len(clips)]

    def server(self, number: int) -> RtspServer:
        """The RTSP server of a camera."""
        options = CameraOptions(
            name=f"camera {number}",
            serial=f"F{number}",
            mac="02:00:00:00:00:01",
            host=host_of(number),
            rtsp_port=0,
            credentials=LOGIN,
        )
        rng = random.Random(number)
        state = CameraState(options, clock=lambda: datetime.now(UTC), rng=rng)
        gate = Gate(realm=options.serial, key=rng.randbytes(16))
        self.states[number] = state

        async def find_clip(_shape: StreamShape) -> Clip:
            return await self.find(number)

        return RtspServer(state, gate, find_clip)


async def _serve(snapshots: int, streams: int, *, is_night: bool) -> None:
    loop = asyncio.get_running_loop()
    pictures = _Pictures(snapshots, is_night=is_night)
    clips = _Streams(pictures, snapshots, streams)
    async with AsyncExitStack() as stack:
        web = await loop.create_server(
            lambda: _Conversation(pictures), "0.0.0.0", 0, backlog=BACKLOG
        )
        stack.callback(web.close)
        port = web.sockets[0].getsockname()[1]
        addresses = [f"http://{host_of(number)}:{port}/1.jpg" for number in range(snapshots)]
        for number in range(snapshots, snapshots + streams):
            server = clips.server(number)
            await server.start()
            stack.push_async_callback(server.stop)
            addresses.append(clips.states[number].stream_address("sub"))
        await obey_orders(json.dumps(addresses), pictures.obey)


def main() -> None:
    """Be the cameras until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", required=True)
    parser.add_argument("snapshots", type=int)
    parser.add_argument("streams", type=int)
    parser.add_argument("--night", action="store_true")
    given = parser.parse_args()
    raise_file_limit()
    uvloop.run(_serve(given.snapshots, given.streams, is_night=given.night))


if __name__ == "__main__":
    main()
