"""The picture that goes along with an alert about a camera, and the files of them.

A picture never delays or loses the text: it is there within :data:`LONGEST_S` or the message goes
without. It is taken once, when the first message about the alert leaves, for everybody who is
told; a message that leaves much later gets the one that was taken or none. Files lie below
``data_dir/alerts``, named by the alert's number only.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from alerts.telling.messages import is_digest
from hub.domain.access import system_scope
from hub.domain.alerts import Step
from hub.domain.conditions import DeviceOffline
from hub.domain.errors import GengfuError
from hub.domain.notifications import Message
from hub.domain.ports import CameraTarget, Clock, TakeSnapshot
from hub.runtime.files import NotKept, write_whole
from hub.store.cameras import list_targets
from hub.store.database import Database

log = logging.getLogger(__name__)

FOLDER: Final = "alerts"
LONGEST_S = 3.0
# After this a picture would show something else than what made the alert fire.
FRESH = timedelta(minutes=2)
KEPT = timedelta(days=30)
# Larger ones are kept and linked, but not sent.
MOST_SENT_BYTES = 4 * 1024 * 1024
MOST_AT_ONCE = 8
MOST_REMEMBERED = 10_000
_SCOPE: Final = system_scope("hub.alerts")
_SHOWN_WITH: Final = frozenset({Step.FIRED, Step.REPEATED, Step.ESCALATED, Step.REOPENED})

FindTarget = Callable[[int], Awaitable[CameraTarget | None]]
"""How to reach the camera that a device is; None when it is none."""


def camera_finder(database: Database) -> FindTarget:
    """Find cameras in the database: the first channel of approved ones."""

    async def find(device_id: int) -> CameraTarget | None:
        async with database.transaction() as tx:
            targets = await list_targets(tx, _SCOPE, device_ids=[device_id])
        return targets[0] if targets else None

    return find


class PictureFiles:
    """Where pictures of alerts are kept."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER

    def path(self, alert_id: int) -> Path:
        """Where the picture of an alert is or would be."""
        return self._root / f"{alert_id // 1000:d}" / f"{alert_id:d}.jpg"

    def read(self, alert_id: int) -> bytes:
        """The picture, empty when there is none."""
        try:
            return self.path(alert_id).read_bytes()
        except OSError:
            return b""

    def keep(self, alert_id: int, jpeg: bytes) -> None:
        """Write a picture: it appears whole or not at all. Raises NotKept."""
        write_whole(self.path(alert_id), jpeg)

    def forget(self, before: datetime) -> int:
        """Remove what is older, and folders that are empty then; return how many pictures."""
        removed = 0
        for folder in self._root.glob("*"):
            for path in folder.glob("*"):
                # Another process may be doing the same.
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < before.timestamp():
                        path.unlink()
                        removed += 1
            with suppress(OSError):  # it is not empty
                folder.rmdir()
        return removed


class AlertPictures:
    """Takes a picture for a message; call it with one."""

    def __init__(
        self,
        find: FindTarget,
        take: TakeSnapshot,
        files: PictureFiles,
        clock: Clock,
        *,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._find = find
        self._take = take
        self._files = files
        self._clock = clock
        self._longest_s = longest_s
        self._taking: dict[int, asyncio.Task[bytes]] = {}
        self._tried: OrderedDict[int, None] = OrderedDict()
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    async def __call__(self, message: Message) -> bytes:
        """A JPEG that shows what the message is about; empty without one. Never raises."""
        if is_digest(message):
            return b""
        told = message.notifications[0]
        alert = told.alert
        if alert.device_id is None or told.step.step not in _SHOWN_WITH:
            return b""
        jpeg = await asyncio.to_thread(self._files.read, alert.id)
        is_late = self._clock() - alert.fired_at > FRESH
        # A camera that is offline has no picture to give.
        if not jpeg and not is_late and alert.condition != DeviceOffline.type:
            jpeg = await self._taken(alert.id, alert.device_id)
        return jpeg if len(jpeg) <= MOST_SENT_BYTES else b""

    async def forget_old(self) -> None:
        """Remove pictures that were kept long enough."""
        removed = await asyncio.to_thread(self._files.forget, self._clock() - KEPT)
        if removed:
            log.info("%s pictures of alerts were kept long enough and are removed", removed)

    async def _taken(self, alert_id: int, device_id: int) -> bytes:
        """Whoever asks for the same picture meanwhile waits for the same attempt."""
        task = self._taking.get(alert_id)
        if task is None:
            if alert_id in self._tried:
                return b""
            task = asyncio.create_task(self._attempt(alert_id, device_id), name="alert-picture")
            self._taking[alert_id] = task
            task.add_done_callback(lambda _done: self._taking.pop(alert_id, None))
        # The attempt has its own limit, and ends for others when one of those who wait is gone.
        return await asyncio.shield(task)

    async def _attempt(self, alert_id: int, device_id: int) -> bytes:
        self._tried[alert_id] = None
        while len(self._tried) > MOST_REMEMBERED:
            self._tried.popitem(last=False)
        try:
            async with asyncio.timeout(self._longest_s), self._places:
                target = await self._find(device_id)
                if target is None:
                    return b""
                picture = await self._take(target, timeout_s=self._longest_s)
        except (TimeoutError, GengfuError, OSError) as error:
            log.info("alert %s goes without a picture: %s", alert_id, type(error).__name__)
            return b""
        try:
            await asyncio.to_thread(self._files.keep, alert_id, picture.jpeg)
        except NotKept as error:
            log.warning("the picture of alert %s is not kept: %s", alert_id, error)
        return picture.jpeg
