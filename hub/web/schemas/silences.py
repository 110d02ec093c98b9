"""Silences: about what, where, how long, who made them and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.domain.events import Severity
from hub.domain.matchers import Matcher
from hub.domain.silences import SilenceState
from hub.web.schemas.maintenance import Moment
from hub.web.schemas.shapes import In, Number, Out

# So many values a field of a matcher holds at most.
MOST_VALUES = 500
Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class MatcherIn(In):
    """What alerts must be; an empty field asks nothing, its values are alternatives."""

    severities: Annotated[Sequence[Severity], Field(max_length=len(Severity))] = ()
    rule_ids: Annotated[Sequence[Number], Field(max_length=MOST_VALUES)] = ()
    device_ids: Annotated[Sequence[Number], Field(max_length=MOST_VALUES)] = ()
    classes: Annotated[Sequence[Word], Field(max_length=MOST_VALUES)] = ()
    tags: Annotated[Sequence[Word], Field(max_length=MOST_VALUES)] = ()

    def matcher(self) -> Matcher:
        """As the domain has it."""
        return Matcher(
            severities=tuple(dict.fromkeys(self.severities)),
            rule_ids=tuple(dict.fromkeys(self.rule_ids)),
            device_ids=tuple(dict.fromkeys(self.device_ids)),
            classes=tuple(dict.fromkeys(self.classes)),
            tags=tuple(dict.fromkeys(self.tags)),
        )


class MatcherOut(Out):
    """What alerts must be."""

    severities: Sequence[Severity]
    rule_ids: Sequence[int]
    device_ids: Sequence[int]
    classes: Sequence[str]
    tags: Sequence[str]


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
