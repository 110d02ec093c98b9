"""The command line as somebody at a terminal or a script uses it: a process of its own."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system.whole_hub import ROOT

COMMAND_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)

    def complaint(self) -> str:
        """The one line of a command that failed: no traceback, nothing on standard output."""
        assert self.status == 1, self
        assert self.out == "", self.out
        (line,) = self.err.splitlines()
        assert line.startswith("gengfu: ")
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """Commands on one data folder with one set of settings."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, *arguments: str, stdin: str = "", **settings: str) -> Done:
        """Run one command to its end; ``settings`` are GENGFU_ variables of this call."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GENGFU_")}
        environment |= {"GENGFU_DATA_DIR": str(self.data_dir), **self.settings}
        environment |= {f"GENGFU_{key}": value for key, value in settings.items()}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hub.main.cli",
            *arguments,
            cwd=ROOT,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(COMMAND_S):
                out, err = await process.communicate(stdin.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        done = Done(status=process.returncode, out=out.decode(), err=err.decode())
        assert "Traceback" not in done.err, done.err
        return done
