"""Keeps the processes that speak through Apprise: few, reused, killed when they take too long."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.domain.addresses import AddressPolicy
from hub.domain.devices import Json

MOST_PROCESSES = 8
# Each holds 60 MB and takes half a second of CPU to start.
MOST_IDLE = 2
# The first request waits until Python has started and the library is loaded.
START_LIMIT_S = 15.0
_WORKER: Final = Path(__file__).with_name("worker.py")
_MOST_LINE_BYTES: Final = 64 * 1024
# Nothing of the hub's environment, which may hold secrets, proxies or credentials for hosts.
_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "NETRC": "/dev/null",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class WorkerLost(OSError):
    """The process ended or spoke nonsense."""


class Workers:
    """Each request goes to a process that is idle; one is started when there is none."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._idle: list[asyncio.subprocess.Process] = []
        self._places = asyncio.Semaphore(MOST_PROCESSES)

    async def ask(self, request: Mapping[str, Json], *, timeout_s: float) -> Mapping[str, Json]:
        """Return the answer.

        Raises:
            TimeoutError: after ``timeout_s``; the process is killed, whatever it was doing.
            WorkerLost: it ended.
        """
        async with self._places:
            process = await self._take()
            is_well = False
            try:
                async with asyncio.timeout(timeout_s):
                    answer = await self._exchange(process, request)
                is_well = True
            finally:
                if is_well and len(self._idle) < MOST_IDLE:
                    self._idle.append(process)
                else:
                    await asyncio.shield(_end(process))
            return answer

    async def close(self) -> None:
        """End all that are idle."""
        while self._idle:
            await _end(self._idle.pop())

    async def _take(self) -> asyncio.subprocess.Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
            await _end(process)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            limit=_MOST_LINE_BYTES,
        )
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await _read(process)  # it says when it is ready
        except BaseException:
            await asyncio.shield(_end(process))
            raise
        return process

    async def _exchange(
        self, process: asyncio.subprocess.Process, request: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        await _write(process, request)
        while "ask" in (answer := await _read(process)):
            refusal = self._policy.refusal(str(answer["ask"]), int(str(answer["port"])))
            await _write(process, {"refusal": refusal or ""})
        return answer


async def _write(process: asyncio.subprocess.Process, request: Mapping[str, Json]) -> None:
    if process.stdin is None:
        raise WorkerLost
    process.stdin.write(json.dumps(request).encode() + b"\n")
    await process.stdin.drain()


async def _read(process: asyncio.subprocess.Process) -> Mapping[str, Json]:
    if process.stdout is None:
        raise WorkerLost
    try:
        answer = json.loads(await process.stdout.readline())
    except ValueError as error:
        raise WorkerLost from error
    if not isinstance(answer, dict):
        raise WorkerLost
    return answer


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
