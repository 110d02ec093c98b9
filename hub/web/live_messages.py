"""What the hub and a browser say to each other about live video, as text. Pure.

The protocol stands in :mod:`hub.web.routes.live_video`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from hub.domain.devices import Json
from hub.domain.live_video import LiveStatus, Track
from hub.domain.ports import Picture
from hub.store.live_targets import LiveTarget

LONGEST_MESSAGE: Final = 8_192  # characters of a client's message
MOST_TYPES: Final = 64
# What of a type tells that a browser plays the codec.
_NAMES: Final = {"h264": ("avc1", "avc3"), "hevc": ("hvc1", "hev1")}


class Ending(StrEnum):
    """Why a viewing is over. Of LEFT nothing is said: there is nobody to say it to."""

    LEFT = "left"
    SESSION = "session"
    GONE = "gone"
    STOPPING = "stopping"
    TOO_MANY = "too_many"
    SILENT = "silent"
    STORE = "store"


CLOSE_CODES: Final = {
    Ending.SESSION: 4401,
    Ending.GONE: 4404,
    Ending.STOPPING: 1012,
    Ending.TOO_MANY: 4429,
    Ending.SILENT: 4408,
    Ending.STORE: 1013,
}


class Instead(StrEnum):
    """Why there are pictures instead of video."""

    CODEC = "codec"
    MASKED = "masked"
    NO_STREAM = "no_stream"
    ASKED = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client said: which types it plays, or that it wants pictures; None: not said."""

    play: tuple[str, ...] | None = None
    wants_pictures: bool = False

    def plays(self, codec: str) -> bool:
        """Whether the client said that it plays a codec (FFmpeg's name)."""
        names = _NAMES.get(codec, ())
        return any(name in one for one in self.play or () for name in names)


def parse_wish(text: str) -> Wish:
    """Read a client's message; what is not understood says nothing."""
    try:
        raw = json.loads(text) if len(text) <= LONGEST_MESSAGE else None
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        return Wish()
    play = raw.get("play")
    return Wish(
        play=tuple(str(one)[:256] for one in play[:MOST_TYPES]) if isinstance(play, list) else None,
        wants_pictures=raw.get("pictures") is True,
    )


def build_hello(number: int, target: LiveTarget, wanted: str, at: datetime) -> str:
    """The first message."""
    return _build(
        "hello",
        viewing=number,
        device=target.device.id,
        channel=target.camera.channel,
        stream=target.role.value,
        wanted=wanted,
        at=at.isoformat(),
    )


def build_state(status: LiveStatus) -> str:
    """How it stands."""
    layer = None if status.layer is None else status.layer.value
    return _build(
        "state",
        state=status.state.value,
        since=status.since.isoformat(),
        why=status.why,
        layer=layer,
    )


def build_track(track: Track) -> str:
    """The next binary message is an initialisation segment."""
    return _build(
        "init", mime=track.mime, codec=track.codec, width=track.width, height=track.height
    )


def build_picture(picture: Picture) -> str:
    """The next binary message is a picture."""
    return _build(
        "picture", at=picture.taken_at.isoformat(), width=picture.width, height=picture.height
    )


def build_behind(skipped: int) -> str:
    """Pictures were left out."""
    return _build("behind", skipped=skipped)


def build_instead(why: Instead) -> str:
    """From now on pictures."""
    return _build("pictures", why=why.value)


def build_beat(at: datetime) -> str:
    """The hub is there."""
    return _build("beat", at=at.isoformat())


def build_viewers(names: Sequence[str]) -> str:
    """Who watches this camera."""
    return _build("viewers", names=list(names))


def build_ended(why: Ending) -> str:
    """The last message."""
    return _build("ended", why=why.value)


def _build(kind: str, **fields: Json) -> str:
    return json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"))
