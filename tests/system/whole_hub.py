"""The whole program as its user starts it: `gengfu run` in a process of its own."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
START_S = 60.0


@dataclass(slots=True, kw_only=True)
class WholeHub:
    """One hub process; it can be killed and started again on the same data."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ("run",)
    process: asyncio.subprocess.Process | None = None
    address: str = ""
    password: str = ""

    @property
    def log_text(self) -> str:
        """Everything the process wrote to standard error so far."""
        return (self.data_dir / "hub.log").read_text(encoding="utf-8", errors="replace")

    async def start(self) -> None:
        """Start the process and wait until it says where the console is."""
        self.data_dir.mkdir(exist_ok=True)
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("GENGFU_")
        }
        environment |= {
            "GENGFU_DATA_DIR": str(self.data_dir),
            "GENGFU_HTTP__PORT": "0",
            **self.settings,
        }
        with (self.data_dir / "hub.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "hub.main.cli",
                *self.arguments,
                cwd=ROOT,
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(START_S):
            async for line in self.process.stdout:
                text = line.decode()
                if found := re.search(r"console.*(http://\S+)", text):
                    self.address = found[1]
                if found := re.search(r"password\s+\S+\s+(\S+)", text):
                    self.password = found[1]
                if self.address and not text.strip():
                    break
            else:
                msg = f"the hub ended at once:\n{self.log_text}"
                raise RuntimeError(msg)

    async def kill(self) -> None:
        """SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            async with asyncio.timeout(30):
                # The pipe must be read to its end, or the process could wait for us.
                await self.process.communicate()

    @asynccontextmanager
    async def api(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client logged in as the first administrator."""
        async with httpx.AsyncClient(base_url=self.address + "/api/v1/", timeout=20) as client:
            answer = await client.post(
                "session/login", json={"name": "admin", "password": self.password}
            )
            answer.raise_for_status()
            client.headers["X-CSRF-Token"] = answer.json()["csrf"]
            yield client


@asynccontextmanager
async def run_whole_hub(
    data_dir: Path, settings: Mapping[str, str], *arguments: str
) -> AsyncIterator[WholeHub]:
    """A running hub; whatever happens, its process ends with the block."""
    hub = WholeHub(data_dir=data_dir, settings=settings, arguments=arguments or ("run",))
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()
