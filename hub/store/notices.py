"""Tells other processes what changed (PostgreSQL NOTIFY): numbers only, never contents."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.domain.access import Scope
from hub.store.database import Transaction

CHANNEL = "gengfu"
# PostgreSQL refuses payloads of 8,000 bytes; a number takes at most 20.
NUMBERS_PER_NOTICE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """``topic`` is a collection of the API ("devices", "alerts", "patrol-rounds", …).

    Where it matters what changed there are two: "devices" and "connections" for what they are,
    "statuses" and "connection-states" for how they are.
    """

    topic: str
    ids: tuple[int, ...]


async def notify(tx: Transaction, scope: Scope, topic: str, ids: Sequence[int]) -> None:
    """Announce changed rows once this transaction is committed."""
    del scope  # a number says nothing: whoever hears it reads within his own scope
    payloads = [
        json.dumps({"topic": topic, "ids": part}, separators=(",", ":"))
        for part in _parts(sorted(set(ids)))
    ]
    if payloads:
        await tx.execute(
            "SELECT pg_notify(%(channel)s, payload) FROM unnest(%(payloads)s::text[]) AS payload",
            {"channel": CHANNEL, "payloads": payloads},
        )


def parse_notice(payload: str) -> Notice | None:
    """Read what :func:`notify` wrote; None for anything else on the channel."""
    try:
        raw = json.loads(payload)
        return Notice(topic=str(raw["topic"]), ids=tuple(int(i) for i in raw["ids"]))
    except (ValueError, KeyError, TypeError):
        return None


def _parts(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), NUMBERS_PER_NOTICE):
        yield ids[start : start + NUMBERS_PER_NOTICE]
