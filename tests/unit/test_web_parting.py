"""Who leaves in the middle is a client that has gone, to everything that still sends to him."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.domain.access import Principal
from hub.domain.devices import Device, DeviceKind, Registration
from hub.domain.live_video import LiveRelay, StreamRole
from hub.domain.ports import CameraTarget
from hub.domain.talking import TalkLine
from hub.runtime.live import LiveFeed
from hub.store.live_targets import LiveTarget
from hub.web.live_guard import Standpoint
from hub.web.live_messages import Ending
from hub.web.live_session import LiveSession, refuse
from hub.web.talk_session import TalkEnding, TalkSession, end_talk

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
CAMERA = CameraTarget(device_id=7, channel="ch1", stream_address="rtsp://127.0.0.1/main")
STANDPOINT = Standpoint(
    principal=Principal(user_id=1, name="p", grants=()),
    target=LiveTarget(
        device=Device(
            id=7, connection_id=1, key="device", area_id=1, area_path="town",
            kind=DeviceKind.CAMERA, name="gate", registration=Registration.APPROVED,
        ),
        camera=CAMERA,
        role=StreamRole.MAIN,
    ),
)  # fmt: skip


class Leaver:
    """A client who wishes for pictures, takes so many messages and has gone then."""

    def __init__(self, *, takes: int) -> None:
        self.taken: list[str] = []
        self._takes = takes
        self._says = [
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": '{"play": []}'},
        ]

    async def receive(self) -> MutableMapping[str, Any]:
        if not self._says:
            await asyncio.Event().wait()
        return dict(self._says.pop(0))

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if len(self.taken) == self._takes:
            raise BrokenPipeError
        self.taken.append(message["type"])


@dataclass(frozen=True, slots=True)
class Silent:
    """A line of a camera that hears nothing."""

    hears: str = "pcma"
    speaks: str = "pcma"

    async def listen(self) -> bytes:
        await asyncio.Event().wait()
        return b""

    def say(self, sound: bytes) -> None:
        del sound


@asynccontextmanager
async def open_silence(target: CameraTarget) -> AsyncIterator[TalkLine]:
    assert target is CAMERA
    yield Silent()


async def accept(client: Leaver) -> WebSocket:
    socket = WebSocket({"type": "websocket"}, client.receive, client.send)
    await socket.accept()
    return socket


async def test_a_viewer_who_has_left_is_told_nothing_by_several_at_once() -> None:
    async def recheck() -> Standpoint:
        return STANDPOINT

    client = Leaver(takes=2)  # the hello too: the beat finds out, what follows it does not send
    socket = await accept(client)
    session = LiveSession(
        socket,
        cast("LiveRelay", None),
        standpoint=STANDPOINT,
        wanted=StreamRole.MAIN,
        recheck=recheck,
        clock=lambda: NOW,
    )
    assert await session.run(17) is Ending.LEFT
    await refuse(socket, Ending.STOPPING)
    assert client.taken == ["websocket.accept", "websocket.send"]


async def test_who_leaves_a_talk_before_it_begins_is_told_nothing() -> None:
    async def recheck() -> bool:
        return True

    client = Leaver(takes=1)
    socket = await accept(client)
    with pytest.raises(WebSocketDisconnect):
        await socket.send_text("found out")
    talk = TalkSession(
        socket,
        open_silence,
        recheck=recheck,
        feed=cast("LiveFeed", None),
        clock=lambda: NOW,
    )
    await talk.run(CAMERA)
    await end_talk(socket, TalkEnding.TIME)
    assert client.taken == ["websocket.accept"]
