"""The last good and the last bad picture of every camera, below ``data_dir/pictures``.

Whoever judged has painted over what must not be seen. Every name is made of numbers and of words
of our own, never of a word from outside; a file appears whole or not at all. Nothing is written
to a disk that is nearly full or beyond the limit of all pictures together; that is said once.
"""

import asyncio
import logging
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from hub.runtime.files import NotKept, write_whole

log = logging.getLogger(__name__)

FOLDER: Final = "pictures"
LABELLED: Final = "labelled"
# Folders hold at most so many others: what every file system and every tool can list.
A_FOLDER: Final = 1_000
MIB: Final = 1024 * 1024
TORN_AFTER_S: Final = 3_600.0

FreeBytes = Callable[[Path], int]


class Kind(StrEnum):
    """Which picture of a camera."""

    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLimits:
    """How much is kept: two pictures of 70,000 cameras, 640 pixels wide, take about 6 GiB.

    ``least_free_bytes`` stay free on the disk, for the database may be on it. Pictures are
    renewed after ``renewed_after``. Labelled pictures are kept until their number is asked to go.
    """

    most_picture_bytes: int = MIB
    most_bytes: int = 20 * 1024 * MIB
    least_free_bytes: int = 1024 * MIB
    kept_for: timedelta = timedelta(days=90)
    renewed_after: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: Path
    size: int
    written_at: float
    device_id: int | None

    def is_torn(self, now: datetime) -> bool:
        """Tell whether it is what a killed process left of its writing."""
        return self.path.suffix == ".new" and self.written_at < now.timestamp() - TORN_AFTER_S


def free_bytes(path: Path) -> int:
    """What a service may still write to the disk of a folder, or of the nearest one above it."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


class EvidenceFolder:
    """Where pictures are kept."""

    def __init__(
        self,
        data_dir: Path,
        limits: EvidenceLimits | None = None,
        *,
        free: FreeBytes = free_bytes,
    ) -> None:
        self._root = data_dir / FOLDER
        self.limits = limits or EvidenceLimits()
        self._free = free
        self._lock = asyncio.Lock()
        self._held_bytes: int | None = None
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why no picture can be kept now; empty while all is well."""
        return self._trouble

    def path(self, device_id: int, kind: Kind) -> Path:
        """Where a picture of a camera is or would be."""
        return self._root / f"{device_id // A_FOLDER:d}" / f"{device_id:d}" / f"{kind.value}.jpg"

    def labelled_path(self, feedback_id: int) -> Path:
        """Where the picture of which somebody said something is or would be."""
        number = feedback_id // A_FOLDER
        return self._root / LABELLED / f"{number:d}" / f"{feedback_id:d}.jpg"

    async def read(self, device_id: int, kind: Kind) -> bytes:
        """Return a picture of a camera; empty when there is none."""
        return await asyncio.to_thread(_read, self.path(device_id, kind))

    async def read_labelled(self, feedback_id: int) -> bytes:
        """Return the picture of which somebody said something; empty when there is none."""
        return await asyncio.to_thread(_read, self.labelled_path(feedback_id))

    async def keep(self, device_id: int, kind: Kind, jpeg: bytes) -> None:
        """Write a picture of a camera in place of the last of its kind.

        Raises:
            NotKept: it is too large, there is no room, or the disk does not take it.
        """
        await self._keep(self.path(device_id, kind), jpeg)

    async def keep_labelled(self, feedback_id: int, jpeg: bytes) -> None:
        """Write the picture of which somebody said something.

        Raises:
            NotKept: as for :meth:`keep`.
        """
        await self._keep(self.labelled_path(feedback_id), jpeg)

    async def forget(self, device_ids: Collection[int]) -> None:
        """Remove the pictures of cameras, of those that are retired for one."""
        paths = [self.path(number, kind) for number in device_ids for kind in Kind]
        async with self._lock:
            self._held_bytes = None
            await asyncio.to_thread(_remove, paths)

    async def forget_labelled(self, feedback_ids: Collection[int]) -> None:
        """Remove pictures of which somebody said something."""
        paths = [self.labelled_path(number) for number in feedback_ids]
        async with self._lock:
            self._held_bytes = None
            await asyncio.to_thread(_remove, paths)

    async def tidy(self, now: datetime, keep: Collection[int] | None = None) -> int:
        """Remove what is too old, what is of no camera of ``keep``, and the oldest of too much.

        ``keep`` None: of every camera. Labelled pictures stay. Returns how many went.
        """
        async with self._lock:
            gone, held = await asyncio.to_thread(self._tidy, now, keep)
            self._held_bytes = held
        return gone

    async def _keep(self, path: Path, jpeg: bytes) -> None:
        if len(jpeg) > self.limits.most_picture_bytes:
            msg = f"larger than {self.limits.most_picture_bytes // 1024} KiB"
            raise NotKept(msg)
        async with self._lock:
            try:
                await asyncio.to_thread(self._write, path, jpeg)
            except NotKept as error:
                self._say(str(error))
                raise
            self._say("")

    def _write(self, path: Path, jpeg: bytes) -> None:
        limits = self.limits
        if self._held_bytes is None:
            self._held_bytes = sum(file.size for file in _files(self._root))
        if self._free(self._root) - len(jpeg) < limits.least_free_bytes:
            msg = f"less than {limits.least_free_bytes // MIB} MiB are free on the disk"
            raise NotKept(msg)
        added = len(jpeg) - _size(path)
        if added > 0 and self._held_bytes + added > limits.most_bytes:
            msg = f"all pictures together reach their limit of {limits.most_bytes // MIB} MiB"
            raise NotKept(msg)
        write_whole(path, jpeg)
        self._held_bytes += added

    def _tidy(self, now: datetime, keep: Collection[int] | None) -> tuple[int, int]:
        oldest = (now - self.limits.kept_for).timestamp()
        files = sorted(_files(self._root), key=lambda file: file.written_at)
        held = sum(file.size for file in files)
        going = []
        for file in files:
            is_over = held > self.limits.most_bytes
            if file.is_torn(now) or (
                file.device_id is not None
                and (is_over or file.written_at < oldest or not _is_in(file.device_id, keep))
            ):
                going.append(file.path)
                held -= file.size
        _remove(going)
        return len(going), held

    def _say(self, trouble: str) -> None:
        """Log the loss once and the recovery once."""
        if trouble and not self._trouble:
            log.warning("no pictures are kept as evidence: %s", trouble)
        elif self._trouble and not trouble:
            log.info("pictures are kept as evidence again")
        self._trouble = trouble


def _files(root: Path) -> Iterator[_File]:
    """Every file below a folder; one that goes meanwhile is left out."""
    for path in root.rglob("*"):
        try:
            found = path.stat()
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode):
            yield _File(
                path=path,
                size=found.st_size,
                written_at=found.st_mtime,
                device_id=_device_of(path.relative_to(root)),
            )


def _device_of(name: Path) -> int | None:
    """The camera a picture is of; None for what is no camera's."""
    match name.parts:
        case (folder, device, _) if folder.isdecimal() and device.isdecimal():
            return int(device)
    return None


def _is_in(device_id: int, keep: Collection[int] | None) -> bool:
    return keep is None or device_id in keep


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _remove(paths: Collection[Path]) -> None:
    """Remove files, and the folders that are empty then."""
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()
