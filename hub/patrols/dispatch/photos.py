"""Photos of tasks and reports: the files below ``data_dir/photos``, and how one is taken in.

A file is named by the photo's number, never by a word from outside. What is kept was decoded and
encoded anew before (:class:`hub.domain.looks.CleanPhotos`).
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from hub.domain.access import Scope
from hub.domain.dispatches import OVER
from hub.domain.errors import Conflict
from hub.domain.looks import CleanPhoto
from hub.patrols.dispatch.states import WORDS
from hub.runtime.files import NotKept, write_whole
from hub.store.database import Transaction
from hub.store.dispatch_changes import note_picture
from hub.store.dispatch_steps import NewStep, add_step
from hub.store.dispatches import TOPIC, lock_dispatch, record
from hub.store.notices import notify
from hub.store.photos import NewPhoto, Photo, PhotoOf, add_photo, list_photos

FOLDER: Final = "photos"
MOST_BYTES: Final = 8 * 1024 * 1024
MOST_PHOTOS: Final = 40
# Files of one folder stay few enough to be listed.
_PER_FOLDER: Final = 1_000


class PhotoFolder:
    """Where photos are kept."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER

    def path(self, photo_id: int) -> Path:
        """Where a photo is or would be."""
        return self._root / f"{photo_id // _PER_FOLDER:d}" / f"{photo_id:d}.jpg"

    async def keep(self, photo_id: int, jpeg: bytes) -> None:
        """Write a photo to disk.

        Raises:
            NotKept: it is too large, or the disk does not take it.
        """
        if len(jpeg) > MOST_BYTES:
            msg = f"larger than {MOST_BYTES // 1024**2} MiB"
            raise NotKept(msg)
        await asyncio.to_thread(write_whole, self.path(photo_id), jpeg)

    async def read(self, photo_id: int) -> bytes:
        """The photo, whole; nothing when it is not there (any more)."""
        try:
            return await asyncio.to_thread(self.path(photo_id).read_bytes)
        except FileNotFoundError:
            return b""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPhoto:
    """A photo of a task, cleaned, and who took it when."""

    photo: CleanPhoto
    author: str
    is_field: bool
    at: datetime


async def keep_photo(
    tx: Transaction, scope: Scope, folder: PhotoFolder, dispatch_id: int, taken: TakenPhoto
) -> Photo:
    """Take in a photo of a task of the scope; the same sent again is kept once.

    The file is on disk before this commits; one that does not commit leaves a file that nobody
    refers to.

    Raises:
        NotFound: the task lies outside the scope.
        Conflict: the task is over or has enough photos.
        NotKept: the disk does not take it.
    """
    task = await lock_dispatch(tx, scope, dispatch_id)
    if task.state in OVER:
        msg = f"this task is {WORDS[task.state]}: it takes no more photos"
        raise Conflict(msg)
    of = PhotoOf(dispatch_id=task.id)
    before = {one.id for one in await list_photos(tx, scope, of)}
    new = NewPhoto(
        of=of,
        at=taken.at,
        author=taken.author,
        is_field=taken.is_field,
        width=taken.photo.width,
        height=taken.photo.height,
        sha256=hashlib.sha256(taken.photo.jpeg).hexdigest(),
    )
    kept = await add_photo(tx, scope, new)
    if kept.id in before:
        return kept
    if len(before) >= MOST_PHOTOS:
        msg = f"a task has at most {MOST_PHOTOS} photos"
        raise Conflict(msg)
    await folder.keep(kept.id, taken.photo.jpeg)
    await note_picture(tx, scope, task)
    line = NewStep(
        what="photo",
        at=taken.at,
        is_field=taken.is_field,
        unit_name=task.unit_name,
        detail={"photo": kept.id, "sha256": kept.sha256},
    )
    await add_step(tx, scope, task, line)
    await record(tx, scope, "dispatch.photo_added", task, {"photo": kept.id})
    await notify(tx, scope, TOPIC, [task.id])
    return kept
