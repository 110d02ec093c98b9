"""Whether messages get through to a receiver, and events about it when that changes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from hub.domain.access import Scope
from hub.domain.devices import Json
from hub.domain.events import Severity, StoredEvent
from hub.store.database import Transaction
from hub.store.events import add_events
from hub.store.notices import notify
from hub.store.scoping import IN_SCOPE, scope_paths

LONGEST_DETAIL: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverHealth:
    """Failed attempts in a row, since when; ``failing_since``: nothing gets through since then."""

    failed_attempts: int = 0
    failed_since: datetime | None = None
    failing_since: datetime | None = None
    is_template_failing: bool = False


class ReceiverNews(StrEnum):
    """Kinds of the events about receivers; ``data`` names the receiver."""

    FAILING = "receiver.failing"
    WORKING = "receiver.working"
    TEMPLATE_FAILED = "template.failed"
    TEMPLATE_MENDED = "template.mended"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    name: str
    area_id: int
    area_path: str


async def get_health(tx: Transaction, scope: Scope, receiver_id: int) -> ReceiverHealth | None:
    """How a receiver of the scope stands, held until this transaction ends; None: not there."""
    return await tx.fetch_one(
        ReceiverHealth,
        "SELECT v.failed_attempts, v.failed_since, v.failing_since, v.is_template_failing"
        " FROM receivers v"
        " JOIN areas a ON a.id = v.area_id WHERE v.id = %(id)s AND"
        + IN_SCOPE
        + "FOR NO KEY UPDATE OF v",
        {"id": receiver_id, "scope": scope_paths(scope)},
    )


async def set_health(
    tx: Transaction, scope: Scope, receiver_id: int, health: ReceiverHealth
) -> None:
    """Note how a receiver of the scope stands."""
    await tx.execute(
        "UPDATE receivers v SET failed_attempts = %(attempts)s, failed_since = %(since)s,"
        " failing_since = %(failing)s, is_template_failing = %(template)s FROM areas a"
        " WHERE a.id = v.area_id AND v.id = %(id)s AND" + IN_SCOPE,
        {
            "id": receiver_id,
            "attempts": health.failed_attempts,
            "since": health.failed_since,
            "failing": health.failing_since,
            "template": health.is_template_failing,
            "scope": scope_paths(scope),
        },
    )


async def add_news(
    tx: Transaction,
    scope: Scope,
    receiver_id: int,
    kind: ReceiverNews,
    *,
    at: datetime,
    detail: str,
) -> None:
    """Store an event about a receiver of the scope, in its area; call it late in a transaction."""
    place = await tx.fetch_one(
        _Place,
        "SELECT v.name, v.area_id, a.path::text AS area_path FROM receivers v"
        " JOIN areas a ON a.id = v.area_id WHERE v.id = %(id)s AND" + IN_SCOPE,
        {"id": receiver_id, "scope": scope_paths(scope)},
    )
    if place is None:
        return
    is_bad = kind in {ReceiverNews.FAILING, ReceiverNews.TEMPLATE_FAILED}
    data: dict[str, Json] = {
        "receiver": receiver_id,
        "name": place.name,
        "detail": detail[:LONGEST_DETAIL],
    }
    event = StoredEvent(
        id=0,
        kind=kind.value,
        area_id=place.area_id,
        area_path=place.area_path,
        at=at,
        received_at=at,
        severity=Severity.WARNING if is_bad else Severity.INFO,
        data=data,
    )
    await notify(tx, scope, "receivers", [receiver_id])
    await add_events(tx, scope, [event])
