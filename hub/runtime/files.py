"""Files that appear whole or not at all, whatever happens to the disk or the power meanwhile."""

import errno
import os
from pathlib import Path

from hub.domain.errors import GengfuError

FOLDER_MODE, FILE_MODE = 0o750, 0o640


class NotKept(GengfuError):
    """A file could not be kept; the text is the reason in plain words."""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place, sync it, and move it there; folders are made.

    Raises:
        NotKept: the disk does not take it.
    """
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


def move_whole(source: Path, path: Path) -> None:
    """Move a file of :func:`write_whole` to another name on the same disk, for good.

    Raises:
        NotKept: it is not there, or the disk does not take it.
    """
    try:
        source.replace(path)
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
