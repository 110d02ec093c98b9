"""Who watches, or watched, a camera live."""

from datetime import datetime

from pydantic import Field

from hub.domain.live_video import StreamRole
from hub.web.schemas.shapes import In, Out


class ViewerOut(Out):
    """Somebody who watches a camera now."""

    device_id: int
    channel: str
    stream: str
    user_id: int | None
    user_name: str
    began_at: datetime


class ViewingOut(Out):
    """One viewing; ``ended_at`` is null while it lasts.

    ``why`` it ended: left, session, gone, stopping, silent, store (the database was away), or lost
    (the process that relayed it died; then it ended at the last time it was known of).
    """

    id: int
    user_id: int | None
    user_name: str
    source: str
    device_id: int
    channel: str
    stream: str
    began_at: datetime
    ended_at: datetime | None
    bytes: int
    why: str


class MediaIn(In):
    """Which stream of a camera; without a channel its first one."""

    channel: str = Field(default="", max_length=128, pattern=r"^[^\x00]*$")
    stream: StreamRole = StreamRole.MAIN


class HlsIn(MediaIn):
    """What is to be watched by LL-HLS."""


class WebRtcIn(MediaIn):
    """What is to be watched by WebRTC, and the browser's offer (SDP)."""

    offer: str = Field(min_length=1, max_length=65_536, pattern=r"^v=0[\r\n]")


class WebRtcOut(Out):
    """A viewing by WebRTC: ``answer`` is the SDP for setRemoteDescription."""

    viewing: int
    stream: StreamRole
    answer: str


class HlsOut(Out):
    """A viewing by LL-HLS."""

    viewing: int
    stream: StreamRole
    playlist: str
