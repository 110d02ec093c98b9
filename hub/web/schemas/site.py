"""What the console is told of the site."""

from datetime import datetime

from hub.web.schemas.shapes import Out


class SiteOut(Out):
    """``zone`` is an IANA name, or an offset ("+08:00") where there is none.

    ``now`` is the hub's clock, by which ages are counted. ``webrtc``: a media server is set, and
    live video can be had by WebRTC.
    """

    zone: str
    now: datetime
    version: str
    webrtc: bool
