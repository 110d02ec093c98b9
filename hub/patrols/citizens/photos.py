"""Photos of reports: a few for each, cleaned before, for as long as nobody has decided."""

import hashlib
from datetime import datetime
from typing import Final

from hub.domain.access import Scope
from hub.domain.citizen_reports import CitizenReport, ReportState
from hub.domain.errors import Conflict
from hub.domain.looks import CleanPhoto
from hub.patrols.citizens.receiving import MOST_PHOTOS
from hub.patrols.dispatch.photos import PhotoFolder
from hub.store.citizen_reports import TOPIC, lock_report
from hub.store.database import Transaction
from hub.store.notices import notify
from hub.store.photos import NewPhoto, PhotoOf, add_photo, list_photos

REPORTER: Final = "reporter"


async def keep_photo(
    tx: Transaction,
    scope: Scope,
    folder: PhotoFolder,
    report: CitizenReport,
    photo: CleanPhoto,
    *,
    now: datetime,
) -> int:
    """Take in a photo of a report and return how many it has; the same sent again is kept once.

    The file is on disk before this commits.

    Raises:
        Conflict: somebody decided already, or it has enough photos.
        NotKept: the disk does not take it.
    """
    held = await lock_report(tx, scope, report.id)
    if held.state is not ReportState.NEW:
        msg = "this report is being dealt with: it takes no more photos"
        raise Conflict(msg)
    of = PhotoOf(report_id=held.id)
    before = {one.id for one in await list_photos(tx, scope, of)}
    new = NewPhoto(
        of=of,
        at=now,
        author=held.reporter if held.is_officer else REPORTER,
        is_field=True,
        width=photo.width,
        height=photo.height,
        sha256=hashlib.sha256(photo.jpeg).hexdigest(),
    )
    kept = await add_photo(tx, scope, new)
    if kept.id in before:
        return len(before)
    if len(before) >= MOST_PHOTOS:
        msg = f"a report has at most {MOST_PHOTOS} photos"
        raise Conflict(msg)
    await folder.keep(kept.id, photo.jpeg)
    await notify(tx, scope, TOPIC, [held.id])
    return len(before) + 1
