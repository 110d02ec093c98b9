"""What changed lately."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from hub.store.recent_changes import RecentChanges
from hub.web.schemas.shapes import Out


class ChangeOut(Out):
    """A device went down or came back at a moment; ``layer`` and ``cause`` are the outage's."""

    device_id: int
    device_name: str
    area_id: int
    area_name: str
    at: datetime
    went: Literal["down", "back"]
    layer: str
    cause: str


class ChangesOut(Out):
    """How many went down and came back since a moment; ``items`` are the latest of them."""

    since: datetime
    went_down: int
    came_back: int
    items: Sequence[ChangeOut]

    @classmethod
    def of(cls, changes: RecentChanges, since: datetime) -> "ChangesOut":
        """Show what was read."""
        return cls(
            since=since,
            went_down=changes.went_down,
            came_back=changes.came_back,
            items=[ChangeOut.model_validate(one) for one in changes.items],
        )
