"""What other thresholds would have made of past checks: an exact dry run on the stored scores.

A picture without a signal was judged by nothing else, so that another threshold for lost signals
changes nothing about the other indices of that picture here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.quality import Index, Thresholds
from hub.store.database import Transaction

MOST_EXAMPLES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """Which past checks are judged again, and by what.

    An area includes those below it; empty and None: all. ``is_night``: those that the night
    profile judged, or the day profile. What is added to the thresholds of a camera is added to
    these, too.
    """

    thresholds: Thresholds
    since: datetime
    until: datetime
    is_night: bool | None = None
    area_id: int | None = None
    device_class: str = ""
    device_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexChange:
    """What would change about one index: numbers of checks, and of cameras with another verdict.

    ``examples`` are some of those cameras.
    """

    index: Index
    checks: int
    faults_before: int
    faults_after: int
    became: int
    ceased: int
    cameras: int
    examples: tuple[int, ...]


async def count_changes(tx: Transaction, scope: Scope, wanted: DryRun) -> list[IndexChange]:
    """What the thresholds would have changed, for every index, in the order people are told."""
    raise NotImplementedError
