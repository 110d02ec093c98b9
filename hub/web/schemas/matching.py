"""Which alerts something is about, as callers say it."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from hub.domain.events import Severity
from hub.domain.matchers import Matcher
from hub.web.schemas.shapes import In, Name, Number, Out

MOST_NUMBERS = 500
MOST_WORDS = 50


class MatcherIn(In):
    """What an alert must be; an empty field asks nothing, its values are alternatives."""

    severities: Annotated[Sequence[Severity], Field(max_length=len(Severity))] = ()
    rule_ids: Annotated[Sequence[Number], Field(max_length=MOST_NUMBERS)] = ()
    device_ids: Annotated[Sequence[Number], Field(max_length=MOST_NUMBERS)] = ()
    classes: Annotated[Sequence[Name], Field(max_length=MOST_WORDS)] = ()
    tags: Annotated[Sequence[Name], Field(max_length=MOST_WORDS)] = ()

    def matcher(self) -> Matcher:
        """What it says, each value once."""
        return Matcher(
            severities=tuple(dict.fromkeys(self.severities)),
            rule_ids=tuple(dict.fromkeys(self.rule_ids)),
            device_ids=tuple(dict.fromkeys(self.device_ids)),
            classes=tuple(dict.fromkeys(self.classes)),
            tags=tuple(dict.fromkeys(self.tags)),
        )


class MatcherOut(Out):
    """What an alert must be."""

    severities: Sequence[Severity]
    rule_ids: Sequence[int]
    device_ids: Sequence[int]
    classes: Sequence[str]
    tags: Sequence[str]
