"""Silences: about what, where, how long, who made them and why."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.domain.silences import SilenceState
from hub.web.schemas.maintenance import Moment
from hub.web.schemas.matching import MatcherIn, MatcherOut
from hub.web.schemas.shapes import In, Number, Out


class SilenceOut(Out):
    """A silence and where it stands.

    ``is_expiring``: it ends within the hour. ``quiets`` is how many open alerts that the caller
    may see match it now; ``warning`` says it when it leaves nothing to be told.
    """

    id: int
    area_id: int
    area_name: str
    matcher: MatcherOut
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    ended_by: str
    state: SilenceState
    is_expiring: bool
    quiets: int
    warning: str


class SilenceIn(In):
    """A new silence; without a beginning it begins now."""

    area_id: Number
    matcher: MatcherIn = MatcherIn()
    reason: Annotated[
        str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
    ]
    starts_at: Moment | None = None
    ends_at: Moment


class SilenceEndIn(In):
    """Another end: later or earlier."""

    ends_at: Moment


class PreviewIn(In):
    """What a silence would be about."""

    area_id: Number
    matcher: MatcherIn = MatcherIn()


class PreviewOut(Out):
    """How many open alerts that the caller may see it would keep quiet."""

    quiets: int
    warning: str
