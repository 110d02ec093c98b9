"""The job that sends a link to a phone page: mints the token, sends it, forgets it.

A link that could not be sent is forgotten; the next attempt makes another one. A worker that is
killed while it sends makes the next one send a second link: both lead to the same task. What
became of the link to a task stands in the task's history, so that the desk knows whom to ring up.
"""

import logging
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from hub.domain.access import system_scope
from hub.domain.errors import DeliveryError, NotFound, Rejected, StoreUnavailable
from hub.domain.notes import Note, SendNote
from hub.domain.ports import Clock
from hub.domain.secrets import Secret
from hub.patrols.phone.links import SEND, build_link, issue
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database
from hub.store.dispatch_steps import NewStep, add_step
from hub.store.dispatches import TOPIC, get_dispatch
from hub.store.notices import notify
from hub.store.phone_links import Addressee, Matter, Purpose, find_addressee, remove_link

log = logging.getLogger(__name__)

SCOPE: Final = system_scope("hub.patrols")
# Words of the task's history.
SENT, WAITS, NOT_SENT = "link_sent", "link_waits", "link_not_sent"
NO_ADDRESS: Final = "the hub's public address is not set (http.public_url)"
NO_RECEIVER: Final = "no receiver is set for it: ring up, or show the link as a code"
# A task waits for a person: worth trying for half an hour. A roll call ends by itself.
RETRY_WAITS_S: Final = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSender:
    """Sends links; ``link_base`` is the hub's public address, without one there are no links."""

    database: Database
    clock: Clock
    send_note: SendNote
    link_base: str
    zone: tzinfo

    def register(self, jobs: Jobs) -> None:
        """Take the jobs called ``patrols.send_link``."""
        jobs.handle(SEND, self.send, retry_waits_s=RETRY_WAITS_S)

    async def send(self, job: Job) -> None:
        """Send one link, if the matter still waits for somebody.

        Raises:
            TryAgain: the queue tries again.
            StoreUnavailable: likewise.
        """
        matter = Matter(
            dispatch_id=_number(job, "dispatch"),
            call_id=_number(job, "call"),
            unit_id=_number(job, "unit"),
        )
        prepared = await self._prepare(matter)
        if prepared is None:
            return
        try:
            await self.send_note(prepared.receiver_id, prepared.note)
        except Rejected as error:
            await self._forget(prepared.token)
            await self._tell(matter, NOT_SENT, str(error))
        except DeliveryError as error:
            await self._forget(prepared.token)
            if job.attempt > len(RETRY_WAITS_S):
                await self._tell(matter, NOT_SENT, str(error))
                return
            if job.attempt == 1:
                await self._tell(matter, WAITS, f"{error}; it is tried again")
            raise
        else:
            await self._tell(matter, SENT, "")

    async def _prepare(self, matter: Matter) -> "_Prepared | None":
        """Mint the token; None when there is nothing to send or no way to."""
        now = self.clock()
        async with self.database.transaction() as tx:
            addressee = await find_addressee(tx, SCOPE, matter, now)
            if addressee is None:
                return None
            receiver_id = addressee.receiver_id if self.link_base else None
            if receiver_id is not None:
                token = await issue(
                    tx,
                    SCOPE,
                    now=now,
                    dispatch_id=matter.dispatch_id,
                    unit_id=matter.unit_id,
                    call_id=matter.call_id,
                )
                link = build_link(self.link_base, matter.purpose, token)
                note = self._write(addressee, link, matter)
                return _Prepared(receiver_id=receiver_id, token=token, note=note)
        await self._tell(matter, NOT_SENT, NO_RECEIVER if self.link_base else NO_ADDRESS)
        return None

    def _write(self, addressee: Addressee, link: Secret, matter: Matter) -> Note:
        until = ""
        if addressee.until is not None:
            until = addressee.until.astimezone(self.zone).strftime("%m-%d %H:%M")
        where = " · ".join(part for part in (addressee.area_name, addressee.place) if part)
        match matter.purpose:
            case Purpose.TASK:
                title = f"任务 Task #{matter.dispatch_id}: {addressee.title}"
                lines = [where, until and f"时限 Due {until}"]
            case Purpose.ROLL_CALL:
                title = f"点名 Roll call: {addressee.name}"
                lines = [where, until and f"请于 {until} 前应答。Answer before {until}."]
            case Purpose.REPORT:
                title = f"随手拍 Reports: {addressee.name}"
                lines = [where]
        return Note(title=title, text="\n".join(line for line in lines if line), link=link)

    async def _forget(self, token: Secret) -> None:
        """A token that reached nobody is good for nothing."""
        try:
            async with self.database.transaction() as tx:
                await remove_link(tx, SCOPE, token)
        except StoreUnavailable as error:
            log.warning("a link that was not sent stays until it expires: %s", error)

    async def _tell(self, matter: Matter, what: str, why: str) -> None:
        """Say in the task's history what became of its link; of a roll call the log does.

        What cannot be written down does not send the link a second time.
        """
        number = matter.dispatch_id or matter.call_id or matter.unit_id
        if what != SENT:
            log.warning("%s %s: %s: %s", matter.purpose.value, number, what, why)
        if matter.dispatch_id is None:
            return
        try:
            async with self.database.transaction() as tx:
                task = await get_dispatch(tx, SCOPE, matter.dispatch_id)
                line = NewStep(what=what, at=self.clock(), note=why, unit_name=task.unit_name)
                await add_step(tx, SCOPE, task, line)
                await notify(tx, SCOPE, TOPIC, [task.id])
        except (StoreUnavailable, NotFound) as error:
            log.warning("task %s: %s, which could not be noted: %s", number, what, error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    receiver_id: int
    token: Secret
    note: Note


def _number(job: Job, name: str) -> int | None:
    value = job.args.get(name)
    return None if value is None else int(str(value))
