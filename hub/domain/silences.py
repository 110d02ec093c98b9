"""Silences: alerts go on, nobody is told; and drills: exercises that look like the real thing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.matchers import Matcher

# A silence that ends within this is shown as expiring.
EXPIRING: Final = timedelta(hours=1)
LONGEST_SILENCE: Final = timedelta(days=90)


class SilenceState(StrEnum):
    """Where a silence stands; one taken back before it began is expired."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nobody is told of matching alerts of an area from ``starts_at`` to ``ends_at``.

    Whoever got an alert before still gets its end.
    """

    id: int = 0
    area_id: int
    area_path: str = ""
    matcher: Matcher = field(default_factory=Matcher)
    author: str = ""
    reason: str
    starts_at: datetime
    ends_at: datetime
    ended_by: str = ""  # who ended it early
    area_name: str = ""

    def state(self, now: datetime) -> SilenceState:
        """Where it stands at a moment; its last moment is no longer in it."""
        if self.ends_at <= max(self.starts_at, now):
            return SilenceState.EXPIRED
        return SilenceState.PENDING if self.starts_at > now else SilenceState.ACTIVE

    def is_expiring(self, now: datetime) -> bool:
        """Tell whether it ends soon."""
        return self.state(now) is SilenceState.ACTIVE and self.ends_at - now <= EXPIRING


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """An exercise: a rule fires about devices, marked, and left out of every figure."""

    id: int = 0
    area_id: int
    area_name: str = ""
    name: str
    rule_id: int = 0
    device_ids: Sequence[int] = ()
    author: str = ""
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
