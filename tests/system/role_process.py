"""A process of the hub without a console, to be killed: `gengfu run --role …`, or a part of it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.system.whole_hub import ROOT, START_S

RUNNING = "Gengfu is running"
HUB = ("hub.main.cli", "run", "--role", "alerts", "--role", "work")
# Alerts alone, see there.
WORKER = ("tests.system.alert_worker",)


@dataclass(slots=True, kw_only=True)
class RoleProcess:
    """``module`` and its arguments; it can be killed and started again on the same data."""

    module: tuple[str, ...]
    settings: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None

    @property
    def log_text(self) -> str:
        """Everything that was written to standard error so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self.process is not None
        return self.process.pid

    async def spawn(self) -> None:
        """Start it, and do not wait for anything."""
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("GENGFU_")
        }
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *self.module,
                cwd=ROOT,
                env={**environment, **self.settings},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )

    async def running(self) -> None:
        """Wait until it says that it runs."""
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(START_S):
            async for line in self.process.stdout:
                if RUNNING in line.decode():
                    return
        msg = f"the process ended at once:\n{self.log_text}"
        raise RuntimeError(msg)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait until it is gone."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            async with asyncio.timeout(30):
                # The pipe must be read to its end, or the process could wait for us.
                await self.process.communicate()


@asynccontextmanager
async def run_roles(
    module: tuple[str, ...], settings: Mapping[str, str], log: Path
) -> AsyncIterator[RoleProcess]:
    """The running process; whatever happens, it ends with the block."""
    process = RoleProcess(module=module, settings=settings, log=log)
    try:
        await process.spawn()
        await process.running()
        yield process
    finally:
        await process.end()
