"""The desk and the field write to each other about a task."""

from typing import Final

from hub.domain.access import Scope
from hub.domain.dispatches import OVER
from hub.domain.errors import Conflict, Invalid
from hub.patrols.dispatch.states import WORDS
from hub.store.database import Transaction
from hub.store.dispatch_messages import NewMessage, add_message, count_messages
from hub.store.dispatches import TOPIC, lock_dispatch, record
from hub.store.notices import notify

LONGEST_MESSAGE: Final = 2000
LONGEST_GIVEN_ID: Final = 64
MOST_MESSAGES: Final = 500


async def say(tx: Transaction, scope: Scope, dispatch_id: int, new: NewMessage) -> None:
    """Write a message about a task of the scope; what was said before under its number is not.

    Raises:
        NotFound: the task lies outside the scope.
        Conflict: the task is over or has enough messages.
        Invalid: there is no text, or too much.
    """
    _check(new)
    task = await lock_dispatch(tx, scope, dispatch_id)
    if task.state in OVER:
        msg = f"this task is {WORDS[task.state]}: nobody reads messages about it any more"
        raise Conflict(msg)
    if await count_messages(tx, scope, task.id) >= MOST_MESSAGES:
        msg = f"a task has at most {MOST_MESSAGES} messages: ring up"
        raise Conflict(msg)
    if await add_message(tx, scope, task.id, new) is not None:
        await record(tx, scope, "dispatch.message_written", task, {"text": new.text})
        await notify(tx, scope, TOPIC, [task.id])


def _check(new: NewMessage) -> None:
    if not new.text.strip() or len(new.text) > LONGEST_MESSAGE or "\x00" in new.text:
        msg = f"a message has 1 to {LONGEST_MESSAGE} characters"
        raise Invalid(msg, field="text")
    given = new.given_id
    if given is not None and not (1 <= len(given) <= LONGEST_GIVEN_ID and given.isprintable()):
        msg = f"the number of a message has 1 to {LONGEST_GIVEN_ID} printable characters"
        raise Invalid(msg, field="given_id")
