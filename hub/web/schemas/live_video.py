"""Who watches, or watched, a camera live."""

from datetime import datetime

from hub.web.schemas.shapes import Out


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
