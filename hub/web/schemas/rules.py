"""Rules."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from hub.domain.alerts import Rule
from hub.domain.conditions import build_condition
from hub.domain.events import Severity
from hub.web.schemas.shapes import In, Name, Number, Out


class RuleIn(In):
    """A rule; ``condition`` has a ``type`` and the fields of that type."""

    name: Name
    area_id: Number
    condition: Mapping[str, object]
    severity: Severity = Severity.WARNING
    receivers: Annotated[Sequence[Number], Field(max_length=50)] = ()
    is_enabled: bool = True


class RuleOut(Out):
    """A rule."""

    id: int
    name: str
    area_id: int
    condition: Mapping[str, object]
    severity: Severity
    receivers: Sequence[int]
    is_enabled: bool

    @classmethod
    def of(cls, rule: Rule) -> "RuleOut":
        """Show a rule."""
        return cls(
            id=rule.id,
            name=rule.name,
            area_id=rule.area_id,
            condition=build_condition(rule.condition),
            severity=rule.severity,
            receivers=rule.receivers,
            is_enabled=rule.is_enabled,
        )
