"""Starts a real mosquitto on a free port of 127.0.0.1, for tests and benchmarks.

A broker can be killed and started again on the same port with what it had stored on disk. Linux
without the binary: :func:`find_mosquitto` says so and the caller skips.
"""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

START_S = 10.0
DEFAULTS: Mapping[str, str] = {
    "persistence": "true",
    "autosave_interval": "1",
    "max_queued_messages": "0",
    "max_inflight_messages": "20000",
    "allow_anonymous": "true",
    "log_type": "all",
    "set_tcp_nodelay": "true",
}


def find_mosquitto() -> str:
    """The mosquitto binary; without one the test is skipped, in CI it fails."""
    path = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("mosquitto is missing")
        pytest.skip("mosquitto is not installed")
    return path


@dataclass(slots=True, kw_only=True)
class Mosquitto:
    """A broker in a folder of its own."""

    folder: Path
    port: int
    lines: Sequence[str]
    process: asyncio.subprocess.Process | None = field(default=None)

    @property
    def address(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log_text(self) -> str:
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    async def start(self) -> None:
        """Start the broker and wait until it takes connections."""
        config = self.folder / "mosquitto.conf"
        await asyncio.to_thread(config.write_text, "\n".join(self.lines) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                find_mosquitto(), "-c", str(config), stdout=log, stderr=log
            )
        async with asyncio.timeout(START_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    if self.process.returncode is not None:
                        msg = f"mosquitto ended at once:\n{self.log_text}"
                        raise RuntimeError(msg) from None
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                await writer.wait_closed()
                return

    async def wait_for_log(self, text: str, *, times: int = 1) -> None:
        """Wait until the broker has logged a text so many times."""
        async with asyncio.timeout(START_S):
            while True:
                if self.log_text.count(text) >= times:
                    return
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop it in an orderly way: it writes its store first."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Cut it off."""
        await self._end(signal.SIGKILL)

    async def freeze(self) -> None:
        """Stop its process without closing anything: a cable cut."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    async def _end(self, number: signal.Signals) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGCONT)
        while self.process.returncode is None:
            # It takes connections before its main loop runs, and forgets a SIGTERM until then.
            with suppress(ProcessLookupError):
                self.process.send_signal(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), 2)


def free_port() -> int:
    """A port that was free a moment ago; mosquitto cannot be asked to choose one itself."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def run_mosquitto(
    folder: Path,
    *,
    settings: Mapping[str, str] | None = None,
    passwords: Mapping[str, str] | None = None,
    acl: str = "",
    listener: Sequence[str] = (),
) -> AsyncIterator[Mosquitto]:
    """Run a broker with its data in ``folder``.

    ``settings`` replace the defaults (and add to them), ``passwords`` maps user to password and
    forbids anonymous clients, ``acl`` is the text of an access list, ``listener`` are further
    lines of the listener's section (TLS).
    """
    merged = {**DEFAULTS, "persistence_location": f"{folder}/", **(settings or {})}
    if os.geteuid() == 0:  # else mosquitto becomes a user who may not write here
        merged.setdefault("user", "root")
    if passwords:
        merged["allow_anonymous"] = "false"
        merged["password_file"] = str(await _write_passwords(folder, passwords))
    if acl:
        path = folder / "acl"
        await asyncio.to_thread(path.write_text, acl)
        path.chmod(0o600)
        merged["acl_file"] = str(path)
    port = free_port()
    general = [f"{key} {value}" for key, value in merged.items()]
    lines = [*general, f"listener {port} 127.0.0.1", *listener]
    broker = Mosquitto(folder=folder, port=port, lines=lines)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.kill()


async def _write_passwords(folder: Path, passwords: Mapping[str, str]) -> Path:
    path = folder / "passwords"
    await asyncio.to_thread(path.write_text, "".join(f"{u}:{p}\n" for u, p in passwords.items()))
    path.chmod(0o600)
    hashing = await asyncio.create_subprocess_exec("mosquitto_passwd", "-U", str(path))
    assert await hashing.wait() == 0
    return path
