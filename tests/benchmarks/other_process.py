"""What a benchmark measures, or measures with, in a process of its own that it orders about.

The process says one line when it is ready (:attr:`OtherProcess.said`), answers each line of its
input with one of its own, and ends with its input. What the lines mean, its module says.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).parents[2]
DATABASE_URL: Final = "BENCH_URL"  # in the environment: it holds a password
ANSWER_S: Final = 180.0  # some encode all their pictures before the first line
STOP_S: Final = 30.0
MOST_SAID_BYTES: Final = 4 * 1024 * 1024


class OtherProcess:
    """``python -m module arguments``, until the block ends."""

    def __init__(self, module: str, *arguments: str, database_url: str = "") -> None:
        self._command = (sys.executable, "-m", module, *arguments)
        self._surroundings = {**os.environ, DATABASE_URL: database_url}
        self._process: asyncio.subprocess.Process | None = None
        self.said = ""

    @property
    def pid(self) -> int:
        """The process, for measuring what it costs."""
        return self._running().pid

    async def start(self) -> None:
        """Start the process; it is ready when this returns."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, cwd=ROOT, env=self._surroundings, limit=MOST_SAID_BYTES,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.said = await self._read_line()

    async def stop(self) -> None:
        """End the process."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._process = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def order(self, line: str) -> str:
        """Give an order; returns the answer."""
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(f"{line}\n".encode())
        await process.stdin.drain()
        return await self._read_line()

    async def _read_line(self) -> str:
        process = self._running()
        assert process.stdout is not None
        async with asyncio.timeout(ANSWER_S):
            line = await process.stdout.readline()
        assert line, "the other process has ended"
        return line.decode().strip()

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "the other process does not run"
        return self._process


async def obey_orders(ready: str, obey: Callable[[str], str]) -> None:
    """Be the other process: say that it is ready, then answer each order until the input ends."""
    _say(ready)
    while order := await asyncio.to_thread(sys.stdin.readline):
        _say(obey(order))


async def last(ready: str) -> None:
    """Be the other process, of one that takes no orders."""
    _say(ready)
    await asyncio.to_thread(sys.stdin.read)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
