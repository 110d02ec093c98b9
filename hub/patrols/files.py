"""The files of patrol rounds, below ``data_dir/patrols``.

Every name is made of the round's and the stop's number, never of a word from outside.
"""

import asyncio
import contextlib
from pathlib import Path

from hub.runtime.files import NotKept, move_whole, write_whole

FOLDER = "patrols"
REPORT = "report.html"
CLIP_MIME = "video/mp4"
MAX_PICTURE_BYTES = 8 * 1024 * 1024
MAX_CLIP_BYTES = 32 * 1024 * 1024


class PictureFolder:
    """Where pictures and reports of rounds are kept."""

    def __init__(self, data_dir: Path, *, mark: str = "") -> None:
        self._data_dir = data_dir
        self._root = data_dir / FOLDER
        self._mark = mark

    def aside(self, token: str) -> "PictureFolder":
        """The same folder for a look that nobody settled yet: its files are out of the way.

        ``token`` is of letters and digits, and of this look alone.
        """
        return PictureFolder(self._data_dir, mark=f".{token}")

    def picture_path(self, round_id: int, position: int) -> Path:
        """Where the picture of a stop is or would be."""
        return self._folder(round_id) / f"{position:d}{self._mark}.jpg"

    def clip_path(self, round_id: int, position: int) -> Path:
        """Where the film of a stop is or would be."""
        return self._folder(round_id) / f"{position:d}{self._mark}.mp4"

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
        await asyncio.to_thread(write_whole, self.picture_path(round_id, position), jpeg)

    async def keep_clip(self, round_id: int, position: int, film: bytes) -> None:
        """Write the film of a stop (CLIP_MIME) to disk.

        Raises:
            NotKept: it is too large, or the disk does not take it.
        """
        if len(film) > MAX_CLIP_BYTES:
            msg = f"larger than {MAX_CLIP_BYTES // 1024**2} MiB"
            raise NotKept(msg)
        await asyncio.to_thread(write_whole, self.clip_path(round_id, position), film)

    async def put_picture(self, round_id: int, position: int, folder: "PictureFolder") -> None:
        """Move a picture that was kept :meth:`aside` to where it belongs.

        Raises:
            NotKept: it is gone, or the disk does not take it.
        """
        mine, its = (one.picture_path(round_id, position) for one in (self, folder))
        await asyncio.to_thread(move_whole, mine, its)

    async def put_clip(self, round_id: int, position: int, folder: "PictureFolder") -> None:
        """Move a film that was kept :meth:`aside`; raises as :meth:`put_picture` does."""
        mine, its = (one.clip_path(round_id, position) for one in (self, folder))
        await asyncio.to_thread(move_whole, mine, its)

    async def drop(self, round_id: int, position: int) -> None:
        """Remove what was kept of a stop, if anything was."""
        for path in (self.picture_path(round_id, position), self.clip_path(round_id, position)):
            await asyncio.to_thread(_unlink, path)

    async def drop_aside(self, round_id: int) -> None:
        """Remove what looks left aside whose worker died, once nothing waits for a look."""
        await asyncio.to_thread(_unlink_aside, self._folder(round_id))

    async def keep_report(self, round_id: int, html: str) -> None:
        """Write the report of a round to disk.

        Raises:
            NotKept: the disk does not take it.
        """
        await asyncio.to_thread(write_whole, self.report_path(round_id), html.encode())

    def _folder(self, round_id: int) -> Path:
        return self._root / f"{round_id:d}"


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):  # what is left over is in nobody's way
        path.unlink()


def _unlink_aside(folder: Path) -> None:
    for path in (*folder.glob("*.*.jpg"), *folder.glob("*.*.mp4")):
        _unlink(path)
