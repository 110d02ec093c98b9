"""Shrinks pictures for a report, in a process of its own with limits of memory and time."""

import asyncio
import struct
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.patrols.files import MAX_PICTURE_BYTES

SHRINK_LIMIT_S = 10.0  # a picture of 40 megapixels takes less than 1 s
MAX_SMALL_BYTES = 2 * 1024 * 1024

_WORKER = Path(__file__).with_name("thumbnail_worker.py")
_REQUEST = struct.Struct(">II")
_ANSWER = struct.Struct(">I")
# Nothing of the hub's environment, which may hold secrets.
_ENVIRONMENT = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Thumbnails:
    """One process for the pictures of one report; a context manager."""

    def __init__(self, *, width: int) -> None:
        self._width = width
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def shrink(self, path: Path) -> bytes | None:
        """Return the picture of a file as a small JPEG; None when it cannot be shown."""
        try:
            jpeg = await asyncio.to_thread(path.read_bytes)
        except OSError:
            return None
        if len(jpeg) > MAX_PICTURE_BYTES:
            return None
        try:
            async with asyncio.timeout(SHRINK_LIMIT_S):
                return await self._exchange(jpeg) or None
        except (TimeoutError, OSError, EOFError):
            await self._stop()
            return None

    async def _exchange(self, jpeg: bytes) -> bytes:
        process = self._process or await self._start()
        if process.stdin is None or process.stdout is None:
            msg = "the process has no pipes"
            raise EOFError(msg)
        process.stdin.write(_REQUEST.pack(self._width, len(jpeg)) + jpeg)
        await process.stdin.drain()
        (length,) = _ANSWER.unpack(await process.stdout.readexactly(_ANSWER.size))
        if length > MAX_SMALL_BYTES:
            msg = "the answer is too large"
            raise EOFError(msg)
        return await process.stdout.readexactly(length)

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
        )
        return self._process

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
