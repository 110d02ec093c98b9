"""Listening at a camera and speaking through it: the words for it, and the Protocols."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from hub.domain.ports import CameraTarget

SOUND_RATE = 8000  # samples of G.711 in a second, one byte each
SOUND_CODECS = ("pcma", "pcmu")


class TalkLine(Protocol):
    """An open line to a camera. ``hears`` and ``speaks`` are codecs, empty where it has none."""

    @property
    def hears(self) -> str:
        """The codec of what the camera hears."""

    @property
    def speaks(self) -> str:
        """The codec of what it says aloud."""

    async def listen(self) -> bytes:
        """Wait for more of what it hears; raises a DeviceError when the line is dead."""

    def say(self, sound: bytes) -> None:
        """Let it say something; more than a second ahead is dropped. Raises a DeviceError."""


class OpenTalk(Protocol):
    """Opens lines to cameras."""

    def __call__(self, target: CameraTarget) -> AbstractAsyncContextManager[TalkLine]:
        """Open a line until the end of the block; raises a DeviceError that says why not."""
