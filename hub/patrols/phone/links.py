"""Links to phone pages: who may hold one, for how long, and where it leads.

A token is 32 random bytes; it stands in the fragment of an address, which browsers send to
nobody, and is minted only at the moment it is sent or shown. Only its digest is stored.
"""

from datetime import datetime, timedelta
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.devices import Json
from hub.domain.dispatches import LINK_HOURS
from hub.domain.errors import Invalid, NotFound
from hub.domain.secrets import Secret
from hub.runtime.jobs import Jobs
from hub.store.database import Transaction
from hub.store.phone_links import Matter, PhoneLink, Purpose, add_link, find_addressee, find_link

SEND: Final = "patrols.send_link"
PATHS: Final = {
    Purpose.TASK: "/phone/task",
    Purpose.ROLL_CALL: "/phone/call",
    Purpose.REPORT: "/report",
}
LASTS: Final = timedelta(hours=LINK_HOURS)
# A duty room that comes late is heard, too: who was there, if not in time.
LATE_ANSWER: Final = timedelta(minutes=15)
OVER: Final = "this link is over, or never was: ask the desk for a new one"


async def defer_link(
    tx: Transaction,
    jobs: Jobs,
    *,
    dispatch_id: int | None = None,
    unit_id: int | None = None,
    call_id: int | None = None,
) -> None:
    """Have a link sent to the phone of a unit (a task of it) or of a duty room (a roll call).

    The token is made when it is sent. Nothing is sent when the matter waits for nobody by then.
    """
    named = {"dispatch": dispatch_id, "unit": unit_id, "call": call_id}
    args: dict[str, Json] = {name: value for name, value in named.items() if value is not None}
    mark = ":".join(f"{name}={value}" for name, value in args.items())
    await jobs.defer(tx, SEND, args, once=f"link:{mark}")


async def issue(
    tx: Transaction,
    scope: Scope,
    *,
    now: datetime,
    dispatch_id: int | None = None,
    unit_id: int | None = None,
    call_id: int | None = None,
) -> Secret:
    """Make a link to a matter of the scope that waits for somebody; returns its token.

    Raises:
        NotFound: the matter lies outside the scope, or waits for nobody (this unit).
        Invalid: a task without the unit that has it.
    """
    matter = Matter(dispatch_id=dispatch_id, call_id=call_id, unit_id=unit_id)
    if matter.purpose is not Purpose.ROLL_CALL and unit_id is None:
        msg = "a link is for a unit: name it"
        raise Invalid(msg, field="unit_id")
    addressee = await find_addressee(tx, scope, matter, now)
    if addressee is None:
        msg = "nobody is waited for here: a link would lead nowhere"
        raise NotFound(msg)
    expires_at = now + LASTS
    if matter.purpose is Purpose.ROLL_CALL and addressee.until is not None:
        expires_at = min(expires_at, addressee.until + LATE_ANSWER)
    return await add_link(tx, scope, matter, now=now, expires_at=expires_at)


async def find(tx: Transaction, token: Secret, now: datetime) -> PhoneLink:
    """Return what a token is good for now.

    Raises:
        NotFound: it never was, is over, or its matter waits for this unit no more.
    """
    link = await find_link(tx, system_scope("hub.patrols"), token, now)
    if link is None or not link.is_open:
        raise NotFound(OVER)
    return link


async def find_past(tx: Transaction, token: Secret, now: datetime) -> PhoneLink:
    """Return what a token is or was good for: to answer a phone that repeats its last word.

    Raises:
        NotFound: it never was, or is long over.
    """
    link = await find_link(tx, system_scope("hub.patrols"), token, now)
    if link is None:
        raise NotFound(OVER)
    return link


def build_link(base: str, purpose: Purpose, token: Secret) -> Secret:
    """Write the address of a phone page; the token stands behind the #."""
    return Secret(f"{base.rstrip('/')}{PATHS[purpose]}#{token.reveal()}")
