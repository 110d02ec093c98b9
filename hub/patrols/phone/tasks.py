"""A task as its unit sees it on a phone, and what the unit does there.

Everything here acts by a link, for one unit in one task. A phone that heard no answer says the
same again under the same number: that changes nothing. The step that ends a link is the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from hub.domain.access import Scope, system_scope
from hub.domain.dispatches import Dispatch
from hub.domain.errors import NotFound
from hub.domain.looks import CleanPhoto
from hub.patrols.dispatch.life import FieldWord, field_step
from hub.patrols.dispatch.photos import PhotoFolder, TakenPhoto, keep_photo
from hub.patrols.dispatch.states import FieldStep
from hub.patrols.dispatch.talking import say
from hub.patrols.phone.links import OVER
from hub.store.database import Transaction
from hub.store.dispatch_messages import Message, NewMessage, list_messages
from hub.store.dispatches import get_dispatch
from hub.store.phone_links import PhoneLink, end_links
from hub.store.photos import PhotoOf, list_photos

MOST_SHOWN: Final = 50
_LAST: Final = frozenset({FieldStep.DONE, FieldStep.REFUSE})
_HUB: Final = system_scope("hub.patrols")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOnPhone:
    """What is shown: the task, the newest messages, how many photos the field sent."""

    task: Dispatch
    messages: Sequence[Message]
    photos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A step of the unit under the phone's own number of it."""

    given_id: str
    step: FieldStep
    note: str = ""
    checked: tuple[bool, ...] = ()


async def show_task(tx: Transaction, link: PhoneLink, scope: Scope) -> TaskOnPhone:
    """Return the task of a link as its unit may see it."""
    task = await get_dispatch(tx, scope, _number(link))
    messages = await list_messages(tx, scope, task.id)
    photos = await list_photos(tx, scope, PhotoOf(dispatch_id=task.id))
    return TaskOnPhone(
        task=task,
        messages=messages[-MOST_SHOWN:],
        photos=sum(photo.is_field for photo in photos),
    )


async def take_step(
    tx: Transaction, link: PhoneLink, scope: Scope, said: Said, *, now: datetime
) -> Dispatch:
    """Take the task of a link one step on.

    Raises:
        NotFound: the link is over; not for the repeated word that ended it.
        Conflict: this step cannot follow.
        Invalid: a reason is missing.
    """
    number = _number(link)
    if not link.is_open:
        if said.step in _LAST and said.given_id == link.last_word:
            return await get_dispatch(tx, scope, number)
        raise NotFound(OVER)
    word = FieldWord(
        what=said.step, unit_id=link.unit_id or 0, note=said.note, checked=said.checked
    )
    task = await field_step(tx, scope, number, word, now=now)
    if said.step in _LAST:
        await end_links(tx, scope, number, now, last_word=said.given_id)
    return task


async def write(
    tx: Transaction, link: PhoneLink, scope: Scope, text: str, *, given_id: str, now: datetime
) -> None:
    """Write to the desk; sent twice it is kept once."""
    new = NewMessage(
        author=link.unit_name, is_field=True, text=text.strip(), at=now, given_id=given_id
    )
    await say(tx, scope, _number(link), new)


async def add_photo(
    tx: Transaction,
    link: PhoneLink,
    scope: Scope,
    photo: CleanPhoto,
    *,
    data_dir: Path,
    now: datetime,
) -> int:
    """Keep a photo of the unit's, cleaned; sent twice it is kept once. Returns how many there are.

    Raises:
        Conflict: there are enough.
        NotKept: the disk does not take it.
    """
    number = _number(link)
    taken = TakenPhoto(photo=photo, author=link.unit_name, is_field=True, at=now)
    await keep_photo(tx, scope, PhotoFolder(data_dir), number, taken)
    photos = await list_photos(tx, scope, PhotoOf(dispatch_id=number))
    return sum(one.is_field for one in photos)


def _number(link: PhoneLink) -> int:
    if link.dispatch_id is None:
        raise NotFound(OVER)
    return link.dispatch_id
