"""Silences: alerts go on, nobody is told; and drills: exercises that look like the real thing."""

from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.matchers import Matcher


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """An exercise: its alerts are marked, and left out of every figure."""

    id: int = 0
    area_id: int
    name: str
    author: str = ""
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
