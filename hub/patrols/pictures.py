"""The files of patrol rounds, below ``data_dir/patrols``.

Every name is made of the round's and the stop's number, never of a word from outside. A file
appears whole or not at all: it is written beside its place, synced and renamed.
"""

import asyncio
import errno
import os
from pathlib import Path

from hub.domain.errors import GengfuError

FOLDER = "patrols"
REPORT = "report.html"
MAX_PICTURE_BYTES = 8 * 1024 * 1024
FOLDER_MODE, FILE_MODE = 0o750, 0o640


class NotKept(GengfuError):
    """A file could not be kept; the text is the reason in plain words."""


class PictureFolder:
    """Where pictures and reports of rounds are kept."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER

    def picture_path(self, round_id: int, position: int) -> Path:
        """Where the picture of a stop is or would be."""
        return self._folder(round_id) / f"{position:d}.jpg"

    def report_path(self, round_id: int) -> Path:
        """Where the report of a round is or would be."""
        return self._folder(round_id) / REPORT

    async def keep_picture(self, round_id: int, position: int, jpeg: bytes) -> None:
        """Write the picture of a stop to disk.

        Raises:
            NotKept: it is too large, or the disk does not take it.
        """
        if len(jpeg) > MAX_PICTURE_BYTES:
            msg = f"larger than {MAX_PICTURE_BYTES // 1024**2} MiB"
            raise NotKept(msg)
        await asyncio.to_thread(_write, self.picture_path(round_id, position), jpeg)

    async def keep_report(self, round_id: int, html: str) -> None:
        """Write the report of a round to disk.

        Raises:
            NotKept: the disk does not take it.
        """
        await asyncio.to_thread(_write, self.report_path(round_id), html.encode())

    def _folder(self, round_id: int) -> Path:
        return self._root / f"{round_id:d}"


def _write(path: Path, data: bytes) -> None:
    waiting = path.with_name(f".{path.name}.{os.getpid():d}.new")
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        try:
            _write_synced(waiting, data)
            waiting.replace(path)
        except OSError:
            waiting.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise NotKept(_plain(error)) from error


def _write_synced(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, FILE_MODE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "disk full"
        case errno.EROFS:
            return "disk is read-only"
        case errno.EACCES | errno.EPERM:
            return "no right to write to the data folder"
        case _:
            return error.strerror or type(error).__name__
