"""Routes of notifications."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from hub.domain.calendars import build_calendar
from hub.domain.notifications import Route
from hub.web.schemas.matching import MatcherIn, MatcherOut
from hub.web.schemas.shapes import In, Name, Number, Out


class RouteIn(In):
    """Alerts of an area that match are told to ``receivers``, during ``hours`` (none: always)."""

    name: Name
    area_id: Number
    matcher: MatcherIn = Field(default_factory=MatcherIn)
    hours: Mapping[str, object] | None = None
    receivers: Annotated[Sequence[Number], Field(min_length=1, max_length=50)]
    is_enabled: bool = True


class RouteOut(Out):
    """A route."""

    id: int
    name: str
    area_id: int
    matcher: MatcherOut
    hours: Mapping[str, object] | None
    receivers: Sequence[int]
    is_enabled: bool

    @classmethod
    def of(cls, route: Route) -> "RouteOut":
        """Show a route."""
        return cls(
            id=route.id,
            name=route.name,
            area_id=route.area_id,
            matcher=MatcherOut.model_validate(route.matcher),
            hours=None if route.hours is None else build_calendar(route.hours),
            receivers=route.receivers,
            is_enabled=route.is_enabled,
        )
