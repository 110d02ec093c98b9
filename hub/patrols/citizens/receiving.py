"""Takes in reports of residents and grid officers, within bounds that no stranger can move.

A report is kept under a key that the reporter's own device made: sent twice it is one, and with
the key alone he asks later what became of it. Only the key's digest is stored.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from hub.domain.access import Scope
from hub.domain.citizen_reports import CitizenReport, NewReport
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.ports import Clock
from hub.domain.secrets import Secret
from hub.store import areas, citizen_reports
from hub.store.citizen_reports import Reporter
from hub.store.database import Transaction
from hub.store.places import check_inside

MOST_PHOTOS: Final = 3
LONGEST_TEXT: Final = 2000
KEY: Final = re.compile(r"[0-9a-f]{64}\Z")
KIND: Final = re.compile(r"[a-z0-9_]{1,32}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """How reports are taken in.

    ``is_open``: residents may report, too; officers with a link may anyway. What comes without a
    position goes to ``area_id`` (0: the root). Beyond ``most_waiting`` unmoderated reports nobody
    but officers is heard, until somebody looked at some. ``gives_points``: there is a ledger.
    """

    is_open: bool = False
    area_id: int = 0
    most_waiting: int = 500
    gives_points: bool = False


def digest_key(key: Secret) -> bytes:
    """What is stored of a reporter's key.

    Raises:
        Invalid: it is not 32 random bytes in hexadecimal.
    """
    if not KEY.match(key.reveal()):
        msg = "a report needs a key of 64 hexadecimal digits, made at random by the reporter"
        raise Invalid(msg, field="key")
    return hashlib.sha256(bytes.fromhex(key.reveal())).digest()


async def receive(
    tx: Transaction, scope: Scope, intake: Intake, new: NewReport, by: Reporter, *, clock: Clock
) -> CitizenReport:
    """Take in a report; ``scope`` is the hub's own.

    Raises:
        NotFound: residents may not report here.
        Conflict: too many wait already.
        Invalid: nothing can be done with it, or its position lies outside of the county.
    """
    is_officer = by.unit_id is not None
    if not (intake.is_open or is_officer):
        msg = "reports are not taken in here"
        raise NotFound(msg)
    known = await citizen_reports.find_report(tx, scope, by.digest)
    if known is not None:
        return known
    if not is_officer and await citizen_reports.count_waiting(tx, scope) >= intake.most_waiting:
        msg = "so many reports wait that no more can be taken in now: call, or try again later"
        raise Conflict(msg)
    if not new.text.strip() or len(new.text) > LONGEST_TEXT:
        msg = f"say in 1 to {LONGEST_TEXT} characters what is the matter"
        raise Invalid(msg, field="text")
    if not KIND.match(new.kind):
        msg = "a kind is a word of a to z, 0 to 9 and _"
        raise Invalid(msg, field="kind")
    area_id = await _area_of(tx, scope, intake, new)
    return await citizen_reports.add_report(tx, scope, area_id, new, by, now=clock())


async def follow_up(tx: Transaction, scope: Scope, key: Secret) -> CitizenReport:
    """What became of the report with this key; raises NotFound for any other."""
    try:
        found = await citizen_reports.find_report(tx, scope, digest_key(key))
    except Invalid:
        found = None
    if found is None:
        msg = "no such report"
        raise NotFound(msg)
    return found


async def _area_of(tx: Transaction, scope: Scope, intake: Intake, new: NewReport) -> int:
    """The area of the nearest device, else the one where all comes in."""
    if new.where is not None:
        nearest = await check_inside(tx, scope, new.where.longitude, new.where.latitude)
        if nearest is not None:
            return nearest.area_id
    if intake.area_id:
        return (await areas.get_area(tx, scope, intake.area_id)).id
    roots = [area for area in await areas.list_areas(tx, scope) if area.parent_id is None]
    return roots[0].id
