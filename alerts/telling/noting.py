"""Notes: words to one receiver about no alert, by the same ways out as alerts.

They are sent at once, on nobody's list: a note that does not get through is its sender's to
repeat, since the link in it is made anew each time. Nothing of it is stored.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

from alerts.telling.sending import Sender
from hub.domain.access import system_scope
from hub.domain.errors import NotFound, Rejected, TryAgain
from hub.domain.notes import Note
from hub.domain.notifications import Message, Receiver
from hub.domain.ports import Clock
from hub.store.database import Database
from hub.store.messages import Outcome
from hub.store.outgoing import Outgoing
from hub.store.receivers import get_receiver

SCOPE: Final = system_scope("hub.alerts")


def _new_id() -> str:
    return str(uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSender:
    """Sends notes; a :class:`hub.domain.notes.SendNote`."""

    database: Database
    clock: Clock
    sender: Sender
    new_id: Callable[[], str] = _new_id

    async def __call__(self, receiver_id: int, note: Note) -> None:
        """Try once.

        Raises:
            TryAgain: it may get through later.
            Rejected: it never will; the receiver is off or gone, too.
        """
        receiver = await self._find(receiver_id)
        message = Message(
            id=0,
            message_id=self.new_id(),
            # A template is written for alerts: it would leave the link out.
            receiver=replace(receiver, template=""),
            notifications=(),
            count=0,
            created_at=self.clock(),
            note=note,
        )
        result = await self.sender.send(Outgoing(message=message, attempts=0, test_by=""))
        if result.outcome is Outcome.REJECTED:
            raise Rejected(result.detail)
        if result.outcome is not Outcome.DELIVERED:
            raise TryAgain(result.detail, after_s=result.after_s)

    async def _find(self, receiver_id: int) -> Receiver:
        try:
            async with self.database.transaction() as tx:
                receiver = await get_receiver(tx, SCOPE, receiver_id)
        except NotFound as error:
            msg = "there is no such receiver any more"
            raise Rejected(msg) from error
        if not receiver.is_enabled:
            msg = "this receiver is switched off"
            raise Rejected(msg)
        return receiver
