"""The picture that goes along with a task: of the stop, the alert or the report that raised it.

Used by the desk and by the phone page; whoever calls has read the task within his scope.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from alerts.telling.pictures import PictureFiles
from hub.domain.access import Scope
from hub.domain.dispatches import Dispatch
from hub.patrols.dispatch.photos import PhotoFolder
from hub.patrols.files import PictureFolder
from hub.store.database import Transaction
from hub.store.photos import PhotoOf, list_photos


async def read_picture(tx: Transaction, scope: Scope, data_dir: Path, task: Dispatch) -> bytes:
    """The picture of a task, else its first photo; nothing when there is none (any more)."""
    places = await _places(tx, scope, data_dir, task)
    return await asyncio.to_thread(_read_first, places)


async def has_picture(tx: Transaction, scope: Scope, data_dir: Path, task: Dispatch) -> bool:
    """Tell whether :func:`read_picture` would find one."""
    places = await _places(tx, scope, data_dir, task)
    return await asyncio.to_thread(lambda: any(path.is_file() for path in places))


async def _places(tx: Transaction, scope: Scope, data_dir: Path, task: Dispatch) -> Sequence[Path]:
    cause = task.cause
    found: list[Path] = []
    if cause.round_id is not None and cause.position is not None:
        found.append(PictureFolder(data_dir).picture_path(cause.round_id, cause.position))
    if cause.alert_id is not None:
        found.append(PictureFiles(data_dir).path(cause.alert_id))
    photos = PhotoFolder(data_dir)
    if cause.report_id is not None:
        sent = await list_photos(tx, scope, PhotoOf(report_id=cause.report_id))
        found += [photos.path(one.id) for one in sent[:1]]
    taken = await list_photos(tx, scope, PhotoOf(dispatch_id=task.id))
    return [*found, *(photos.path(one.id) for one in taken[:1])]


def _read_first(places: Sequence[Path]) -> bytes:
    for path in places:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            continue
    return b""
