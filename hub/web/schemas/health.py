"""What slow looks at cameras found."""

from collections.abc import Sequence
from datetime import datetime

from hub.web.schemas.shapes import Out


class CameraDayOut(Out):
    """One day of a camera; null: the camera did not tell.

    ``clock_offset_s`` is the worst of the day, the camera's clock minus ours. ``holes`` are the
    times in which nothing was recorded.
    """

    day: datetime
    clock_offset_s: float | None
    recorded_s: float | None
    planned_s: float | None
    holes: Sequence[tuple[datetime, datetime]]
