"""What cameras say of their own pictures (ONVIF's image events), kept beside what is known."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope
from hub.domain.events import StoredEvent
from hub.domain.quality import OPINIONS, OPINIONS_ENDED
from hub.store.database import Transaction

# A camera that goes on complaining is not looked at more often than this.
OPINION_GAP: Final = timedelta(minutes=5)


@dataclass(slots=True)
class Heard:
    """What one camera said in the end: complaints with their times, and what it took back."""

    complaints: dict[str, str] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)


def hear(events: Iterable[StoredEvent]) -> dict[int, Heard]:
    """Gather what cameras said in events, oldest first; the last word on an index counts.

    Our clock is used: a camera's own may be wrong by years.
    """
    heard: dict[int, Heard] = {}
    for event in events:
        begun, ended = OPINIONS.get(event.kind), OPINIONS_ENDED.get(event.kind)
        index = begun or ended
        if event.device_id is None or index is None:
            continue
        one = heard.setdefault(event.device_id, Heard())
        if begun:
            one.complaints[index.value] = event.received_at.isoformat()
            one.taken_back.discard(index.value)
        else:
            one.complaints.pop(index.value, None)
            one.taken_back.add(index.value)
    return heard


async def keep_opinions(
    tx: Transaction, scope: Scope, heard: Mapping[int, Heard], now: datetime
) -> None:
    """Keep what approved cameras said, and make those due that changed their mind or complain.

    Only the hub listens. One that has no state yet is not kept: it is looked at soon anyway.
    """
    if scope.paths is not None or not heard:
        return
    ids = sorted(heard)
    await tx.execute(
        "WITH n AS (SELECT * FROM unnest(%(ids)s::bigint[], %(said)s::jsonb[], %(back)s::jsonb[])"
        "  AS n (id, said, back)),"
        " old AS (SELECT p.device_id, n.said <> '{}' AS complains, (p.opinions - ARRAY(SELECT"
        "   jsonb_array_elements_text(n.back))) || n.said AS opinions"
        "  FROM n JOIN picture_states p ON p.device_id = n.id JOIN devices d ON d.id = n.id"
        "  WHERE d.registration = 'approved' ORDER BY p.device_id FOR UPDATE OF p)"
        " UPDATE picture_states p SET opinions = old.opinions,"
        "  next_at = CASE WHEN p.next_at <= %(now)s THEN %(now)s ELSE"
        "   least(p.next_at, greatest(%(now)s, p.tried_at + %(gap)s::interval)) END"
        " FROM old WHERE p.device_id = old.device_id"
        " AND (old.complains OR p.opinions <> old.opinions)",
        {
            "ids": ids,
            "said": [json.dumps(heard[device].complaints) for device in ids],
            "back": [json.dumps(sorted(heard[device].taken_back)) for device in ids],
            "now": now,
            "gap": OPINION_GAP,
        },
    )
